"""Detectors that run beside the evidence of rules: by name, or a class of the user's own.

A detector by name takes only parameters that its calibration allows. A class, `module:Class`, takes any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated

from pydantic import BeforeValidator, Field

from stream_monitor.config.errors import Finding, shown
from stream_monitor.config.fields import Json, Number, PositiveNumber, Section, listed
from stream_monitor.config.plan_params import plan_params
from stream_monitor.core.plan import CalibrationPlan, DetectorInput, DetectorPlan

BY_NAME = (
    *("rank_shiryaev_roberts", "pane_rank", "adwin", "page_hinkley", "kswin"),
    *("ddm", "eddm", "hddm_a", "hddm_w", "fhddm"),
)
"""Detectors that `detection.detectors` may name; they run on the ranks, the counts or the errors of a series."""

BUDGET_SETS: Mapping[str, str] = {"adwin": "delta", "page_hinkley": "threshold", "kswin": "alpha"}
"""Parameter that the budget sets."""

FIXED: Mapping[str, Mapping[str, str]] = {
    "adwin": {"clock": "is 1: every pane is tested"},
    "page_hinkley": {"alpha": "is 1: with river's 0.9999 the run length is a quarter of the formula's"},
    "kswin": {"seed": "follows from the series, so that a replay draws the same"},
}
"""Parameters that are not the user's, and why."""

SIZES: Mapping[str, tuple[str, ...]] = {
    "adwin": ("max_buckets", "min_window_length", "grace_period"),
    "kswin": ("window_size", "stat_size"),
}
"""Whole numbers that change the run length, so that they ask for a calibration of their own."""

LARGEST_SIZE = 5_000
DRIFTS = (0.1, 1.0)
"""Of PageHinkley: where simulations agree with its formula; at 2 it runs a fifth too short."""

LEAST_TARGET = 100
"""Shorter run lengths than that are no budget, and the start of a detector would decide them."""


class CalibrateSection(Section):
    """How `check --calibrate` finds the parameter that the budget sets."""

    parameter: str = Field(default="", description="Its name; known of detectors by name.")
    short: PositiveNumber = Field(description="A value with which it alarms more often than once in 1,000 inputs.")
    long: PositiveNumber = Field(description="A value with which it alarms more rarely than any budget simulated.")
    rate: Number | None = Field(default=None, gt=0, lt=1, description="Share of errors, for `input: errors`.")
    targets: Annotated[tuple[PositiveNumber, ...], BeforeValidator(listed)] = Field(
        default=(1_000.0, 10_000.0), min_length=2, description="Run lengths looked for, in inputs, rising."
    )

    def to_plan(self, kind: str) -> CalibrationPlan:
        """Return the calibration of a detector of that kind."""
        parameter = self.parameter or BUDGET_SETS[kind]
        return CalibrationPlan(parameter, self.short, self.long, self.rate, self.targets)


def _pairs(value: object) -> object:
    return tuple(listed(pair) for pair in value) if isinstance(value, list) else value


class DetectorSection(Section):
    """A detector that runs beside the evidence of the rules."""

    kind: str = Field(description="Name of the detector, or `module:Class` of one with river's interface.")
    params: dict[str, Json] = Field(default={}, description="Parameters that differ from its defaults.")
    input: Annotated[DetectorInput, Field(strict=False)] = Field(
        default=DetectorInput.NUMBERS,
        description="What a class takes: a standard number a pane (numeric series), or 0 and 1 (yes/no series).",
    )
    calibrate: CalibrateSection | None = Field(default=None, description="Which parameter the budget sets.")
    run_lengths: Annotated[tuple[tuple[PositiveNumber, PositiveNumber], ...], BeforeValidator(_pairs)] = Field(
        default=(), description="What `check --calibrate` found: pairs of parameter and run length in inputs."
    )
    memory: int = Field(
        default=10_000, ge=100, le=100_000, description="Inputs without an alarm after which a class begins anew."
    )
    insist: bool = Field(default=False, description="Let a rule name a class that is not calibrated.")

    def inconsistent(self, path: str) -> Iterator[Finding]:
        """Yield a finding for everything about the detector that cannot be, or would do nothing."""
        if ":" in self.kind:
            yield from _class_findings(path, self)
        elif self.kind in BY_NAME:
            yield from _named_findings(path, self)
        else:
            yield Finding(f"{path}.kind", f"must be module:Class or one of {', '.join(BY_NAME)}", self.kind)
        yield from _run_length_findings(path, self)

    def to_plan(self) -> DetectorPlan:
        """Return the detector of the plan."""
        return DetectorPlan(
            kind=self.kind,
            params=plan_params(self.params),
            input=self.input,
            calibration=None if self.calibrate is None else self.calibrate.to_plan(self.kind),
            run_lengths=self.run_lengths,
            memory=self.memory,
        )


