"""Bytes to a JSON tree, exactly: what producers really send, and nothing that could hurt.

Length, encoding and depth are checked before anything is parsed. `NaN`, `Infinity` and `1e400`, which Python producers
write, are read by a second, tolerant decoder as numbers that are not finite; so are lone surrogates, and integers of
any length.

>>> read_tree(b'{"a": [1, 1e400]}', max_bytes=100)
{'a': [1, inf]}
>>> read_tree(b'{"a": ', max_bytes=100).reason
<RejectReason.INVALID_JSON: 'invalid_json'>
"""

from __future__ import annotations

import json
import re

import orjson

from stream_monitor.core.names import RejectReason
from stream_monitor.formats.fault import Fault, unreadable

Tree = None | bool | int | float | str | list["Tree"] | dict[str, "Tree"]
"""A decoded JSON value."""

MAX_DEPTH = 32
"""Arrays and objects inside each other."""

_SAFE_DIGITS = 18
"""Digits that fit 64 bits; longer integers become floats, because Python's take quadratic time."""

_BRACKET_OR_TEXT = re.compile(r'[\[{]|[\]}]|"(?:[^"\\]|\\.)*\\?(?:"|\Z)', re.DOTALL)
"""The brackets outside texts; a text that does not end goes to the end, so scanning is linear."""


def read_tree(value: bytes, *, max_bytes: int) -> Tree | Fault:
    """Return the tree of a record's value, or why there is none."""
    if len(value) > max_bytes:
        return unreadable(
            RejectReason.TOO_LARGE, "ValueTooLarge", f"value: at most {max_bytes} bytes, got {len(value)}"
        )
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        return unreadable(RejectReason.INVALID_ENCODING, "UnicodeDecodeError", f"value: no UTF-8 at byte {error.start}")
    if is_too_deep(text):
        return unreadable(RejectReason.TOO_DEEP, "ValueTooDeep", f"value: at most {MAX_DEPTH} levels")
    try:
        tree: Tree = orjson.loads(value)
    except orjson.JSONDecodeError as refusal:
        try:
            tree = TOLERANT.decode(text)
        except json.JSONDecodeError:
            where = f"at byte {len(text[: refusal.pos].encode())}"
            return unreadable(RejectReason.INVALID_JSON, "JSONDecodeError", f"value: no JSON {where} of {len(value)}")
    return tree


def is_too_deep(text: str) -> bool:
    """Say whether arrays and objects are nested more than `MAX_DEPTH` levels."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for found in _BRACKET_OR_TEXT.finditer(text):
        first = text[found.start()]
        depth += (first in "[{") - (first in "]}")
        if depth > MAX_DEPTH:
            return True
    return False


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _SAFE_DIGITS else float(digits)


TOLERANT = json.JSONDecoder(parse_int=_integer)
"""Reads what Python writes: numbers that are not finite, lone surrogates, integers of any length."""
