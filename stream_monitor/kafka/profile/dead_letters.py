"""Dead letters: the original record byte for byte, our headers behind its own; and when there are too many of them.

Every byte is a function of the input record and the reject, so a letter that a crash repeats is equal, and its source
position tells that it is the same one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from stream_monitor.core.arrays import Int64
from stream_monitor.core.batch import RawChunk, Reject
from stream_monitor.kafka.deliveries import Outgoing
from stream_monitor.kafka.errors import TooManyDeadLetters
from stream_monitor.kafka.profile.policy import DeadLetterLimits

WINDOW = 10_000
"""Records of a partition over which the share of dead letters is taken."""

OVERHEAD_BYTES = 2_048
"""Left for our headers and Kafka's own framing when a letter is cut to fit."""

MESSAGE_BYTES = 256
KEY_BYTES = 1_024

Header = tuple[str, str | bytes | None]


def dead_letter(
    chunk: RawChunk, reject: Reject, *, topic: str, partitions: int, group: str, format_name: str, max_bytes: int
) -> Outgoing:
    """Return the letter of one rejected record.

    Args:
        chunk: the records.
        reject: which of them, and why.
        topic: of the dead letters.
        partitions: of that topic; the letter goes to the source partition modulo this.
        group: consumer group that rejected it.
        format_name: name of the format that could not read it.
        max_bytes: largest record that may be sent. A larger value is cut, and its digest and length are added; keys
            and headers that alone are too large are cut away likewise.
    """
    value, key = chunk.values[reject.index], chunk.key_of(reject.index)
    headers: list[Header] = list(chunk.headers_of(reject.index))
    ours = _headers(chunk, reject, group, format_name)
    room = max_bytes - OVERHEAD_BYTES - len(key or b"") - sum(len(n) + len(v or b"") + 8 for n, v in headers)
    if room < 0:
        headers, key = [], None if key is None else key[:KEY_BYTES]
        room = max_bytes - OVERHEAD_BYTES - len(key or b"")
    if value is not None and len(value) > room:
        ours.append(("stream_monitor.sha256", hashlib.sha256(value).hexdigest()))
        ours.append(("stream_monitor.bytes", str(len(value))))
        value = value[: max(0, room)]
    return Outgoing(topic, chunk.partition % partitions, key, value, headers=[*headers, *ours])


class PoisonGauge:
    """Watches the share and the run of dead letters of one partition.

    >>> gauge = PoisonGauge(DeadLetterLimits(max_consecutive=3))
    >>> gauge.check(5, [4])
    >>> gauge.learn(5, [4])
    >>> gauge.check(5, [0, 1, 2])
    Traceback (most recent call last):
    stream_monitor.kafka.errors.TooManyDeadLetters: more than 3 records in a row are unreadable
    """

    def __init__(self, limits: DeadLetterLimits) -> None:
        self._limits = limits
        self._recent: Int64 = np.zeros(0, dtype=np.int64)
        self._since_good = 0

    def check(self, records: int, rejected: Sequence[int]) -> None:
        """Decide about a chunk before it is written.

        Args:
            records: of the chunk.
            rejected: indexes of its dead letters.

        Raises:
            TooManyDeadLetters: with this chunk there are more than the limits allow.
        """
        if not rejected:
            return
        flags = self._flags(records, rejected)
        run = _longest_run(flags, self._since_good)
        if run > self._limits.max_consecutive:
            raise TooManyDeadLetters(f"more than {self._limits.max_consecutive} records in a row are unreadable")
        history = np.concatenate([self._recent, flags])
        if history.size >= WINDOW:
            sums = np.concatenate([[0], np.cumsum(history)])
            worst = int((sums[WINDOW:] - sums[:-WINDOW]).max())
            if worst > self._limits.max_share * WINDOW:
                share = f"{worst / WINDOW:.0%} of {WINDOW} records in a row"
                raise TooManyDeadLetters(f"{share} are unreadable, at most {self._limits.max_share:.0%} may be")

    def learn(self, records: int, rejected: Sequence[int]) -> None:
        """Remember a committed chunk."""
        flags = self._flags(records, rejected)
        self._recent = np.concatenate([self._recent, flags])[-(WINDOW - 1) :]
        good = np.flatnonzero(flags == 0)
        self._since_good = self._since_good + records if good.size == 0 else records - 1 - int(good[-1])

    @staticmethod
    def _flags(records: int, rejected: Sequence[int]) -> Int64:
        flags = np.zeros(records, dtype=np.int64)
        flags[list(rejected)] = 1
        return flags


def _longest_run(flags: Int64, before: int) -> int:
    """Return the longest run of ones; one at the start continues a run of `before`."""
    good = np.flatnonzero(flags == 0)
    if good.size == 0:
        return before + int(flags.size)
    first, last = int(good[0]), int(flags.size - 1 - good[-1])
    inside = int(np.diff(good).max(initial=1)) - 1
    return max(before + first if first else 0, inside, last)


def _headers(chunk: RawChunk, reject: Reject, group: str, format_name: str) -> list[Header]:
    return [
        ("__connect.errors.topic", chunk.topic),
        ("__connect.errors.partition", str(chunk.partition)),
        ("__connect.errors.offset", str(reject.offset)),
        ("__connect.errors.connector.name", group),
        ("__connect.errors.class.name", format_name),
        ("__connect.errors.stage", reject.stage.value),
        ("__connect.errors.exception.class.name", reject.error),
        ("__connect.errors.exception.message", _one_line(reject.message)),
        ("stream_monitor.reason", reject.reason.value),
        ("stream_monitor.timestamp_ms", str(int(chunk.record_ms[reject.index]))),
    ]


def _one_line(message: str) -> str:
    escaped = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in message)
    return escaped.encode("utf-8", "replace")[:MESSAGE_BYTES].decode("utf-8", "ignore")
