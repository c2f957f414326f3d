"""The numeric goals of detection, each measured: what was asked, what came out, and whether it holds.

A goal holds by its measured figure: a median or a share as measured, a run length by its lower 95 % limit, the
probability of a false alarm of a deployment by its upper 99 % limit. Nothing is exempt, and a goal that could not be
measured does not count as held. Goals that are exact, or quick, are tests instead: `COVERAGE` says where each one is.
"""

from collections.abc import Mapping, Sequence

from bench.detection.goals.car_loan import car_loan
from bench.detection.goals.change_range import change_ranges
from bench.detection.goals.cost import cost
from bench.detection.goals.delays import delays_in_panes, delays_one_by_one, shapes
from bench.detection.goals.demand import demand
from bench.detection.goals.dependence import dependence, independence, strata
from bench.detection.goals.error_rates import error_rates, learnt_rates
from bench.detection.goals.many_series import many_series
from bench.detection.goals.outcome import Check, Outcome
from bench.detection.goals.p_values import p_values
from bench.detection.goals.promises import (
    alarms_in_a_horizon,
    deployments,
    long_run_lengths,
    newcomers,
    run_lengths,
    segments,
    silence,
)
from bench.detection.goals.proven import proven
from bench.detection.goals.river_calibration import kswin_calibration, river_calibration
from bench.detection.goals.tolerance import tolerance

__all__ = ["CHECKS", "COVERAGE", "Check", "Outcome"]

CHECKS: Sequence[Check] = (
    run_lengths,
    long_run_lengths,
    alarms_in_a_horizon,
    deployments,
    newcomers,
    segments,
    silence,
    delays_one_by_one,
    delays_in_panes,
    shapes,
    error_rates,
    learnt_rates,
    many_series,
    dependence,
    independence,
    strata,
    tolerance,
    proven,
    change_ranges,
    demand,
    p_values,
    river_calibration,
    kswin_calibration,
    car_loan,
    cost,
)
"""All of them, in the order of `COVERAGE`; each is a task of its own."""

COVERAGE: Mapping[str, str] = {
    "1 e-values of mean one": "tests/core/detectors/test_dirichlet_multinomial.py",
    "2 run lengths, alarms in a horizon": "this table; equal bytes: tests/laws/test_rank_laws.py",
    "3 deployments, newcomers, segments": "this table",
    "4 tie-breakers; silence": "tests/core/detectors/test_rank_shiryaev_roberts.py; this table",
    "5 delays against the oracle and in panes": "this table",
    "6 other shapes, rare errors": "this table",
    "7 a hundred series": "this table",
    "8 dependence, seasons": "this table",
    "9 tolerance, proven effect": "this table",
    "10 range of the change point": "this table",
    "11 demand": "this table",
    "12 p-values, river's calibration": "this table; KSWIN in the long run alone",
    "13 car loan": "this table",
    "14 cost, state; bits": "this table; tests/core/detectors/test_bits.py, tests/laws",
    "15 what an alert carries": "tests/timelines/test_alert_contents.py",
}
"""Where each goal of detection is measured."""
