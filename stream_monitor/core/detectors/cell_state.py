"""The state of one detector of one series as bytes that say themselves when they are broken.

What goes back into river's compiled parts must be what came out of them: a digest stands before the values.
"""

from __future__ import annotations

import hashlib
from typing import TypeVar

import msgspec

from stream_monitor.core.detectors.group import UnusableStateError

_DIGEST_BYTES = 16

_State = TypeVar("_State", bound=msgspec.Struct)


def sealed(state: msgspec.Struct) -> bytes:
    """Return plain values as bytes, their digest first."""
    payload = msgspec.msgpack.encode(state)
    return hashlib.blake2b(payload, digest_size=_DIGEST_BYTES).digest() + payload


def unsealed(state: bytes, kind: type[_State], *, most: int) -> _State:
    """Return the values.

    Args:
        state: from `sealed`.
        kind: type of the values.
        most: bytes that a state may have.

    Raises:
        UnusableStateError: broken, of another type, or larger.
    """
    digest, payload = state[:_DIGEST_BYTES], state[_DIGEST_BYTES:]
    if len(state) > most or hashlib.blake2b(payload, digest_size=_DIGEST_BYTES).digest() != digest:
        raise UnusableStateError(f"{kind.__name__}: {len(state)} bytes, broken or too many")
    try:
        return msgspec.msgpack.decode(payload, type=kind)
    except msgspec.MsgspecError as error:
        raise UnusableStateError(f"{kind.__name__}: {error}") from error
