"""What a dead letter holds."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from stream_monitor.core.batch import RawChunk, Reject
from stream_monitor.core.names import RejectReason, Stage
from stream_monitor.kafka.deliveries import Outgoing
from stream_monitor.kafka.profile.dead_letter_records import dead_letter
from stream_monitor.kafka.readers import StoredRecord, decode_dead_letter

VALUE = b'{"broken": \xff'
HEADERS: list[tuple[str, bytes | None]] = [("trace", b"\x00\x01"), ("empty", None)]


def letter(value: bytes | None = VALUE, *, key: bytes | None = b"k", max_bytes: int = 1_000_000) -> Outgoing:
    chunk = RawChunk(
        "in", 5, np.array([41]), np.array([1_795_331_967_684]), [value], lambda _: key, lambda _: list(HEADERS)
    )
    reject = Reject(0, 41, Stage.VALUE, RejectReason.INVALID_JSON, "JSONDecodeError", "line 1\nunexpected byte")
    return dead_letter(
        chunk, reject, topic="dead", partitions=4, group="g-profile", format_name="native", max_bytes=max_bytes
    )


def test_a_letter_is_the_original_byte_for_byte_with_our_headers_behind() -> None:
    """Key, value and headers of the original, then position, group, format, stage, error, reason and time."""
    written = letter()

    assert ("dead", 1, b"k", VALUE) == (written.topic, written.partition, written.key, written.value)
    assert [
        ("trace", b"\x00\x01"),
        ("empty", None),
        ("__connect.errors.topic", "in"),
        ("__connect.errors.partition", "5"),
        ("__connect.errors.offset", "41"),
        ("__connect.errors.connector.name", "g-profile"),
        ("__connect.errors.class.name", "native"),
        ("__connect.errors.stage", "VALUE_CONVERTER"),
        ("__connect.errors.exception.class.name", "JSONDecodeError"),
        ("__connect.errors.exception.message", "line 1\\x0aunexpected byte"),
        ("stream_monitor.reason", "invalid_json"),
        ("stream_monitor.timestamp_ms", "1795331967684"),
    ] == list(written.headers)


def test_a_letter_too_large_is_cut_and_says_what_it_was() -> None:
    """Digest and length of the original tell the whole from its beginning."""
    value = b"x" * 10_000
    written = letter(value, max_bytes=5_000)
    headers = dict(written.headers)

    assert (hashlib.sha256(value).hexdigest(), "10000") == (
        headers["stream_monitor.sha256"],
        headers["stream_monitor.bytes"],
    )
    assert written.value is not None
    assert value.startswith(written.value)
    assert 2_500 < len(written.value) < 5_000


def test_a_letter_with_a_huge_key_still_fits() -> None:
    """A key that alone is too large is cut, and the original headers give way."""
    written = letter(key=b"k" * 9_000, max_bytes=5_000)

    assert written.key == b"k" * 1_024
    assert "trace" not in dict(written.headers)


@pytest.mark.parametrize("value", [VALUE, None], ids=["value", "tombstone"])
def test_a_letter_that_lost_key_or_headers_is_not_put_back(value: bytes | None) -> None:
    """What is written back must be what came, so a whole value beside a cut key is marked as cut."""
    written = letter(value, key=b"k" * 9_000, max_bytes=5_000)
    headers = tuple((name, own.encode() if isinstance(own, str) else own) for name, own in written.headers)

    assert value == written.value
    assert decode_dead_letter(StoredRecord("dead", 1, 0, 0, written.key, written.value, headers)).is_cut
