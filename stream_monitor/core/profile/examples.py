"""The few rows that stand for a profile: those of smallest selection hash, whatever the order of arrival."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from stream_monitor.core.arrays import Int64, Intp, UInt64
from stream_monitor.core.batch import ABSENT, INVALID, Column, Group
from stream_monitor.core.names import cut_category
from stream_monitor.core.profile.record import Example, ExampleValue


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


def raw_examples(
    examples: tuple[Example, ...],
    columns: Mapping[str, Column],
    *,
    ties: Int64,
    segments: Mapping[str, Sequence[str | None]],
) -> tuple[Example, ...]:
    """Return examples with their raw values, from which an automatic baseline is made.

    Args:
        examples: n rows.
        columns: cells of the same n rows by series.
        ties: their tie-breakers.
        segments: values of each watched segment in the same n rows.
    """
    values: list[dict[str, ExampleValue]] = [{} for _ in examples]
    invalid: list[list[str]] = [[] for _ in examples]
    for name, column in columns.items():
        for row, cell in enumerate(column.cells()):
            if cell is INVALID:
                invalid[row].append(name)
            elif cell is not ABSENT:
                assert cell is None or isinstance(cell, str | bool | float)
                values[row][name] = cut_category(cell) if isinstance(cell, str) else cell
    return tuple(
        replace(
            example,
            tie=tie,
            values=values[row],
            invalid=tuple(sorted(invalid[row])),
            segments={name: text for name, texts in segments.items() if (text := texts[row]) is not None},
        )
        for row, (example, tie) in enumerate(zip(examples, ties.tolist(), strict=True))
    )
