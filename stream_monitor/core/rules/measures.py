"""Measures of an effect: how large a drift is, in the units of a rule's floor.

A measure says four things about a window: its value (published), the value that decides (corrected for what chance
alone adds), what chance alone would show, and what the effect is at most. To add one: a class here, or a comparison,
and a line in `MEASURES`.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np

from stream_monitor.core.comparisons import COMPARISONS, Comparison, Reference
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.rules.proven import ProvenKolmogorovSmirnov
from stream_monitor.core.rules.robust import RobustKolmogorovSmirnov
from stream_monitor.core.rules.window import EffectWindow

_Z_95 = 1.959963985
_Z_999 = 3.090232306
_Z_ONE_SIDED = 1.644853627
_HALF = 0.5
_NOTHING = 1.0e-12
_SQUARED = ("psi",)
_GROWING = ("chi_square",)


class Measure(Protocol):
    """How large the difference of a window from its reference is, for series of certain kinds."""

    name: str
    kinds: frozenset[SeriesKind]

    def value(self, window: EffectWindow) -> float:
        """Return the effect as it is seen; the window holds at least one event, or counts panes."""
        ...

    def decisive(self, window: EffectWindow) -> float:
        """Return the effect that is compared with a floor."""
        ...

    def noise_95(self, window: EffectWindow) -> float:
        """Return the 95 % point of the value without any change, at these sample sizes."""
        ...

    def most(self, window: EffectWindow) -> float:
        """Return what the effect is at most: one that is larger looks like this in one of a thousand windows."""
        ...


class ShareChange:
    """Largest change of the share of a bin: for a yes/no series, by how much the share of yes has moved."""

    name = "share_change"
    kinds = frozenset({SeriesKind.BINARY, SeriesKind.CATEGORICAL, SeriesKind.NUMERIC})

    def value(self, window: EffectWindow) -> float:
        """Return max |share - reference share|, in [0, 1]."""
        return float(np.abs(window.counts / window.n - _reference(window).shares).max())

    def decisive(self, window: EffectWindow) -> float:
        """Return the same: a share is unbiased."""
        return self.value(window)

    def noise_95(self, window: EffectWindow) -> float:
        """Return 1.96 standard errors of the most variable bin, the error of the reference included."""
        reference = _reference(window)
        shares = (reference.counts + 0.5) / (reference.total + 0.5 * reference.counts.size)
        variance = float((shares * (1.0 - shares)).max())
        return _Z_95 * math.sqrt(variance * reference.noise(window.n))

    def most(self, window: EffectWindow) -> float:
        """Return the value and 3.1 standard errors."""
        return self.value(window) + _Z_999 / _Z_95 * self.noise_95(window)


class RelativeChange:
    """By what factor the share of a bin has changed, less 1: 2 is a share that tripled or fell to a third.

    A rare event that triples moves no share by much and no distance at all: .5 to 1.5 % are a PSI of .011. The bin is
    the one that has changed by the largest factor at least. No event counts as half of one.
    """

    name = "relative_change"
    kinds = frozenset({SeriesKind.BINARY, SeriesKind.CATEGORICAL})

    def value(self, window: EffectWindow) -> float:
        """Return max(share / reference share, reference share / share) - 1 of that bin."""
        return _largest_at_least(window).factor(0.0)

    def decisive(self, window: EffectWindow) -> float:
        """Return what the factor is at least, with 95 % probability, less 1."""
        return _largest_at_least(window).factor(-_Z_ONE_SIDED)

    def noise_95(self, window: EffectWindow) -> float:
        """Return the factor of 1.96 standard errors, less 1."""
        return math.expm1(_Z_95 * _largest_at_least(window).error)

    def most(self, window: EffectWindow) -> float:
        """Return the factor and 3.1 standard errors, less 1."""
        return _largest_at_least(window).factor(_Z_999)


class Ratio:
    """Relative change of the count per pane: 0.3 is 30 % more or less than in the reference."""

    name = "ratio"
    kinds = frozenset({SeriesKind.COUNT})

    def value(self, window: EffectWindow) -> float:
        """Return |mean / reference mean - 1|."""
        if window.reference_mean is None:
            return 0.0
        mean = window.n / window.panes
        if window.reference_mean == 0.0:
            return mean  # nothing became something: no ratio says how much
        return abs(mean / window.reference_mean - 1.0)

    def decisive(self, window: EffectWindow) -> float:
        """Return the same: a mean is unbiased."""
        return self.value(window)

    def noise_95(self, window: EffectWindow) -> float:
        """Return 1.96 standard errors of the mean, by the spread of the reference."""
        if not window.reference_mean or window.reference_variance is None:
            return 0.0
        return _Z_95 * math.sqrt(window.reference_variance / window.panes) / window.reference_mean

    def most(self, window: EffectWindow) -> float:
        """Return the value and 3.1 standard errors; infinite where the spread is not known."""
        noise = self.noise_95(window)
        return self.value(window) + _Z_999 / _Z_95 * noise if noise else math.inf


class Distance:
    """A comparison as a measure."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self.name = comparison.name
        ordered = frozenset({SeriesKind.NUMERIC})
        self.kinds = ordered if comparison.needs_order else ordered | {SeriesKind.CATEGORICAL, SeriesKind.BINARY}

    def value(self, window: EffectWindow) -> float:
        """Return the distance of the window from the baseline."""
        return self._comparison.measure(_reference(window), window.counts)

    def decisive(self, window: EffectWindow) -> float:
        """Return the distance less what chance adds on average."""
        return self._comparison.corrected(_reference(window), window.counts)

    def noise_95(self, window: EffectWindow) -> float:
        """Return the 95 % point of the distance without drift."""
        return self._comparison.noise_95(_reference(window), window.n)

    def most(self, window: EffectWindow) -> float:
        """Return the limit that the triangle inequality gives: the window is no farther from its law than noise.

        The root of PSI is a distance, near enough; chi-square grows with the events and has no limit.
        """
        noise = self.noise_95(window)
        if self.name in _SQUARED:
            return (math.sqrt(self.decisive(window)) + math.sqrt(noise)) ** 2
        return math.inf if self.name in _GROWING else self.value(window) + noise


