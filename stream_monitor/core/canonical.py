"""Canonical JSON: one text for one value, so that equal facts are equal bytes.

UTF-8, keys sorted by code point, no spaces, integers as integers, no NaN and no Infinity.

>>> canonical_json({"b": 1, "a": [0.5, None]})
b'{"a":[0.5,null],"b":1}'
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import orjson

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def canonical_json(value: Json) -> bytes:
    """Return the canonical encoding of a JSON value.

    Raises:
        ValueError: a float is NaN or infinite (orjson would write null silently), or a value is not JSON.
    """
    _refuse_non_finite(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise ValueError(f"canonical JSON: {error}") from error


def round_significant(value: float, digits: int = 6) -> float:
    """Round a computed statistic for publication; data values (edges, minima, maxima) are never rounded.

    >>> round_significant(0.22237312)
    0.222373
    """
    return float(f"{value:.{digits}g}")


def _refuse_non_finite(value: Json) -> None:
    if value is None or isinstance(value, str | bytes | int):  # most values, and the checks of abstract types are slow
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"canonical JSON: {value} is not a JSON number")
    elif isinstance(value, Mapping):
        for item in value.values():
            _refuse_non_finite(item)
    elif isinstance(value, Sequence):
        for item in value:
            _refuse_non_finite(item)
