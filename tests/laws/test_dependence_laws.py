"""What a baseline of rows in the order of time makes of autocorrelated traffic: the budget holds without tuning."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from stream_monitor.core.arrays import Float64
from stream_monitor.core.baseline import NumericBaseline, Origin, OriginType, ReferenceTable, build_baseline
from stream_monitor.core.detectors import Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.keys import file_row_hashes
from stream_monitor.core.plan import LimitsPlan

JUDGED, BUDGET_EVENTS, STREAMS = 5000, 1e5, 40


def ar1(rho: float, seed: int, rows: int) -> Float64:
    """An AR(1) stream of standard normal values: first the rows of the reference, then those that are judged."""
    noise = np.random.default_rng(seed).standard_normal(rows + JUDGED + 500) * np.sqrt(1.0 - rho * rho)
    values: Float64 = lfilter([1.0], [1.0, -rho], noise)[500:]
    return values


def baseline(values: Float64, rows: int) -> NumericBaseline:
    """The baseline of rows that happened in this order."""
    select, tie = file_row_hashes("m", range(rows))
    table = ReferenceTable({"feature:x": values[:rows]}, select, tie, np.arange(rows))
    origin = Origin(OriginType.DATASET, rows)
    series = build_baseline("m", "", table, origin=origin, limits=LimitsPlan()).series["feature:x"]
    assert isinstance(series, NumericBaseline)
    return series


@pytest.mark.parametrize("events", [10, 50])
@pytest.mark.parametrize(
    ("rho", "rows"), [(0.0, 4095), (0.3, 4095), (0.5, 4095), (0.8, 4095), (0.0, 300), (0.8, 300), (0.9, 300)]
)
def test_autocorrelated_streams_keep_the_budget(rho: float, rows: int, events: int) -> None:
    """At most one in twenty streams alarms in 5,000 events of a budget of 100,000.

    Independent streams are not tempered. Three hundred rows of ρ = .9 are worth sixteen independent ones: nothing is
    promised for them, and yet they do not flood.
    """
    streams = [ar1(rho, seed, rows) for seed in range(STREAMS)]
    built = [baseline(values, rows) for values in streams]
    effects = [own.dependence.values if own.dependence else None for own in built]
    group = RankShiryaevRoberts(Mixture.for_events(events)).build(built[0].m)
    places = np.array(
        [
            group.add(SeriesReference(own.reference, design_effect=d.value if d else 1.0))
            for own, d in zip(built, effects, strict=True)
        ]
    )
    ties = np.random.default_rng(0).integers(0, 2**53, JUDGED)
    bins = [own.grid.assign(v[rows:], ties).reshape(-1, events) for own, v in zip(built, streams, strict=True)]
    alarmed = np.zeros(STREAMS, dtype=np.bool_)
    for pane in range(JUDGED // events):
        counts = np.array([np.bincount(of[pane], minlength=built[0].bins) for of in bins])
        alarmed |= group.step(places, counts) >= np.log(BUDGET_EVENTS / events)

    assert alarmed.mean() <= 0.05
    assert rho > 0.0 or np.mean([d == (1.0, True) for d in effects]) >= 0.95
