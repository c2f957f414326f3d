"""Rows gathered for a baseline: written from columns, they are the bytes of examples with the same values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_monitor.core.batch import ABSENT, INVALID, Cell, CodedColumn, Column, Group, NumericColumn, ObjectColumn
from stream_monitor.core.names import cut_category
from stream_monitor.core.profile import Example
from stream_monitor.core.profile.codec import encode_example
from stream_monitor.core.profile.gathered import gathered_rows
from stream_monitor.formats.rows import column_of

ROWS = 1_100
"""More than two blocks."""

MIXED: list[Cell] = ["a", -0.0, None, ABSENT, INVALID]

_CELLS: st.SearchStrategy[Cell] = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.0, True, False, None, ABSENT, INVALID]),
    st.text(st.characters(codec="utf-8"), max_size=6),
    st.just("ü" * 200),
)
_NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)


def group_of(rows: int, segments: dict[str, Sequence[str | None]] | None = None) -> Group:
    """Return rows without columns: these are given apart."""
    rng = np.random.default_rng(3)
    return Group(
        model="fraud",
        version="7",
        rows=np.arange(rows),
        event_ids=[f'id "{row}" é' for row in range(rows)],
        select=rng.integers(0, 2**64, rows, dtype=np.uint64) >> np.uint64(7),
        tie=rng.integers(0, 2**53, rows),
        sampled_rate=None,
        columns={},
        segments=segments or {},
    )


def as_examples(group: Group, columns: dict[str, Column], offsets: Sequence[int]) -> list[bytes]:
    """Return the rows of a group, each made cell by cell and written by the codec."""
    cells = {name: column.cells() for name, column in columns.items()}
    written = []
    for row in range(len(group.event_ids)):
        own = {name: column[row] for name, column in cells.items() if column[row] not in (ABSENT, INVALID)}
        example = Example(
            hash=int(group.select[row]),
            event_id=group.event_ids[row],
            offset=offsets[row],
            tie=int(group.tie[row]),
            values={name: cut_category(cell) if isinstance(cell, str) else cell for name, cell in own.items()},  # type: ignore[misc]  # no sentinel is left
            invalid=tuple(sorted(name for name, column in cells.items() if column[row] is INVALID)),
            segments={name: text for name, texts in group.segments.items() if (text := texts[row]) is not None},
        )
        written.append(encode_example(example))
    return written


@given(
    table=st.dictionaries(_NAMES, st.lists(_CELLS, min_size=4, max_size=4), max_size=5),
    segments=st.dictionaries(_NAMES, st.lists(st.none() | _NAMES, min_size=4, max_size=4), max_size=2),
)
def test_rows_are_written_like_examples(
    table: dict[str, list[Cell]], segments: dict[str, Sequence[str | None]]
) -> None:
    """Whatever the cells: numbers, texts, nulls, names left out, values that cannot be counted."""
    group, offsets = group_of(4, segments), np.arange(10, 14)
    columns: dict[str, Column] = {name: column_of(cells) for name, cells in table.items()}

    written = gathered_rows(group, np.arange(4), offsets=offsets, columns=columns, segments=tuple(segments))
    assert as_examples(group, columns, offsets.tolist()) == list(written)


@pytest.mark.parametrize(
    "column",
    [
        NumericColumn(np.arange(ROWS) / 7),
        NumericColumn(np.where(np.arange(ROWS) % 5, 1e300, np.nan), absent=np.arange(ROWS) % 10 == 0),
        NumericColumn(
            np.full(ROWS, np.nan), invalid=np.ones(ROWS, np.bool_), others={0: "a", 511: True, 512: "b", 1_099: "c"}
        ),
        CodedColumn(np.arange(ROWS) % 6, ["a", "b\n", None, True, ABSENT, INVALID]),
        ObjectColumn([MIXED[n % 5] for n in range(ROWS)], mixed=True),
    ],
)
def test_blocks_join(column: Column) -> None:
    """Rows are made in blocks, and each kind of column is cut where they meet."""
    group, offsets = group_of(ROWS), np.arange(ROWS) + 2**40
    columns: dict[str, Column] = {"feature:a": column, "feature:b": NumericColumn(np.ones(ROWS))}

    written = gathered_rows(group, np.arange(ROWS), offsets=offsets, columns=columns, segments=())
    assert as_examples(group, columns, offsets.tolist()) == list(written)


def test_an_infinite_number_is_no_json() -> None:
    """It would be written as null, silently."""
    columns: dict[str, Column] = {"feature:a": NumericColumn(np.array([1.0, np.inf]))}

    with pytest.raises(ValueError, match="infinite"):
        gathered_rows(group_of(2), np.arange(2), offsets=np.arange(2), columns=columns, segments=())
