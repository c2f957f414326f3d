"""Facts beside the series of a baseline: where its rows came from, and what values may be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stream_monitor.core.baseline.errors import BaselineError
from stream_monitor.core.baseline.wire import Wire
from stream_monitor.core.canonical import Json
from stream_monitor.core.time import format_instant, parse_instant


class OriginType(StrEnum):
    """Where the reference rows came from."""

    DATASET = "dataset"
    TOPIC = "topic"
    SAGEMAKER = "sagemaker"
    FIRST_EVENTS = "first_events"
    PROFILES = "profiles"


class ValueType(StrEnum):
    """Type of a feature's values, as a constraint."""

    INTEGRAL = "integral"
    FRACTIONAL = "fractional"
    STRING = "string"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the reference rows came from: how many, and their span of event time if it is known (epoch ms)."""

    type: OriginType
    rows: int
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Constraint:
    """What values of a series may be.

    Attributes:
        type: type of the values, None: any.
        completeness: least share of non-missing values, None: any.
        minimum: smallest valid value, None: none.
        maximum: largest valid value, None: none.
        allowed: the valid categories, None: any.
    """

    type: ValueType | None = None
    completeness: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] | None = None


class OriginWire(Wire, frozen=True):
    """`origin` as JSON."""

    type: OriginType
    rows: int
    from_: str | None = None
    to: str | None = None


class ConstraintWire(Wire, frozen=True):
    """A constraint as JSON."""

    type: ValueType | None = None
    completeness: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    allowed: list[str] | None = None


def origin_of(wire: OriginWire) -> Origin:
    """Return the origin that stands in a document.

    Raises:
        BaselineError: an instant cannot be read.
    """
    try:
        from_ms, to_ms = (None if text is None else parse_instant(text) for text in (wire.from_, wire.to))
    except ValueError as error:
        raise BaselineError(f"baseline.origin: {error}") from error
    return Origin(wire.type, wire.rows, from_ms, to_ms)


def origin_json(origin: Origin) -> dict[str, Json]:
    """Return an origin as JSON; unknown instants are left out."""
    span = {"from": origin.from_ms, "to": origin.to_ms}
    return {
        "type": origin.type.value,
        "rows": origin.rows,
        **{key: format_instant(ms) for key, ms in span.items() if ms is not None},
    }


def constraint_of(wire: ConstraintWire) -> Constraint:
    """Return the constraint that stands in a document."""
    allowed = None if wire.allowed is None else tuple(wire.allowed)
    return Constraint(wire.type, wire.completeness, wire.minimum, wire.maximum, allowed)


def constraint_json(constraint: Constraint) -> dict[str, Json]:
    """Return a constraint as JSON; what is not constrained is left out."""
    fields: dict[str, Json] = {
        "type": None if constraint.type is None else constraint.type.value,
        "completeness": constraint.completeness,
        "min": constraint.minimum,
        "max": constraint.maximum,
        "allowed": constraint.allowed,
    }
    return {key: value for key, value in fields.items() if value is not None}
