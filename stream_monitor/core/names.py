"""Names: of series, of what a user may call things, and the closed sets of reasons.

Everything here is one typed list of constants, so that a misspelt name fails the type check and not an alert.

>>> missing_series("age"), alertname("missing:age"), feature_of("missing:age")
('missing:age', 'MissingValues', 'age')
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal


class SeriesKind(StrEnum):
    """How the values of a series are counted, and which detectors speak about it."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BINARY = "binary"
    COUNT = "count"


# --- series -----------------------------------------------------------------------------------------------------------

FEATURE_PREFIX: Final = "feature:"
MISSING_PREFIX: Final = "missing:"
INVALID_PREFIX: Final = "invalid:"
UNSEEN_PREFIX: Final = "unseen:"
PROBABILITY_PREFIX: Final = "probability:"
INSTANCE_PREFIX: Final = "instance:"

PREDICTION: Final = "prediction"
CONFIDENCE: Final = "confidence"
LATENCY: Final = "latency"
SERVING_ERROR: Final = "serving_error"
DEMAND: Final = "demand"
UNANSWERED: Final = "unanswered"
LABEL: Final = "label"
MODEL_ERROR: Final = "model_error"
LATE: Final = "late"
COLUMNS: Final = "columns"


def feature_series(feature: str) -> str:
    """Return the series of a feature's values."""
    return f"{FEATURE_PREFIX}{feature}"


def missing_series(feature: str) -> str:
    """Return the binary series "the feature is null or absent"."""
    return f"{MISSING_PREFIX}{feature}"


def invalid_series(feature: str) -> str:
    """Return the binary series "the feature has the wrong type, is not finite or lies outside its domain"."""
    return f"{INVALID_PREFIX}{feature}"


def unseen_series(feature: str) -> str:
    """Return the binary series "the feature holds a category that the baseline does not know"."""
    return f"{UNSEEN_PREFIX}{feature}"


def feature_of(series: str) -> str | None:
    """Return the feature a series speaks about, None for a series of the model as a whole.

    >>> feature_of("unseen:country"), feature_of("latency")
    ('country', None)
    """
    for prefix in (FEATURE_PREFIX, MISSING_PREFIX, INVALID_PREFIX, UNSEEN_PREFIX):
        if series.startswith(prefix):
            return series[len(prefix) :]
    return None


@dataclass(frozen=True, slots=True)
class SeriesFamily:
    """A row of the table of series: all series of one name or prefix.

    Attributes:
        name: the whole name, or a prefix ending in a colon.
        alertname: Alertmanager's name of an alert about it.
        check_type: the check of SageMaker Model Monitor that means the same, None without one.
    """

    name: str
    alertname: str
    check_type: str | None = None


SERIES_FAMILIES: Final = (
    SeriesFamily(FEATURE_PREFIX, "FeatureDrift", "baseline_drift_check"),
    SeriesFamily(MISSING_PREFIX, "MissingValues", "completeness_check"),
    SeriesFamily(INVALID_PREFIX, "InvalidValues", "data_type_check"),
    SeriesFamily(UNSEEN_PREFIX, "UnseenCategories", "categorical_values_check"),
    SeriesFamily(PREDICTION, "PredictionDrift", "baseline_drift_check"),
    SeriesFamily(CONFIDENCE, "PredictionDrift", "baseline_drift_check"),
    SeriesFamily(PROBABILITY_PREFIX, "PredictionDrift", "baseline_drift_check"),
    SeriesFamily(LABEL, "LabelDrift"),
    SeriesFamily(MODEL_ERROR, "ModelErrorDrift"),
    SeriesFamily(LATENCY, "LatencyDrift"),
    SeriesFamily(SERVING_ERROR, "ServingErrors"),
    SeriesFamily(DEMAND, "DemandChange"),
    SeriesFamily(UNANSWERED, "UnansweredRequests"),
    SeriesFamily(LATE, "LateEvents"),
    SeriesFamily(INSTANCE_PREFIX, "InstanceDrift"),
)

