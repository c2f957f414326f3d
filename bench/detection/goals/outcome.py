"""A goal, and what came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """A goal and what was measured.

    Attributes:
        goal: what was asked.
        measured: in words, with limits.
        holds: None when it could not be measured here, and `measured` says why.
    """

    goal: str
    measured: str
    holds: bool | None


Check = Callable[[int], list[Outcome]]
"""Measures goals with a size: 1 for a quick look, more for closer limits."""
