"""Laws of series that are judged hour by hour: one null a stratum, one sum of evidence, the same promise."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import beta

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.detectors import (
    BetaBernoulli,
    BetaCategories,
    DetectorGroup,
    DetectorSpec,
    IntervalBernoulli,
    IntervalCategories,
    NegativeBinomial,
    RankShiryaevRoberts,
    RiverDetector,
    RiverKind,
    SeriesReference,
    ToleranceShiryaevRoberts,
)
from stream_monitor.core.detectors.interval_group import IntervalGroup
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses, pane_counts

STRATA = 3
GRIDS = [SeriesReference(spacings(63) + extra) for extra in range(STRATA)]
SHARES = [SeriesReference(np.array([900 - true, true])) for true in (20, 100, 400)]
SIZES = np.array([500, 300, 150, 40, 10, 0])
CATEGORIES = [SeriesReference(SIZES * (1 + s) + np.array([9 * s, 0, 0, 0, 0, 0]), (s, 90)) for s in range(STRATA)]
CASES: list[tuple[DetectorSpec, int, list[SeriesReference], int]] = [
    (RankShiryaevRoberts(strata=STRATA), 63, GRIDS, 34),
    (ToleranceShiryaevRoberts(0.01, strata=STRATA), 63, GRIDS, 34),
    (IntervalBernoulli(strata=STRATA), 2, SHARES, 2),
    (IntervalCategories(strata=STRATA), 6, CATEGORIES, 6),
    (BetaBernoulli(strata=STRATA), 2, SHARES, 2),
    (BetaCategories(strata=STRATA), 6, CATEGORIES, 6),
    (NegativeBinomial(reference_panes=20, strata=STRATA), 1, SHARES, 1),
    (RiverDetector(RiverKind.PAGE_HINKLEY, 1e3, STRATA), 63, GRIDS, 34),
]
every_detector = pytest.mark.parametrize(
    ("spec", "layout", "references", "bins"), CASES, ids=[spec.fingerprint.split("/")[0] for spec, *_ in CASES]
)


def panes_of(bins: int, *, panes: int, series: int, seed: int) -> Int64:
    """Panes of thirty events or so, some of them empty, shape (panes, series, bins)."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(30.0 / bins, (panes, series, bins))
    counts[rng.random((panes, series)) < 0.1] = 0
    return counts.astype(np.int64)


def run(group: DetectorGroup, panes: Int64, strata: Int64) -> list[list[float]]:
    rows = np.arange(panes.shape[1])
    return [group.step(rows, pane, s).tolist() for pane, s in zip(panes, strata.tolist(), strict=True)]


@pytest.mark.parametrize("stratum", range(STRATA))
@pytest.mark.parametrize("events", [1, 2])
def test_the_next_pane_of_any_stratum_has_expectation_one(stratum: int, events: int) -> None:
    """By enumeration of all ordered runs of the next pane: E[M | past] = 1 + M, with the stratum's own null."""
    bins = spacings(63).size
    runs = list(itertools.product(range(bins), repeat=events))
    group = RankShiryaevRoberts(strata=STRATA).build(63)
    rows = np.array([group.add(*GRIDS) for _ in runs])
    past = panes_of(bins, panes=12, series=1, seed=5).repeat(len(runs), axis=1)
    for pane, s in zip(past, itertools.cycle((0, 1, 2, 1)), strict=False):
        group.step(rows, pane, s)
    before = np.exp(group.log_evidence(rows)[0])
    own = [pane[0] for pane, s in zip(past, itertools.cycle((0, 1, 2, 1)), strict=False) if s == stratum]
    alpha = (GRIDS[stratum].counts + np.sum(own, axis=0)).astype(np.float64)
    probability = np.ones(len(runs))
    counts = np.zeros((len(runs), bins), dtype=np.int64)
    for drawn in np.array(runs).T:
        seen = alpha[None, :] + counts
        probability *= seen[np.arange(len(runs)), drawn] / seen.sum(axis=1)
        counts[np.arange(len(runs)), drawn] += 1
    after = np.exp(group.step(rows, counts, stratum))

    assert probability.sum() == pytest.approx(1.0, abs=1e-12)
    assert float(probability @ after) == pytest.approx(1.0 + before, rel=1e-9)


@pytest.mark.parametrize("stratum", range(STRATA))
def test_no_share_within_a_stratums_limits_makes_evidence(stratum: int) -> None:
    """E[M | past] <= 1 + M for every probability inside the limits of the hour, and not for those of another hour."""
    group = IntervalBernoulli(strata=STRATA).build(2)
    assert isinstance(group, IntervalGroup)
    rows = np.array([group.add(*SHARES), group.add(*SHARES)])
    group.step(rows, np.array([[40, 8], [40, 8]]), 1)
    before = np.exp(group.log_evidence(rows)[0])
    limits = group.parts(0, stratum)[0].limits
    one_event = np.exp(group.step(rows, np.array([[1, 0], [0, 1]]), stratum))

    for share in np.linspace(limits.lower, limits.upper, 7):
        assert (1.0 - share) * one_event[0] + share * one_event[1] <= (1.0 + before) * (1.0 + 1e-9)
    outside = min(1.0, 2.0 * limits.upper)
    assert (1.0 - outside) * one_event[0] + outside * one_event[1] > 1.0 + before


