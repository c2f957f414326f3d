"""A rule of the user's, kept to what a rule is: what it does wrong is told with its name, not as an error of ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from stream_monitor.core.rules.verdict import Verdict
from stream_monitor.core.rules.window import EffectWindow


class RuleError(Exception):
    """A rule of the user's does not do what a rule does; the message names it and the class behind it."""


class Answering(Protocol):
    """The user's object: whatever its annotations say, anything may come back."""

    def verdict(self, window: EffectWindow) -> object:
        """Return what should be a Verdict."""
        ...


@dataclass(frozen=True, slots=True)
class OwnRule:
    """Asks an object of the user's for its verdicts.

    Attributes:
        name: of the rule.
        target: `module:Class` of the object.
    """

    name: str
    target: str
    asked: Answering

    def verdict(self, window: EffectWindow) -> Verdict:
        """Return what the object says.

        Its numbers become Python's own: such a class reckons with NumPy, and a state or an event holds no scalar of
        that.

        Raises:
            RuleError: it raised something, returned no Verdict, or one whose effect is no finite number.
        """
        try:
            found = self.asked.verdict(window)
        except Exception as error:  # the user's code: its error is the cause, and its text may hold values of events
            raise RuleError(f"rule {self.name}: {self.target}.verdict raised {type(error).__name__}") from error
        if not isinstance(found, Verdict):
            kind = type(found).__name__
            raise RuleError(f"rule {self.name}: {self.target}.verdict must return a Verdict, got a {kind}")
        try:
            value, floor = float(found.value), float(found.floor)
        except (TypeError, ValueError):
            value = floor = math.nan
        if not (math.isfinite(value) and math.isfinite(floor)):
            raise RuleError(f"rule {self.name}: {self.target}.verdict: value and floor must be finite numbers")
        return Verdict(value, floor, mature=bool(found.mature), clear=bool(found.clear), room=bool(found.room))
