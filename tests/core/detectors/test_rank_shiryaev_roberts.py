"""RankShiryaevRoberts: the textbook formula, the promise, invariance, dating, and the cases that broke prototypes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gammaln, logsumexp

from stream_monitor.core.arrays import Bool, Float64, Int64
from stream_monitor.core.detectors import Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.detectors.mixtures import TILT_ONE
from stream_monitor.core.grid import NumericGrid, build_numeric_grid, spacings
from stream_monitor.lab.counts import draw_masses, drifted, pane_counts


def log_evidence(panes: Int64, *, m: int, mixture: Mixture) -> Float64:
    """Log M after each pane of many streams, panes (t, streams, bins), result (t, streams)."""
    group = RankShiryaevRoberts(mixture).build(m)
    rows = np.array([group.add(SeriesReference(spacings(m))) for _ in range(panes.shape[1])])
    return np.array([group.step(rows, pane) for pane in panes])


def textbook(panes: Int64, *, m: int, mixture: Mixture) -> float:
    """Log M after the panes of one stream, by gamma functions and plain floats."""
    layout, tilts = spacings(m), mixture.tilts(spacings(m))
    share, g = layout / (m + 1.0), tilts.ratios / TILT_ONE
    alpha = layout.astype(np.float64)
    memories = np.zeros((len(tilts.half_lives), layout.size))
    log_r = np.full(tilts.weights.size, -np.inf)
    for n in panes.astype(np.float64):
        if not n.any():
            continue
        null = (gammaln(alpha + n) - gammaln(alpha)).sum()
        tilted = alpha * g * alpha.sum() / (g @ alpha)[:, None]
        log_e = [(gammaln(row + n) - gammaln(row)).sum() - null for row in tilted]
        whole = gammaln(alpha.sum() + n.sum()) - gammaln(alpha.sum())
        for memory in memories:
            beta = 50.0 * share + memory
            adaptive = (gammaln(beta + n) - gammaln(beta)).sum()
            log_e.append(adaptive - gammaln(beta.sum() + n.sum()) + gammaln(beta.sum()) + whole - null)
        log_r = np.minimum(np.logaddexp(0.0, log_r) + log_e, 600.0)
        memories = memories * 0.5 ** (n.sum() / np.array(tilts.half_lives))[:, None] + n
        alpha += n
    return float(logsumexp(log_r + np.log(tilts.weights)))


@pytest.mark.parametrize("mixture", list(Mixture))
@pytest.mark.parametrize(("m", "events"), [(63, 1), (63, 300), (1023, 30), (4095, 1000)])
def test_the_evidence_is_that_of_the_formula(mixture: Mixture, m: int, events: int) -> None:
    """Forty panes with a shift in the middle and an empty pane, against gamma functions."""
    generator = np.random.default_rng(m + events)
    masses = draw_masses(spacings(m), generator)
    quiet = pane_counts(masses, events=events, panes=20, generator=generator)
    shifted = pane_counts(drifted(masses, shift=0.3), events=events, panes=20, generator=generator)
    panes = np.concatenate([quiet, np.zeros_like(quiet[:1]), shifted])

    found = log_evidence(panes[:, None, :], m=m, mixture=mixture)[-1, 0]

    assert found == pytest.approx(textbook(panes, m=m, mixture=mixture), abs=1e-8)


def first_alarms(evidence: Float64, budget: float) -> Int64:
    """Pane of the first alarm of each stream, counted from 1; the number of panes + 1 where none came."""
    alarmed: Bool = evidence >= np.log(budget)
    first: Int64 = np.where(alarmed.any(axis=0), alarmed.argmax(axis=0) + 1, evidence.shape[0] + 1)
    return first


@pytest.mark.parametrize(("events", "mixture"), [(1, Mixture.BASE), (10, Mixture.BASE), (100, Mixture.FINE)])
def test_alarms_without_drift_are_rarer_than_the_budget(events: int, mixture: Mixture) -> None:
    """600 references, 60 panes, A = 100: at most 60 % may alarm; what is measured is far below."""
    generator = np.random.default_rng(events)
    masses = draw_masses(spacings(255), generator, series=600)
    panes = pane_counts(masses, events=events, panes=60, generator=generator)

    alarms = first_alarms(log_evidence(panes, m=255, mixture=mixture), budget=100.0) <= 60

    assert alarms.mean() + 3.0 * np.sqrt(alarms.mean() / alarms.size) < 0.60


def test_restarts_keep_the_number_of_alarms_in_the_budget() -> None:
    """400 series, 400 panes of ten events, A = 50, M set to 0 at each alarm: at most eight alarms a series."""
    generator = np.random.default_rng(5)
    masses = draw_masses(spacings(127), generator, series=400)
    group = RankShiryaevRoberts(Mixture.BASE).build(127)
    rows = np.array([group.add(SeriesReference(spacings(127))) for _ in range(400)])
    alarms = 0
    for pane in pane_counts(masses, events=10, panes=400, generator=generator):
        alarmed = rows[group.step(rows, pane) >= np.log(50.0)]
        alarms += alarmed.size
        for row in alarmed:
            group.restart(int(row))

    assert 400 < alarms < 8 * 400


@pytest.mark.parametrize(("shift", "panes_needed"), [(0.25, 8), (0.5, 3), (1.0, 1)])
def test_a_shift_is_found_within_a_few_panes(shift: float, panes_needed: int) -> None:
    """Panes of 50 events, a budget of 100,000 events: the median delay stays within 400, 150 and 50 events."""
    generator = np.random.default_rng(11)
    masses = draw_masses(spacings(1023), generator, series=41)
    quiet = pane_counts(masses, events=50, panes=100, generator=generator)
    after = pane_counts(drifted(masses, shift=shift), events=50, panes=30, generator=generator)

    evidence = log_evidence(np.concatenate([quiet, after]), m=1023, mixture=Mixture.BASE)

    assert (evidence[:100] < np.log(2000.0)).all()
    assert np.median(first_alarms(evidence[100:], budget=2000.0)) <= panes_needed


def test_a_change_of_scale_is_found() -> None:
    """A standard deviation of 1.25 times, at the same mean, within 250 events."""
    generator = np.random.default_rng(12)
    masses = draw_masses(spacings(1023), generator, series=41)
    quiet = pane_counts(masses, events=50, panes=100, generator=generator)
    after = pane_counts(drifted(masses, scale=1.25), events=50, panes=30, generator=generator)

    evidence = log_evidence(np.concatenate([quiet, after]), m=1023, mixture=Mixture.BASE)

    assert np.median(first_alarms(evidence[100:], budget=2000.0)) <= 5


def test_a_silent_series_does_not_alarm() -> None:
    """An empty pane is no evidence: with `R = 1 + R` a series silent for ten budgets would alarm by its silence."""
    group = RankShiryaevRoberts().build(63)
    rows = np.array([group.add(SeriesReference(spacings(63)))])
    nothing = np.zeros((1, spacings(63).size), dtype=np.int64)

    assert all(group.step(rows, nothing)[0] == -np.inf for _ in range(10 * 100))


def counts_of(grid: NumericGrid, values: Float64, generator: np.random.Generator) -> Int64:
    """Counts of values whose tie-breakers are fresh."""
    return grid.count(values, generator.integers(0, 2**53, size=values.size))


@pytest.mark.parametrize(("same_hash", "share"), [(False, 0.05), (True, 1.0)])
def test_tie_breakers_must_not_come_from_the_hash_that_selects(same_hash: bool, share: float) -> None:
    """With one hash for both the reference's tie-breakers are all small, and undrifted integers alarm without fail."""
    alarms = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        values = generator.poisson(2.0, size=8_000).astype(np.float64)
        select = generator.integers(0, 2**64, size=8_000, dtype=np.uint64)
        ties = (select >> np.uint64(11)).astype(np.int64) if same_hash else generator.integers(0, 2**53, size=8_000)
        grid, _ = build_numeric_grid(values, select, ties)
        smallest = np.sort(select)[:1023]
        chosen = np.isin(select, smallest)
        grid, _ = build_numeric_grid(values[chosen], select[chosen], ties[chosen])
        panes = [counts_of(grid, generator.poisson(2.0, size=100).astype(np.float64), generator) for _ in range(50)]
        evidence = log_evidence(np.array(panes)[:, None, :], m=1023, mixture=Mixture.FINE)
        alarms += bool((evidence >= np.log(1000.0)).any())

    assert alarms / 20 == pytest.approx(share, abs=0.05)


