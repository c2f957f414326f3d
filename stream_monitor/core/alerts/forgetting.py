"""When the compacted state forgets a resolved alert: a tombstone some days of event time after it."""

from __future__ import annotations

from collections.abc import Mapping


class Forgetting:
    """Resolved alerts and the instant from which nobody needs their last event.

    Attributes:
        due: instant by fingerprint.
    """

    def __init__(self, after_ms: int, due: Mapping[str, int] | None = None) -> None:
        self._after_ms = after_ms
        self.due = dict(due or {})

    @property
    def next_ms(self) -> int | None:
        """The earliest due instant, None if nothing is due."""
        return min(self.due.values(), default=None)

    def told(self, fingerprint: str, *, resolved: bool, now_ms: int) -> None:
        """Note an event: a resolution starts the wait, a new alert of the same identity ends it."""
        if resolved:
            self.due[fingerprint] = now_ms + self._after_ms
        else:
            self.due.pop(fingerprint, None)

    def take(self, now_ms: int) -> list[str]:
        """Return the fingerprints that are due, sorted, and let go of them."""
        ready = sorted(key for key, due in self.due.items() if due <= now_ms)
        for key in ready:
            del self.due[key]
        return ready
