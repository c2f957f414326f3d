r"""Topics as JSON lines: one record a line, exact to the byte, so that a backtest replays what Kafka held.

A line has `topic`, `partition`, `offset`, `timestamp_ms`, `key`, `value` and `headers` (pairs of name and value, in
order). Bytes that are UTF-8 are a string, others `{"base64": "..."}`; null is null: a missing key, a tombstone.

>>> line = encode_line(StoredRecord("events", 0, 7, 1_000, b"k", bytes([255])))
>>> line.decode()
'{"topic":"events","partition":0,"offset":7,"timestamp_ms":1000,"key":"k","value":{"base64":"/w=="},"headers":[]}\n'
>>> decode_line(line).value
b'\xff'
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import BinaryIO

import msgspec
import orjson

from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.readers.stored_record import Header, StoredRecord
from stream_monitor.kafka.readers.topic import ALL, Span, read_topics


class _Encoded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    base64: str


_Text = str | _Encoded | None


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: _Text
    value: _Text
    headers: list[tuple[str, _Text]] = []


_DECODER = msgspec.json.Decoder(_Line)


def encode_line(record: StoredRecord) -> bytes:
    """Return a record as one line with its line feed."""
    return orjson.dumps(
        {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "timestamp_ms": record.timestamp_ms,
            "key": _text(record.key),
            "value": _text(record.value),
            "headers": [[name, _text(value)] for name, value in record.headers],
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def decode_line(line: bytes) -> StoredRecord:
    """Return the record of one line.

    Raises:
        ValueError: the line is not one of an export.
    """
    try:
        found = _DECODER.decode(line)
        headers: tuple[Header, ...] = tuple((name, _bytes(value)) for name, value in found.headers)
        key, value = _bytes(found.key), _bytes(found.value)
    except (msgspec.DecodeError, binascii.Error) as error:
        raise ValueError(f"not a line of an export: {error}") from error
    return StoredRecord(found.topic, found.partition, found.offset, found.timestamp_ms, key, value, headers)


def export_topics(settings: KafkaSettings, topics: Sequence[str], to: BinaryIO, *, span: Span = ALL) -> int:
    """Write the committed records of topics, by topic, partition and offset, and return how many.

    Raises:
        Misconfigured: a topic does not exist.
        Stop: the cluster refuses us.
    """
    count = 0
    for record in read_topics(settings, topics, span=span):
        to.write(encode_line(record))
        count += 1
    return count


def _text(value: bytes | None) -> str | dict[str, str] | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _bytes(value: _Text) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode()
    return base64.b64decode(value.base64, validate=True)
