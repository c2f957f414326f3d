"""Series that are exported to Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from stream_monitor.config.fields import Section, listed, written
from stream_monitor.config.settings import MetricsSettings


class ExportedComparison(StrEnum):
    """A comparison that has a metric of its own."""

    PSI = "psi"
    JENSEN_SHANNON = "jensen_shannon"
    KOLMOGOROV_SMIRNOV = "kolmogorov_smirnov"
    WASSERSTEIN = "wasserstein"


class MetricsSection(Section):
    """Which series are exported to Prometheus."""

    per_series: Literal["top_k", "all", "none"] = Field(
        default="top_k", description="Series exported: the k of most evidence a model, all, none."
    )
    top_k: int = Field(default=20, ge=1, le=1_000, description="k.")
    max_series: int = Field(
        default=5_000,
        ge=1,
        le=10_000,
        description="Time series of the process; past it the series of least evidence go.",
    )
    comparisons: Annotated[tuple[Annotated[ExportedComparison, Field(strict=False)], ...], BeforeValidator(listed)] = (
        Field(
            default=written(("psi", "kolmogorov_smirnov")),
            description="Comparisons exported; the default, as far as computed.",
        )
    )

    def to_settings(self, comparisons: Sequence[str]) -> MetricsSettings:
        """Return the settings of the export.

        Args:
            comparisons: names of all that are exported: of the default, only those that are computed.
        """
        return MetricsSettings(self.per_series, self.top_k, self.max_series, tuple(comparisons))
