"""The few rows that stand for a profile: those of smallest selection hash, whatever the order of arrival."""

from __future__ import annotations

import numpy as np

from stream_monitor.core.arrays import Int64, Intp, UInt64
from stream_monitor.core.batch import Group
from stream_monitor.core.profile.record import Example


def example_rows(select: UInt64, offsets: Int64, rows: Intp | None, keep: int) -> Intp:
    """Return the `keep` rows of smallest (hash, offset), in that order.

    Args:
        select: selection hash of every row of the group.
        offsets: offset of every row of the group.
        rows: the rows to choose from; None for all.
        keep: how many at most.
    """
    hashes = select if rows is None else select[rows]
    if hashes.size > keep:
        border = np.partition(hashes, keep - 1)[keep - 1]
        near = np.flatnonzero(hashes <= border)
    else:
        near = np.arange(hashes.size)
    candidates = near if rows is None else rows[near]
    order = np.lexsort((offsets[candidates], select[candidates]))
    return candidates[order[:keep]]


def plain_examples(group: Group, offsets: Int64, rows: Intp, place: tuple[str, int]) -> tuple[Example, ...]:
    """Return rows as examples: identity and place, no values."""
    topic, partition = place
    return tuple(
        Example(hash_, group.event_ids[row], offset, topic, partition)
        for row, hash_, offset in zip(rows.tolist(), group.select[rows].tolist(), offsets[rows].tolist(), strict=True)
    )
