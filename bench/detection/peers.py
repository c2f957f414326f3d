"""The peers, as libraries give them: river here, frouros and alibi-detect in an environment of their own.

A peer takes one value at a time, or a window of them. After an alarm river's detectors start afresh by themselves;
frouros' are reset. `pip` cannot put frouros and alibi-detect beside our own numpy, so they run in `.venv-bench`
(`make bench-setup`): the streams go there as a file, alarms come back as JSON (`foreign.py`).
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from river.drift import ADWIN, KSWIN, PageHinkley
from river.drift.binary import DDM, EDDM, FHDDM, HDDMA, HDDMW

from bench.detection.streams import Streams

ROOT = Path(__file__).parents[2]
FOREIGN = ROOT / ".venv-bench"
FOREIGN_SCRIPT = Path(__file__).with_name("foreign.py")
_SET_UP_S = 240.0


class RiverDetector(Protocol):
    """What river's detectors have in common."""

    drift_detected: bool

    def update(self, x: float) -> object:
        """Take a value."""


Factory = Callable[[], RiverDetector]


@dataclass(frozen=True, slots=True)
class Peer:
    """A detector of another library.

    Attributes:
        name: in the tables.
        library: `river`, `frouros` or `alibi-detect`.
        detector: class in the library.
        parameters: what differs from the library's defaults.
        standardised: values are given in means and standard deviations of the reference, because it needs units.
        window: values of a test, for a detector that compares windows; 0 for one that takes value by value.
    """

    name: str
    library: str
    detector: str
    parameters: Mapping[str, float | int | str | list[int]]
    standardised: bool = False
    window: int = 0


_RIVER: Mapping[str, type] = {
    "ADWIN": ADWIN,
    "PageHinkley": PageHinkley,
    "KSWIN": KSWIN,
    "DDM": DDM,
    "EDDM": EDDM,
    "FHDDM": FHDDM,
    "HDDMA": HDDMA,
    "HDDMW": HDDMW,
}


def is_there(library: str) -> bool:
    """Say whether a library can be run; `.ready` is written when the others are installed, all of them."""
    return library == "river" or (FOREIGN / ".ready").exists()


def set_up() -> str:
    """Install the other libraries if they are missing, a minute; return why not, nothing if they are there."""
    if is_there("frouros"):
        return ""
    command = ["make", "--directory", str(ROOT), "bench-setup", f"PYTHON={sys.executable}"]
    try:
        made = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=sys.stderr, text=True, start_new_session=True)
    except OSError as error:
        return f"make: {error.strerror}"
    try:
        _, said = made.communicate(timeout=_SET_UP_S)
    except subprocess.TimeoutExpired:
        os.killpg(made.pid, signal.SIGTERM)  # make, and the pip that it started
        made.communicate()
        return f"not done after {_SET_UP_S:.0f} s"
    return "" if made.returncode == 0 else " ".join(said.strip().splitlines()[-1:])


def peer_alarms(peer: Peer, streams: Streams, *, seed: int, stops: bool = False) -> list[list[int]] | None:
    """Return the rows seen at each alarm of each stream; None when the peer cannot take such values.

    Args:
        peer: the detector.
        streams: the values.
        seed: of detectors that draw at random.
        stops: only the first alarm of a stream is wanted.
    """
    given = streams.standardised() if peer.standardised else streams
    if peer.library == "river":
        return [_river(peer, values.tolist(), seed=seed + i, stops=stops) for i, values in enumerate(given.values)]
    return _foreign(peer, given, seed=seed, stops=stops)


def _river(peer: Peer, values: list[float], *, seed: int, stops: bool) -> list[int]:
    parameters = dict(peer.parameters)
    if peer.detector == "KSWIN":
        parameters["seed"] = seed
    binary = peer.detector in {"DDM", "EDDM", "FHDDM", "HDDMA", "HDDMW"}
    detector: RiverDetector = _RIVER[peer.detector](**parameters)
    if peer.detector == "FHDDM":
        values = [1.0 - value for value in values]  # it looks for a fall of what it is given, so: right answers
    found = []
    for i, value in enumerate(values, start=1):
        detector.update(bool(value) if binary else value)
        if detector.drift_detected:
            found.append(i)
            if stops:
                break
    return found


def _foreign(peer: Peer, streams: Streams, *, seed: int, stops: bool) -> list[list[int]] | None:
    if not is_there(peer.library):
        return None
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        np.savez(file, references=streams.references, values=streams.values)
        file.flush()
        job = {
            "library": peer.library,
            "detector": peer.detector,
            "parameters": dict(peer.parameters),
            "window": peer.window,
            "seed": seed,
            "stops": stops,
            "streams": file.name,
        }
        answer = _process().ask(json.dumps(job))
    if "failed" in answer:
        raise RuntimeError(f"{peer.library} {peer.detector}: {answer['failed']}")
    found: list[list[int]] | None = answer.get("alarms")
    return found


class Foreign:
    """A process of the other environment: imports take seconds, so it does all jobs of this one, and ends with it."""

    def __init__(self, python: Path) -> None:
        self._process = subprocess.Popen(
            [python, FOREIGN_SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # the libraries talk
            text=True,
        )

    def ask(self, job: str) -> Mapping[str, Any]:  # decoded JSON
        """Return the answer to a job."""
        jobs, answers = self._process.stdin, self._process.stdout
        assert jobs is not None, "a pipe was asked for"
        assert answers is not None, "a pipe was asked for"
        jobs.write(job + "\n")
        jobs.flush()
        line = answers.readline()
        if not line:
            raise RuntimeError(f"{FOREIGN_SCRIPT.name}: ended without an answer")
        answer: Mapping[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()


@cache
def _process() -> Foreign:
    started = Foreign(FOREIGN / "bin" / "python")
    atexit.register(started.close)
    return started
