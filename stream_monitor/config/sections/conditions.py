"""Alerts about a model as a whole, which no rule asks for."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stream_monitor.config.fields import Section
from stream_monitor.core.plan import ConditionName, Severity

Loudness = Literal["off", "info", "warning", "critical"]
"""Severity of the alerts of a condition, or none at all."""


class ConditionsSection(Section):
    """Severity of the alerts about a model as a whole; `off` looks for none."""

    extra_column: Loudness = Field(default="info", description="Events hold a name that the baseline lacks.")
    frozen_values: Loudness = Field(
        default="warning", description="A numeric series holds one value where its values used to differ."
    )
    kind_changed: Loudness = Field(
        default="warning", description="Most values of a series are of another kind than in the baseline."
    )
    missing_column: Loudness = Field(default="warning", description="No event names a column of the baseline.")
    new_model: Loudness = Field(default="info", description="A model that nobody declared, an hour after the start.")
    not_monitored: Loudness = Field(
        default="warning", description="A version has events that nothing is judged by, for `alerts.warm_up_limit`."
    )
    undeclared_names: Loudness = Field(
        default="warning", description="More new names than are told one by one; models over `limits.models`."
    )
    version_changed: Loudness = Field(
        default="warning", description="The first baseline of a version differs from that of the version before."
    )

    def to_plan(self) -> tuple[tuple[ConditionName, Severity], ...]:
        """Return the conditions that are looked for, by name, with the severity of their alerts."""
        loudnesses = ((name, getattr(self, name.value)) for name in sorted(ConditionName))
        return tuple((name, Severity(loudness)) for name, loudness in loudnesses if loudness != "off")