MEASURES: tuple[Measure, ...] = (
    *(Distance(comparison) for comparison in COMPARISONS),
    RobustKolmogorovSmirnov(),
    ProvenKolmogorovSmirnov(),
    ShareChange(),
    RelativeChange(),
    Ratio(),
)
"""All measures, by which rules may set a floor."""


def measure(name: str) -> Measure:
    """Return a measure by its name.

    Raises:
        ValueError: no measure has that name.
    """
    for known in MEASURES:
        if known.name == name:
            return known
    raise ValueError(f"effect: must be one of {', '.join(known.name for known in MEASURES)}, got {name!r}")


class _LogFactor(NamedTuple):
    """|ln(share / reference share)| of a bin, and its standard error."""

    size: float
    error: float

    def factor(self, errors: float) -> float:
        """Return the factor, so many standard errors farther from none, less 1."""
        return math.expm1(max(0.0, self.size + errors * self.error))


def _largest_at_least(window: EffectWindow) -> _LogFactor:
    """Return the change of the bin that has changed by the largest factor at least.

    The error is what makes the change as many standard errors as the root of the likelihood ratio of two samples says:
    right down to single events, where the delta method is not.
    """
    reference = _reference(window)
    before = reference.counts if reference.expected is None else reference.expected
    n, m = float(window.n), float(before.sum())
    size = np.abs(np.log(np.maximum(window.counts, _HALF) / n) - np.log(np.maximum(before, _HALF) / m))
    seen = np.stack([window.counts, n - window.counts, before, m - before])
    common = (window.counts + before) / (n + m)
    expected = np.stack([n * common, n - n * common, m * common, m - m * common])
    likelihood = np.where(seen > 0.0, seen * np.log(np.maximum(seen, 1.0e-9) / np.maximum(expected, 1.0e-9)), 0.0)
    root = np.sqrt(np.maximum(2.0 * likelihood.sum(axis=0) / reference.design_effect, _NOTHING))
    error = size / root
    place = int((size - _Z_ONE_SIDED * error).argmax())
    return _LogFactor(float(size[place]), float(error[place]))


def _reference(window: EffectWindow) -> Reference:
    if window.reference is None:
        raise ValueError(f"{window.series}: counts per pane have no reference distribution")
    return window.reference
