"""Calibration by simulation: how long a detector runs without drift, and the parameter that makes it run so long.

A run is a fresh detector on a stream of its own, each with its own seed, until it alarms or the stream ends; the
average run length is the numbers taken over the alarms seen, with the limits of a Poisson count. The streams are the
same for every parameter, so that the answer is a function of the detector alone and can be had again.

>>> class EveryTenth:
...     count = 0
...     def update(self, z: float) -> bool:
...         self.count += 1
...         return self.count == 10
>>> measured = run_length(EveryTenth, standard_normal, longest=50, alarms=30, streams=100)
>>> measured.numbers, measured.alarms, measured.average
(300, 30, 10.0)

Source of the limits: Garwood (1936), doi:10.1093/biomet/28.3-4.437.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.stats import chi2

SEED = 20_261_124
"""Of every simulated stream, with the number of the stream."""

LEAST_ALARMS = 20
"""Fewer say too little: a run length that rests on them is refused."""

RUNS = 3.0
"""Length of a stream, in run lengths asked for: without drift one run in twenty is longer."""

STEPS = 20
"""Simulations that `calibrate` may need."""

_BLOCK = 500
_CLOSE = 0.002  # of the logarithm of the parameter: nearer than the limits can tell
_CLOSE_ENOUGH = 1.03  # of the run length asked for: so near, its lower limit is a good answer
_TOO_MANY = 3.0  # run lengths, in those asked for, at which a parameter is certainly long enough


class Alarming(Protocol):
    """What can be calibrated."""

    def update(self, z: float) -> bool:
        """Take one number and say whether it alarms."""
        ...


Source = Callable[[np.random.Generator, int], list[float]]
"""Draws so many numbers of a stream without drift."""


def standard_normal(generator: np.random.Generator, size: int) -> list[float]:
    """Draw what a pane gives without drift: independent N(0, 1)."""
    drawn: list[float] = generator.standard_normal(size).tolist()
    return drawn


def errors_at(rate: float) -> Source:
    """Return a source of single events, 1 with that probability."""

    def draw(generator: np.random.Generator, size: int) -> list[float]:
        drawn: list[float] = (generator.random(size) < rate).astype(np.int64).tolist()
        return drawn

    return draw


class NotCalibrated(ValueError):
    """No parameter between the given ones has the run length asked for."""


@dataclass(frozen=True, slots=True)
class RunLength:
    """What a simulation saw.

    Attributes:
        numbers: taken by all runs together.
        alarms: that they ended in.
        early: of these, within the first thirtieth of the longest stream.
    """

    numbers: int
    alarms: int
    early: int = 0

    @property
    def average(self) -> float:
        """Numbers between alarms, on average."""
        return self.numbers / max(1, self.alarms)

    @property
    def lower(self) -> float:
        """Lower 95 % limit of the average."""
        return 2.0 * self.numbers / float(chi2.ppf(0.975, 2 * self.alarms + 2))

    @property
    def upper(self) -> float:
        """Upper 95 % limit of the average; infinite without an alarm."""
        return 2.0 * self.numbers / float(chi2.ppf(0.025, 2 * self.alarms)) if self.alarms else math.inf


@dataclass(frozen=True, slots=True)
class Search:
    """Which run length is asked for, of which parameter, and how hard to look for it.

    Attributes:
        target: run length that the lower limit must reach.
        short, long: values of the parameter with a shorter and a longer run length; above 0, in any order.
        alarms: to wait for.
        streams: to look at, at most.
    """

    target: float
    short: float
    long: float
    alarms: int = 200
    streams: int = 400


def run_length(make: Callable[[], Alarming], source: Source, *, longest: int, alarms: int, streams: int) -> RunLength:
    """Return the average run length of fresh detectors on streams of at most `longest` numbers.

    Args:
        make: builds a detector.
        source: of the numbers.
        longest: numbers of a stream.
        alarms: after which to stop.
        streams: to look at, at most.
    """
    *_, seen = _runs(make, source, longest=longest, alarms=alarms, streams=streams)
    return seen


def calibrate(
    make: Callable[[float], Alarming],
    source: Source,
    search: Search,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[float, RunLength]:
    """Return the parameter whose run length reaches the target with its lower limit, and what was seen there.

    Args:
        make: builds a detector from the parameter.
        source: of the numbers.
        search: what is asked for.
        progress: told how many of `STEPS` simulations are done.

    Raises:
        NotCalibrated: no value in between does, or alarms are too few to tell.
    """
    found, seen = find(lambda value: _measured(lambda: make(value), source, search), search, progress)
    if seen.alarms < LEAST_ALARMS:  # it jumps over the target: what was cut short is looked at in full
        longest = math.ceil(RUNS * search.target)
        seen = run_length(lambda: make(found), source, longest=longest, alarms=search.alarms, streams=search.streams)
    if seen.alarms < LEAST_ALARMS or seen.lower < search.target:
        raise NotCalibrated(f"at {found:g} its run length jumps: {seen.alarms} alarms in {seen.numbers} numbers")
    return found, seen


def find(
    measured: Callable[[float], RunLength], search: Search, progress: Callable[[int], None] = lambda _: None
) -> tuple[float, RunLength]:
    """Return the first value on the long side of the target, by measurements, and what was measured there.

    Args:
        measured: run length at a value.
        search: what is asked for.
        progress: told how many of `STEPS` measurements are done.

    Raises:
        NotCalibrated: the target is not between the ends.
    """
    seen = measured(search.long)
    if seen.lower < search.target:
        raise NotCalibrated(f"{search.long:g} alarms more often than once in {search.target:g}")
    before = measured(search.short)
    if before.lower >= search.target:
        raise NotCalibrated(f"{search.short:g} already runs for {search.target:g} and more")
    short, long = math.log(search.short), math.log(search.long)
    sides: list[bool] = []
    for step in range(STEPS):
        progress(step)
        if abs(long - short) < _CLOSE or seen.lower < _CLOSE_ENOUGH * search.target:
            break
        one_sided = sides[-2:] in ([True, True], [False, False])
        middle = short + (0.5 if one_sided else _share(before, seen, search)) * (long - short)
        tried = measured(_rounded(math.exp(middle)))
        sides.append(tried.lower >= search.target)
        if sides[-1]:
            long, seen = middle, tried
        else:
            short, before = middle, tried
    progress(STEPS)
    return _rounded(math.exp(long)), seen


def _share(short: RunLength, long: RunLength, search: Search) -> float:
    """Return where between two values the target is, if run lengths are a power of the parameter."""
    wanted = search.target * float(chi2.ppf(0.975, 2 * search.alarms + 2)) / (2.0 * search.alarms)
    low, high = math.log(short.average), math.log(long.average)
    return min(0.9, max(0.1, (math.log(1.015 * wanted) - low) / (high - low))) if high > low else 0.5


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _measured(make: Callable[[], Alarming], source: Source, search: Search) -> RunLength:
    """Return what was seen; less than asked for as soon as it is clear on which side of the target it is."""
    longest = math.ceil(RUNS * search.target)
    seen = RunLength(0, 0)
    for seen in _runs(make, source, longest=longest, alarms=search.alarms, streams=search.streams):
        if seen.alarms >= LEAST_ALARMS and seen.upper < search.target:
            break
        if seen.lower >= _TOO_MANY * search.target:
            break
    return seen


def _runs(
    make: Callable[[], Alarming], source: Source, *, longest: int, alarms: int, streams: int
) -> Iterator[RunLength]:
    """Yield what was seen after each stream."""
    numbers = found = early = 0
    for stream in range(streams):
        taken, alarmed = _run(make(), source, np.random.default_rng((SEED, stream)), longest)
        numbers += taken
        if alarmed:
            found += 1
            early += taken <= longest // 30
        yield RunLength(numbers, found, early)
        if found == alarms:
            return


def _run(detector: Alarming, source: Source, generator: np.random.Generator, longest: int) -> tuple[int, bool]:
    """Return how many numbers a detector took, and whether it alarmed."""
    taken = 0
    while taken < longest:
        for z in source(generator, min(_BLOCK, longest - taken)):
            taken += 1
            if detector.update(z):
                return taken, True
    return taken, False
