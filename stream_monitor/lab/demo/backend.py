"""What a demo runs on: a place that takes events and gives alerts, with a worker whose /metrics can be read."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

Events = Sequence[tuple[int, bytes]]
"""Native events as (event time in ms, value), in the order of event time."""


class DemoError(Exception):
    """The demo cannot start or go on; the message says why and what to do."""


class Backend(Protocol):
    """A running monitor; entering it starts everything, leaving it ends everything."""

    @property
    def name(self) -> str:
        """Where the events go, for the screen."""

    @property
    def address(self) -> str:
        """Host and port of the worker's HTTP server."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def send(self, events: Events) -> None:
        """Take events; called from the sender's thread only."""

    def alerts(self) -> Sequence[bytes]:
        """Return the values of the alert topic that have come since the last call."""

    def check(self) -> None:
        """Raise `DemoError` when the worker has ended."""
