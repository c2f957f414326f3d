"""Thresholds below the bound: by how much, and whether the false alarms stay within the budget.

    python -m bench thresholds            # a quarter of an hour
    python -m bench thresholds --quick    # budgets of 100 panes only, a minute or two

The law of the rank detector's path without drift follows from layout, mixture and pane sizes, whatever the law of the
values: masses are drawn, panes of counts are drawn, the detector runs. First table: for panes of one size, the offset
below ln A at which the average run length is A, and the one at which its lower 95 % limit is. Second table: run length
and alarms under `threshold: calibrated` as it is shipped, for sizes that stay and sizes that vary.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bench._report import Report
from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.detectors import Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.detectors.lowered_threshold import OFFSETS
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses
from stream_monitor.lab.scores import run_length

SEED = 20261128
STREAMS = {100: 400, 1_000: 100}
"""By budget in panes; each runs for three budgets, with a reference of its own."""

_HORIZON = 3
_LEVELS = np.arange(0.0, 4.01, 0.1)
"""Offsets below ln A, nats."""

_ALL = ((10, 1_023), (100, 1_023), (1_000, 1_023), (3_000, 1_023))
_AT_100 = (*_ALL, (10, 63), (1_000, 63), (10, 16_383), (100, 16_383), (1_000, 16_383))
"""(events of a pane, reference values)."""


class Sizes(NamedTuple):
    """Sizes of panes: a function of (panes so far, streams, generator)."""

    name: str
    draw: Callable[[int, int, np.random.Generator], Int64]
    mixture: Mixture


def _fixed(n: int) -> Sizes:
    return Sizes(f"{n:,}", lambda _, streams, __: np.full(streams, n), Mixture.for_events(n))


def _mixed(_: int, streams: int, rng: np.random.Generator) -> Int64:
    return np.exp(rng.uniform(math.log(10), math.log(3_000), streams)).astype(np.int64)


def _day_and_night(pane: int, streams: int, _: np.random.Generator) -> Int64:
    return np.full(streams, 1_000 if pane % 360 < 240 else 10)


def _some(small: float) -> Callable[[int, int, np.random.Generator], Int64]:
    return lambda _, streams, rng: np.where(rng.random(streams) < small, 10, 1_000)


SIZES = (
    *(_fixed(n) for n in (10, 30, 100, 300, 1_000, 3_000)),
    Sizes("10 to 3,000, each pane anew", _mixed, Mixture.FINE),
    Sizes("1,000, one in twenty 10", _some(0.05), Mixture.FINE),
    Sizes("10, one in five 1,000", _some(0.8), Mixture.BASE),
    Sizes("1,000 for 240 panes, 10 for 120", _day_and_night, Mixture.FINE),
)


@dataclass(frozen=True, slots=True)
class Run:
    """Streams without drift.

    Attributes:
        excess: log M above the threshold after each pane, yielded, shape (streams,).
    """

    spec: RankShiryaevRoberts
    m: int
    sizes: Sizes
    budget: int
    streams: int
    seed: int

    def steps(self) -> Iterator[tuple[Float64, Callable[[int], None]]]:
        """Yield log M - ln A + what the threshold is lowered by, and what restarts a stream, pane by pane."""
        rng = np.random.default_rng(self.seed)
        layout = spacings(self.m)
        masses = draw_masses(layout, rng, self.streams)
        masses /= masses.sum(axis=1, keepdims=True)
        group = self.spec.build(self.m)
        rows = np.array([group.add(SeriesReference(layout)) for _ in range(self.streams)])
        for pane in range(_HORIZON * self.budget):
            n = self.sizes.draw(pane, self.streams, rng)
            log_m = group.step(rows, rng.multinomial(n, masses))
            yield log_m + group.lowered(rows) - math.log(self.budget), group.restart


def offsets(run: Run) -> tuple[float, float]:
    """Return the offsets at which the run length is the budget, and its lower limit is; multiples of 0.1."""
    first = np.full((_LEVELS.size, run.streams), np.inf)
    for pane, (excess, _) in enumerate(run.steps(), 1):
        reached = excess >= -_LEVELS[:, None]
        first[reached & np.isinf(first)] = pane
    found = [run_length([float(t) for t in row], horizon=_HORIZON * run.budget) for row in first]
    means = [float(level) for level, length in zip(_LEVELS, found, strict=True) if length.mean >= run.budget]
    lower = [float(level) for level, length in zip(_LEVELS, found, strict=True) if length.lower >= run.budget]
    return max(means, default=0.0), max(lower, default=0.0)


def _offset_rows(budget: int) -> Iterator[list[str]]:
    for n, m in _AT_100 if budget == min(STREAMS) else _ALL:
        for mixture in Mixture:
            run = Run(RankShiryaevRoberts(mixture), m, _fixed(n), budget, STREAMS[budget], SEED)
            mean, lower = offsets(run)
            yield [f"{budget:,}", f"{n:,}", f"{m:,}", mixture.value, f"{mean:.1f}", f"{lower:.1f}"]


def _checked(run: Run) -> list[str]:
    first = np.full(run.streams, np.inf)
    alarms = 0
    for pane, (excess, restart) in enumerate(run.steps(), 1):
        alarmed = np.flatnonzero(excess >= 0.0)
        alarms += alarmed.size
        for row in alarmed.tolist():
            restart(row)
            first[row] = min(first[row], pane)
    found = run_length([float(t) for t in first], horizon=_HORIZON * run.budget)
    rate = alarms / run.streams / _HORIZON
    verdict = "yes" if found.lower >= run.budget else "open" if found.upper >= run.budget else "**no**"
    return [f"{run.budget:,}", run.sizes.name, f"{found.mean:,.0f}", f"{found.lower:,.0f}", f"{rate:.2f}", verdict]


def main() -> None:
    """Simulate and write the report."""
    parser = argparse.ArgumentParser(prog="python -m bench thresholds", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="budgets of 100 panes only")
    budgets = [min(STREAMS)] if parser.parse_args().quick else list(STREAMS)
    report = Report("thresholds", "Thresholds below the bound")
    streams = ", ".join(f"{streams} at A = {budget:,}" for budget, streams in STREAMS.items())
    streams = ", ".join(f"{streams} at A = {budget:,}" for budget, streams in STREAMS.items())
    report.say(
        f"Streams without drift, each with its own reference, {_HORIZON} A panes long: {streams}. Offsets in nats "
        f"below ln A; shipped by class of pane size (below 10, 100, 1,000, above): {' / '.join(map(str, OFFSETS))}."
    )
    report.say(
        "Offset at which the average run length of panes of one size is A, and at which its lower 95 % limit is:"
    )
    rows = [row for budget in budgets for row in _offset_rows(budget)]
    report.table(
        ["A, panes", "events a pane", "reference", "mixture", "offset, run length A", "offset, lower limit A"], rows
    )
    report.say(
        "As shipped, m = 1,023: run length to the first alarm; alarms in A panes with restarts, the budget allows 1."
    )
    spec = {mixture: RankShiryaevRoberts(mixture, offsets=OFFSETS) for mixture in Mixture}
    runs = (Run(spec[s.mixture], 1_023, s, a, STREAMS[a], SEED + 1) for a in budgets for s in SIZES)
    report.table(
        ["A, panes", "events a pane", "run length", "lower 95 % limit", "alarms in A panes", "within"],
        [_checked(run) for run in runs],
    )
    report.write(repetitions=1, seed=SEED)


if __name__ == "__main__":
    main()
