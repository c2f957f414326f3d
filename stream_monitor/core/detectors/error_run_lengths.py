"""Run lengths of detectors of single errors, by the rate of errors that they start from.

The parameter for a run length depends on the rate: a table a rate, and between two rates the logarithm of the parameter
goes in a straight line with the log-odds of the rate. Below the smallest and above the largest rate that of the nearest
is taken, and called extrapolated.

>>> error_parameter("hddm_a", 0.2, 5_000).extrapolated, error_parameter("hddm_a", 0.001, 5_000).extrapolated
(False, True)

Tables: lower 95 % limits of `python -m bench run_length_errors`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

from stream_monitor.core.detectors.run_length import Calibrated, Table, interpolated

COMPARE_WITH_THE_BEST = ("ddm", "eddm")
"""Detectors that compare with the best they ever saw: false alarms come early or hardly ever.

The run length is kept on average over streams of three of them; within the first tenth of a run length many times the
alarms of an even rate come. Their guarantee says so.
"""

RUN_LENGTHS: Mapping[str, Mapping[float, Table]] = {
    "ddm": {
        0.01: ((1.956, 10_518),),
        0.05: ((1.648, 1_004), (2.117, 10_225)),
        0.2: ((1.987, 1_011), (2.25, 10_525)),
        0.5: ((1.992, 1_030), (2.162, 10_368)),
    },
    "eddm": {
        0.01: ((0.8341, 10_170),),
        0.05: ((0.8713, 1_029), (0.7944, 10_616)),
        0.2: ((0.8386, 1_014), (0.8179, 10_299)),
    },
    "hddm_a": {
        0.01: ((0.2785, 1_095), (0.2735, 10_071)),
        0.05: ((0.09326, 1_014), (0.05184, 10_256)),
        0.2: ((0.03717, 1_021), (0.01048, 10_053)),
        0.5: ((0.03013, 1_027), (0.006652, 10_188)),
    },
    "hddm_w": {
        0.01: ((0.1165, 4_116),),
        0.05: ((0.09513, 1_023), (0.07829, 10_075)),
        0.2: ((0.01165, 1_018), (0.001071, 10_273)),
        0.5: ((0.001226, 1_009), (1.506e-05, 10_293)),
    },
    "fhddm": {
        0.01: ((0.8349, 1_841), (0.6059, 31_879)),
        0.05: ((0.278, 1_206), (0.05609, 12_365)),
        0.2: ((0.005972, 1_181), (9.92e-06, 12_495)),
        0.5: ((0.0003354, 1_056), (5.974e-09, 10_182)),
    },
}
"""By detector and rate: (parameter, average run length in events) on streams of three run lengths; river 0.26.1."""


def error_parameter(kind: str, rate: float, run_length_events: float) -> Calibrated:
    """Return the parameter of a detector with at least that average run length at a rate of errors.

    Args:
        kind: name of the detector.
        rate: share of errors without drift, above 0 and below 1.
        run_length_events: average number of events between alarms.
    """
    tables = RUN_LENGTHS[kind]
    rates = sorted(tables)
    inside = min(max(rate, rates[0]), rates[-1])
    low, high = next(pair for pair in pairwise(rates) if inside <= pair[1])
    steepest = math.inf if kind in COMPARE_WITH_THE_BEST else 1.0  # a confidence: no rarer than its inverse
    below, above = (interpolated(tables[known], run_length_events, steepest=steepest) for known in (low, high))
    share = (_log_odds(inside) - _log_odds(low)) / (_log_odds(high) - _log_odds(low))
    value = below.value ** (1.0 - share) * above.value**share
    beyond = (share < 1.0 and below.extrapolated) or (share > 0.0 and above.extrapolated)
    return Calibrated(float(f"{value:.8e}"), beyond or inside != rate)


def _log_odds(rate: float) -> float:
    return math.log(rate / (1.0 - rate))
