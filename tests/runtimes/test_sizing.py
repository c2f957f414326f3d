"""How a file is cut into reference, panes and windows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_monitor.core.study.sizing import SMALLEST_FILE, TooFewRows, choose_sizes, renewal_rows


@given(st.integers(SMALLEST_FILE, 10_000_000), st.floats(0.5, 1.0))
def test_every_file_is_split_into_something_to_learn_from_and_something_to_judge(rows: int, filled: float) -> None:
    """At least 63 rows are the reference and half of the file is judged, in panes of 10 rows or more."""
    sizes = choose_sizes(rows, least_filled=filled)

    assert sizes.baseline_rows >= 63
    assert sizes.judged_rows >= rows // 2
    assert 10 <= sizes.pane_rows <= 1_000
    assert sizes.window_panes >= 2
    assert sizes.baseline_rows + sizes.judged_rows == rows


@pytest.mark.parametrize(
    ("rows", "baseline", "pane"), [(200, 63, 10), (1_000, 200, 10), (50_000, 10_000, 50), (1_000_000, 10_000, 1_000)]
)
def test_sizes_of_some_files(rows: int, baseline: int, pane: int) -> None:
    """A fifth up to ten thousand, a five-hundredth up to a thousand."""
    sizes = choose_sizes(rows)

    assert (baseline, pane) == (sizes.baseline_rows, sizes.pane_rows)


def test_missing_values_ask_for_more_rows() -> None:
    """A column that is half empty still gets its 63 values."""
    assert choose_sizes(400, least_filled=0.5).baseline_rows == 126


def test_a_file_that_is_too_short_is_refused_with_a_way_out() -> None:
    """Below twice the smallest reference only another file can be the reference."""
    with pytest.raises(TooFewRows, match="--baseline"):
        choose_sizes(SMALLEST_FILE - 1)

    assert choose_sizes(30, baseline_given=True).baseline_rows == 0


@pytest.mark.parametrize(
    ("rows", "season", "pane"), [(2_000, 7, 7), (2_000, 24, 24), (50_000, 24, 48), (2_000, 200, 200)]
)
def test_panes_and_reference_hold_whole_seasons(rows: int, season: int, pane: int) -> None:
    """A pane is the number of seasons nearest to its usual size, at least one; the reference is whole panes."""
    sizes = choose_sizes(rows, season_rows=season)

    assert sizes.pane_rows == pane
    assert sizes.baseline_rows % pane == 0
    assert renewal_rows(sizes) % season == 0
    assert any(f"repeat themselves after {season}" in reason for reason in sizes.reasons)
