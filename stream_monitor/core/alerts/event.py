"""The alert event on the wire: a structured CloudEvent whose `data` Alertmanager takes as it is.

Every field is a function of the folded log, so a replay writes the same bytes. `msgspec.json.schema(AlertCloudEvent)`
is the JSON Schema.
"""

from __future__ import annotations

import msgspec

from stream_monitor.core.canonical import Json, canonical_json
from stream_monitor.core.time import format_instant

TYPE_PREFIX = "io.streammonitor.alert"
MAX_BINS = 64
MAX_LEVELS = 5
MAX_POSITIONS = 64
MAX_EXAMPLES = 5
MAX_RELATED = 20
MAX_EVENT_BYTES = 65_536


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """How large the drift is: a measure, its value, the floor of the rule, and what chance alone would show."""

    measure: str
    value: float
    floor: float
    noise_95: float


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The panes of the effect and the events in them."""

    from_: str = msgspec.field(name="from")
    to: str
    n: int


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """When it began: the 5-95 % range of the change point."""

    from_: str = msgspec.field(name="from")
    to: str


class BaselineRef(msgspec.Struct, frozen=True, kw_only=True):
    """The reference: id of the baseline, and the rows of this series that it rests on."""

    id: str
    m: int


class Level(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One number of the series in the user's own units, normally and now, each with the range that holds it (95 %).

    `of` is a quantile (`p50`), the name of a category, `yes` for the share of a yes/no series, or `events` for events
    per pane. What lies beyond the outermost values of the baseline has no number: that end of the range is null.
    """

    of: str
    baseline: float
    window: float
    baseline_range: tuple[float | None, float | None] | None = None
    window_range: tuple[float | None, float | None] | None = None


class Worst(msgspec.Struct, frozen=True, kw_only=True):
    """How far it went: the largest effect while the alert fired, when, and the levels then."""

    value: float
    at: str
    levels: tuple[Level, ...] = ()


class Bins(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counts side by side: numeric bins have edges, categorical ones names."""

    edges: tuple[float, ...] | None = None
    categories: tuple[str, ...] | None = None
    baseline: tuple[int, ...]
    window: tuple[int, ...]


class OffsetRange(msgspec.Struct, frozen=True, kw_only=True):
    """Where the events of the window are: offsets `[first, next)` of a source partition."""

    topic: str
    partition: int
    first: int
    next: int


class ExampleEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event of the window, chosen by hash; values only with `privacy.example_values`."""

    event_id: str
    partition: int
    offset: int
    values: dict[str, str | float | bool | None] | None = None


class Related(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another series of the model that drifts at the same time; `segment` (`channel=web`) unless it is all rows'."""

    segment: str | None = None
    series: str
    log10_evidence: float


Fact = str | int | float | bool | tuple[str, ...] | None
"""A number or name of a condition."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why: the evidence against its budget, the effect against its floor, and where to look.

    `design_effect` is there where events depend on each other: so many of them say as much as one independent event.
    Detectors that have no evidence in the sense of the budget write `statistic` and `threshold` instead of the pair
    of logarithms. `expected_alarms` is how often evidence as large comes without drift, at most, in the span of the
    budget from this series: `budget_panes` over M. `pane_ms` is the length of a pane. `levels` say in the user's units
    what has changed, `worst` how far it went. `previous` is the effect that was reported before. `facts` are the
    numbers and names behind a condition.
    """

    detector: str
    guarantee: str
    design_effect: float | None = None
    log10_evidence: float | None = None
    log10_threshold: float | None = None
    expected_alarms: float | None = None
    statistic: float | None = None
    threshold: float | None = None
    budget_panes: int | float
    pane_ms: int = 0
    family: int
    effect: Effect
    previous: float | None = None
    levels: tuple[Level, ...] = ()
    worst: Worst | None = None
    window: Window
    change: Change | None = None
    baseline: BaselineRef | None = None
    bins: Bins | None = None
    source: tuple[OffsetRange, ...] = ()
    examples: tuple[ExampleEvent, ...] = ()
    related: tuple[Related, ...] = ()
    facts: dict[str, Fact] | None = None


class Annotations(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Text for people."""

    summary: str
    description: str
    runbook_url: str | None = None


class AlertData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What can be posted to Alertmanager: labels, annotations, instants; the rest is ours."""

    alert_id: str
    fingerprint: str
    status: str
    reason: str
    sequence: int
    labels: dict[str, str]
    annotations: Annotations
    starts_at: str = msgspec.field(name="startsAt")
    ends_at: str | None = msgspec.field(name="endsAt", default=None)
    generator_url: str | None = msgspec.field(name="generatorURL", default=None)
    evidence: Evidence


class AlertCloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The whole record, CloudEvents 1.0 in structured mode."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    partitionkey: str
    data: AlertData


def cloud_event(data: AlertData, *, source: str, subject: str, time_ms: int) -> AlertCloudEvent:
    """Wrap alert data into its envelope.

    Args:
        data: what is reported.
        source: `/stream-monitor/<group>`.
        subject: what the alert is about.
        time_ms: end of the pane that caused the event.
    """
    return AlertCloudEvent(
        specversion="1.0",
        id=f"{data.alert_id}-{data.sequence}",
        source=source,
        type=f"{TYPE_PREFIX}.{data.status}.v1",
        subject=subject,
        time=format_instant(time_ms),
        datacontenttype="application/json",
        partitionkey=data.fingerprint,
        data=data,
    )


def encode(event: AlertCloudEvent) -> bytes:
    """Return the canonical bytes of an event; above 64 KiB details give way in turn."""
    encoded = canonical_json(_json(event))
    evidence = event.data.evidence
    for shorter in ({"examples": ()}, {"related": ()}, {"source": ()}, {"bins": None}):
        if len(encoded) <= MAX_EVENT_BYTES:
            break
        evidence = msgspec.structs.replace(evidence, **shorter)
        data = msgspec.structs.replace(event.data, evidence=evidence)
        encoded = canonical_json(_json(msgspec.structs.replace(event, data=data)))
    return encoded


def decode(value: bytes) -> AlertCloudEvent:
    """Read an event back; unknown keys are ignored.

    Raises:
        msgspec.MsgspecError: not an alert event.
    """
    return msgspec.json.decode(value, type=AlertCloudEvent)


def _json(event: AlertCloudEvent) -> Json:
    built: Json = msgspec.to_builtins(event)
    return built
