"""Calibration of river's detectors of numbers: the tables of `core/detectors/run_length.py`, and how well they hold.

    python -m bench run_length            # four minutes

ADWIN: the delta that `calibrate` finds for each run length asked for. PageHinkley: Siegmund's threshold and the run
length that river's class then has. KSWIN: its p-values are steps, and river takes 300 us a number, so 150 streams of
12,000 numbers are simulated for every step at once; `python -m bench detection` measures river's own class. Run lengths
are in panes, with 95 % limits. Ends with code 1 when other numbers are shipped.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import ks_2samp

from bench._report import Report
from stream_monitor.core.detectors.calibration import SEED, RunLength, Search, calibrate, run_length, standard_normal
from stream_monitor.core.detectors.river_detectors import RIVER_VERSION, AdwinCell, PageHinkleyCell
from stream_monitor.core.detectors.run_length import ADWIN_RUN_LENGTHS, KSWIN_RUN_LENGTHS, Table, page_hinkley_threshold

HEAD = ("detector", "asked for", "parameter", "run length", "lower 95 %", "upper 95 %", "alarms")
ADWIN_ALARMS = {500: 1_000, 1_000: 2_000, 10_000: 800, 100_000: 80}
"""To wait for, by the run length asked for."""

ADWIN_SHORT, ADWIN_LONG = 0.95, 1e-4
PAGE_HINKLEY = ((0.1, 1e3), (0.25, 1e3), (0.5, 1e3), (1.0, 1e3))
PAGE_HINKLEY_LONG = ((0.25, 1e4), (0.5, 1e4), (1.0, 1e4), (0.5, 1e5))
"""(drift, run length asked for)."""

Line = list[str]


def adwin(longest: int = 100_000) -> list[Line]:
    """Return the lines of ADWIN, up to a run length."""
    lines, short = [], ADWIN_SHORT
    for target, alarms in [row for row in ADWIN_ALARMS.items() if row[0] <= longest]:
        search = Search(target, short, ADWIN_LONG, alarms=alarms, streams=2 * alarms)
        short, seen = calibrate(AdwinCell, standard_normal, search)
        lines.append(line("adwin", f"{target}", short, seen))
    return lines


def page_hinkley() -> list[Line]:
    """Return the lines of PageHinkley; shipped is the formula itself."""
    lines = []
    for drift, target in (*PAGE_HINKLEY, *PAGE_HINKLEY_LONG):
        threshold = page_hinkley_threshold(target, drift=drift).value
        alarms = {1e3: 1_000, 1e4: 400}.get(target, 100)
        seen = page_hinkley_run_length(threshold, drift, alarms)
        lines.append(line(f"page_hinkley, delta {drift:g}", f"{target:.0f}", threshold, seen))
    return lines


def page_hinkley_run_length(threshold: float, drift: float, alarms: int) -> RunLength:
    """Return the run length of river's class."""
    return run_length(
        lambda: PageHinkleyCell(threshold, drift=drift), standard_normal, longest=10**9, alarms=alarms, streams=alarms
    )


def kswin() -> list[Line]:
    """Return the lines of KSWIN."""
    return [line("kswin", "-", above(p_value), seen) for p_value, seen in kswin_steps()]


def above(p_value: float) -> float:
    """Return the smallest number of two digits that is not below a p-value: KSWIN's test takes equality, rounding not.

    >>> above(0.006548), above(0.00028)
    (0.0066, 0.00029)
    """
    digits = 1 - math.floor(math.log10(p_value))
    return float(f"{math.floor(p_value * 10.0**digits + 1.0) / 10.0**digits:.2g}")


def kswin_steps(streams: int = 150, panes: int = 12_000) -> list[tuple[float, RunLength]]:
    """Return what was seen at each possible distance of 30 against 30 by its p-value, the largest first."""
    generator = np.random.default_rng(SEED)
    first = np.full((31, streams), panes)
    window = generator.standard_normal((streams, 100))
    for pane in range(100, panes):
        chosen = generator.random((streams, 70)).argpartition(30, axis=1)[:, :30]
        both = np.concatenate([np.take_along_axis(window[:, :70], chosen, 1), window[:, 70:]], axis=1)
        gaps = np.abs(np.where(both.argsort(1) < 30, 1, -1).cumsum(1)).max(1)
        for steps in range(13, 19):
            first[steps][(gaps >= steps) & (first[steps] == panes)] = pane
        window = np.concatenate([window[:, 1:], generator.standard_normal((streams, 1))], axis=1)
    ordered = np.arange(30.0)
    return [
        (
            float(ks_2samp(ordered, ordered + steps - 0.5).pvalue),
            RunLength(int(first[steps].sum()), int((first[steps] < panes).sum())),
        )
        for steps in range(13, 19)
    ]


def line(name: str, target: str, parameter: float, seen: RunLength) -> Line:
    """Return a line of the table."""
    numbers = (f"{seen.average:.0f}", f"{seen.lower:.0f}", f"{seen.upper:.0f}", f"{seen.alarms}")
    return [name, target, f"{parameter:.4g}", *numbers]


def table(lines: list[Line], name: str) -> Table:
    """Return what is shipped of the lines of a detector: parameter and lower limit."""
    return tuple((float(found[2]), float(found[4])) for found in lines if found[0] == name)


def main() -> None:
    """Print the tables and write them to `bench/results/run_length.md`."""
    report = Report("run_length", f"Run lengths, in panes, of the detectors of numbers of river {RIVER_VERSION}")
    lines: list[Line] = []
    for part in (adwin, page_hinkley, kswin):
        for found in part():
            print("  ".join(found), flush=True)
            lines.append(found)
    report.table(HEAD, lines)
    report.write(repetitions=1, seed=SEED)
    if (table(lines, "adwin"), table(lines, "kswin")) != (ADWIN_RUN_LENGTHS, KSWIN_RUN_LENGTHS):
        raise SystemExit("core/detectors/run_length.py holds other numbers")


if __name__ == "__main__":
    main()
