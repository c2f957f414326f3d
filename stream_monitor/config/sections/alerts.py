"""The life cycle of alerts, and what every alert carries."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic import Field

from stream_monitor.config.errors import Finding
from stream_monitor.config.fields import LabelName, Name, PositiveSpan, Section, Span, written
from stream_monitor.core.plan import AlertsPlan

IDENTITY = ("alertname", "model", "version", "segment", "series", "rule", "severity", "partition")
"""Labels that are the identity of an alert."""


class AlertsSection(Section):
    """The life cycle of alerts; counts are panes in a row."""

    open_after: int = Field(default=2, ge=1, le=10_000, description="Panes with the effect before an alert fires.")
    open_events: int = Field(
        default=200,
        ge=1,
        le=1_000_000,
        description="Events since the alarm before an alert fires, unless the effect is clear without them.",
    )
    resolve_after: int = Field(default=30, ge=1, le=100_000, description="Panes without it before the alert resolves.")
    cooldown: Span = Field(default=written("30m"), description="A rule resolved less than this ago stays pending.")
    reminder: PositiveSpan = Field(default=written("4h"), description="A firing alert is published again this often.")
    warm_up_limit: PositiveSpan = Field(
        default=written("1h"), description="A version with events and no baseline for longer is `NotMonitored`."
    )
    forget_after: PositiveSpan = Field(
        default=written("7d"), description="The state of a resolved alert is deleted after this long."
    )
    max_open: int = Field(
        default=200, ge=1, le=10_000, description="Open alerts of a model; more are one `AlertStorm`."
    )
    publish_pending: bool = Field(default=False, description="Also publish alerts that are only pending.")
    labels: dict[LabelName, Name] = Field(default={}, description="Constant labels of every alert.")
    external_url: str = Field(default="", description="Address that `generatorURL` begins with.")
    runbook_url: str = Field(default="", description="Annotation `runbook_url` of every alert.")

    def inconsistent(self, path: str) -> Iterator[Finding]:
        """Yield a finding for every label that is ours and every address that cannot be published."""
        for name in self.labels:
            if name in IDENTITY:
                yield Finding(f"{path}.labels.{name}", "is a label of our own; choose another name")
        for name in ("external_url", "runbook_url"):
            value = getattr(self, name)
            if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
                yield Finding(f"{path}.{name}", "must be an address with http:// or https://", value)
            elif value and urlsplit(value).username is not None:
                yield Finding(f"{path}.{name}", "must hold no user name or password: it is published")

    def to_plan(self) -> AlertsPlan:
        """Return the life cycle of the plan; all spans in milliseconds."""
        return AlertsPlan(
            open_after=self.open_after,
            open_events=self.open_events,
            resolve_after=self.resolve_after,
            cooldown_ms=self.cooldown,
            reminder_ms=self.reminder,
            warm_up_limit_ms=self.warm_up_limit,
            forget_after_ms=self.forget_after,
            max_open=self.max_open,
            publish_pending=self.publish_pending,
            labels=tuple(sorted(self.labels.items())),
            external_url=self.external_url,
            runbook_url=self.runbook_url,
        )
