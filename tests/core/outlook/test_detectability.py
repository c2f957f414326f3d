"""How soon a change is seen, reckoned from formulas and found in simulated streams."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.detectors import (
    DetectorGroup,
    IntervalBernoulli,
    Mixture,
    NegativeBinomial,
    PaneRank,
    RankShiryaevRoberts,
    SeriesReference,
)
from stream_monitor.core.grid import spacings
from stream_monitor.core.outlook.detectability import (
    NINE_IN_TEN,
    Path,
    delay_panes,
    demand_path,
    interval_path,
    pane_rank_path,
    rank_path,
    shifted,
)
from stream_monitor.lab.counts import draw_masses, drifted, pane_counts

STREAMS = 40
BEFORE = 50


def delays(group: DetectorGroup, rows: Int64, panes: Int64, log_threshold: float) -> Float64:
    """Return panes to the alarm of each stream, infinite without one; panes of shape (panes, streams, bins)."""
    found = np.full(rows.size, np.inf)
    for number, counts in enumerate(panes, start=1):
        alarmed = group.step(rows, counts) >= log_threshold
        found[alarmed & np.isinf(found)] = number
        if np.isfinite(found).all():
            break
    return found


def assert_agree(path: Path, log_threshold: float, found: Float64, budget: float) -> None:
    """Check the two delays as the module states them."""
    typical = delay_panes(path, log_threshold, longest=budget)
    within = delay_panes(path, log_threshold, longest=budget, z=NINE_IN_TEN)
    median = float(np.quantile(found, 0.5, method="lower"))
    assert typical is not None
    assert within is not None
    assert median / 1.6 <= typical <= median * 1.6 or abs(typical - median) <= 2
    assert (found > within).mean() <= 0.25


@pytest.mark.parametrize(
    ("m", "events", "budget", "shift"),
    [
        (1023, 10, 1e4, 0.25),
        (1023, 10, 1e4, 0.5),
        (1023, 10, 1e4, 1.0),
        (1023, 50, 2e3, 0.25),
        (4095, 250, 2.5e5, 0.1),
        (4095, 250, 2.5e5, 0.25),
        (1023, 1000, 1e2, 0.1),
    ],
)
def test_shifts_of_numbers_are_seen_when_said(m: int, events: int, budget: float, shift: float) -> None:
    """Small and large panes, references and shifts."""
    generator = np.random.default_rng(5)
    layout, mixture = spacings(m), Mixture.for_events(events)
    group = RankShiryaevRoberts(mixture).build(m)
    rows = np.array([group.add(SeriesReference(layout)) for _ in range(STREAMS)])
    masses = draw_masses(layout, generator, STREAMS)
    for counts in pane_counts(masses, events=events, panes=BEFORE, generator=generator):
        group.step(rows, counts)
    panes = pane_counts(drifted(masses, shift=shift), events=events, panes=200, generator=generator)
    after = shifted(layout / layout.sum(), shift)
    path = rank_path(layout, layout, after, events=events, mixture=mixture, panes_before=BEFORE)

    assert_agree(path, math.log(budget), delays(group, rows, panes, math.log(budget)), budget)


@pytest.mark.parametrize(("events", "shift"), [(20, 0.25), (50, 0.5), (10, 1.0)])
def test_shifts_of_panes_are_seen_when_said(events: int, shift: float) -> None:
    """One rank a pane: means of panes scatter less, the more events they hold."""
    generator = np.random.default_rng(8)
    m, budget, before = 1023, 1e4, 30
    layout, spec = spacings(m), PaneRank()
    group = spec.build(m)
    rows = np.array([group.add(SeriesReference(layout)) for _ in range(STREAMS)])
    masses = draw_masses(layout, generator, STREAMS)
    for counts in pane_counts(masses, events=events, panes=spec.reference_panes + before, generator=generator):
        group.step(rows, counts)
    panes = pane_counts(drifted(masses, shift=shift), events=events, panes=200, generator=generator)
    path = pane_rank_path(layout, shifted(layout / layout.sum(), shift), events=events, panes_before=before)

    assert_agree(path, math.log(budget), delays(group, rows, panes, math.log(budget)), budget)


@pytest.mark.parametrize(("share", "after"), [(0.02, 0.04), (0.02, 0.1), (0.2, 0.3), (0.2, 0.1)])
def test_changes_of_shares_are_seen_when_said(share: float, after: float) -> None:
    """Upwards and downwards, rare and common."""
    generator = np.random.default_rng(6)
    m, events, budget = 4095, 50, 2e3
    group = IntervalBernoulli().build()
    k = generator.binomial(m, share, size=STREAMS)
    rows = np.array([group.add(SeriesReference(np.array([m - true, true]))) for true in k.tolist()])
    true = generator.binomial(events, after, size=(400, STREAMS))
    found = delays(group, rows, np.stack([events - true, true], axis=-1), math.log(budget))
    typical = group.add(SeriesReference(np.array([m - round(m * share), round(m * share)])))
    path = interval_path(group.parts(typical), np.array([1 - after, after]), events=events)

    assert path is not None
    assert_agree(path, math.log(budget), found, budget)


@pytest.mark.parametrize("factor", [0.5, 1.25, 2.0])
def test_changes_of_demand_are_seen_when_said(factor: float) -> None:
    """Of demand that scatters like Poisson counts."""
    generator = np.random.default_rng(7)
    spec, events, budget = NegativeBinomial(), 100.0, 1e4
    group = spec.build()
    rows = np.array([group.add() for _ in range(STREAMS)])
    for counts in generator.poisson(events, size=(spec.reference_panes + 1, STREAMS, 1)):
        group.step(rows, counts)
    found = delays(group, rows, generator.poisson(events * factor, size=(200, STREAMS, 1)), math.log(budget))

    assert_agree(demand_path(spec, events=events, factor=factor), math.log(budget), found, budget)


def test_a_change_inside_the_interval_is_never_seen() -> None:
    """What the reference itself cannot exclude is no change."""
    group = IntervalBernoulli().build()
    path = interval_path(
        group.parts(group.add(SeriesReference(np.array([980, 20])))), np.array([0.975, 0.025]), events=1e3
    )

    assert path is not None
    assert delay_panes(path, math.log(1e4), longest=1e4) is None


def test_dependent_events_say_less() -> None:
    """A design effect of four makes the delay about four times as long."""
    layout = spacings(4095)
    after = shifted(layout / layout.sum(), 0.25)
    one, four = (
        delay_panes(
            rank_path(layout, layout, after, events=20, mixture=Mixture.BASE, design_effect=d, panes_before=1e4),
            math.log(1e4),
            longest=1e4,
        )
        for d in (1.0, 4.0)
    )

    assert one is not None
    assert four is not None
    assert 3.0 < four / one < 5.0
