"""Runs detectors of frouros and alibi-detect on streams: a script of `.venv-bench`, which has none of our packages.

Jobs come as lines of JSON, answers go back as lines of JSON, until the input ends. A job names library, detector,
parameters, seed and the file of the streams. An answer holds either `alarms`, for each stream the rows seen at each
alarm, or `refused`, when the detector does not take such values, or `failed`.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import itertools
import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Job = Mapping[str, Any]  # decoded JSON
Values = npt.NDArray[np.float64]


def main() -> None:
    """Do jobs."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # the libraries talk
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


def answer(job: Job) -> dict[str, object]:
    """Return what a job gives."""
    try:
        return {"alarms": alarms(job)}
    except ValueError as error:
        return {"refused": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever a library raises goes to whoever asked
        return {"failed": f"{type(error).__name__}: {error}"}


def alarms(job: Job) -> list[list[int]]:
    """Return the rows seen at each alarm of each stream."""
    data = np.load(job["streams"])  # noqa: TID251 - written a second ago by whoever started this
    if job["library"] == "frouros":
        return [frouros(job, values) for values in data["values"]]
    if job["window"]:
        return [windows(job, *pair) for pair in zip(data["references"], data["values"], strict=True)]
    return list(online(job, data["references"], data["values"]))


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


def online(job: Job, references: Values, values: Values) -> Iterator[list[int]]:
    """Update an online detector of alibi-detect; only the first alarm is looked for.

    Thresholds are simulated at construction, on ranks: they depend on the size of the reference, not on its values.
    So the detector is built once, and given the reference of each stream as its constructor would.
    """
    np.random.seed(job["seed"])  # noqa: NPY002 - its thresholds are simulated with the global generator
    detector = alibi(job)(column(references[0]), verbose=False, **job["parameters"])
    for reference, stream in zip(references, values, strict=True):
        detector.x_ref = column(reference)
        detector._configure_ref()  # noqa: SLF001 - see above
        detector.reset_state()
        found = (i for i, x in enumerate(column(stream), start=1) if detector.predict(x)["data"]["is_drift"])
        yield list(itertools.islice(found, 1))


def windows(job: Job, reference: Values, values: Values) -> list[int]:
    """Compare window after window with the reference, by a test of alibi-detect."""
    detector, size = alibi(job)(column(reference), **job["parameters"]), job["window"]
    found = []
    for end in range(size, values.size + 1, size):
        if detector.predict(column(values[end - size : end]))["data"]["is_drift"]:
            found.append(end)
            if job["stops"]:
                break
    return found


def alibi(job: Job) -> Any:
    """Return the class of alibi-detect, which talks while it is imported."""
    warnings.filterwarnings("ignore")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return getattr(importlib.import_module("alibi_detect.cd"), job["detector"])


def column(values: Values) -> npt.NDArray[np.float32]:
    """Return one feature as alibi-detect wants it, shape (rows, 1)."""
    return values[:, None].astype(np.float32)


if __name__ == "__main__":
    main()
