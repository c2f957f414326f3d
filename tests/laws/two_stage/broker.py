"""The broker: input events, the profiles log, committed offsets with metadata, and who is a member of the group."""

from __future__ import annotations

from dataclasses import dataclass, field

from stream_monitor.core.judge import StoredEntry
from stream_monitor.core.profile import LogEntry


@dataclass(frozen=True)
class Event:
    """An input event: its id says everything about it."""

    id: str
    at_ms: int
    record_ms: int


@dataclass(frozen=True)
class Commit:
    """A committed offset, its metadata, and the member that asked for it."""

    partition: int
    member: int
    next: int
    metadata: str


@dataclass
class Broker:
    """What survives every crash.

    Attributes:
        now_ms: broker time.
        inputs: events by source partition.
        log: the one partition of the profiles topic.
        committed: by source partition.
        members: live members of the profile group; the commits of others are refused.
        held: commits that the network holds back, to be applied later or never.
        alerts: committed alerts of the judge.
        judge_next: committed position of the judge.
        judge_digest: digest that was committed with it.
        snapshots: (position, bytes), oldest first.
    """

    now_ms: int
    inputs: list[list[Event]]
    log: list[StoredEntry] = field(default_factory=list)
    committed: dict[int, Commit] = field(default_factory=dict)
    members: set[int] = field(default_factory=set)
    held: list[Commit] = field(default_factory=list)
    alerts: list[bytes] = field(default_factory=list)
    judge_next: int = 0
    judge_digest: str | None = None
    snapshots: list[tuple[int, bytes]] = field(default_factory=list)
    next_member: int = 0

    def join(self) -> int:
        """Admit a new member."""
        self.next_member += 1
        self.members.add(self.next_member)
        return self.next_member

    def append(self, entry: LogEntry) -> int:
        """Write a record to the log and return its offset."""
        self.log.append(StoredEntry(len(self.log), self.now_ms, entry.key, entry.value))
        return len(self.log) - 1

    def commit(self, commit: Commit) -> bool:
        """Apply a commit, unless its member is fenced."""
        if commit.member not in self.members:
            return False
        self.committed[commit.partition] = commit
        return True
