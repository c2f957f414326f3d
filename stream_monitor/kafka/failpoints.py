"""Named places in the workers where a test may kill, raise or stall.

A worker calls `reach` before and after each step that the protocol depends on. In production nothing is passed and
nothing happens; a test passes an object whose `reach` kills the process at the chosen name.
"""

from __future__ import annotations

from typing import Protocol


class Failpoints(Protocol):
    """What a worker calls at each named step."""

    def reach(self, name: str) -> None:
        """Hear that the worker stands at this step; may raise, block or end the process."""


class NoFailpoints:
    """The production choice: every step is passed."""

    def reach(self, name: str) -> None:
        """Do nothing."""
