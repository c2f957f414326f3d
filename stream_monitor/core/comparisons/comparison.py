"""What every comparison is: a distance of a window of counts from the reference counts of the same bins.

A comparison describes, it raises no alert alone: fixed thresholds alarm on 40-90 % of undrifted windows of 100
events. `corrected` takes out what chance alone adds, `noise_95` is what chance alone stays below in 95 % of windows
of that size, the error of the reference included.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from stream_monitor.core.arrays import Float64, Int64

Windows = Int64 | Float64
"""Events per bin, shape (windows, bins); those that stand for fewer independent ones need not be whole numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The counts that windows are compared with.

    Attributes:
        counts: reference events per bin, shape (bins,), at least one; for a numeric series spacings + seen.
        ordered: the bins lie on a scale; False for categories.
        edges: numeric only, values of the inner edges, shape (bins - 1,).
        minimum, maximum, std: numeric only, of the reference values.
        seed: seeds Monte-Carlo thresholds: the baseline's id and the series.
        expected: of categories, reference events per bin as a fresh sample of that size would have them, where that
            differs from `counts`: no row of the reference itself is unseen. Shape (bins,).
        apart: of categories, how many of the last bins (`other`, `unseen`) are never pooled with others.
        design_effect: by how much the dependence of events inflates the variance of counts, of both sides.
    """

    counts: Int64
    ordered: bool = True
    edges: Float64 | None = None
    minimum: float = 0.0
    maximum: float = 0.0
    std: float = 0.0
    seed: str = ""
    expected: Float64 | None = None
    apart: int = 0
    design_effect: float = 1.0
    key: bytes = field(init=False, repr=False)
    """Equal for references that give equal distances and thresholds."""

    def __post_init__(self) -> None:
        digest = hashlib.blake2b(self.seed.encode(), digest_size=16)
        digest.update(np.ascontiguousarray(self.counts).tobytes())
        if not self.ordered:
            digest.update(self.weights.tobytes() + bytes([self.apart]))
        if self.design_effect != 1.0:
            digest.update(np.array([self.design_effect]).tobytes())
        if self.edges is not None:
            digest.update(self.edges.tobytes() + np.array([self.minimum, self.maximum, self.std]).tobytes())
        object.__setattr__(self, "key", digest.digest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self.key == other.key

    def __hash__(self) -> int:
        return int.from_bytes(self.key[:8], "big")

    @property
    def total(self) -> int:
        """Reference events."""
        return int(self.counts.sum())

    @property
    def shares(self) -> Float64:
        """Share of each bin, shape (bins,)."""
        events = self.counts if self.expected is None else self.expected
        return events / float(events.sum())

    @property
    def weights(self) -> Float64:
        """Parameters of the Dirichlet law of the bins' masses, shape (bins,).

        Exact for spacings of order statistics. Of categories it is the posterior of their shares under one
        pseudo-event, spread evenly: what was never seen is not impossible.
        """
        if self.ordered:
            return self.counts.astype(np.float64)
        events = self.counts if self.expected is None else self.expected
        return events.astype(np.float64) + 1.0 / self.counts.size

    def noise(self, n: int) -> float:
        """Return λ = d (1/n + 1/S), the variance of a difference of shares in units of p (1-p)."""
        return self.design_effect * (1.0 / n + 1.0 / self.total)


class Comparison(ABC):
    """A distance by name; all methods are functions of the counts only."""

    name: str
    needs_order: bool = False
    """It has a meaning only for bins on a scale."""

    @abstractmethod
    def distances(self, reference: Reference, windows: Windows) -> Float64:
        """Return the distance of many windows of the same number of events, shape (windows,).

        Args:
            reference: what they are compared with.
            windows: events per bin, shape (windows, bins), each with at least one event.
        """

    @abstractmethod
    def corrected(self, reference: Reference, window: Int64) -> float:
        """Return the distance less what chance adds on average, at least 0."""

    @abstractmethod
    def noise_95(self, reference: Reference, n: int) -> float:
        """Return the 95 % point of the distance without drift in windows of n events."""

    def measure(self, reference: Reference, window: Int64) -> float:
        """Return the distance of one window, shape (bins,).

        Raises:
            ValueError: the window is empty, or has other bins than the reference.
        """
        if window.shape != reference.counts.shape:
            raise ValueError(f"window: must have the reference's {reference.counts.size} bins, got {window.size}")
        if not window.any():
            raise ValueError("window: must hold at least one event, got none")
        return float(self.distances(reference, window[None, :])[0])
