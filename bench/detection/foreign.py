"""Runs a detector of frouros or alibi-detect on streams: a script of `.venv-bench`, which has none of our packages.

    .venv-bench/bin/python bench/detection/foreign.py job.json

The job names library, detector, parameters, seed, the file of streams and the file of the answer: for each stream the
rows seen at each alarm, or null when the detector refuses the values.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Job = Mapping[str, Any]  # decoded JSON
Values = npt.NDArray[np.float64]


def main() -> None:
    """Do the job."""
    job = json.loads(Path(sys.argv[1]).read_text())
    data = np.load(job["streams"])  # noqa: TID251 - written a second ago by whoever started this
    pairs = enumerate(zip(data["references"], data["values"], strict=True))
    answer: list[list[int]] | None = None
    try:
        if job["library"] == "frouros":
            answer = [frouros(job, values) for _, (_, values) in pairs]
        else:
            answer = [alibi(job, reference, values, job["seed"] + i) for i, (reference, values) in pairs]
    except ValueError as error:
        sys.stderr.write(f"{job['detector']} refuses: {error}\n")
    Path(job["answer"]).write_text(json.dumps(answer))


def frouros(job: Job, values: Values) -> list[int]:
    """Update a concept-drift detector value by value; it is reset after an alarm, as its documentation does."""
    concept_drift = importlib.import_module("frouros.detectors.concept_drift")
    kind = getattr(concept_drift, job["detector"])
    config = getattr(concept_drift, job["detector"] + "Config")
    detector = kind(config=config(**job["parameters"]))
    found = []
    for i, value in enumerate(values.tolist(), start=1):
        detector.update(value=value)
        if detector.status["drift"]:
            found.append(i)
            if job["stops"]:
                break
            detector.reset()
    return found


def alibi(job: Job, reference: Values, values: Values, seed: int) -> list[int]:
    """Update an online detector, calibrated on the reference; only the first alarm is looked for."""
    warnings.filterwarnings("ignore")
    np.random.seed(seed)  # noqa: NPY002 - its thresholds are simulated with the global generator
    with contextlib.redirect_stderr(io.StringIO()):
        kind = getattr(importlib.import_module("alibi_detect.cd"), job["detector"])
        detector = kind(reference[:, None].astype(np.float32), verbose=False, **job["parameters"])
    for i, value in enumerate(values.astype(np.float32), start=1):
        if detector.predict(value)["data"]["is_drift"]:
            return [i]
    return []


if __name__ == "__main__":
    main()
