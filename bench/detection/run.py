"""The command: goals and tables on all cores, a results file, a verdict in the last line.

    python -m bench detection --quick       # minutes; exit 0 only if every goal holds
    python -m bench detection               # half an hour: more streams, slow peers
    python -m bench detection --calibrate   # parameters of equal run lengths

The file is written after each table. A run that is out of time says what it lacks, and goals that were not measured
do not hold. frouros and alibi-detect are installed into `.venv-bench` when they are missing (`make bench-setup`).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections.abc import Sequence
from multiprocessing.pool import AsyncResult
from typing import TypeVar

from bench._report import Report
from bench.detection.calibration import calibrate
from bench.detection.goals import CHECKS, COVERAGE, Outcome
from bench.detection.parts import FULL, QUICK, comparisons
from bench.detection.peers import set_up
from bench.detection.seeds import SEED
from bench.detection.tables import Row

QUICK_MINUTES, FULL_MINUTES = 9.0, 40.0
_QUICK_SIZE, _FULL_SIZE = 1, 3
_OUT_OF_TIME = "out of time"
_NOTE = "Partial: the run has not ended, or was interrupted; later tables are missing."

_Result = TypeVar("_Result")


def main() -> None:
    """Run, write the results, and end with the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller numbers of streams, under ten minutes")
    parser.add_argument("--minutes", type=float, help=f"end after so long ({FULL_MINUTES:g}; quick {QUICK_MINUTES:g})")
    parser.add_argument(
        "--calibrate",
        nargs="*",
        metavar="WORD",
        help="print parameters of equal run lengths, of these detectors or all",
    )
    arguments = parser.parse_args()
    if arguments.calibrate is not None:
        for line in calibrate(arguments.calibrate or [""]):
            print(line, flush=True)
        return
    minutes = arguments.minutes or (QUICK_MINUTES if arguments.quick else FULL_MINUTES)
    raise SystemExit(_run(quick=arguments.quick, ends=time.monotonic() + 60.0 * minutes))


def _run(*, quick: bool, ends: float) -> int:
    report = Report("detection_quick" if quick else "detection", "Detection: promises, goals, peers", bench="detection")
    missing = set_up()
    report.say(_INTRODUCTION)
    with multiprocessing.Pool(os.cpu_count()) as pool:
        size = _QUICK_SIZE if quick else _FULL_SIZE
        checks = [(check.__name__, pool.apply_async(check, (size,))) for check in CHECKS]
        planned = [
            (table, [(name, pool.apply_async(row)) for name, row in table.rows])
            for table in comparisons(QUICK if quick else FULL)
        ]
        outcomes = [outcome for name, check in checks for outcome in _outcomes(name, check, ends)]
        report.say("## Goals")
        report.table(["goal", "measured", "holds"], [[o.goal, o.measured, o.word] for o in outcomes])
        report.say("## Where each goal is measured")
        report.table(["goal", "where"], [[goal, where] for goal, where in COVERAGE.items()])
        for table, rows in planned:
            report.keep(_NOTE, repetitions=1, seed=SEED)
            report.say(f"## {table.title}")
            report.say(table.note)
            report.table(table.head, [_row(name, row, ends, len(table.head)) for name, row in rows])
    report.say("## Verdict")
    report.say(verdict(outcomes, missing))
    report.write(repetitions=1, seed=SEED)
    print(verdict(outcomes, missing))
    return 0 if all(o.holds for o in outcomes) else 1


def verdict(outcomes: Sequence[Outcome], missing: str) -> str:
    """Return the last line: whether all goals hold, those that do not with their figures, and absent peers."""
    bad = [o for o in outcomes if not o.holds]
    words = f"{'FAIL' if bad else 'PASS'}: {len(outcomes) - len(bad)} of {len(outcomes)} goals hold"
    parts = [f"{o.word.strip('*')}: {o.goal}: {o.measured}" for o in bad]
    parts += [f"{o.goal}: {o.measured}" for o in outcomes if o.holds and o.goal.startswith(_FIGURES)]
    if missing:
        parts.append(f"without frouros and alibi-detect, not installed (`make bench-setup`: {missing})")
    return "; ".join([words, *parts])


_FIGURES = ("run length at A = 1,000, panes of 10,", "0.5 σ, single events", "100 mixed series: false alarms")


def _outcomes(name: str, check: AsyncResult[list[Outcome]], ends: float) -> list[Outcome]:
    found = awaited(check, ends)
    if found is None:
        found = [Outcome(name, _OUT_OF_TIME, None)]
    for outcome in found:
        print(f"{outcome.word}: {outcome.goal}: {outcome.measured}", flush=True)
    return found


def _row(name: str, row: AsyncResult[Row], ends: float, width: int) -> Row:
    found = awaited(row, ends) or [name, *[_OUT_OF_TIME] * (width - 1)]
    print(" | ".join(found), flush=True)
    return found


def awaited(result: AsyncResult[_Result], ends: float) -> _Result | None:
    """Return what a task gives, or None when the time is up before."""
    try:
        return result.get(max(0.0, ends - time.monotonic()))
    except multiprocessing.TimeoutError:
        return None


_INTRODUCTION = """Streams are simulated; every detector sees the same ones, with the same seeds. A goal holds by its
measured figure, run lengths by their lower 95 % limit, false alarms of deployments by the upper 99 % limit of their
probability. Run lengths carry 95 % limits of a censored exponential mean, probabilities those of Clopper and Pearson; a
miss counts as an infinite delay; "early" is the share of streams that alarmed before the change. Parameters of the
equal run lengths were found on other seeds (`--calibrate`). A lost comparison stays in its table."""