def _detector(value: object) -> object:
    return {"kind": value} if isinstance(value, str) else value


Detector = Annotated[
    DetectorSection,
    BeforeValidator(_detector, json_schema_input_type=str | DetectorSection),
]


def _class_findings(path: str, detector: DetectorSection) -> Iterator[Finding]:
    calibrate = detector.calibrate
    errors = detector.input is DetectorInput.ERRORS
    if calibrate is None:
        if detector.run_lengths:
            yield Finding(f"{path}.run_lengths", "say nothing without calibrate: remove them, or state its parameter")
        return
    if detector.insist:
        yield Finding(f"{path}.insist", "is for a class that is not calibrated; remove it")
    if not calibrate.parameter:
        yield Finding(f"{path}.calibrate.parameter", "is required", None, "the keyword that the budget sets")
    elif calibrate.parameter in detector.params:
        yield Finding(f"{path}.params.{calibrate.parameter}", "is set by the budget; remove it")
    if errors and calibrate.rate is None:
        yield Finding(
            f"{path}.calibrate.rate", "is required with input: errors", None, "the share of errors without drift"
        )
    if not errors and calibrate.rate is not None:
        yield Finding(f"{path}.calibrate.rate", "is for input: errors; remove it")


def _named_findings(path: str, detector: DetectorSection) -> Iterator[Finding]:
    kind = detector.kind
    for name in ("input", "memory", "insist"):
        if name in detector.model_fields_set:
            yield Finding(f"{path}.{name}", "is for a class, module:Class; remove it")
    sizes = SIZES.get(kind, ())
    for name, value in detector.params.items():
        field = f"{path}.params.{name}"
        if name == BUDGET_SETS.get(kind):
            yield Finding(field, "is set by the budget; remove it")
        elif name in FIXED.get(kind, {}):
            yield Finding(field, f"{FIXED[kind][name]}; remove it")
        elif name in sizes:
            if type(value) is not int or not 1 <= value <= LARGEST_SIZE:
                yield Finding(field, f"must be a whole number from 1 to {LARGEST_SIZE}", shown(value))
        elif kind == "page_hinkley" and name == "delta":
            if type(value) not in (int, float) or not DRIFTS[0] <= float(str(value)) <= DRIFTS[1]:
                yield Finding(field, "must be from {} to {}: half the shift to find".format(*DRIFTS), shown(value))
        else:
            allowed = ", ".join(("delta",) if kind == "page_hinkley" else sizes) or "none"
            fix = "name the class by its path to calibrate others, for example river.drift.binary:DDM"
            yield Finding(field, f"is no parameter of {kind} that may differ; allowed: {allowed}", None, fix)
    changed = any(name in sizes for name in detector.params)
    if changed and detector.calibrate is None:
        rule = f"is required with params: they change the run lengths of {kind}"
        yield Finding(
            f"{path}.calibrate", rule, None, f"for example {{short: 0.5, long: 0.0001}}, values of {BUDGET_SETS[kind]}"
        )
    if not changed and (detector.calibrate is not None or detector.run_lengths):
        name = "calibrate" if detector.calibrate is not None else "run_lengths"
        yield Finding(
            f"{path}.{name}", f"is for params that change run lengths: those of {kind} are shipped; remove it"
        )
    if changed and detector.calibrate is not None and detector.calibrate.parameter not in ("", BUDGET_SETS[kind]):
        rule = f"must be {BUDGET_SETS[kind]}"
        yield Finding(f"{path}.calibrate.parameter", rule, detector.calibrate.parameter, "or leave it out")


def _run_length_findings(path: str, detector: DetectorSection) -> Iterator[Finding]:
    calibrate, pairs = detector.calibrate, detector.run_lengths
    if calibrate is not None:
        if calibrate.short == calibrate.long:
            yield Finding(f"{path}.calibrate.long", "must differ from short", shown(calibrate.long))
        if any(a >= b for a, b in pairwise(calibrate.targets)) or calibrate.targets[0] < LEAST_TARGET:
            rule = f"must rise, from {LEAST_TARGET} on"
            yield Finding(f"{path}.calibrate.targets", rule, shown(list(calibrate.targets)))
    if not pairs:
        return
    values, lengths = [value for value, _ in pairs], [length for _, length in pairs]
    rising = all(a < b for a, b in pairwise(values))
    falling = all(a > b for a, b in pairwise(values))
    if len(pairs) < 2 or not (rising or falling) or any(a >= b for a, b in pairwise(lengths)):
        rule = "must be at least two pairs, run lengths rising and the parameter going one way"
        yield Finding(f"{path}.run_lengths", rule, shown([list(pair) for pair in pairs]))
