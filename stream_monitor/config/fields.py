"""Types of settings: what a duration, a name or a number may be in a configuration file."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema

from stream_monitor.config.durations import PATTERN, RULE, parse_duration


class Section(BaseModel):
    """A mapping of the file: every key known, every type exact."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, validate_default=True)


def _span(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError(RULE)  # noqa: TRY004  # pydantic reports a ValueError and lets a TypeError through
    return parse_duration(value)


def _positive(span_ms: int) -> int:
    if span_ms <= 0:
        raise ValueError("must be longer than 0s")
    return span_ms


def _span_or_off(value: object) -> int | None:
    if value in ("off", None):
        return None
    try:
        return _span(value)
    except ValueError as error:
        raise ValueError(f"{error}, or off") from None


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _no_controls(value: str) -> str:
    if not 1 <= len(value.encode("utf-8", "surrogatepass")) <= 128 or not value.isprintable():
        raise ValueError("must be 1 to 128 bytes of printable text")
    return value


def written(value: object) -> Any:  # Any: the validator turns what a user would write into the field's type
    """Return a default in the form it has in the file."""
    return value


def listed(value: object) -> object:
    """Return a list of the file as the tuple that a frozen section holds."""
    return tuple(value) if isinstance(value, list) else value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


def _float(value: object) -> object:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


_SPAN_SCHEMA = WithJsonSchema({"type": "string", "pattern": PATTERN})
Span = Annotated[int, BeforeValidator(_span), _SPAN_SCHEMA]
PositiveSpan = Annotated[int, BeforeValidator(_span), AfterValidator(_positive), _SPAN_SCHEMA]
SpanOrOff = Annotated[
    int | None,
    BeforeValidator(_span_or_off),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": PATTERN}, {"const": "off"}]}),
]
Number = Annotated[float, BeforeValidator(_float), AfterValidator(_finite), WithJsonSchema({"type": "number"})]
PositiveNumber = Annotated[
    float,
    BeforeValidator(_float),
    AfterValidator(_finite),
    Field(gt=0),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0}),
]
Name = Annotated[
    str, AfterValidator(_no_controls), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 128})
]
Identifier = Annotated[str, BeforeValidator(_text), Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")]
TopicName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
LabelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Json = JsonValue
Librdkafka = Annotated[str | int | float | bool, Field(union_mode="left_to_right")]
