"""Formats: bytes of a record to columns. One format a file; `FORMATS` is the list of them.

A format is a class with `decode(chunk) -> Batch`, built from the input's plan; to add one, write its file and its line
below. `tree` (bytes to JSON), `event` (JSON to a row) and `rows` (rows to columns) serve every format on JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from stream_monitor.core.batch import Decoder
from stream_monitor.core.plan import InputPlan, Plan
from stream_monitor.formats.native import NativeDecoder

FORMATS: Mapping[str, Callable[[InputPlan, Plan], Decoder]] = MappingProxyType(
    {
        "native": NativeDecoder,
    }
)
"""By name in the configuration."""


def build_decoder(source: InputPlan, plan: Plan) -> Decoder:
    """Return the decoder of an input topic.

    Raises:
        ValueError: the input's format does not exist, or a parameter of it does not.
    """
    build = FORMATS.get(source.format)
    if build is None:
        raise ValueError(f"inputs.format: must be one of {', '.join(FORMATS)}, got {source.format!r}")
    return build(source, plan)


__all__ = ["FORMATS", "Decoder", "build_decoder"]
