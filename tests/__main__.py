"""Everything that CI runs, in order, with one line a step: `python -m tests [arguments of pytest]`.

Every step runs, whatever the others said. The run ends with pytest's summary; the steps that failed before it and what
could not be tested on this machine are named right above. Exit code 0 only when every step is good.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests import debian

ROOT = Path(__file__).resolve().parent.parent
TREES = [tree for tree in ("stream_monitor", "tests", "bench") if any((ROOT / tree).rglob("*.py"))]
GENERATED = ("tests/schemas/test_schemas.py", "tests/config/test_reference.py", "tests/outputs/test_metrics_page.py")

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ruff format --check", ("-m", "ruff", "format", "--check", "--quiet", *TREES)),
    ("ruff check", ("-m", "ruff", "check", "--quiet", "--output-format=concise", *TREES)),
    ("mypy --strict", ("-m", "mypy", "--strict", *TREES)),
    ("lint-imports", ("-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache")),
    ("generated files", ("-m", "pytest", "-q", "-p", "no:cacheprovider", *GENERATED)),
)


def main(arguments: list[str]) -> int:
    """Run all steps and return the exit code."""
    failed = [name for name, command in STEPS if not step(name, command)]
    for program in debian.PACKAGES:
        reason = debian.provide(program)
        say(f"{program:<22} {'ok' if reason is None else reason}")
    code = pytest(arguments, failed)
    return code or (1 if failed else 0)


def step(name: str, command: tuple[str, ...]) -> bool:
    """Run one check, print its line, and what it said when it failed; return whether it is good."""
    start = time.monotonic()
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    good = done.returncode == 0
    say(f"{name:<22} {'ok' if good else 'FAILED'} ({time.monotonic() - start:.1f} s)")
    if not good:
        say((done.stdout + done.stderr).rstrip())
    return good


def pytest(arguments: list[str], failed: list[str]) -> int:
    """Run pytest on this terminal; its summary names the steps that failed before.

    Of its three processes two have the tests of Kafka, which mostly wait, the third has all the others.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-n", "3", *arguments]
    environment = {**os.environ, "TESTS_FAILED_STEPS": "\n".join(failed)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def say(line: str) -> None:
    """Print one line at once, also into a pipe."""
    print(line, flush=True)  # noqa: T201 - the console output of a command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
