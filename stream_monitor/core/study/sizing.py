"""How a file is watched when nobody says: baseline, pane, window and budget from the size of the data, and why.

A file is a finished experiment, not an endless stream, so spans are chosen in rows. The rules are few and fixed:

* baseline: a fifth of the rows, at least 63 and at most 10,000: more teaches little, less leaves small drifts in the
  error of the reference;
* pane: a five-hundredth of the judged rows, at least 10 and at most 1,000: detection is delayed by half a pane, and a
  pane of fewer than 10 rows costs time and gains nothing; of more than 40 series fewer and longer panes, since each
  pane costs time for each series;
* window: 500 rows, but at most a quarter of what is judged and at least two panes: where a change began is looked for
  in it;
* effect: told over a hundredth of what is judged after the alarm, at least 20 rows and at most 100: a short file ends
  before the 200 events of live traffic have come;
* budget: one false alarm in twenty such files.

Where rows repeat themselves after a season, a pane is a season or some of them, and the reference whole panes: whatever
the season does to the values, every pane has all of it.

>>> choose_sizes(50_000).pane_rows, choose_sizes(50_000).baseline_rows
(50, 10000)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SMALLEST_FILE = 126
"""Rows below which nothing can be judged: 63 make the smallest reference, as many again are worth judging."""

SMALLEST_BASELINE = 63
LARGEST_BASELINE = 10_000
FALSE_ALARMS_PER_FILE = 0.05

_PANE_STEPS = (10, 20, 50, 100, 200, 500, 1_000)
_SMALLEST_PANE, _LARGEST_PANE = 10, 1_000
_PANES = 500
_SERIES_PANES = 20_000
"""Panes of all series together, from which on they become longer."""

_FEWEST_PANES = 80
_WINDOW_ROWS = 500
_WINDOW_SHARE = 4
_OPEN_SHARE = 100
_FEWEST_OPEN, _MOST_OPEN = 20, 100
_MIN_WINDOW_PANES = 2
_BASELINE_SHARE = 5


class TooFewRows(ValueError):
    """A file is too short to be split into a reference and something to judge."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What was chosen, in rows.

    Attributes:
        baseline_rows: first rows that are the reference; 0 when a baseline was given.
        judged_rows: the rows after them.
        pane_rows: rows of a pane, on average.
        window_panes: panes of a comparison window.
        open_rows: rows after an alarm that its effect needs to be told.
        reasons: a sentence for each choice.
        season_rows: rows after which the file repeats itself, 1 for none.
    """

    baseline_rows: int
    judged_rows: int
    pane_rows: int
    window_panes: int
    open_rows: int
    reasons: tuple[str, ...]
    season_rows: int = 1

    @property
    def panes(self) -> float:
        """Panes to be judged."""
        return self.judged_rows / self.pane_rows

    @property
    def budget_panes(self) -> float:
        """A: panes per expected false alarm."""
        return self.panes / FALSE_ALARMS_PER_FILE


def choose_sizes(
    rows: int, *, baseline_given: bool = False, least_filled: float = 1.0, season_rows: int = 1, series: int = 1
) -> Sizes:
    """Return the sizes for a file.

    Args:
        rows: in the file.
        series: that are judged.
        baseline_given: another file is the reference.
        least_filled: share of values in the emptiest column worth watching; the reference needs enough of each.
        season_rows: rows after which the file repeats itself, 1 for none.

    Raises:
        TooFewRows: the file is too short.
    """
    if rows < SMALLEST_FILE and not baseline_given:
        raise TooFewRows(
            f"needs at least {SMALLEST_FILE} rows without a baseline of its own, got {rows}: give one with --baseline"
        )
    baseline = 0 if baseline_given else _baseline_rows(rows, least_filled)
    pane = _in_seasons(_pane_rows(rows - baseline, series), season_rows)
    if season_rows > 1 and not baseline_given:
        baseline = -(-baseline // pane) * pane
    judged = rows - baseline
    window = max(_MIN_WINDOW_PANES, -(-min(_WINDOW_ROWS, judged // _WINDOW_SHARE) // pane))
    open_rows = min(max(judged // _OPEN_SHARE, _FEWEST_OPEN), _MOST_OPEN)
    reasons = []
    if not baseline_given:
        reasons.append(
            f"baseline: the first {baseline:,} of {rows:,} rows ({baseline / rows:.0%}): a fifth of the file, at most"
            f" {LARGEST_BASELINE:,} rows"
        )
    reasons += [
        f"pane: {pane:,} rows, so that {judged:,} rows are judged in about {max(1, judged // pane):,} steps"
        + (f": rows repeat themselves after {season_rows:,}, so a pane holds whole seasons" if season_rows > 1 else ""),
        f"window: {window} panes, {window * pane:,} rows, for comparisons and effects",
        f"effect: an alarm of the evidence is told once {open_rows} more rows show a change that matters",
        f"budget: {FALSE_ALARMS_PER_FILE:g} false alarms expected in the whole file, all series together",
    ]
    return Sizes(baseline, judged, pane, window, open_rows, tuple(reasons), season_rows)


def renewal_rows(sizes: Sizes, *, least_filled: float = 1.0) -> int:
    """Return the rows of a new reference after an alert: a quarter of a first one, since the next change may be near.

    Where rows repeat themselves they are whole seasons.

    >>> renewal_rows(choose_sizes(2_000))
    100
    """
    rows = sizes.baseline_rows + sizes.judged_rows
    wanted = max(_baseline_rows(rows, least_filled) // 4, math.ceil(SMALLEST_BASELINE / max(least_filled, 0.05)))
    return -(-wanted // sizes.season_rows) * sizes.season_rows


def _baseline_rows(rows: int, least_filled: float) -> int:
    """Return a fifth of the rows, and enough of them for 63 values in columns that have missing ones."""
    wanted = min(LARGEST_BASELINE, rows // _BASELINE_SHARE)
    enough = math.ceil(SMALLEST_BASELINE / max(least_filled, 0.05))
    return min(max(wanted, enough), max(rows // 3, SMALLEST_BASELINE))


def _in_seasons(pane: int, season: int) -> int:
    """Return the whole number of seasons that is nearest to a pane, at least one."""
    return pane if season <= 1 else season * max(1, round(pane / season))


def _pane_rows(judged: int, series: int) -> int:
    """Return a round number near a five-hundredth of the rows, not above it; of many series not below what they allow.

    >>> _pane_rows(4_000, series=30), _pane_rows(4_000, series=500)
    (10, 50)
    """
    wanted = min(max(judged / _PANES, _SMALLEST_PANE), _LARGEST_PANE)
    pane = max(step for step in _PANE_STEPS if step <= wanted)
    allowed = max(_SERIES_PANES / max(series, 1), _FEWEST_PANES)
    return max(
        pane, next((step for step in _PANE_STEPS if step * allowed >= judged), pane) if allowed < _PANES else pane
    )
