"""What the package may not contain: each ban is shown to be alive by a planted violation."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "stream_monitor"

RUFF_PLANTS = {
    "print('x')": "T201",
    "from datetime import datetime\nx = datetime.now()": "TID251",
    "import pickle": "TID251",
    "import numpy as np\nx = np.load('x')": "TID251",
    "import yaml\nx = yaml.load('x', yaml.Loader)": "TID251",
    "x = eval('1')": "S307",
    "from prometheus_client import start_http_server": "TID251",
    "x = '0.0.0.0'": "S104",
    "import subprocess\nsubprocess.run('x', shell=True)": "S602",
    "try:\n    x = 1\nexcept Exception:\n    x = 2": "BLE001",
    "from .core import plan": "TID252",
}

CONTRACT_PLANTS = {
    "core/canonical.py": [
        ("import socket", "stream_monitor.core.canonical -> socket"),
        ("from stream_monitor.core import plan as _", "stream_monitor.core.canonical -> stream_monitor.core.plan"),
    ],
    "core/plan.py": [
        ("import stream_monitor.kafka.errors", "stream_monitor.core.plan -> stream_monitor.kafka.errors"),
        ("import river.drift", "stream_monitor.core.plan -> river"),
    ],
    "lab/broker.py": [
        ("import confluent_kafka", "stream_monitor.lab.broker -> confluent_kafka"),
        ("import pydantic", "stream_monitor.lab.broker -> pydantic"),
        ("import faust", "stream_monitor.lab.broker -> faust"),
        ("import stream_monitor.cli.main", "stream_monitor.lab.broker -> stream_monitor.cli.main"),
    ],
}


def calls_of_hash(tree: ast.AST) -> list[int]:
    """Return the lines that call the builtin `hash`."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "hash"]


def test_the_builtin_hash_is_not_used() -> None:
    """It differs between processes for strings; ours are in core/keys.py and stable."""
    assert calls_of_hash(ast.parse("x = {}\ny = hash('a')")) == [2]
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line in calls_of_hash(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert found == []


@pytest.mark.parametrize(("code", "rule"), RUFF_PLANTS.items(), ids=RUFF_PLANTS.values())
def test_ruff_reports_a_planted_violation(code: str, rule: str) -> None:
    """The rule is on for files of the package."""
    command = [sys.executable, "-m", "ruff", "check", "--output-format=concise", "--no-cache"]
    where = ["--stdin-filename", str(PACKAGE / "core" / "planted.py"), "-"]
    done = subprocess.run([*command, *where], cwd=ROOT, input=code, capture_output=True, text=True, check=False)

    assert f" {rule} " in done.stdout


def test_import_linter_reports_planted_violations_with_file_and_line(tmp_path: Path) -> None:
    """One import of each forbidden kind, planted into a copy of the package, is named with its line."""
    shutil.copytree(PACKAGE, tmp_path / "stream_monitor", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, plants in CONTRACT_PLANTS.items():
        file = tmp_path / "stream_monitor" / name
        with file.open("a", encoding="utf-8") as source:
            source.write("".join(f"{statement}\n" for statement, _ in plants))
    run = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as run; run()"
    command = [sys.executable, "-c", run, "--no-cache", "--config", "pyproject.toml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    expected = [said for plants in CONTRACT_PLANTS.values() for _, said in plants]

    assert (done.returncode, [said for said in expected if f"{said} (l." not in done.stdout]) == (1, [])
