"""The records of `drift-judge-state`: the committed position, the plans it names, and the manifests of snapshots.

| key | value |
|---|---|
| `_commit` | where the judge stands: sealed JSON, in the transaction of the alerts up to there |
| `_plan/<hash>` | canonical plan, named by its SHA-256 |
| `_snapshot/<slot>` | manifest of slot A or B: sealed JSON with the digests of its blocks |
| `_snapshot/<slot>/<index>` | one block of the state |

The topic is ours alone: versioned, no interface.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TypeVar

import msgspec

from stream_monitor.kafka.judge.sealed import BrokenSeal, seal, unseal

FORMAT = 2
"""Newest format that is read. A commit under the first plan of its partition is still written in the one before."""

COMMIT_KEY = b"_commit"
PLAN_PREFIX = b"_plan/"
SNAPSHOT_PREFIX = b"_snapshot/"

Record = TypeVar("Record", "Commit", "Manifest")


class NewerFormat(Exception):
    """A record was written by a later version of this program."""


class Slot(StrEnum):
    """The two places of a snapshot: one is written while the other stays whole."""

    A = "A"
    B = "B"

    @property
    def other(self) -> Slot:
        """The slot that is written next."""
        return Slot.B if self is Slot.A else Slot.A


@dataclass(frozen=True, slots=True)
class Commit:
    """Where a judge partition stands after a transaction.

    Attributes:
        next_offset: of `drift-profiles`; everything below is folded and published.
        partitions: of `drift-profiles` when it was written (H16).
        plan: SHA-256 of the plan that judged up to here.
        state_digest: rolling digest of closed panes, chains and alert states.
        chains: tip of every chain, `topic/partition` to (epoch, seq, lease, next).
        arithmetic: fingerprint of the special functions of the process that wrote it.
        versions: of what decides: our algorithms, river.
        plans: every plan so far and the offset from which on it judged; empty: there was one.
        log: id of the topic of profiles; empty in records of older versions.
    """

    next_offset: int
    partitions: int
    plan: str
    state_digest: str
    chains: dict[str, list[int]]
    arithmetic: str
    versions: dict[str, str]
    plans: list[tuple[str, int]] = field(default_factory=list)
    log: str = ""
    format: int = 1

    @property
    def history(self) -> tuple[tuple[str, int], ...]:
        """Hash of every plan and the offset from which on it judged, in order."""
        return tuple(self.plans) or ((self.plan, 0),)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A snapshot in one slot: valid when every block is there and has its digest.

    Attributes:
        next_offset: position of the state.
        replay_from: first log record that a restore needs again: of a chunk that waited or was half read (H20).
        plan: SHA-256 of the plan of the state.
        state_digest: what the restored judge must say of itself at `next_offset`.
        blocks: SHA-256 of each block, in order.
    """

    slot: Slot
    next_offset: int
    replay_from: int
    plan: str
    state_digest: str
    blocks: list[str]
    format: int = 1


def plan_key(plan_hash: str) -> bytes:
    """Return the key of a plan's text."""
    return PLAN_PREFIX + plan_hash.encode()


def manifest_key(slot: Slot) -> bytes:
    """Return the key of a slot's manifest."""
    return SNAPSHOT_PREFIX + slot.value.encode()


def block_key(slot: Slot, index: int) -> bytes:
    """Return the key of one block of a slot.

    >>> block_key(Slot.A, 3)
    b'_snapshot/A/00003'
    """
    return SNAPSHOT_PREFIX + f"{slot.value}/{index:05d}".encode()


def encode(record: Commit | Manifest) -> bytes:
    """Return a record sealed; a history of plans makes a commit one of the newer format."""
    body = asdict(record)
    if isinstance(record, Commit):
        has_history = len(record.plans) > 1
        body |= {"plans": [list(own) for own in record.plans], "format": FORMAT} if has_history else {"format": 1}
        if not has_history:
            del body["plans"]
    return seal(body)


def decode_commit(value: bytes) -> Commit:
    """Return a `_commit` record.

    Raises:
        BrokenSeal: not one.
        NewerFormat: written by a later version.
    """
    return _decode(value, Commit)


def decode_manifest(value: bytes) -> Manifest:
    """Return a manifest.

    Raises:
        BrokenSeal: not one.
        NewerFormat: written by a later version.
    """
    return _decode(value, Manifest)


def _decode(value: bytes, kind: type[Record]) -> Record:
    body = unseal(value)
    version = body.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise NewerFormat(f"format {version}; this version knows {FORMAT}")
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise BrokenSeal(str(error)) from error
