"""What every detector promises the judge, whatever it computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.detectors import (
    DETECTORS,
    BetaBernoulli,
    BetaCategories,
    DetectorClass,
    DetectorGroup,
    DetectorSpec,
    Direction,
    IntervalBernoulli,
    IntervalCategories,
    Mixture,
    NegativeBinomial,
    OwnDetector,
    PaneRank,
    RankShiryaevRoberts,
    RiverDetector,
    RiverKind,
    SeriesReference,
    ToleranceShiryaevRoberts,
    UnusableStateError,
)
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses, drifted, pane_counts
from tests.runtimes.own_detectors import Cusum, Streak

CATEGORIES = np.array([500, 300, 150, 40, 10, 0])


@dataclass(frozen=True)
class Case:
    """A detector, its layout, and what to feed it."""

    name: str
    spec: DetectorSpec
    layout: int
    reference: SeriesReference
    masses: Callable[[np.random.Generator], Float64]
    learns: bool

    def __str__(self) -> str:
        return self.name

    def panes(self, count: int, series: int, seed: int) -> Int64:
        """Panes with a drift in their second half, one in eight empty; shape (count, series, bins)."""
        generator = np.random.default_rng(seed)
        masses = np.array([self.masses(generator) for _ in range(series)])
        after = drifted(masses, shift=0.4) if masses.shape[1] > 1 else masses
        quiet = pane_counts(masses, events=40, panes=count // 2, generator=generator)
        loud = pane_counts(
            after, events=40 if masses.shape[1] > 1 else 55, panes=count - count // 2, generator=generator
        )
        panes = np.concatenate([quiet, loud])
        panes[generator.random((count, series)) < 0.125] = 0
        return panes

    def group(self, series: int) -> DetectorGroup:
        """A group with that many series."""
        group = self.spec.build(self.layout)
        for _ in range(series):
            group.add(self.reference)
        return group


def numeric(m: int) -> Callable[[np.random.Generator], Float64]:
    """Bin masses of a reference of m values."""
    return lambda generator: draw_masses(spacings(m), generator)


def fixed(*masses: float) -> Callable[[np.random.Generator], Float64]:
    """Always the same bin masses."""
    return lambda _: np.array(masses)


GRID = SeriesReference(spacings(63))
CASES = [
    Case("rank, fine", RankShiryaevRoberts(), 63, GRID, numeric(63), learns=True),
    Case("rank, base", RankShiryaevRoberts(Mixture.BASE), 63, GRID, numeric(63), learns=True),
    Case("rank, lowered", RankShiryaevRoberts(offsets=(0.0, 0.6, 1.0, 2.0)), 63, GRID, numeric(63), learns=True),
    Case(
        "rank, dependent",
        RankShiryaevRoberts(),
        63,
        SeriesReference(spacings(63), design_effect=2.5),
        numeric(63),
        learns=True,
    ),
    Case("pane rank", PaneRank(63), 63, GRID, numeric(63), learns=False),
    Case("tolerance", ToleranceShiryaevRoberts(0.01), 63, GRID, numeric(63), learns=False),
    Case("bernoulli", IntervalBernoulli(), 2, SeriesReference(np.array([900, 100])), fixed(0.9, 0.1), learns=False),
    Case(
        "bernoulli, up",
        IntervalBernoulli(upward=1.0, tolerance=0.01),
        2,
        SeriesReference(np.array([900, 0])),
        fixed(0.99, 0.01),
        learns=False,
    ),
    Case(
        "categories",
        IntervalCategories(),
        6,
        SeriesReference(CATEGORIES, unseen=(2, 500)),
        fixed(0.5, 0.3, 0.15, 0.04, 0.008, 0.002),
        learns=False,
    ),
    Case("beta", BetaBernoulli(), 2, SeriesReference(np.array([900, 100])), fixed(0.9, 0.1), learns=True),
    Case(
        "beta, up, dependent",
        BetaBernoulli(Direction.UP),
        2,
        SeriesReference(np.array([900, 0]), design_effect=2.5),
        fixed(0.99, 0.01),
        learns=True,
    ),
    Case(
        "beta categories",
        BetaCategories(),
        6,
        SeriesReference(CATEGORIES, unseen=(2, 500)),
        fixed(0.5, 0.3, 0.15, 0.04, 0.008, 0.002),
        learns=True,
    ),
    Case(
        "demand", NegativeBinomial(reference_panes=20), 1, SeriesReference(np.zeros(0, int)), fixed(1.0), learns=False
    ),
    Case("adwin", RiverDetector(RiverKind.ADWIN, 1e3), 63, GRID, numeric(63), learns=True),
    Case("kswin", RiverDetector(RiverKind.KSWIN, 1e3), 63, GRID, numeric(63), learns=True),
    Case(
        "hddm_a",
        RiverDetector(RiverKind.HDDM_A, 1e3),
        2,
        SeriesReference(np.array([900, 100])),
        fixed(0.9, 0.1),
        learns=True,
    ),
    Case("page hinkley", RiverDetector(RiverKind.PAGE_HINKLEY, 1e3), 63, GRID, numeric(63), learns=True),
    Case(
        "own, numbers",
        OwnDetector("mine:Cusum", DetectorClass(Cusum, "1"), (("threshold", 5.0),), memory=30),
        63,
        GRID,
        numeric(63),
        learns=True,
    ),
    Case(
        "own, errors",
        OwnDetector("mine:Streak", DetectorClass(Streak, "1"), (("length", 4.0),), of_errors=True, memory=700),
        2,
        SeriesReference(np.array([900, 100])),
        fixed(0.9, 0.1),
        learns=True,
    ),
]
every_detector = pytest.mark.parametrize("case", CASES, ids=str)


def run(group: DetectorGroup, panes: Int64, *, alarm_at: float = 5.0) -> list[list[float]]:
    """Step a group through panes, restarting at alarms."""
    rows = np.arange(panes.shape[1])
    seen = []
    for pane in panes:
        evidence = group.step(rows, pane)
        seen.append(evidence.tolist())
        for row in rows[evidence >= alarm_at]:
            group.restart(int(row))
    return seen


def test_every_detector_is_held_to_the_laws() -> None:
    """A new line in the table of detectors needs a case here."""
    assert {*(entry.spec for entry in DETECTORS), OwnDetector} == {type(case.spec) for case in CASES}
    assert {kind.value for kind in RiverKind} <= {entry.name for entry in DETECTORS}


@every_detector
@pytest.mark.parametrize("cut", [0, 1, 37, 79])
def test_resuming_equals_not_stopping(case: Case, cut: int) -> None:
    """A group built from a dump goes on to the bit, and dumps the same bytes."""
    panes = case.panes(80, series=3, seed=1)
    whole, first = case.group(3), case.group(3)
    expected = run(whole, panes)[cut:]

    run(first, panes[:cut])
    resumed = case.spec.build(case.layout, first.dump())

    assert run(resumed, panes[cut:]) == expected
    assert resumed.dump() == whole.dump()


@every_detector
def test_a_series_does_not_feel_its_neighbours(case: Case) -> None:
    """Stepped alone or in a group, in any order, a series has the same bits."""
    panes = case.panes(60, series=5, seed=2)
    together = np.array(run(case.group(5), panes))
    backwards = case.group(5)
    order = np.arange(5)[::-1]

    for position in range(60):
        expected = together[position]
        evidence = backwards.step(order, panes[position, order])
        for row in order[evidence >= 5.0]:
            backwards.restart(int(row))

        assert evidence[::-1].tolist() == expected.tolist()
    assert run(case.group(1), panes[:, 2:3]) == [[row[2]] for row in together.tolist()]


@every_detector
def test_a_freed_row_is_as_new(case: Case) -> None:
    """A removed series leaves nothing behind in its row."""
    panes = case.panes(30, series=1, seed=3)
    group = case.group(3)
    run(group, case.panes(30, series=3, seed=4))

    group.remove(1)
    row = group.add(case.reference)

    assert row == 1
    fresh = case.group(1)
    for pane in panes:
        assert group.step(np.array([1]), pane).tolist() == fresh.step(np.array([0]), pane).tolist()


@every_detector
def test_evidence_is_what_the_last_pane_left(case: Case) -> None:
    """Asking again gives the same numbers; the number after a restart is minus infinity."""
    panes = case.panes(50, series=2, seed=5)
    group = case.group(2)
    rows = np.arange(2)
    for pane in panes:
        last = group.step(rows, pane)

        assert group.log_evidence(rows).tolist() == last.tolist()
    group.restart(0)
    assert group.log_evidence(rows)[0] == -np.inf


@every_detector
def test_silence_is_data_only_for_demand(case: Case) -> None:
    """An empty pane leaves every other detector as it was."""
    group = case.group(1)
    run(group, case.panes(60, series=1, seed=6)[:, :, :], alarm_at=1e9)
    quiet = group.dump()

    group.step(np.array([0]), np.zeros((1, case.panes(1, series=1, seed=0).shape[2]), dtype=np.int64))

    assert (group.dump() == quiet) == (case.name != "demand")


@every_detector
def test_only_learning_nulls_absorb(case: Case) -> None:
    """Counts of an episode enter the null where it learns, and can be taken back."""
    group = case.group(1)
    before = group.dump()
    counts = case.panes(4, series=1, seed=7).sum(axis=(0, 1))

    group.absorb(0, counts)
    assert (group.dump() != before) == case.learns
    group.forget(0, counts)
    assert group.dump() == before


@every_detector
def test_a_change_is_dated_within_the_panes_given(case: Case) -> None:
    """The range is ordered, and lies in the panes or before them, but not before the first one that was stepped."""
    panes = case.panes(80, series=1, seed=8)
    group = case.group(1)
    run(group, panes, alarm_at=1e9)

    found = group.change_range(0, panes[-30:, 0])

    assert -50 <= found.first <= found.median <= found.last < 30


@every_detector
def test_nothing_before_a_restart_is_dated(case: Case) -> None:
    """After a restart the evidence begins anew, and so does the range of the change."""
    panes = case.panes(80, series=1, seed=8)
    group = case.group(1)
    run(group, panes[:60], alarm_at=1e9)
    group.restart(0)
    run(group, panes[60:], alarm_at=1e9)

    assert group.change_range(0, panes[-40:, 0]).first >= 20


@every_detector
def test_a_broken_state_is_refused(case: Case) -> None:
    """A cut, a foreign or an empty state raises what the caller answers by folding the log again."""
    group = case.group(2)
    run(group, case.panes(30, series=2, seed=9))
    state = group.dump()

    for broken in (b"", state[:-1], state[: len(state) // 2], b"\x00" * 64, state + b"\x00"):
        with pytest.raises(UnusableStateError):
            case.spec.build(case.layout, broken)


@every_detector
def test_the_state_of_another_detector_is_refused(case: Case) -> None:
    """Parameters are part of the state's name: another parameter leaves the old state behind."""
    for other in CASES:
        if (other.spec.fingerprint, other.layout) != (case.spec.fingerprint, case.layout):
            with pytest.raises(UnusableStateError):
                other.spec.build(other.layout, case.group(1).dump())


@every_detector
def test_specs_are_values(case: Case) -> None:
    """Equal parameters, equal fingerprints."""
    assert type(case.spec)(**{f: getattr(case.spec, f) for f in case.spec.__dataclass_fields__}) == case.spec  # type: ignore[attr-defined]
