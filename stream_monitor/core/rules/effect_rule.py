"""The built-in rule: an alarm becomes an alert when an effect reaches the floor that the user cares about."""

from __future__ import annotations

from dataclasses import dataclass

from stream_monitor.core.rules.measures import Measure
from stream_monitor.core.rules.verdict import Verdict
from stream_monitor.core.rules.window import EffectWindow

REST = 0.25
"""Share of the worst effect; an effect proven to be smaller is not that drift any more, wherever the floor is."""


@dataclass(frozen=True, slots=True)
class EffectRule:
    """Evidence and effect: the detector has decided that something changed, the measure says how much.

    Attributes:
        measure: how the effect is measured.
        floor: smallest effect that matters.
    """

    measure: Measure
    floor: float

    def verdict(self, window: EffectWindow) -> Verdict:
        """Return the corrected effect against the floor, and whether it is above it by more than its noise."""
        value = self.measure.decisive(window)
        clear = value >= self.floor and value - self.measure.noise_95(window) >= self.floor
        return Verdict(value, self.floor, clear=clear)

    def is_settled(self, window: EffectWindow, worst: float) -> bool:
        """Say whether a window is long enough: chance alone stays below the floor, or the effect is clear all the same.

        Args:
            window: what is looked at.
            worst: the largest effect so far; a quarter of it is measured well enough, wherever the floor is.
        """
        return self.measure.noise_95(window) <= max(self.floor, REST * worst) or self.verdict(window).clear

    def is_none(self, window: EffectWindow) -> bool:
        """Say whether there is no effect that matters: it is proven to be below the floor, or measured to a quarter."""
        return self.most(window) < self.floor or self.measure.noise_95(window) <= REST * self.floor

    def most(self, window: EffectWindow) -> float:
        """Return what the effect is at most, with its uncertainty."""
        return self.measure.most(window)
