"""Classes of the user's: what they are given, how they go on after a restart, and what their failure costs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from river.drift import ADWIN, KSWIN
from river.drift.binary import DDM

from stream_monitor.core.detectors import DetectorClass, OwnDetector, SeriesReference, UnusableStateError
from stream_monitor.core.detectors.own_cell import OwnCell
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses, drifted, pane_counts
from tests.runtimes.own_detectors import Compiled, Cusum, Fragile, Streak, Undecided

GRID = SeriesReference(spacings(63))
CLASSES: dict[str, tuple[Callable[[], object], bool]] = {
    "cusum": (lambda: Cusum(4.0), False),
    "adwin": (lambda: ADWIN(delta=0.5, clock=1), False),  # type: ignore[no-untyped-call]
    "kswin": (lambda: KSWIN(alpha=0.05, window_size=40, stat_size=15, seed=3), False),
    "ddm": (lambda: DDM(drift_threshold=1.5), True),
    "streak": (lambda: Streak(6), True),
}


def cell(name: str, state: bytes | None = None, memory: int = 200) -> OwnCell:
    make, errors = CLASSES[name]
    return OwnCell(make, memory=memory, of_errors=errors, state=state)  # type: ignore[arg-type]


def inputs(name: str, count: int) -> list[float]:
    generator = np.random.default_rng(count)
    drift = np.arange(count) > count - 150
    if CLASSES[name][1]:
        errors: list[float] = (generator.random(count) < np.where(drift, 0.6, 0.2)).astype(float).tolist()
        return errors
    numbers: list[float] = (generator.standard_normal(count) + drift).tolist()
    return numbers


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("cut", [0, 1, 37, 199, 200, 201, 450])
def test_a_class_goes_on_where_it_was(name: str, cut: int) -> None:
    """Saved after any number of inputs, also where the memory is full: the same alarms and the same bytes."""
    given = inputs(name, cut + 400)
    whole = cell(name)
    for z in given[:cut]:
        whole.update(z)
    resumed = cell(name, whole.save())

    expected = [whole.update(z) for z in given[cut:]]
    assert [resumed.update(z) for z in given[cut:]] == expected
    assert any(expected)
    assert (resumed.save(), resumed.statistic()) == (whole.save(), whole.statistic())


def test_it_begins_anew_when_its_memory_is_full() -> None:
    """Then it is what a fresh one is, and its state is small again."""
    old, fresh = cell("cusum", memory=150), cell("cusum", memory=150)
    for _ in range(150):
        old.update(0.4)
    before = len(old.save())
    old.update(0.25)
    fresh.update(0.25)

    assert before > 150 * 8
    assert old.save() == fresh.save()


def test_a_state_that_is_longer_than_the_memory_is_refused() -> None:
    """It is one of another plan."""
    old = cell("cusum")
    for _ in range(180):
        old.update(0.1)

    with pytest.raises(UnusableStateError, match="no inputs of it"):
        cell("cusum", old.save(), memory=150)


@pytest.mark.parametrize("position", range(0, 200, 11))
def test_a_flipped_byte_is_refused(position: int) -> None:
    """A class is never given what it was not given before."""
    old = cell("streak")
    for _ in range(90):
        old.update(0.0)
    state = bytearray(old.save())
    state[position % len(state)] ^= 0x04

    with pytest.raises(UnusableStateError):
        cell("streak", bytes(state))


@pytest.mark.parametrize(
    ("make", "failure"), [(Compiled, "Panic"), (Undecided, "TypeError"), (object, "AttributeError")]
)
def test_what_a_class_raises_stays_with_it(make: Callable[[], object], failure: str) -> None:
    """It alarms no more, whatever it is given; the name of the failure is kept, no input."""
    broken = OwnCell(make, memory=100, of_errors=False)  # type: ignore[arg-type]

    assert [broken.update(7.25) for _ in range(3)] == [False, False, False]
    assert broken.failure == failure
    resumed = OwnCell(make, memory=100, of_errors=False, state=broken.save())  # type: ignore[arg-type]
    assert (resumed.failure, resumed.save()) == (failure, broken.save())
    assert np.float64(7.25).tobytes() not in broken.save()


def test_who_stops_the_judge_is_not_held_up() -> None:
    """Ctrl-C inside a class is Ctrl-C."""

    class Stopped(Cusum):
        def update(self, x: float) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        OwnCell(lambda: Stopped(1.0), memory=100, of_errors=False).update(0.0)


def fragile(version: str = "1") -> OwnDetector:
    return OwnDetector("mine:Fragile", DetectorClass(Fragile, version), (("threshold", 40.0),))


def test_a_series_that_fails_leaves_the_others_alone() -> None:
    """The group steps on, names the row once, and a state taken up does not name it again."""
    generator = np.random.default_rng(4)
    masses = draw_masses(spacings(63), generator, series=3)
    quiet = pane_counts(masses, events=200, panes=40, generator=generator)
    loud = quiet.copy()
    loud[20:, 1] = pane_counts(drifted(masses[1], shift=3.0), events=200, panes=20, generator=generator)
    group, alone = fragile().build(63), fragile().build(63)
    rows = np.array([group.add(GRID) for _ in range(3)])
    others = np.array([alone.add(GRID) for _ in range(2)])
    named = []
    for pane in loud:
        group.step(rows, pane)
        alone.step(others, pane[[0, 2]])
        named += sorted(group.failing)
        group.failing.clear()

    assert named == [1]
    assert [group.failure(row) for row in range(3)] == ["", "ZeroDivisionError", ""]
    assert [group.statistic(0), group.statistic(2)] == [alone.statistic(0), alone.statistic(1)]
    resumed = fragile().build(63, group.dump())
    resumed.step(rows, loud[-1])
    assert resumed.failing == set()
    group.restart(1)
    assert group.failure(1) == "ZeroDivisionError"


def test_another_version_of_the_code_is_another_detector() -> None:
    """Its state is left behind, and the log is folded again."""
    group = fragile("1").build(63)
    group.add(GRID)

    with pytest.raises(UnusableStateError):
        fragile("2").build(63, group.dump())


def test_errors_are_single_events() -> None:
    """A pane of 5 errors and 40 others is 45 integers, at most 100 of a pane."""
    seen: list[int] = []

    class Ledger(Streak):
        def update(self, x: float) -> None:
            super().update(x)
            assert isinstance(x, int)
            seen.append(x)

    spec = OwnDetector("mine:Ledger", DetectorClass(Ledger, "1"), (("length", 99),), of_errors=True)
    group = spec.build(2)
    row = np.array([group.add(SeriesReference(np.array([900, 100])))])
    group.step(row, np.array([[40, 5]]))

    assert (len(seen), sum(seen)) == (45, 5)
    group.step(row, np.array([[4_000, 500]]))
    assert len(seen) == 145