def test_a_monotone_change_of_units_changes_no_bit() -> None:
    """Values and their ranks, ties kept: the same evidence to the last bit."""
    generator = np.random.default_rng(2)
    values = np.round(generator.lognormal(size=3_000), 1)
    ranks = np.unique(values, return_inverse=True)[1].astype(np.float64)
    select = generator.integers(0, 2**64, size=3_000, dtype=np.uint64)
    ties = generator.integers(0, 2**53, size=3_000)

    def evidence(column: Float64) -> list[float]:
        grid, seen = build_numeric_grid(column[:1_000], select[:1_000], ties[:1_000])
        group = RankShiryaevRoberts(Mixture.BASE).build(grid.m)
        rows = np.array([group.add(SeriesReference(grid.spacings + seen))])
        panes = [slice(start, start + 50) for start in range(1_000, 3_000, 50)]
        return [float(group.step(rows, grid.count(column[p], ties[p])[None])[0]) for p in panes]

    assert evidence(values) == evidence(ranks)


@pytest.mark.parametrize(("shift", "events"), [(0.5, 10), (1.0, 10), (0.5, 50)])
def test_the_change_range_holds_the_change(shift: float, events: int) -> None:
    """The 90 % range covers the true pane in at least 85 of 100 streams, and its middle is close."""
    generator = np.random.default_rng(events)
    before, streams = 60, 100
    masses = draw_masses(spacings(1023), generator, series=streams)
    quiet = pane_counts(masses, events=events, panes=before, generator=generator)
    after = pane_counts(drifted(masses, shift=shift), events=events, panes=80, generator=generator)
    panes = np.concatenate([quiet, after])
    covered, errors = [], []
    for stream in range(streams):
        group = RankShiryaevRoberts(Mixture.BASE).build(1023)
        row = group.add(SeriesReference(spacings(1023)))
        for end in range(panes.shape[0]):
            if group.step(np.array([row]), panes[end, stream][None])[0] >= np.log(1e5 / events):
                found = group.change_range(row, panes[max(0, end - 99) : end + 1, stream])
                offset = max(0, end - 99)
                covered.append(found.first + offset <= before <= found.last + offset)
                errors.append(abs(found.median + offset - before))
                break

    assert len(covered) >= 95
    assert np.mean(covered) >= 0.85
    assert np.median(errors) <= 4


def test_learnt_counts_can_be_taken_back() -> None:
    """After absorbing and forgetting the same counts the null is what it was."""
    group = RankShiryaevRoberts().build(63)
    row = group.add(SeriesReference(spacings(63)))
    before = group.dump()
    counts = np.arange(spacings(63).size)

    group.absorb(row, counts)
    assert group.dump() != before
    group.forget(row, counts)
    assert group.dump() == before
