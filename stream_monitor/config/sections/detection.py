"""The clock of detection, its budget, and what runs in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from stream_monitor.config.duplicates import duplicates
from stream_monitor.config.durations import format_duration
from stream_monitor.config.errors import Finding
from stream_monitor.config.fields import PositiveSpan, Section, listed, written
from stream_monitor.config.sections.budget import BudgetSection
from stream_monitor.config.sections.detectors import Detector
from stream_monitor.core.plan import DetectionPlan, Threshold

MAX_WINDOW_PANES = 8_640


class Comparison(StrEnum):
    """A distance of a window to the baseline."""

    PSI = "psi"
    JENSEN_SHANNON = "jensen_shannon"
    KOLMOGOROV_SMIRNOV = "kolmogorov_smirnov"
    WASSERSTEIN = "wasserstein"
    WASSERSTEIN_SIGMA = "wasserstein_sigma"
    HELLINGER = "hellinger"
    LINF = "linf"
    CHI_SQUARE = "chi_square"
    TOTAL_VARIATION = "total_variation"


class DetectionSection(Section):
    """The clock of detection, its budget, and what runs in it."""

    pane: PositiveSpan = Field(
        default=written("10s"), description="The clock of detection: series are tested once a pane."
    )
    window: PositiveSpan = Field(
        default=written("5m"), description="Span of the comparisons: a multiple of the pane, aim at 500 events."
    )
    budget: BudgetSection = Field(default=BudgetSection(), description="The false-alarm budget of every model.")
    detectors: Annotated[tuple[Detector, ...], BeforeValidator(listed)] = Field(
        default=written(("rank_shiryaev_roberts", "adwin", "page_hinkley")),
        description="Detectors by name, all calibrated to the budget.",
    )
    comparisons: Annotated[tuple[Annotated[Comparison, Field(strict=False)], ...], BeforeValidator(listed)] = Field(
        default=written(("psi", "jensen_shannon", "kolmogorov_smirnov", "wasserstein")),
        description="Distances of the window to the baseline that are computed, beside those that rules need.",
    )
    threshold: Annotated[Threshold, Field(strict=False)] = Field(
        default=Threshold.BOUND,
        description="`bound`: the false-alarm budget by theorem. `calibrated`: lower, by simulation; finds more, "
        "promises an estimate.",
    )

    def inconsistent_clock(self, path: str) -> Iterator[Finding]:
        """Yield a finding when the window is no multiple of the pane, or too many panes."""
        pane, window = self.pane, self.window
        if window % pane:
            yield Finding(f"{path}.pane", f"must divide window ({format_duration(window)})", format_duration(pane))
        elif window // pane > MAX_WINDOW_PANES:
            yield Finding(f"{path}.window", f"must be at most {MAX_WINDOW_PANES} panes", f"{window // pane}")

    def inconsistent_lists(self, path: str) -> Iterator[Finding]:
        """Yield the findings about detectors and comparisons."""
        yield from duplicates(f"{path}.detectors.kind", (detector.kind for detector in self.detectors))
        for index, detector in enumerate(self.detectors):
            yield from detector.inconsistent(f"{path}.detectors[{index}]")
        yield from duplicates(f"{path}.comparisons", (comparison.value for comparison in self.comparisons))

    def to_plan(self, comparisons: Sequence[str]) -> DetectionPlan:
        """Return the detection of the plan.

        Args:
            comparisons: names of all that are computed: rules may need more than this section lists.
        """
        return DetectionPlan(
            pane_ms=self.pane,
            window_ms=self.window,
            budget=self.budget.to_plan(),
            detectors=tuple(detector.to_plan() for detector in self.detectors),
            comparisons=tuple(comparisons),
            threshold=self.threshold,
        )
