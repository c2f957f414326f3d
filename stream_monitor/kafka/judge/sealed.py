"""Records of ours that carry their own digest: a flipped bit is found before a field is believed.

>>> sealed = seal({"next_offset": 12})
>>> unseal(sealed)
{'next_offset': 12}
>>> unseal(sealed.replace(b"12", b"13"))
Traceback (most recent call last):
    ...
stream_monitor.kafka.judge.sealed.BrokenSeal: the digest does not fit
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import orjson

from stream_monitor.core.canonical import Json, canonical_json

MAX_BYTES = 1 << 20


class BrokenSeal(Exception):
    """A record is not what was written, or not ours."""


def seal(body: Mapping[str, Json]) -> bytes:
    """Return the canonical JSON of a body with the SHA-256 of itself under `digest`."""
    return canonical_json({**body, "digest": hashlib.sha256(canonical_json(body)).hexdigest()})


def unseal(value: bytes) -> dict[str, object]:
    """Return the body of a sealed record.

    Raises:
        BrokenSeal: it is too large, no JSON object, or its digest does not fit.
    """
    if len(value) > MAX_BYTES:
        raise BrokenSeal(f"{len(value)} bytes, at most {MAX_BYTES} are ours")
    try:
        body = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise BrokenSeal("not JSON") from error
    if not isinstance(body, dict):
        raise BrokenSeal("not a JSON object")
    digest = body.pop("digest", None)
    if hashlib.sha256(canonical_json(body)).hexdigest() != digest:
        raise BrokenSeal("the digest does not fit")
    return body