def test_a_day_of_strata_keeps_the_budget() -> None:
    """24 strata of 255 values: the share of streams that alarm in n panes is at most n/A (upper 99 % limit)."""
    streams, panes, budget, hours = 400, 96, 240.0, 24
    rng = np.random.default_rng(11)
    masses = np.array([[draw_masses(spacings(255), rng) for _ in range(hours)] for _ in range(streams)])
    group = RankShiryaevRoberts(strata=hours).build(255)
    rows = np.array([group.add(*[SeriesReference(spacings(255))] * hours) for _ in range(streams)])
    alarmed = np.zeros(streams, np.bool_)
    for pane in range(panes):
        stratum = pane % hours
        counts = pane_counts(masses[:, stratum], events=10, panes=1, generator=rng)[0]
        alarmed |= group.step(rows, counts, stratum) >= np.log(budget)
    count = int(alarmed.sum())

    assert beta.ppf(0.99, count + 1, streams - count) <= panes / budget


def test_one_null_for_all_hours_would_break_it() -> None:
    """The same streams judged with the null of the first hour: nearly all of them alarm."""
    rng = np.random.default_rng(11)
    masses = np.array([[draw_masses(spacings(255), rng) for _ in range(24)] for _ in range(50)])
    group = RankShiryaevRoberts().build(255)
    rows = np.array([group.add(SeriesReference(spacings(255))) for _ in range(50)])
    alarmed = np.zeros(50, np.bool_)
    for pane in range(96):
        shifted: Float64 = np.roll(masses[:, pane % 24], pane % 24 // 3, axis=1)  # what a season does to one grid
        counts = pane_counts(shifted, events=10, panes=1, generator=rng)[0]
        alarmed |= group.step(rows, counts) >= np.log(240.0)

    assert alarmed.mean() > 0.9


@every_detector
def test_resuming_equals_not_stopping(
    spec: DetectorSpec, layout: int, references: list[SeriesReference], bins: int
) -> None:
    """A group built from a dump goes on to the bit in every stratum, and dumps the same bytes."""
    panes, strata = panes_of(bins, panes=160, series=2, seed=1), np.arange(160) // 7 % STRATA
    whole, first = spec.build(layout), spec.build(layout)
    for _ in range(2):
        whole.add(*references)
        first.add(*references)
    run(first, panes[:90], strata[:90])
    second = spec.build(layout, first.dump())

    assert run(whole, panes, strata)[90:] == run(second, panes[90:], strata[90:])
    assert whole.dump() == second.dump()


@every_detector
def test_one_stratum_is_the_plain_detector(
    spec: DetectorSpec, layout: int, references: list[SeriesReference], bins: int
) -> None:
    """Strata that are never left give the evidence of a detector that has but one, with its share of the misses."""
    panes = panes_of(bins, panes=80, series=1, seed=2)
    halves = {"miss": spec.miss / STRATA} if hasattr(spec, "miss") else {}
    plain = type(spec)(**{f: getattr(spec, f) for f in spec.__dataclass_fields__} | {"strata": 1} | halves)  # type: ignore[attr-defined]
    one, many = plain.build(layout), spec.build(layout)
    one.add(references[0])
    many.add(*[references[0]] * STRATA)

    assert run(one, panes, np.zeros(80, np.int64)) == run(many, panes, np.full(80, 2))
    assert plain.fingerprint != spec.fingerprint


@every_detector
def test_what_a_stratum_learns_it_alone_forgets(
    spec: DetectorSpec, layout: int, references: list[SeriesReference], bins: int
) -> None:
    """Counts enter the null of their own stratum, and can be taken back from there."""
    group = spec.build(layout)
    group.add(*references)
    before, counts = group.dump(), panes_of(bins, panes=9, series=1, seed=3).sum(axis=(0, 1))
    group.absorb(0, counts, 2)
    learns = group.dump() != before
    group.forget(0, counts, 1)

    assert (group.dump() != before) == learns
    group.absorb(0, counts, 1)
    group.forget(0, counts, 2)
    assert group.dump() == before


@every_detector
def test_a_change_is_dated_through_the_strata(
    spec: DetectorSpec, layout: int, references: list[SeriesReference], bins: int
) -> None:
    """The range is ordered and lies in the panes that were stepped, whichever strata they pass."""
    panes, strata = panes_of(bins, panes=160, series=1, seed=4), np.arange(160) // 5 % STRATA
    panes[130:] = np.roll(panes[130:], bins // 2, axis=2) * 2
    group = spec.build(layout)
    group.add(*references)
    run(group, panes, strata)

    found = group.change_range(0, panes[-60:, 0], strata[-60:])

    assert -100 <= found.first <= found.median <= found.last < 60
