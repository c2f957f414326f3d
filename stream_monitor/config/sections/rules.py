"""Alert rules: which evidence opens an alert, and above which effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field

from stream_monitor.config.effect_presets import PRESETS
from stream_monitor.config.errors import NOT_YET, Finding
from stream_monitor.config.fields import Json, LabelName, Number, PositiveNumber, Section, listed
from stream_monitor.config.plan_params import plan_params
from stream_monitor.config.sections.detection import Comparison
from stream_monitor.config.sections.detectors import DetectorSection
from stream_monitor.core.plan import EffectPlan, RulePlan, Severity

ALWAYS = (
    *("rank_shiryaev_roberts", "pane_rank", "interval_bernoulli", "interval_categories"),
    *("beta_bernoulli", "beta_categories", "negative_binomial"),
)
"""Detectors that may be the evidence of a rule unnamed."""

TOLERANT = ("rank_shiryaev_roberts", "interval_bernoulli", "interval_categories")
"""Detectors that can tolerate a change; ranks are then judged by `tolerance_shiryaev_roberts`."""

MEASURES = (
    *(c.value for c in Comparison),
    *("kolmogorov_smirnov_robust", "kolmogorov_smirnov_proven", "share_change", "relative_change", "ratio"),
)
"""What an effect floor may be stated in."""


def _effect(value: object) -> object:
    """Return the measure and floor of a preset."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and value in PRESETS:
        return {PRESETS[value].measure: PRESETS[value].floor}
    raise ValueError(f"must be a mapping of a measure to its floor, or a preset: one of {', '.join(PRESETS)}")


Effect = Annotated[
    dict[str, PositiveNumber | dict[str, PositiveNumber]],
    BeforeValidator(_effect, json_schema_input_type=dict[str, PositiveNumber | dict[str, PositiveNumber]] | str),
]


class RuleSection(Section):
    """When an alert is raised: evidence over the budget, and an effect above a floor."""

    name: LabelName = Field(description="Name of the rule, a label of its alerts.")
    series: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        default=(), description="Shell patterns of the series it speaks of."
    )
    evidence: str = Field(default="rank_shiryaev_roberts", description="Detector whose alarm opens the rule.")
    effect: Effect = Field(
        default={"psi": 0.1},
        description="One measure and its floor: a comparison, `share_change`, `relative_change`, `ratio`;"
        " or a preset: `evidently` ...",
    )
    tolerance: Number | None = Field(
        default=None,
        gt=0,
        lt=0.5,
        description="A change of shares that this rule does not mind, instead of that of the model.",
    )
    severity: Annotated[Severity, Field(strict=False)] = Field(
        default=Severity.WARNING, description="How loudly it is told."
    )
    target: str | None = Field(default=None, description="`module:Class` of a rule of your own.")
    params: dict[str, Json] = Field(default={}, description="Its parameters.")

    def inconsistent(self, path: str, detectors: Sequence[DetectorSection]) -> Iterator[Finding]:
        """Yield the findings about the rule.

        Args:
            path: path of the rule in the file.
            detectors: those of `detection.detectors`, which a rule may name as its evidence.
        """
        if not self.series and self.target is None:
            yield Finding(f"{path}.series", 'must name at least one series, for example ["feature:*"]')
        yield from self._inconsistent_evidence(path, detectors)
        if len(self.effect) != 1:
            yield Finding(f"{path}.effect", "must have exactly one measure", str(len(self.effect)))
        for measure in self.effect:
            if measure not in MEASURES:
                yield Finding(f"{path}.effect", f"must be one of {', '.join(MEASURES)}", measure)

    def _inconsistent_evidence(self, path: str, detectors: Sequence[DetectorSection]) -> Iterator[Finding]:
        evidence = dict.fromkeys((*ALWAYS, *(d.kind for d in detectors)))
        if self.evidence in MEASURES:
            yield Finding(
                f"{path}.evidence",
                "must be a detector: a distance has no budget of false alarms",
                self.evidence,
                f"write 'effect: {{{self.evidence}: FLOOR}}' and leave evidence out",
            )
        elif self.evidence not in evidence:
            yield Finding(f"{path}.evidence", f"must be a detector that runs: {', '.join(evidence)}", self.evidence)
        if self.tolerance is not None and self.evidence not in TOLERANT:
            yield Finding(f"{path}.tolerance", f"needs evidence of one of {', '.join(TOLERANT)}", self.evidence)
        for detector in detectors:
            if detector.kind == self.evidence and ":" in detector.kind and not (detector.calibrate or detector.insist):
                rule_text = "must be calibrated to be evidence: without, no budget is kept"
                yield Finding(f"{path}.evidence", rule_text, self.evidence, "state its calibrate, or insist: true")

    def unavailable(self, path: str) -> Iterator[Finding]:
        """Yield a finding for every setting of the rule that would do nothing."""
        if self.target is None and self.params:
            yield Finding(f"{path}.params", "are for a rule with a target; remove them")
        for measure, floor in self.effect.items():
            if isinstance(floor, dict):
                yield Finding(f"{path}.effect.{measure}", f"{NOT_YET}: the floor must be a number")

    def to_plan(self) -> RulePlan:
        """Return the rule of the plan."""
        [(measure, floor)] = self.effect.items()
        assert isinstance(floor, float), "unavailable() refused the other form"
        return RulePlan(
            name=self.name,
            series=self.series,
            evidence=self.evidence,
            effect=EffectPlan(measure, floor),
            severity=self.severity,
            target=self.target,
            params=plan_params(self.params),
            tolerance=self.tolerance,
        )
