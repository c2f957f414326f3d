"""`check --calibrate`: the run lengths of detectors of one's own, as lines for the configuration.

They are part of the plan: every worker reads the same numbers and nobody simulates while it judges.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stream_monitor.cli.output import note, progress

if TYPE_CHECKING:
    from stream_monitor.config import Settings
    from stream_monitor.core.plan import DetectorPlan


def calibrate_detectors(settings: Settings) -> tuple[Settings, list[str]]:
    """Return the settings with the run lengths that were found, and a line for each detector that states others.

    Raises:
        ConfigError: a class cannot be used, or a run length cannot be had.
    """
    from stream_monitor.config.errors import refuse
    from stream_monitor.core.detectors.calibration import NotCalibrated
    from stream_monitor.runtimes.detectors import calibrated, import_detectors

    classes = import_detectors(settings.plan)
    found: list[DetectorPlan] = []
    differing: list[str] = []
    for index, detector in enumerate(settings.plan.detection.detectors):
        field = f"detection.detectors[{index}]"
        if detector.calibration is None:
            found.append(detector)
            continue
        try:
            with progress(f"calibrating {detector.kind}", 1.0) as advance:
                pairs = calibrated(detector, classes, advance)
        except NotCalibrated as error:
            raise refuse(f"{field}.calibrate", f"{detector.kind} cannot be calibrated with it: {error}") from None
        text = ", ".join(f"[{value:g}, {length:.0f}]" for value, length in pairs)
        if pairs == detector.run_lengths:
            note(f"{field}: {detector.kind} runs as long as run_lengths says")
        else:
            differing.append(
                f"{field}: {detector.kind} is not calibrated by its run_lengths; put in: run_lengths: [{text}]"
            )
        found.append(replace(detector, run_lengths=pairs))
    plan = settings.plan
    detection = replace(plan.detection, detectors=tuple(found))
    return replace(settings, plan=replace(plan, detection=detection)), differing
