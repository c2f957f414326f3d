"""The table of a bench as a file: `bench/results/<name>.md`, with what it takes to judge the figures.

Numbers of a shared machine mean little without its load, so the load average at the start and at the end is written
down as well.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import confluent_kafka

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("numpy", "scipy", "river", "orjson", "msgspec")


class Report:
    """Collects paragraphs and tables; `write` adds the circumstances.

    Args:
        name: the file is named by it.
        title: first line of the file.
        bench: what was run, where the file has another name.
    """

    def __init__(self, name: str, title: str, *, bench: str | None = None) -> None:
        self._name = name
        self._bench = bench or name
        self._title = title
        self._load = os.getloadavg()[0]
        self._body: list[str] = []

    def say(self, text: str) -> None:
        """Add a paragraph."""
        self._body += [text, ""]

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Add a table."""
        lines = [head, ["---"] * len(head), *rows]
        self._body += ["| " + " | ".join(line) + " |" for line in lines]
        self._body.append("")

    def write(self, *, repetitions: int, seed: int | None = None) -> None:
        """Print the report and write it to `bench/results/<name>.md`."""
        print(self._written(self._circumstances(repetitions, seed)))

    def keep(self, note: str, *, repetitions: int, seed: int | None = None) -> None:
        """Write what there is so far, with a note that says so: an interrupted run leaves it."""
        self._written(f"{self._circumstances(repetitions, seed)}\n\n**{note}**")

    def _written(self, head: str) -> str:
        text = "\n".join([f"# {self._title}", "", head, "", *self._body])
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{self._name}.md").write_text(text, encoding="utf-8")
        return text

    def _circumstances(self, repetitions: int, seed: int | None) -> str:
        versions = [f"Python {platform.python_version()}"]
        versions += [f"{package} {version(package)}" for package in PACKAGES]
        versions += [f"confluent-kafka {confluent_kafka.version()}", f"librdkafka {confluent_kafka.libversion()[0]}"]
        command = " ".join(["python -m bench", self._bench, *sys.argv[1:]])
        parts = [
            f"`{command}`",
            time.strftime("%Y-%m-%d"),
            f"commit {commit()}",
            f"{os.cpu_count()} cores",
            f"load average {self._load:.1f} at the start, {os.getloadavg()[0]:.1f} at the end{_priority()}",
            f"repetitions: {repetitions}",
            *([] if seed is None else [f"seed {seed}"]),
            ", ".join(versions),
        ]
        return "; ".join(parts) + "."


def commit() -> str:
    """Return the short name of the commit, with a mark when the package differs from it."""
    root = Path(__file__).parent
    name = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True, check=False
    ).stdout.strip()
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "../stream_monitor"], cwd=root, check=False)
    return f"{name} with changes" if changed.returncode else name or "unknown"


def _priority() -> str:
    """Tell when the bench was kept apart from what else ran on the machine."""
    if not hasattr(os, "sched_getscheduler") or os.sched_getscheduler(0) == os.SCHED_OTHER:
        return ""
    return ", all processes of the bench with real-time priority (`chrt --rr 5`) over the rest"


def spread(values: Sequence[float], form: str = ",.0f") -> str:
    """Return the median and, of several values, the smallest and the largest.

    >>> spread([3.0, 1.0, 2.0]), spread([1500.0])
    ('2 (1–3)', '1,500')
    """
    middle = f"{statistics.median(values):{form}}"
    return middle if len(values) == 1 else f"{middle} ({min(values):{form}}–{max(values):{form}})"
