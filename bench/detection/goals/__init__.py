"""The numeric goals of detection, each measured: what was asked, what came out, and whether it holds.

A goal holds by its measured figure, promises about false alarms by a confidence limit. One whose figure misses it, but
whose 95 % limits hold it, is open: more streams would tell.
"""

from collections.abc import Sequence

from bench.detection.goals.car_loan import car_loan
from bench.detection.goals.change_range import change_ranges
from bench.detection.goals.cost import cost
from bench.detection.goals.delays import delays_in_panes, delays_one_by_one, shapes
from bench.detection.goals.demand import demand
from bench.detection.goals.dependence import dependence
from bench.detection.goals.outcome import Check, Outcome
from bench.detection.goals.promises import (
    alarms_in_a_horizon,
    deployments,
    run_lengths,
    run_lengths_by_law,
    silence,
)
from bench.detection.goals.tolerance import tolerance

__all__ = ["CHECKS", "KNOWN_MISSES", "Check", "Outcome"]

CHECKS: Sequence[Check] = (
    run_lengths,
    run_lengths_by_law,
    alarms_in_a_horizon,
    deployments,
    silence,
    delays_one_by_one,
    delays_in_panes,
    shapes,
    dependence,
    tolerance,
    change_ranges,
    demand,
    car_loan,
    cost,
)
"""All of them; each is a task of its own."""

KNOWN_MISSES = {
    "0.05 σ, panes of 1,000, A = 100: panes <= 6": "7 in the median of 200 streams, with m = 1,023, 4,095 and 16,383",
    "error rate .02 + 0.25 σ, m = 4,095: delay <= 650": "750 to 800 with odds ratios 1.05, 1.15, 1.4, 2, 4",
}
"""Goals that are not met, and the best figure; they are measured, told, and do not fail the run."""
