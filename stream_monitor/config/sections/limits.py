"""What one event, one model and one deployment may hold at most."""

from __future__ import annotations

from pydantic import Field

from stream_monitor.config.fields import Section
from stream_monitor.core.plan import LimitsPlan


class LimitsSection(Section):
    """What one event, one model and one deployment may hold at most."""

    event_bytes: int = Field(default=65_536, ge=256, le=1_048_576, description="Bytes of one record's value.")
    features: int = Field(default=512, ge=1, le=512, description="Features of one event.")
    categories: int = Field(
        default=256, ge=2, le=256, description="Categories of one series; more are pooled in `other`."
    )
    models: int = Field(default=200, ge=1, le=100_000, description="Models watched.")
    series_per_model: int = Field(
        default=1_000,
        ge=1,
        le=100_000,
        description="Series of a version and its segments; a feature with its missing, invalid and unseen counts once.",
    )
    segments_warn: int = Field(
        default=200, ge=1, le=100_000, description="More segments of a model than this are logged."
    )
    segments: int = Field(
        default=2_000, ge=1, le=100_000, description="Segments judged of one model; of more, the first by name."
    )

    def to_plan(self) -> LimitsPlan:
        """Return the limits of the plan; `segments_warn` decides no alert and is a setting of the worker."""
        return LimitsPlan(
            event_bytes=self.event_bytes,
            features=self.features,
            categories=self.categories,
            models=self.models,
            series_per_model=self.series_per_model,
            segments=self.segments,
        )