ALERT_STORM: Final = "AlertStorm"
MISSING_COLUMN: Final = "MissingColumn"
EXTRA_COLUMN: Final = "ExtraColumn"
KIND_CHANGED: Final = "KindChanged"
FROZEN_VALUES: Final = "FrozenValues"
NEW_MODEL: Final = "NewModel"
NOT_MONITORED: Final = "NotMonitored"
UNDECLARED_NAMES: Final = "UndeclaredNames"
VERSION_CHANGED: Final = "VersionChanged"

_FAMILIES = {family.name: family for family in SERIES_FAMILIES}


def series_family(series: str) -> SeriesFamily:
    """Return the row of the table of series that a series belongs to.

    Raises:
        ValueError: no series has that name.
    """
    prefix, colon, _ = series.partition(":")
    family = _FAMILIES.get(prefix + colon)
    if family is None:
        raise ValueError(f"series must be one of {', '.join(_FAMILIES)}, got {series!r}")
    return family


def alertname(series: str) -> str:
    """Return the `alertname` label of alerts about a series.

    >>> alertname("feature:amount")
    'FeatureDrift'
    """
    return series_family(series).alertname


# --- reasons ----------------------------------------------------------------------------------------------------------


class RejectReason(StrEnum):
    """Why a whole record went to the dead letters."""

    TOO_LARGE = "too_large"
    INVALID_ENCODING = "invalid_encoding"
    INVALID_JSON = "invalid_json"
    TOO_DEEP = "too_deep"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    INVALID_NAME = "invalid_name"
    INVALID_TIMESTAMP = "invalid_timestamp"
    TIMESTAMP_OUT_OF_RANGE = "timestamp_out_of_range"
    TOO_MANY_FEATURES = "too_many_features"
    BAD_SHAPE = "bad_shape"
    UNKNOWN_SCHEMA = "unknown_schema"
    SCHEMA_MISMATCH = "schema_mismatch"
    UNSUPPORTED_FORMAT = "unsupported_format"
    UNKNOWN_MODEL = "unknown_model"
    INTERNAL_ERROR = "internal_error"
    CRASHED = "crashed"


_UNWATCHED = "model: must be one of `models`, got "


def unwatched(model: str) -> str:
    """Return the message of the reject of an event whose model no plan watches."""
    return f"{_UNWATCHED}{model}"


def unwatched_model(message: str) -> str:
    """Return the model that such a message is about.

    >>> unwatched_model(unwatched("churn"))
    'churn'
    """
    return message.removeprefix(_UNWATCHED)


class ValueReject(StrEnum):
    """Why a single value was left out of an otherwise good event."""

    WRONG_TYPE = "wrong_type"
    NON_FINITE = "non_finite"
    OUT_OF_DOMAIN = "out_of_domain"
    UNSUPPORTED = "unsupported"
    TOO_LONG = "too_long"
    INVALID_NAME = "invalid_name"
    OVER_LIMIT = "over_limit"


