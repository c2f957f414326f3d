"""Deliveries beyond Kafka, of which this version has none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import BeforeValidator, Field

from stream_monitor.config.errors import NOT_YET, Finding
from stream_monitor.config.fields import Json, LabelName, PositiveSpan, Section, listed, written
from stream_monitor.core.plan import Severity


class AlertmanagerSection(Section):
    """Delivery to Alertmanager."""

    urls: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(description="Addresses of all members.")
    resend: PositiveSpan = Field(default=written("1m"), description="Firing alerts are sent again this often.")


class WebhookSection(Section):
    """Delivery to a webhook."""

    name: LabelName = Field(description="Name of the output.")
    url: str = Field(description="Address.")
    min_severity: Annotated[Severity, Field(strict=False)] = Field(
        default=Severity.INFO, description="Least severity delivered."
    )


class OutputsSection(Section):
    """Where committed alerts are delivered to beyond Kafka."""

    alertmanager: AlertmanagerSection | None = Field(default=None, description="Alertmanager.")
    webhooks: Annotated[tuple[WebhookSection, ...], BeforeValidator(listed)] = Field(
        default=(), description="Webhooks."
    )
    pagerduty: dict[str, Json] | None = Field(default=None, description="PagerDuty Events v2.")
    slack: dict[str, Json] | None = Field(default=None, description="Slack incoming webhook.")

    def unavailable(self, path: str, *, alerts_topic: str) -> Iterator[Finding]:
        """Yield a finding for every delivery; the topic of alerts, by its full name, is the way out."""
        for name in ("alertmanager", "pagerduty", "slack"):
            if getattr(self, name) is not None:
                yield Finding(f"{path}.{name}", f"{NOT_YET}: follow the topic {alerts_topic} instead; remove it")
        if self.webhooks:
            yield Finding(f"{path}.webhooks", f"{NOT_YET}: follow the topic {alerts_topic} instead; remove it")
