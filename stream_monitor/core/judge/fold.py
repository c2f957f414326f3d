"""The judge: a deterministic fold over one partition of `drift-profiles`.

No clock, no I/O, no chance: what it says is a function of the entries, the plan and the baselines named by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from stream_monitor.core.judge.outputs import Output, StoredEntry
from stream_monitor.core.judge.view import JudgeView
from stream_monitor.core.plan import Plan

if TYPE_CHECKING:
    from stream_monitor.core.baseline import Baseline
    from stream_monitor.core.rules import RuleFactory


class Judge:
    """Fold stored entries into alerts; every call returns what is to be written, in order.

    Args:
        plan: what is watched, and how.
        partition: of `drift-profiles` and `drift-alerts`.
        partitions: number of partitions of `drift-profiles`.
        source: CloudEvents source of the alerts, `/stream-monitor/<group>`.
        schedule: baseline by id; raises KeyError (or returns None) for an unknown one, then `fold` raises
            UnknownBaseline *before* anything changed.
        rules: factories of the user's own rules by their `target`.
        state: a snapshot made by `dump`; refused ones raise SnapshotRefused.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        partition: int,
        partitions: int,
        source: str,
        schedule: Callable[[str], Baseline | None],
        rules: Mapping[str, RuleFactory] | None = None,
        state: bytes | None = None,
    ) -> None:
        raise NotImplementedError

    def fold(self, entry: StoredEntry) -> list[Output]:
        """Fold one entry; entries below `next_offset` are ignored.

        Raises:
            ChainGap: the entry names a chunk that the log does not hold. Nothing changed.
            UnknownBaseline: the schedule lacks a baseline. Nothing changed: fold the same entry again later.
        """
        raise NotImplementedError

    @property
    def next_offset(self) -> int:
        """Where to read on. After a restore this is `replay_from`: entries up to the old position come again and
        give no output.
        """
        raise NotImplementedError

    @property
    def replay_from(self) -> int:
        """Smallest log offset that a snapshot taken now would need again (H20); `next_offset` if nothing waits."""
        raise NotImplementedError

    def dump(self) -> bytes:
        """Return the whole state: `Judge(..., state=dump)` continues exactly."""
        raise NotImplementedError

    @property
    def digest(self) -> str:
        """Hex digest of closed panes, chains and alert life cycles: equal for equal histories."""
        raise NotImplementedError

    @property
    def chains(self) -> dict[str, list[int]]:
        """Tip of every chain for `_commit`: `topic/partition` -> [epoch, seq, lease, next]."""
        raise NotImplementedError

    @property
    def proposed(self) -> Mapping[tuple[str, str], str]:
        """Ids of the baselines proposed so far, by (model, version); stays after a restore."""
        raise NotImplementedError

    def clear_counters(self) -> None:
        """Set the counters of `view` to zero, as after a silent fold; no decision depends on them."""
        raise NotImplementedError

    def view(self) -> JudgeView:
        """Return what may be shown now. Costs a comparison per series: call it after commits, not after entries."""
        raise NotImplementedError
