"""A record as a topic holds it: what an export writes and a backtest reads back."""

from __future__ import annotations

from dataclasses import dataclass

from confluent_kafka import Message

Header = tuple[str, bytes | None]


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record with its position.

    Attributes:
        timestamp_ms: record time, epoch milliseconds: the producer's or the broker's, as the topic is set.
        key: None when there is none.
        value: None for a tombstone.
        headers: in order, names may repeat.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()


def stored_record(message: Message) -> StoredRecord:
    """Return a received record (not an error event) as a value."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None  # a received record has a place
    assert partition is not None
    assert offset is not None
    headers = message.headers() or []
    assert isinstance(headers, list)  # a mapping is only for producing
    return StoredRecord(
        topic,
        partition,
        offset,
        message.timestamp()[1],
        message.key(),
        message.value(),
        tuple(_header(name, value) for name, value in headers),
    )


def _header(name: str, value: str | bytes | None) -> Header:
    return name, value.encode() if isinstance(value, str) else value
