"""Models: what is watched of each, and against which baseline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from stream_monitor.config.errors import NOT_YET, Finding
from stream_monitor.config.fields import Name, Number, PositiveSpan, Section, listed
from stream_monitor.config.sections.budget import BudgetSection
from stream_monitor.core.calendar import Calendar
from stream_monitor.core.plan import BaselineFrom, CompareVersions, ModelPlan, Task


class BaselineSection(Section):
    """Where the baseline of a model comes from when none was activated."""

    from_: Literal["first_events", "published", "dataset", "topic", "sagemaker"] = Field(
        default="first_events",
        alias="from",
        description="`first_events`: the first events seen. `published`: none until `baseline build --activate`.",
    )
    events: int = Field(default=4095, ge=63, le=65_535, description="Events of an automatic baseline.")
    path: str | None = Field(default=None, description="File of a `dataset`.")
    since: str | None = Field(default=None, description="Start of a `topic` range.")
    until: str | None = Field(default=None, description="End of a `topic` range.")
    statistics: str | None = Field(default=None, description="SageMaker's `statistics.json`.")
    constraints: str | None = Field(default=None, description="SageMaker's `constraints.json`.")

    def inconsistent(self, path: str) -> Iterator[Finding]:
        """Yield a finding for every setting that belongs to another source of the baseline."""
        given = self.model_fields_set
        if "events" in given and self.from_ != "first_events":
            yield Finding(f"{path}.events", "is for 'from: first_events' only; remove it")
        if self.from_ == "first_events":
            for name in ("path", "since", "until", "statistics", "constraints"):
                if name in given:
                    yield Finding(f"{path}.{name}", "does not belong to 'from: first_events'; remove it")

    def unavailable(self, path: str) -> Iterator[Finding]:
        """Yield a finding when the baseline would come from a source that this version does not read."""
        if self.from_ not in ("first_events", "published"):
            yield Finding(
                f"{path}.from",
                NOT_YET,
                self.from_,
                "write 'published' and run: stream-monitor baseline build FILE --model NAME --activate",
            )


class FeaturesSection(Section):
    """Which features of a model are watched."""

    include: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        default=("*",), description="Shell patterns of names to watch."
    )
    exclude: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        default=(), description="Shell patterns of names to leave out."
    )


class LabelsSection(Section):
    """How late truth is joined with its prediction."""

    join: PositiveSpan | None = Field(default=None, description="How long a prediction waits for its label.")
    min_share: Number | None = Field(default=None, ge=0, le=1, description="Share of labels that must be in.")
    max_wait: PositiveSpan | None = Field(default=None, description="Judged after this long whatever the share.")


class ModelSection(Section):
    """What is watched of one model."""

    name: Name = Field(default="*", description="Name of the model; `*` is every model without a section of its own.")
    task: Annotated[Task, Field(strict=False)] = Field(default=Task.AUTO, description="What the model predicts.")
    baseline: BaselineSection = Field(default=BaselineSection(), description="Its baseline.")
    features: FeaturesSection = Field(default=FeaturesSection(), description="Its features.")
    segments: Annotated[tuple[Name, ...], BeforeValidator(listed)] = Field(
        default=(),
        description="Segments watched, one at a time: the values that the baseline has enough rows of are judged.",
    )
    budget: BudgetSection | None = Field(default=None, description="Its own false-alarm budget.")
    tolerance: Number | None = Field(
        default=None,
        gt=0,
        lt=0.5,
        description="A change of shares of values that nobody minds, 0.02 for example: only more is tested for.",
    )
    strata: Annotated[Calendar, Field(strict=False)] = Field(
        default=Calendar.NONE,
        description="Hours that are compared with the same hours of the baseline; the finest that two cycles and 255"
        " values in each allow, else a coarser one.",
    )
    compare_versions: Annotated[CompareVersions, Field(strict=False)] = Field(
        default=CompareVersions.ALERT,
        description="A new version against the one before, at its first automatic baseline: `alert`, `report`: log and"
        " `/status` only, `off`.",
    )
    labels: LabelsSection | None = Field(default=None, description="Join of delayed labels.")

    def inconsistent(self, path: str) -> Iterator[Finding]:
        """Yield the findings about the model's baseline and its segments."""
        yield from self.baseline.inconsistent(f"{path}.baseline")
        seen: set[str] = set()
        for name in self.segments:
            if "=" in name:
                yield Finding(f"{path}.segments", "must not hold =, which parts a segment from its value", name)
            if name in seen:
                yield Finding(f"{path}.segments", "must be given once", name)
            seen.add(name)

    def unavailable(self, path: str) -> Iterator[Finding]:
        """Yield a finding for every setting of the model that would do nothing."""
        if self.task is not Task.AUTO:
            yield Finding(
                f"{path}.task", f"{NOT_YET}: the baseline says what kind predictions are of; write auto", self.task
            )
        if self.labels is not None:
            yield Finding(f"{path}.labels", f"{NOT_YET}: delayed labels are not joined by this version; remove it")
        yield from self.baseline.unavailable(f"{path}.baseline")

    def to_plan(self) -> ModelPlan:
        """Return the model of the plan."""
        return ModelPlan(
            name=self.name,
            task=self.task,
            baseline=BaselineFrom(self.baseline.from_),
            baseline_events=self.baseline.events,
            include=self.features.include,
            exclude=self.features.exclude,
            segments=self.segments,
            budget=None if self.budget is None else self.budget.to_plan(),
            tolerance=self.tolerance,
            strata=self.strata,
            compare_versions=self.compare_versions,
        )
