"""Instants on the command line: a span that ends now, or an RFC 3339 instant."""

from __future__ import annotations

import time
from collections.abc import Callable

from stream_monitor.cli.failures import CommandError


def ago_ms(text: str, option: str, *, clock: Callable[[], float] = time.time) -> int:
    """Return the epoch milliseconds of `2h` (two hours ago) or of an instant with its offset.

    >>> ago_ms("2h", "--since", clock=lambda: 7_200.0)
    0

    Raises:
        CommandError: the text is neither.
    """
    from stream_monitor.config.durations import parse_duration
    from stream_monitor.core.time import parse_instant

    try:
        return int(clock() * 1_000) - parse_duration(text)
    except ValueError:
        pass
    try:
        return parse_instant(text)
    except ValueError:
        raise CommandError(
            f"{option}: must be a span such as 2h or 7d, or an instant such as 2026-11-22T07:00:00Z, got {text}"
        ) from None
