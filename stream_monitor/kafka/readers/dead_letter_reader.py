"""Reads `drift-dead-letters`: records that could not be counted, with the reason, byte for byte as they were.

The original's own headers come first, ours after them; of equal names the last counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.readers.stored_record import Header, StoredRecord
from stream_monitor.kafka.readers.topic import ALL, Span, read_topics

_OURS = ("__connect.errors.", "stream_monitor.")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One rejected record.

    Attributes:
        topic: of the original, "" when the header is missing: then the record is not ours.
        offset: of the original, -1 likewise.
        reason: why, one of a closed set.
        message: one line about it, without values of the event.
        format: how it was to be read.
        record: key, value and headers as stored here.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    stage: str
    message: str
    format: str
    record: StoredRecord

    @property
    def original_headers(self) -> tuple[Header, ...]:
        """Headers that the record came with."""
        return tuple(h for h in self.record.headers if not h[0].startswith(_OURS))

    @property
    def original_ms(self) -> int | None:
        """Time of the original record, epoch milliseconds."""
        text = next((v for n, v in reversed(self.record.headers) if n == "stream_monitor.timestamp_ms"), None)
        return None if text is None else _number(text.decode("ascii", "replace"))

    @property
    def is_cut(self) -> bool:
        """Say whether the record was too large to be kept whole."""
        return any(name == "stream_monitor.sha256" for name, _ in self.record.headers)


def decode_dead_letter(record: StoredRecord) -> DeadLetter:
    """Return a record of the dead-letter topic with its headers read."""
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
    return DeadLetter(
        topic=headers.get("__connect.errors.topic", ""),
        partition=_number(headers.get("__connect.errors.partition")),
        offset=_number(headers.get("__connect.errors.offset")),
        reason=headers.get("stream_monitor.reason", ""),
        stage=headers.get("__connect.errors.stage", ""),
        message=headers.get("__connect.errors.exception.message", ""),
        format=headers.get("__connect.errors.connector.class.name", headers.get("__connect.errors.class.name", "")),
        record=record,
    )


def read_dead_letters(settings: KafkaSettings, topic: str, *, span: Span = ALL) -> Iterator[DeadLetter]:
    """Yield the dead letters up to the present end of the topic; one that a crash wrote twice comes once.

    Raises:
        Misconfigured: the topic does not exist.
        Stop: the cluster refuses us.
    """
    seen: set[tuple[str, int, int]] = set()
    for record in read_topics(settings, [topic], span=span):
        letter = decode_dead_letter(record)
        position = (letter.topic, letter.partition, letter.offset)
        if letter.topic and position in seen:
            continue
        seen.add(position)
        yield letter


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else -1