class ValueKind(StrEnum):
    """What a value is, whatever its series expects."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    PROBABILITIES = "probabilities"
    """Text that came with its probability: the most probable class of a prediction."""


class Stage(StrEnum):
    """Where a record failed; the names of Kafka Connect, which Kafka UIs show."""

    HEADER = "HEADER_CONVERTER"
    VALUE = "VALUE_CONVERTER"
    TRANSFORMATION = "TRANSFORMATION"


class EventKind(StrEnum):
    """What a row tells about a model."""

    INFERENCE = "inference"
    REQUEST = "request"
    RESPONSE = "response"
    LABEL = "label"
    INSTANCE = "instance"


# --- guarantees -------------------------------------------------------------------------------------------------------

BOUND: Final = "bound"
"""Expected false alarms in n panes are at most n/A, by theorem."""

BOUND_PANES: Final = "bound_panes"
"""The same for independent panes, whatever the dependence inside them."""

CALIBRATED: Final = "calibrated"
"""The threshold was simulated to the budget."""


def approximate(reason: str) -> str:
    """Return the guarantee of a series for which the budget is an approximation, and why.

    >>> approximate("histogram")
    'approximate:histogram'
    """
    return f"approximate:{reason}"


NO_GUARANTEE: Final = "none:"
"""How a guarantee begins that is none."""


def no_guarantee(reason: str) -> str:
    """Return the guarantee of a series for which the budget promises nothing, and why."""
    return f"{NO_GUARANTEE}{reason}"


# --- what users may call things ---------------------------------------------------------------------------------------

NamedField = Literal["model", "version", "feature", "segment", "series"]
"""What a name names; the limits of each are in `check_name`."""

_BYTES: Final[dict[str, tuple[int, int]]] = {"version": (0, 128), "series": (1, 160)}
_LABEL_BYTES: Final = 128
CATEGORY_BYTES: Final = 256


def check_name(text: str, field: NamedField) -> str | None:
    """Return the rule a name breaks, in words for a message, or None for a good name.

    1-128 bytes of UTF-8 (version 0-128, series 1-160), no control characters, no leading `__`.

    >>> check_name("petal width (cm)", "feature"), check_name("__name__", "feature")
    (None, 'must not start with __')
    """
    least, most = _BYTES.get(field, (1, 128))
    if text.isascii():
        size, printable = len(text), text.isprintable()
    else:
        size = len(text.encode("utf-8", "surrogatepass"))
        printable = not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
    if not least <= size <= most:
        return f"must be {least} to {most} bytes of UTF-8, got {size}"
    if not printable:
        return "must not hold control characters or lone surrogates"
    if text.startswith("__"):
        return "must not start with __"
    return None


OTHER_SEGMENT: Final = "__other__"
"""Stands for every value of a segment that the baseline does not list; no value has this name."""


def segment_label(name: str, value: str) -> str:
    """Return a segment as it stands in profiles, alerts and metrics; names hold no `=`, values may.

    >>> segment_label("channel", "web")
    'channel=web'
    """
    return f"{name}={value}"


def segment_name(label: str) -> str:
    """Return which of the configured segments a label is of."""
    return label.partition("=")[0]


def check_segment_label(label: str) -> str | None:
    """Return the rule that `name=value` breaks, in words for a message, or None for a good label."""
    name, equals, value = label.partition("=")
    if not equals:
        return "must be name=value"
    return check_name(name, "segment") or check_name(value, "segment")


def safe_label(text: str) -> str:
    r"""Return a text that is safe as a label value: printable UTF-8 of at most 128 bytes.

    Control characters and lone surrogates are escaped, long texts cut. A text that had to be changed ends in `~` and 8
    hex digits of its hash, so that two texts never share a label.

    >>> safe_label("petal width (cm)")
    'petal width (cm)'
    >>> safe_label("a\nb")
    'a\\x0ab~7e18f737'
    """
    if check_name(text, "segment") is None or text == "":
        return text
    escaped = "".join(_escaped(character) for character in text)
    encoded = escaped.encode()
    if escaped == text and len(encoded) <= _LABEL_BYTES:
        return text
    suffix = f"~{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return encoded[: _LABEL_BYTES - len(suffix)].decode("utf-8", "ignore") + suffix


def cut_category(text: str) -> str:
    """Return a category value cut at 256 bytes of UTF-8, at a character; lone surrogates become question marks."""
    if len(text) <= CATEGORY_BYTES and text.isascii():
        return text
    return text.encode("utf-8", "replace")[:CATEGORY_BYTES].decode("utf-8", "ignore")


def _escaped(character: str) -> str:
    match unicodedata.category(character):
        case "Cc":
            return f"\\x{ord(character):02x}"
        case "Cs":
            return f"\\u{ord(character):04x}"
        case _:
            return character
