"""Calibration of river's error detectors: the tables of `core/detectors/error_run_lengths.py`.

    python -m bench run_length_errors            # four minutes

A line for every detector, error rate and run length asked for: the parameter that `calibrate` finds on streams of three
such run lengths, the average run length with its 95 % limits, and which share of the alarms came within the first tenth
of a run length: of independent alarms one in eleven does. DDM and EDDM compare with the best they ever saw, so theirs
come early or hardly ever. Ends with code 1 when other numbers are shipped.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench._hddm import HddmA, HddmW, measured
from bench._report import Report
from stream_monitor.core.detectors.calibration import (
    SEED,
    NotCalibrated,
    RunLength,
    Search,
    calibrate,
    errors_at,
    find,
)
from stream_monitor.core.detectors.error_run_lengths import RUN_LENGTHS
from stream_monitor.core.detectors.river_detectors import RIVER_VERSION, ErrorCell
from stream_monitor.core.detectors.run_length import Table

ALARMS = {1e3: 200, 1e4: 80}
"""To wait for, by the run length asked for."""

IN_STEP: dict[str, type[HddmA | HddmW]] = {"hddm_a": HddmA, "hddm_w": HddmW}
"""Detectors that river is too slow for."""

RATES = (0.01, 0.05, 0.2, 0.5)
ENDS = {
    "ddm": (1.05, 4.0),
    "eddm": (0.98, 0.2),
    "hddm_a": (0.999, 1e-6),
    "hddm_w": (0.999, 1e-8),
    "fhddm": (0.9, 1e-12),
}
"""Values of the parameter with a shorter and a longer run length than any asked for."""


def cells(kind: str, rates: tuple[float, ...] = RATES, longest: float = 1e4) -> Iterator[list[str]]:
    """Yield the lines of a detector for every rate and run length that can be had."""
    for rate in rates:
        short, long = ENDS[kind]
        for target in [target for target in ALARMS if target <= longest]:
            search = Search(target, short, long, alarms=ALARMS[target], streams=200)
            try:
                short, seen = found(kind, rate, search)
            except NotCalibrated as error:
                print(f"{kind} at {rate:g}: {error}", flush=True)
                continue
            yield line(kind, rate, target, short, seen)


def found(kind: str, rate: float, search: Search) -> tuple[float, RunLength]:
    """Return the parameter of a detector and what was seen there."""
    if kind in IN_STEP:
        return find(lambda value: measured(IN_STEP[kind], rate, value, search), search)
    return calibrate(lambda value: ErrorCell(kind, value, rate), errors_at(rate), search)


def line(kind: str, rate: float, target: float, parameter: float, seen: RunLength) -> list[str]:
    """Return a line of the table."""
    return [
        kind,
        *(f"{number:g}" for number in (rate, target, parameter)),
        *(f"{number:.0f}" for number in (seen.average, seen.lower, seen.upper, seen.alarms)),
        f"{seen.early / seen.alarms:.2f}",
    ]


def main() -> None:
    """Print the tables and write them to `bench/results/run_length_errors.md`."""
    report = Report("run_length_errors", f"Run lengths, in events, of the error detectors of river {RIVER_VERSION}")
    lines: list[list[str]] = []
    for kind in ENDS:
        for row in cells(kind):
            print("  ".join(row), flush=True)
            lines.append(row)
    head = ("detector", "rate", "asked for", "parameter", "run length", "lower 95 %", "upper 95 %", "alarms", "early")
    report.table(head, lines)
    report.write(repetitions=1, seed=SEED)
    if table(lines) != RUN_LENGTHS:
        raise SystemExit("core/detectors/error_run_lengths.py holds other numbers")


def table(lines: list[list[str]]) -> dict[str, dict[float, Table]]:
    """Return what is shipped of the lines: parameter and lower limit, by detector and rate."""
    found: dict[str, dict[float, Table]] = {}
    for kind, rate, _, parameter, _, lower, *_ in lines:
        rates = found.setdefault(kind, {})
        rates[float(rate)] = (*rates.get(float(rate), ()), (float(parameter), float(lower)))
    return found


if __name__ == "__main__":
    main()
