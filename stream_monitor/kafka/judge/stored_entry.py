"""A record of `drift-profiles` as the fold wants it."""

from __future__ import annotations

from confluent_kafka import Message

from stream_monitor.core.judge import StoredEntry


def stored_entry(message: Message) -> StoredEntry:
    """Return the entry of a received record (not of an error event)."""
    offset = message.offset()
    assert offset is not None  # only error events are without one
    _, log_ms = message.timestamp()
    return StoredEntry(offset, log_ms, message.key(), message.value() or b"")
