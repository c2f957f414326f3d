"""Rules as a user would write them."""

from __future__ import annotations

from collections.abc import Mapping

from stream_monitor.core.canonical import Json
from stream_monitor.core.rules import EffectWindow, Verdict


class AnyChange:
    """Every alarm matters, whatever its effect."""

    def __init__(self, params: Mapping[str, Json]) -> None:
        self._floor = float(str(params["floor"]))

    def verdict(self, window: EffectWindow) -> Verdict:
        """Return the number of panes since the alarm as the effect."""
        return Verdict(float(window.panes), self._floor)


class NoRule:
    """Takes params, and decides nothing."""

    def __init__(self, params: Mapping[str, Json]) -> None:
        """Forget the params."""


class Speechless:
    """Forgets to return what it thinks."""

    def __init__(self, params: Mapping[str, Json]) -> None:
        """Forget the params."""

    def verdict(self, window: EffectWindow) -> None:
        """Return nothing."""


class Failing:
    """Does not expect what it sees."""

    def __init__(self, params: Mapping[str, Json]) -> None:
        """Forget the params."""

    def verdict(self, window: EffectWindow) -> Verdict:
        """Divide by the panes before the first."""
        return Verdict(1.0 / window.from_ms, 0.1)


class Undecided:
    """Divides nothing by nothing, and NumPy does not mind."""

    def __init__(self, params: Mapping[str, Json]) -> None:
        """Forget the params."""

    def verdict(self, window: EffectWindow) -> Verdict:
        """Return what is no number."""
        return Verdict(float("nan"), 0.1)
