"""Somebody else's data: the synthetic car-loan set of the nannyml 0.13.1 wheel (Apache-2.0), drift at row 25,000.

Only the two CSV files are read; the package is neither installed nor imported. The wheel comes from the package index
once, checked by its hash, and the files stay in the user's cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WHEEL = "nannyml==0.13.1"
SHA256 = "cf5f4a33489834ae6773cb1baa33a0f98c0a3ee6ed9b43049478b25ce22fe869"
FOLDER = "nannyml/datasets/data"
REFERENCE = "synthetic_car_loan_reference.csv"
ANALYSIS = "synthetic_car_loan_analysis.csv"

DRIFT_ROW = 25_000
DRIFTED = ("car_value", "salary_range", "loan_length", "repaid_loan_on_prev_car", "y_pred_proba")
STABLE = ("debt_to_income_ratio", "size_of_downpayment", "driver_tenure", "y_pred")


class NotToBeHad(Exception):
    """The package index did not give the wheel."""


def reference_csv() -> Path:
    """Return the path of the reference file, 50,000 rows."""
    return _files() / REFERENCE


def analysis_csv() -> Path:
    """Return the path of the analysis file, 50,000 rows, drifted from `DRIFT_ROW` on."""
    return _files() / ANALYSIS


def _files() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "stream-monitor" / "car-loan-0.13.1"
    if not (cache / ANALYSIS).exists() or not (cache / REFERENCE).exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            _download(Path(folder))
            for name in (REFERENCE, ANALYSIS):
                (Path(folder) / FOLDER / name).replace(cache / name)
    return cache


def _download(folder: Path) -> None:
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{WHEEL} --hash=sha256:{SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--requirement", str(requirement), "--dest", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotToBeHad(f"pip download {WHEEL}: {done.stderr.strip().splitlines()[-1:]}")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in (REFERENCE, ANALYSIS):
            archive.extract(f"{FOLDER}/{name}", folder)
