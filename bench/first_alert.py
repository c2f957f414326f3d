"""From `git clone` to the first alert of the demo, on a clean environment.

    python -m bench first_alert --repetitions 3

The last commit is cloned to a new folder and `make demo FOR=60s` runs there with a new home and new caches: no virtual
environment, no downloaded packages, no broker's jars, no Maven repository. What stays is the machine: its Python, make,
Java and Maven, and how they reach their registries (environment and configuration files, never caches).

The demo sends its first drift 15 s after its first event, so an alert cannot come earlier than that.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bench._report import Report, spread

ROOT = Path(__file__).resolve().parent.parent
FOR = "60s"

CONFIGURATION = (".config/pip", ".pip", ".m2/settings.xml")
"""In a home: how registries are reached. Copied; everything else of the home stays behind."""

DROPPED = ("HOME", "VIRTUAL_ENV", "PIP_CACHE_DIR", "KAFKA_BOOTSTRAP_SERVERS", "MAVEN_OPTS", "MAKEFLAGS")
"""Variables that would bring caches, this bench's own Python or a running broker into the clean environment."""

DROPPED_PREFIXES = ("XDG_", "PYTHON", "MAKE", "STREAM_MONITOR_")

BROKER = "starting Apache Kafka"
TOPICS = "making topics"
METRICS = "metrics: "
FIRED = re.compile(r" *(\d+\.\d) s  firing \(fired")


@dataclass(frozen=True)
class Moments:
    """Seconds from the start of the clone to the end of each of `PARTS`, and what the demo said of itself."""

    marks: tuple[float, ...]
    verdict: str

    @property
    def first_alert(self) -> float:
        """The whole."""
        return self.marks[-1]

    @property
    def spans(self) -> list[float]:
        """The time each of `PARTS` took, in order, and the whole."""
        return [*(later - earlier for earlier, later in pairwise((0.0, *self.marks))), self.first_alert]


PARTS = (
    "`git clone` (local)",
    "set-up: virtual environment and locked packages",
    "broker: jars by Maven, format, start",
    "topics, baseline, worker ready",
    "first event sent",
    "first alert (the drift begins 15 s after the first event)",
    "**clone to first alert**",
)


def main() -> None:
    """Run, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()
    report = Report("first_alert", "From `git clone` to the first alert of the demo")
    runs = []
    for repetition in range(arguments.repetitions):
        with tempfile.TemporaryDirectory(prefix="stream-monitor-clean-") as folder:
            runs.append(run(Path(folder)))
        print(f"run {repetition + 1}: {runs[-1].first_alert:.1f} s, {runs[-1].verdict}", flush=True)
    report.say(
        f"`git clone` of the last commit and `make demo FOR={FOR}` with a new home and empty caches. "
        "Seconds, median of the repetitions (smallest–largest)."
    )
    columns = zip(*(moments.spans for moments in runs), strict=True)
    report.table(
        ["part", "seconds"],
        [[part, spread(values, ".1f")] for part, values in zip(PARTS, columns, strict=True)],
    )
    report.say("Verdicts: " + "; ".join(moments.verdict for moments in runs))
    report.write(repetitions=arguments.repetitions)


def run(folder: Path) -> Moments:
    """Clone and run once.

    Raises:
        RuntimeError: the demo failed, or ran without a broker.
    """
    clone = folder / "stream-monitor"
    environment = clean_environment(folder / "home")
    started = time.monotonic()
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    cloned = time.monotonic() - started
    said: list[str] = []
    marks: dict[str, float] = {}
    with subprocess.Popen(
        ["make", "demo", f"FOR={FOR}"],
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            said.append(line.rstrip())
            note(line, time.monotonic() - started, marks)
    wanted = (BROKER, TOPICS, METRICS, "event", "alert")
    if demo.returncode or any(mark not in marks for mark in wanted):
        raise RuntimeError(f"the demo ended with {demo.returncode}:\n" + "\n".join(said[-30:]))
    verdict = next(line for line in reversed(said) if re.match(r"(PASS|FAIL|NOTHING)", line))
    return Moments((cloned, *(marks[mark] for mark in wanted)), verdict)


def note(line: str, at_s: float, marks: dict[str, float]) -> None:
    """Note what a line of the demo says has happened."""
    for mark in (BROKER, TOPICS, METRICS):
        if mark in line:
            marks.setdefault(mark, at_s)
    told = FIRED.match(line)
    if told is not None:
        # It begins with the second of the scenario, whose first event is sent at second 0.
        marks.setdefault("event", at_s - float(told[1]))
        marks.setdefault("alert", at_s)


def clean_environment(home: Path) -> dict[str, str]:
    """Return the environment of somebody who has just come, with a new home."""
    home.mkdir()
    for name in CONFIGURATION:
        found = Path.home() / name
        if found.exists():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if found.is_dir() else shutil.copy)(found, home / name)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in DROPPED and not name.startswith(DROPPED_PREFIXES)
    }
    kept["PATH"] = os.pathsep.join(_without_our_own(os.environ["PATH"].split(os.pathsep)))
    # Java takes the home from the user database, not from HOME.
    return {**kept, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), "MAVEN_OPTS": f"-Duser.home={home}"}


def _without_our_own(path: Sequence[str]) -> Iterator[str]:
    """Leave out the folder of the virtual environment that this bench runs in."""
    own = Path(sys.prefix) / "bin"
    return (entry for entry in path if sys.prefix == sys.base_prefix or Path(entry) != own)


if __name__ == "__main__":
    main()
