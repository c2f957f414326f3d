"""What the wording of an alert is made of: the payload of the event, and what stands around it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stream_monitor.core.alerts import event as wire
from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.alerts.lifecycle import Ending, Reason
from stream_monitor.core.names import feature_of

_MEASURES = {
    "psi": "PSI",
    "jensen_shannon": "Jensen-Shannon",
    "kolmogorov_smirnov": "KS",
    "kolmogorov_smirnov_robust": "robust KS",
    "kolmogorov_smirnov_proven": "proven KS",
    "wasserstein": "Wasserstein",
    "wasserstein_sigma": "Wasserstein / σ",
    "hellinger": "Hellinger",
    "linf": "L-infinity",
    "chi_square": "chi-square",
    "total_variation": "total variation",
}

SAID_BY_LEVELS = ("share_change", "relative_change", "ratio", "open_alerts")
"""Measures that the numbers in the text say already."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a condition says of itself: no levels tell it.

    Attributes:
        changed: what is the case; of one that is over, what was.
        detail: the numbers behind it, a sentence without a full stop.
        todo: what to do about it, likewise.
    """

    changed: str
    detail: str = ""
    todo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that a text may use.

    Attributes:
        alertname: label of the alert, which chooses the row of the table.
        name: the series; an alert about the model as a whole has none.
        rule: name of the rule.
        reason: of the event.
        evidence: as it is published.
        starts_ms: start of the alert.
        ends_ms: start of the recovery, None while it is open.
        now_ms: end of the pane that causes the event.
        alert_id: of the alert, for the command that shows it.
        runbook_url: of the deployment; empty without one.
        hours: which hours of the baseline traffic is compared with, in words; empty where all are alike.
        by_pane: the detector takes panes as wholes, so it needs nothing of the events in them.
        order_known: the baseline could say whether values depend on each other.
        taken_over_by: rule whose alert goes on in this one's place, of an escalation.
        ending: how its end was judged.
        said: of a condition, what it says itself.
        waiting: series whose alerts wait for others to end, of the one about too many.
    """

    alertname: str
    name: SeriesName
    rule: str
    reason: Reason
    evidence: wire.Evidence
    starts_ms: int
    ends_ms: int | None
    now_ms: int
    alert_id: str
    runbook_url: str = ""
    hours: str = ""
    by_pane: bool = False
    order_known: bool = True
    taken_over_by: str = ""
    ending: Ending = Ending.PROVEN
    waiting: tuple[str, ...] = ()
    said: Said | None = None

    @property
    def who(self) -> str:
        """Model, version and segment."""
        return " ".join(part for part in (self.name.model, self.name.version, self.name.segment) if part)

    @property
    def what(self) -> str:
        """The feature, or the series of the model, by its name."""
        return feature_of(self.name.series) or self.name.series.replace("_", " ")

    @property
    def resolved(self) -> bool:
        """Whether the alert is over."""
        return self.ends_ms is not None

    @property
    def levels(self) -> dict[str, wire.Level]:
        """Levels by what they are of."""
        return {level.of: level for level in self.evidence.levels}

    def with_evidence(self, evidence: wire.Evidence) -> Facts:
        """Return the same facts at another time of the alert."""
        return replace(self, evidence=evidence)

    @property
    def measure(self) -> str:
        """Name of the measure for people."""
        own = self.evidence.effect.measure
        return _MEASURES.get(own, own.replace("_", " "))


def called(series: str) -> str:
    """Return a series as a person calls it.

    >>> called("feature:age"), called("missing:age"), called("serving_error")
    ('age', 'missing age', 'serving error')
    """
    family, colon, feature = series.partition(":")
    if not colon:
        return series.replace("_", " ")
    return feature if family == "feature" else f"{family} {feature}"
