"""Detectors as a user would write them, and some that nobody should."""

from __future__ import annotations

import random


class Cusum:
    """Two-sided CUSUM of standard numbers (Page 1954)."""

    def __init__(self, threshold: float, drift: float = 0.5) -> None:
        self._threshold, self._drift = threshold, drift
        self._up = self._down = 0.0
        self.drift_detected = False

    def update(self, x: float) -> None:
        if self.drift_detected:
            self._up = self._down = 0.0
        self._up = max(0.0, self._up + x - self._drift)
        self._down = max(0.0, self._down - x - self._drift)
        self.drift_detected = max(self._up, self._down) > self._threshold


class Streak:
    """So many errors in a row."""

    def __init__(self, length: float) -> None:
        self._length, self._seen = length, 0
        self.drift_detected = False

    def update(self, x: float) -> None:
        assert isinstance(x, int)  # a truth, no number
        self._seen = self._seen + 1 if x else 0
        self.drift_detected = self._seen >= self._length


class Coin:
    """Alarms by chance; only a seed makes it a function of its inputs."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)
        self.drift_detected = False

    def update(self, x: float) -> None:
        self.drift_detected = self._random.random() < 0.05


class Fragile(Cusum):
    """Raises at a large number, after it has worked for long."""

    def update(self, x: float) -> None:
        super().update(x)
        if abs(x) > 6.0:
            raise ZeroDivisionError("too large")


class Undecided:
    """Answers with a number."""

    drift_detected = 0.5

    def update(self, x: float) -> None:
        """Forget it."""


class Panic(BaseException):
    """As compiled code raises it."""


class Compiled:
    """Gives up by an exception that is no Exception."""

    drift_detected = False

    def update(self, x: float) -> None:
        raise Panic("index out of bounds")


class NoUpdate:
    """Has no update."""

    drift_detected = False


class Brittle(Cusum):
    """Works at first, and raises when it is old."""

    def update(self, x: float) -> None:
        super().update(x)
        self._age = getattr(self, "_age", 0) + 1
        if self._age > 600:
            raise ZeroDivisionError("worn out")
