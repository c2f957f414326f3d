"""Deletes the offset of one partition of a group, which the client has no call for: one request of the protocol."""

from __future__ import annotations

import socket
import struct

_OFFSET_DELETE = 47


def delete_group_offset(bootstrap: str, group: str, topic: str, partition: int) -> None:
    """Ask the broker to delete one offset of a group; whether it did is for the caller to see."""
    body = _text(group) + struct.pack(">i", 1) + _text(topic) + struct.pack(">ii", 1, partition)
    header = struct.pack(">hhi", _OFFSET_DELETE, 0, 1) + _text("test")
    host, _, port = bootstrap.rpartition(":")
    with socket.create_connection((host, int(port)), 20) as connection:
        connection.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
        (size,) = struct.unpack(">i", connection.recv(4, socket.MSG_WAITALL))
        connection.recv(size, socket.MSG_WAITALL)


def _text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()
