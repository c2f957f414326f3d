"""What a baseline of rows in the order of time makes of autocorrelated traffic: the budget holds without tuning."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from stream_monitor.core.arrays import Float64
from stream_monitor.core.baseline import (
    NumericBaseline,
    Origin,
    OriginType,
    ReferenceTable,
    build_baseline,
    measured_along,
)
from stream_monitor.core.baseline.regimes import regimes
from stream_monitor.core.detectors import Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.keys import file_row_hashes
from stream_monitor.core.plan import LimitsPlan
from stream_monitor.lab.generators import (
    Autoregressive,
    Held,
    Law,
    Normal,
    NumberStream,
    Overdispersed,
    Regimes,
)

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


@pytest.mark.parametrize(
    "law",
    [
        Normal(),
        Autoregressive(0.95),
        Overdispersed(50, 0.1),
        Overdispersed(50, 0.3),
        Held(20),
        Held(200),
        Regimes(50),
        Regimes(50, quiet=True),
    ],
)
def test_files_whose_rows_hang_together_keep_the_budget(law: Law) -> None:
    """Of files of 2,000 rows, a fifth of them the reference, at most one in twenty alarms at a budget of one in twenty.

    A third of the budget is for values, the rest for missing and invalid ones.
    The reference holds eight stretches of an effect that fifty rows share, or two of a sensor that sticks for two
    hundred: it is the course of the whole file that tells. A file that passes for one of a few regimes counts as an
    alarm: its jumps would be told.
    """
    rows, events = 2_000, 10
    files = [NumberStream(law, rows, seed).values() for seed in range(STREAMS)]
    built = [along_the_file(values, rows // 5) for values in files]
    group = RankShiryaevRoberts(Mixture.for_events(events)).build(built[0].m)
    effects = [own.dependence.values.value if own.dependence else 1.0 for own in built]
    places = np.array(
        [
            group.add(SeriesReference(own.reference, design_effect=effect))
            for own, effect in zip(built, effects, strict=True)
        ]
    )
    ties = file_row_hashes("m", range(rows // 5, rows))[1]
    bins = [own.grid.assign(v[rows // 5 :], ties).reshape(-1, events) for own, v in zip(built, files, strict=True)]
    panes = bins[0].shape[0]
    alarmed = np.array([regimes(values) is not None for values in files])
    for pane in range(panes):
        counts = np.array([np.bincount(of[pane], minlength=built[0].bins) for of in bins])
        alarmed |= group.step(places, counts) >= np.log(panes / 0.05 * 3)

    assert alarmed.mean() <= 0.05


def along_the_file(values: Float64, rows: int) -> NumericBaseline:
    """The baseline of the first rows of a file that was seen as a whole."""
    select, tie = file_row_hashes("m", range(values.size))
    table = ReferenceTable({"feature:x": values}, select, tie, np.arange(values.size))
    first = ReferenceTable({"feature:x": values[:rows]}, select[:rows], tie[:rows], np.arange(rows))
    built = build_baseline("m", "", first, origin=Origin(OriginType.DATASET, rows), limits=LimitsPlan())
    series = measured_along(built, table).series["feature:x"]
    assert isinstance(series, NumericBaseline)
    return series
