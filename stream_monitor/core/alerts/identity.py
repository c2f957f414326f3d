"""The identity of an alert: its labels, their fingerprint, and the id of one episode.

>>> labels = alert_labels(SeriesName("fraud", "7", "", "feature:amount"), rule="drift", severity=Severity.WARNING)
>>> fingerprint(labels)
'b371c53ded674fc8'
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stream_monitor.core.keys import fingerprint
from stream_monitor.core.names import ALERT_STORM, alertname
from stream_monitor.core.plan import Severity

STORM_RULE = "alert_storm"
"""The `rule` label of the one summary alert above `alerts.max_open`."""

_ESCAPES = str.maketrans({"%": "%25", "/": "%2F"})


@dataclass(frozen=True, slots=True, order=True)
class SeriesName:
    """A series in full; the order of these four is the order of alerts inside a pane."""

    model: str
    version: str
    segment: str
    series: str


def alert_labels(
    name: SeriesName, *, rule: str, severity: Severity, constants: Iterable[tuple[str, str]] = ()
) -> dict[str, str]:
    """Return the labels of an alert about a series; an empty version or segment is left out.

    Args:
        name: the series.
        rule: name of the rule.
        severity: of the rule.
        constants: labels of the deployment (`alerts.labels`); they are part of the identity and never hide ours.
    """
    own = {"alertname": alertname(name.series), "model": name.model, "version": name.version, "segment": name.segment}
    own |= {"series": name.series, "rule": rule, "severity": severity.value}
    return {label: value for label, value in (dict(constants) | own).items() if value}


def storm_labels(model: str, constants: Iterable[tuple[str, str]] = ()) -> dict[str, str]:
    """Return the labels of the summary alert of a model."""
    own = {"alertname": ALERT_STORM, "model": model, "rule": STORM_RULE, "severity": Severity.CRITICAL.value}
    return {label: value for label, value in (dict(constants) | own).items() if value}


def condition_labels(
    name: SeriesName,
    alertname: str,
    *,
    rule: str,
    severity: Severity,
    constants: Iterable[tuple[str, str]] = (),
    partition: int | None = None,
) -> dict[str, str]:
    """Return the labels of the alert of a condition.

    Args:
        name: what it is about; an empty version or series is left out.
        alertname: of the condition.
        rule: name of the condition.
        severity: of the condition.
        constants: labels of the deployment (`alerts.labels`).
        partition: of the judge, for what no model stands for: each judge partition has an alert of its own.
    """
    own = {"alertname": alertname, "model": name.model, "version": name.version, "series": name.series}
    own |= {"rule": rule, "severity": severity.value, "partition": "" if partition is None else str(partition)}
    return {label: value for label, value in (dict(constants) | own).items() if value}


def alert_id(identity: str, starts_ms: int) -> str:
    """Return the id of one episode, from pending to resolved."""
    return f"{identity}-{starts_ms}"


def subject(name: SeriesName) -> str:
    """Return the CloudEvents subject of an alert: `model/version/series`, the names percent-encoded as in keys.

    The segment, if there is one, stands before the series. A name without a series stands for the model alone.
    """
    place = (name.version, name.segment) if name.segment else (name.version,)
    parts = (name.model, *place, name.series) if name.series else (name.model,)
    return "/".join(part.translate(_ESCAPES) for part in parts)


__all__ = [
    "STORM_RULE",
    "SeriesName",
    "alert_id",
    "alert_labels",
    "condition_labels",
    "fingerprint",
    "storm_labels",
    "subject",
]
