"""What a rule sees and what it says: a window of counts in, a verdict out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pane:
    """The instant of a decision: the pane `[start_ms, end_ms)` of event time that has just been closed."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule's opinion after a pane.

    Attributes:
        value: the effect over the panes since the alarm, in units of the rule's measure.
        floor: smallest effect that the user cares about.
        mature: enough was seen to believe the value (`alerts.open_events`, or four windows went by).
        clear: the value is above the floor by more than chance would show, however few events were seen.
        room: there is room for one more open alert; without it a pending alert goes on waiting.
    """

    value: float
    floor: float
    mature: bool = True
    clear: bool = False
    room: bool = True

    @property
    def holds(self) -> bool:
        """Say whether the effect reaches the floor."""
        return self.value >= self.floor
