"""Snapshots of a judge: cut into blocks, written beside the alerts, manifest last, in the slot that is not needed now.

Two slots, because a compacted topic may keep records of two versions of one of them: the older slot stays whole until
the newer one is (H21). A snapshot may span several transactions; without its manifest it does not exist.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from stream_monitor.kafka.judge.sealed import BrokenSeal
from stream_monitor.kafka.judge.state_records import (
    Commit,
    Manifest,
    NewerFormat,
    Slot,
    block_key,
    decode_manifest,
    encode,
    manifest_key,
)

StateRecord = tuple[bytes, bytes | None]
"""Key and value of a record of `drift-judge-state`."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A whole snapshot as found in the topic."""

    manifest: Manifest
    state: bytes


class SnapshotWriter:
    """The records of one snapshot, handed out in portions.

    Args:
        manifest: of the state; its blocks are filled in here.
        state: what `Judge.dump` returned.
        block_bytes: largest block.
        leftover: blocks that the slot held before: those beyond the new ones get a tombstone.
    """

    def __init__(self, manifest: Manifest, state: bytes, *, block_bytes: int, leftover: int) -> None:
        cuts = range(0, max(len(state), 1), block_bytes)
        blocks = [state[at : at + block_bytes] for at in cuts]
        self.manifest = Manifest(
            slot=manifest.slot,
            next_offset=manifest.next_offset,
            replay_from=manifest.replay_from,
            plan=manifest.plan,
            state_digest=manifest.state_digest,
            blocks=[hashlib.sha256(block).hexdigest() for block in blocks],
        )
        records: list[StateRecord] = [(block_key(manifest.slot, i), block) for i, block in enumerate(blocks)]
        records += [(block_key(manifest.slot, i), None) for i in range(len(blocks), leftover)]
        self._left = deque(records)
        self._finished = False

    @property
    def finished(self) -> bool:
        """Whether the manifest was handed out."""
        return self._finished

    def take(self, max_bytes: int) -> list[StateRecord]:
        """Return the next records, at least one, about `max_bytes` of them; the manifest is the last of all."""
        taken: list[StateRecord] = []
        size = 0
        while self._left and (not taken or size < max_bytes):
            record = self._left.popleft()
            taken.append(record)
            size += len(record[1] or b"")
        if not self._left and not self._finished:
            taken.append((manifest_key(self.manifest.slot), encode(self.manifest)))
            self._finished = True
        return taken


def whole_snapshots(records: Mapping[bytes, bytes], commit: Commit) -> list[Snapshot]:
    """Return the valid snapshots at or below the committed position, newest first.

    Raises:
        NewerFormat: a manifest was written by a later version of this program.
    """
    found = [s for s in (_read(records, slot) for slot in Slot) if s is not None]
    usable = [s for s in found if s.manifest.next_offset <= commit.next_offset]
    return sorted(usable, key=lambda s: s.manifest.next_offset, reverse=True)


def block_counts(records: Mapping[bytes, bytes]) -> dict[Slot, int]:
    """Return how many blocks each slot holds, whole or not."""
    return {slot: sum(key.startswith(block_key(slot, 0)[:-5]) for key in records) for slot in Slot}


def _read(records: Mapping[bytes, bytes], slot: Slot) -> Snapshot | None:
    value = records.get(manifest_key(slot))
    if value is None:
        return None
    try:
        manifest = decode_manifest(value)
    except BrokenSeal:
        return None
    blocks = [records.get(block_key(slot, index), b"") for index in range(len(manifest.blocks))]
    if manifest.slot is not slot or [hashlib.sha256(block).hexdigest() for block in blocks] != manifest.blocks:
        return None
    return Snapshot(manifest, b"".join(blocks))


__all__ = ["NewerFormat", "Snapshot", "SnapshotWriter", "StateRecord", "block_counts", "whole_snapshots"]
