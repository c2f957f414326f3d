"""The built-in rule: an alarm becomes an alert when an effect reaches the floor that the user cares about."""

from __future__ import annotations

from dataclasses import dataclass

from stream_monitor.core.rules.measures import Measure
from stream_monitor.core.rules.verdict import Verdict
from stream_monitor.core.rules.window import EffectWindow


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

    def most(self, window: EffectWindow) -> float:
        """Return what the effect is at most, with its uncertainty."""
        return self.measure.most(window)
