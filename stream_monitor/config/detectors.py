"""What a detector of the configuration may be told: by name only what its calibration allows, of a class everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from stream_monitor.config.errors import Finding, shown
from stream_monitor.config.file import DetectorSection
from stream_monitor.core.plan import DetectorInput

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


def unfit(path: str, detector: DetectorSection) -> Iterator[Finding]:
    """Yield a finding for everything about a detector that cannot be, or would do nothing."""
    if ":" in detector.kind:
        yield from _own(path, detector)
    elif detector.kind in BY_NAME:
        yield from _named(path, detector)
    else:
        yield Finding(f"{path}.kind", f"must be module:Class or one of {', '.join(BY_NAME)}", detector.kind)
    yield from _run_lengths(path, detector)


def _own(path: str, detector: DetectorSection) -> Iterator[Finding]:
    found = detector.calibrate
    errors = detector.input is DetectorInput.ERRORS
    if found is None:
        if detector.run_lengths:
            yield Finding(f"{path}.run_lengths", "say nothing without calibrate: remove them, or state its parameter")
        return
    if detector.insist:
        yield Finding(f"{path}.insist", "is for a class that is not calibrated; remove it")
    if not found.parameter:
        yield Finding(f"{path}.calibrate.parameter", "is required", None, "the keyword that the budget sets")
    elif found.parameter in detector.params:
        yield Finding(f"{path}.params.{found.parameter}", "is set by the budget; remove it")
    if errors and found.rate is None:
        yield Finding(
            f"{path}.calibrate.rate", "is required with input: errors", None, "the share of errors without drift"
        )
    if not errors and found.rate is not None:
        yield Finding(f"{path}.calibrate.rate", "is for input: errors; remove it")


def _named(path: str, detector: DetectorSection) -> Iterator[Finding]:
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


def _run_lengths(path: str, detector: DetectorSection) -> Iterator[Finding]:
    found, pairs = detector.calibrate, detector.run_lengths
    if found is not None:
        if found.short == found.long:
            yield Finding(f"{path}.calibrate.long", "must differ from short", shown(found.long))
        if any(a >= b for a, b in pairwise(found.targets)) or found.targets[0] < LEAST_TARGET:
            rule = f"must rise, from {LEAST_TARGET} on"
            yield Finding(f"{path}.calibrate.targets", rule, shown(list(found.targets)))
    if not pairs:
        return
    values, lengths = [value for value, _ in pairs], [length for _, length in pairs]
    rising = all(a < b for a, b in pairwise(values))
    falling = all(a > b for a, b in pairwise(values))
    if len(pairs) < 2 or not (rising or falling) or any(a >= b for a, b in pairwise(lengths)):
        rule = "must be at least two pairs, run lengths rising and the parameter going one way"
        yield Finding(f"{path}.run_lengths", rule, shown([list(pair) for pair in pairs]))


LEAST_TARGET = 100
"""Shorter run lengths than that are no budget, and the start of a detector would decide them."""
