"""The streams of the tables: 10,000 values with a change in the middle or none, each beside a reference of its own.

A case is drawn once by its seed and given to every detector, ours and the peers', so that differences are differences
of detectors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stream_monitor.core.arrays import Float64
from stream_monitor.lab.generators import (
    Autoregressive,
    Bernoulli,
    Bimodal,
    Law,
    LogNormal,
    Normal,
    NumberStream,
    Ramp,
    Replaced,
    Scale,
    Shift,
    Step,
    StudentT3,
)
from stream_monitor.lab.generators.changes import NumberChange
from stream_monitor.lab.scores import Delay, delay

ROWS, CHANGE, REFERENCE = 10_000, 5_000, 1_023


@dataclass(frozen=True, slots=True)
class Case:
    """Streams of one kind.

    Attributes:
        name: in the tables.
        law: without drift.
        changes: from row `CHANGE` on; none for streams without drift.
        rows: of a stream.
        reference: values of a reference.
    """

    name: str
    law: Law
    changes: tuple[NumberChange, ...] = ()
    rows: int = ROWS
    reference: int = REFERENCE

    def draw(self, count: int, *, seed: int) -> Streams:
        """Return that many streams; no seed is used twice, references included."""
        values = [NumberStream(self.law, self.rows, seed + 2 * i, self.changes).values() for i in range(count)]
        references = [self.law.draw(self.reference, np.random.default_rng(seed + 2 * i + 1)) for i in range(count)]
        return Streams(np.array(references), np.array(values))


class Streams(NamedTuple):
    """References, shape (streams, reference), and what follows them, shape (streams, rows)."""

    references: Float64
    values: Float64

    def standardised(self) -> Streams:
        """Return the streams in means and standard deviations of their references: for detectors that need units."""
        mean = self.references.mean(axis=1, keepdims=True)
        std = self.references.std(axis=1, keepdims=True)
        return Streams((self.references - mean) / std, (self.values - mean) / std)


def first_alarms(alarms: Sequence[Sequence[int]]) -> list[int | None]:
    """Return the rows seen at the first alarm of each stream, None for none."""
    return [own[0] if own else None for own in alarms]


def delays(first: Sequence[int | None], *, change: int) -> list[float]:
    """Return rows from the change to the first alarm, infinite for a miss, of streams silent until the change.

    `change` rows are as before; an alarm when so many have been seen is a false one.
    """
    return [math.inf if t is None else float(t - change) for t in first if t is None or t > change]


def scored(first: Sequence[int | None], *, change: int) -> Delay:
    """Return the delay by the same rule, with its limits and the share of early alarms."""
    return delay([t if t is None or t > change else 0 for t in first], change=change)


def shifted(law: Law, size: float, name: str) -> Case:
    """Return a mean shift of that many standard deviations of the law."""
    return Case(name, law, (Shift(size, Step(CHANGE)),))


QUIET = (
    Case("N(0,1)", Normal()),
    Case("lognormal", LogNormal()),
    Case("100·N(0,1)", Normal(0.0, 100.0)),
    Case("AR(1) .5", Autoregressive(0.5)),
)
"""Without drift."""

SHIFTS = tuple(shifted(Normal(), size, f"{size:g} σ") for size in (0.25, 0.5, 1.0))
"""Of a standard normal law."""

SHAPES = (
    shifted(Normal(0.5, 0.01), 0.5, ".5 + .01·N, .5 σ"),
    shifted(StudentT3(), 0.5, "t(3), .5 σ"),
    shifted(LogNormal(), 0.5, "lognormal, .5 σ"),
    Case("sd x1.25", Normal(), (Scale(1.25, Step(CHANGE)),)),
    Case("sd x1.5", Normal(), (Scale(1.5, Step(CHANGE)),)),
    Case("equal moments, bimodal", Normal(), (Replaced(Bimodal(), Step(CHANGE)),)),
    Case("ramp to 1 σ in 5,000", Normal(), (Shift(1.0, Ramp(CHANGE, over=5_000)),)),
)
"""What else may change."""


def error_rates(p: float) -> tuple[Case, ...]:
    """Return rises of an error rate by .25, .5 and 1 standard deviation of the errors."""
    step = (p * (1.0 - p)) ** 0.5
    rates = [(size, p + size * step) for size in (0.25, 0.5, 1.0)]
    quiet = Case(f"Bernoulli({p:g})", Bernoulli(p))
    return (
        quiet,
        *(Case(f"{size:g} σ", Bernoulli(p), (Replaced(Bernoulli(q), Step(CHANGE)),)) for size, q in rates),
    )
