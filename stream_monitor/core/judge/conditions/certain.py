"""How many rows make a condition certain: the false-alarm bound of conditions that chance could imitate.

Without a change a row shows the fact with probability p, of which the baseline gives an upper limit u (Clopper-Pearson,
missed with probability `miss`). That at least a share s > u of n independent rows shows it has a probability of at most
exp(-n KL(s ‖ u)) (Chernoff 1952). The number of rows asked for is fixed by the limit alone, never by what was seen, so
a pane is one test and expected false alarms add up over panes and series like everywhere else.

>>> round(certain_rows(1.0, upper=0.01, log_limit=20.0), 1)
4.3
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stream_monitor.core.baseline import Baseline, SeriesBaseline, by_stratum
from stream_monitor.core.detectors.interval_limits import clopper_pearson
from stream_monitor.core.judge.watch.weights import COLUMNS_SHARE

if TYPE_CHECKING:
    from stream_monitor.core.judge.watch.watch import Watch

MISS = 1e-3
"""Probability, for all series together, that some upper limit does not hold the truth."""


def certain_rows(share: float, *, upper: float, log_limit: float) -> float:
    """Return how many independent rows with such a share are certain; infinite where none are.

    Args:
        share: of the rows that show the fact, above 0 and at most 1.
        upper: limit of the share without a change.
        log_limit: ln of 1 over the probability that may remain.
    """
    if upper >= share:
        return math.inf
    divergence = share * math.log(share / upper)
    if share < 1.0:
        divergence += (1.0 - share) * math.log((1.0 - share) / (1.0 - upper))
    return log_limit / divergence


def rows_for_missing(watch: Watch, name: str, budget_panes: float) -> float:
    """Return how many rows without a series are certain: all of them lack it."""
    baseline = _reference(watch)
    return unnamed_rows(baseline, name, log_limit=_log_limit(watch, baseline, budget_panes))


def rows_for_kind(watch: Watch, name: str, budget_panes: float) -> float:
    """Return how many rows with a value are certain of which more than half are of another kind."""
    baseline = _reference(watch)
    return strange_rows(baseline, name, log_limit=_log_limit(watch, baseline, budget_panes))


def unnamed_rows(baseline: Baseline, name: str, *, log_limit: float) -> float:
    """Return how many rows that all lack a series are certain; infinite where none are.

    Args:
        baseline: the reference.
        name: a series of it.
        log_limit: ln of 1 over the probability that may remain.
    """
    values = baseline.series[name]
    pairs = [
        (own.missing, max(rows, own.observed + own.missing))
        for own, rows in zip(by_stratum(values), baseline.rows(name), strict=True)
    ]
    return _needed(1.0, pairs, baseline, values, log_limit)


def strange_rows(baseline: Baseline, name: str, *, log_limit: float) -> float:
    """Return how many rows with a value are certain of which more than half are invalid; arguments as above."""
    values = baseline.series[name]
    pairs = [
        (max(0, rows - own.missing - own.observed), max(rows - own.missing, own.observed))
        for own, rows in zip(by_stratum(values), baseline.rows(name), strict=True)
    ]
    return _needed(0.5, pairs, baseline, values, log_limit)


def tests_of(baseline: Baseline) -> int:
    """Return how many of these questions are asked of a reference: two of each series."""
    return 2 * len(baseline.series)


def _reference(watch: Watch) -> Baseline:
    assert watch.baseline is not None
    return watch.baseline


def _log_limit(watch: Watch, baseline: Baseline, budget_panes: float) -> float:
    """The share is split into parts: versions and supplements beside each other, like their slots."""
    return log_limit(watch.slot, tests_of(baseline), budget_panes)


def log_limit(slot: int, tests: int, budget_panes: float) -> float:
    """Return ln of 1 over the probability that each of some tests of a pane may have in the slot of a version."""
    parts = (math.pi * (slot + 1)) ** 2 / 6.0
    return math.log(budget_panes * parts * tests / COLUMNS_SHARE)


def _needed(
    share: float, pairs: list[tuple[int, int]], baseline: Baseline, values: SeriesBaseline, log_limit: float
) -> float:
    d = 1.0 if values.dependence is None else values.dependence.absent.value
    upper = max(clopper_pearson(k / d, m / d, miss=MISS / tests_of(baseline), upward=1.0).upper for k, m in pairs)
    return d * certain_rows(share, upper=upper, log_limit=log_limit)
