"""Dead letters: the original record byte for byte, our headers behind its own.

Every byte is a function of the input record and the reject, so a letter that a crash repeats is equal, and its source
position tells that it is the same one.
"""

from __future__ import annotations

import hashlib

from stream_monitor.core.batch import RawChunk, Reject
from stream_monitor.kafka.deliveries import Outgoing

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
        max_bytes: largest record that may be sent. A larger value is cut; keys and headers that alone are too large
            are cut away. Then digest and length of the value are added: they say that not all of it is here.
    """
    value, key = chunk.values[reject.index], chunk.key_of(reject.index)
    headers: list[Header] = list(chunk.headers_of(reject.index))
    ours = _headers(chunk, reject, group, format_name=format_name)
    room = max_bytes - OVERHEAD_BYTES - len(key or b"") - sum(len(n) + len(v or b"") + 8 for n, v in headers)
    is_cut = room < 0
    if is_cut:
        headers, key = [], None if key is None else key[:KEY_BYTES]
        room = max_bytes - OVERHEAD_BYTES - len(key or b"")
    if is_cut or len(value or b"") > room:
        ours.append(("stream_monitor.sha256", hashlib.sha256(value or b"").hexdigest()))
        ours.append(("stream_monitor.bytes", str(len(value or b""))))
        value = None if value is None else value[: max(0, room)]
    return Outgoing(topic, chunk.partition % partitions, key, value, headers=[*headers, *ours])


def _headers(chunk: RawChunk, reject: Reject, group: str, *, format_name: str) -> list[Header]:
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
