"""The tables of detection: false alarms, delays, equal run lengths, shapes, error rates, many series, dependence.

Every table is a function of a `Scale` (how many streams) and returns its rows; each row is a task of its own, so that
two cores are used. Numbers in brackets are 95 % limits or shares, as the head says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.detection import oracle
from bench.detection.deployment import SERIES, deployments
from bench.detection.detectors import ADWIN, RUN_LENGTH, Contender
from bench.detection.ours import RankSetup, rank_alarms
from bench.detection.seeds import SEED
from bench.detection.streams import (
    CHANGE,
    QUIET,
    SHAPES,
    SHIFTS,
    Case,
    Streams,
    error_rates,
    first_alarms,
    scored,
)
from stream_monitor.lab.generators import Autoregressive, Normal, Shift, Step
from stream_monitor.lab.scores import Delay, RunLength, alarms_per_horizon, false_alarm_probability, run_length
from stream_monitor.lab.scores.delay import quantile

NOT_HERE, NOT_NOW = "not installed: `make bench-setup`", "full run only"

_DELAYS = "delay, median [95 %] / 90 % (early)"

EQUAL_CHANGE = 1_000
"""Row of the change where run lengths are 10,000: later, half of the streams would have alarmed before it."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is simulated.

    Attributes:
        streams: of a case.
        slow: of a case, for slow detectors; 0 leaves them out.
        run_lengths: streams of a run length.
        deployments: of a hundred series each.
        online: of each case of alibi-detect's online detector.
    """

    streams: int
    slow: int
    run_lengths: int
    deployments: int
    online: int

    def of(self, contender: Contender) -> int:
        """Return the streams that a detector gets."""
        return self.slow if contender.slow else self.streams


Row = list[str]


def as_they_come_head() -> Row:
    """Return the head of the first table."""
    quiet = [f"{case.name}: alarms / 10,000 (streams that alarm)" for case in QUIET]
    return ["detector", *quiet, *(f"{case.name}: {_DELAYS}" for case in SHIFTS)]


def as_they_come(contender: Contender, scale: Scale) -> Row:
    """Return false alarms without drift, and delays, of one detector as its library sets it."""
    excuse = _excuse(contender, scale)
    if excuse:
        return [contender.name, *[excuse] * (len(QUIET) + len(SHIFTS))]
    quiet = [_false_alarms(contender, case, scale, SEED + 10_000 * i) for i, case in enumerate(QUIET)]
    late = [_delay(contender, case, scale, SEED + 100_000 + 10_000 * i) for i, case in enumerate(SHIFTS)]
    return [contender.name, *quiet, *late]


def oracle_row(scale: Scale) -> Row:
    """Return the delays of the CUSUM that knows everything, at a run length of 100,000 events."""
    cells = []
    for i, (case, size) in enumerate(zip(SHIFTS, (0.25, 0.5, 1.0), strict=True)):
        streams = case.draw(scale.streams, seed=SEED + 100_000 + 10_000 * i)
        found = scored(oracle.first_alarms(streams.values, shift=size, run_length=1e5), change=CHANGE)
        cells.append(_delays(found))
    return ["*oracle: CUSUM that knows both laws*", *["-"] * len(QUIET), *cells]


def equal_head() -> Row:
    """Return the head of the table of equal run lengths."""
    return [
        "detector",
        "run length (95 %)",
        *(f"{size:g} σ: {_DELAYS}" for size in EQUAL_SHIFTS),
    ]


EQUAL_SHIFTS = (0.25, 0.5, 1.0)


def equal(contender: Contender, scale: Scale) -> Row:
    """Return the measured run length and delays of a detector that is set to `RUN_LENGTH`."""
    excuse = _excuse(contender, scale)
    if excuse:
        return [contender.name, *[excuse] * (1 + len(EQUAL_SHIFTS))]
    measured = measured_run_length(contender, scale, seed=SEED + 500_000)
    late = []
    for i, size in enumerate(EQUAL_SHIFTS):
        case = Case("", Normal(), (Shift(size, Step(EQUAL_CHANGE)),), rows=6_000)
        late.append(_delay(contender, case, scale, SEED + 600_000 + 10_000 * i, change=EQUAL_CHANGE))
    return [contender.name, _length(measured), *late]


def measured_run_length(contender: Contender, scale: Scale, *, seed: int) -> RunLength:
    """Return the run length of a detector on N(0,1), each stream with a reference of its own, cut off at three."""
    count = max(scale.run_lengths // (5 if contender.slow else 1), 10)
    case = Case("N(0,1)", Normal(), rows=3 * RUN_LENGTH)
    first: list[float | None] = []
    for part in range(0, count, 200):
        streams = case.draw(min(200, count - part), seed=seed + 10 * part)
        first += first_alarms(contender.alarms(streams, seed=seed + part, stops=True) or [])
    return run_length(first, horizon=3.0 * RUN_LENGTH)


def shapes_head() -> Row:
    """Return the head of the table of other changes."""
    return ["detector", *(f"{case.name}" for case in SHAPES)]


def shapes(contender: Contender, scale: Scale) -> Row:
    """Return median delays for other laws and other changes, misses infinite."""
    excuse = _excuse(contender, scale)
    if excuse:
        return [contender.name, *[excuse] * len(SHAPES)]
    return [
        contender.name,
        *(_delay(contender, case, scale, SEED + 700_000 + 10_000 * i) for i, case in enumerate(SHAPES)),
    ]


def errors_head(p: float) -> Row:
    """Return the head of the table of error rates."""
    quiet, *changed = error_rates(p)
    return ["detector", f"{quiet.name}: alarms / 10,000", *(f"{case.name}: delay (early)" for case in changed)]


def errors(contender: Contender, scale: Scale, p: float) -> Row:
    """Return false alarms and delays on the errors of a classifier."""
    quiet, *changed = error_rates(p)
    excuse = _excuse(contender, scale)
    if excuse:
        return [contender.name, *[excuse] * (1 + len(changed))]
    late = [_delay(contender, case, scale, SEED + 810_000 + 10_000 * i) for i, case in enumerate(changed)]
    return [contender.name, _false_alarms(contender, quiet, scale, SEED + 800_000), *late]


def many_series_head() -> Row:
    """Return the head of the table of a hundred series."""
    return ["detector", f"false alarms in {CHANGE:,} rows of {SERIES} series", "deployments with one", "delay", "found"]


def many_series(contender: Contender, scale: Scale) -> Row:
    """Return false alarms and delay of deployments of a hundred mixed series, one of which moves by .5 σ."""
    seen = deployments(contender, scale.deployments, seed=SEED + 20_000_000)
    false = alarms_per_horizon([own.false for own in seen])
    late = sorted(own.delay for own in seen)
    return [
        contender.name,
        f"{false.mean:.2f} ({false.lower:.2f}–{false.upper:.2f})",
        f"{sum(own.false > 0 for own in seen)}/{len(seen)}",
        _number(quantile(late, 0.5)),
        f"{sum(map(math.isfinite, late))}/{len(seen)}",
    ]


DEPENDENCE = tuple((rho, pane) for rho in (0.0, 0.3, 0.5, 0.8) for pane in (10, 50))
"""Correlation of neighbours, events of a pane."""


def dependence_head() -> Row:
    """Return the head of the table of dependence."""
    cells = ["raw: P(alarm in 5,000)", "tempered: P(alarm in 5,000)", ".5 sd: delay", "river ADWIN: P"]
    return ["AR(1), pane", *cells]


def dependence(rho: float, pane: int, scale: Scale) -> Row:
    """Return false alarms of autocorrelated streams without and with the design effect, at a budget of 100,000."""
    law = Autoregressive(rho)
    seed = SEED + 1_000_000 + int(1_000 * rho) * 100 + pane
    quiet = Case("", law, rows=5_000).draw(scale.streams, seed=seed)
    changed = Case("", law, (Shift(0.5, Step(CHANGE)),)).draw(scale.streams, seed=seed + 50_000)
    cells = []
    for tempered in (False, True):
        alarms = rank_alarms(quiet, RankSetup(pane, 1e5, tempered, stops=True), seed=seed)
        cells.append(_share(first_alarms(alarms), 5_000))
    late = rank_alarms(changed, RankSetup(pane, 1e5, tempered=True, stops=True), seed=seed)
    river = ADWIN.alarms(quiet, seed=seed, stops=True) or []
    cells += [_delays(scored(first_alarms(late), change=CHANGE)), _share(first_alarms(river), 5_000)]
    return [f"ρ = {rho:g}, {pane}", *cells]


ONLINE_CHANGE, _ONLINE_ROWS, _ONLINE_SHIFTS = 200, 6_000, (0.5, 1.0)
"""Where run lengths are a thousand events the change comes early, before most false alarms."""


def online_head() -> Row:
    """Return the head of the table of alibi-detect's online detector."""
    return ["detector", "run length (95 %)", *(f"{size:g} σ: {_DELAYS}" for size in _ONLINE_SHIFTS)]


def online(contender: Contender, scale: Scale) -> Row:
    """Return run length and delays at about a thousand events.

    All streams are one job: alibi-detect simulates its thresholds once, which takes half a minute.
    """
    if not contender.is_there:
        return [contender.name, *[NOT_HERE] * (1 + len(_ONLINE_SHIFTS))]
    cases = [
        Case("", Normal(), rows=_ONLINE_ROWS),
        *(Case("", Normal(), (Shift(size, Step(ONLINE_CHANGE)),), rows=_ONLINE_ROWS) for size in _ONLINE_SHIFTS),
    ]
    drawn = [case.draw(scale.online, seed=SEED + 2_000_000 + 10_000 * i) for i, case in enumerate(cases)]
    together = Streams(*(np.concatenate(parts) for parts in zip(*drawn, strict=True)))
    alarms = contender.alarms(together, seed=SEED, stops=True)
    if alarms is None:
        return [contender.name, *["refuses"] * (1 + len(_ONLINE_SHIFTS))]
    first = first_alarms(alarms)
    quiet, *changed = (first[i * scale.online : (i + 1) * scale.online] for i in range(len(cases)))
    length = run_length(quiet, horizon=float(_ONLINE_ROWS))
    late = [_delays(scored(own, change=ONLINE_CHANGE)) for own in changed]
    return [contender.name, _length(length), *late]


def _excuse(contender: Contender, scale: Scale) -> str:
    """Return why a detector is not run, nothing if it is."""
    if not contender.is_there:
        return NOT_HERE
    return NOT_NOW if contender.slow and not scale.slow else ""


# --- cells ------------------------------------------------------------------------------------------------------------


def _false_alarms(contender: Contender, case: Case, scale: Scale, seed: int) -> str:
    alarms = contender.alarms(case.draw(scale.of(contender), seed=seed), seed=seed)
    if alarms is None:
        return "refuses"
    counts = [len(own) for own in alarms]
    share = sum(map(bool, counts)) / len(counts)
    mean = alarms_per_horizon(counts)
    return f"{mean.mean:.3g} ({share:.0%})" if mean.mean else f"0 (<{mean.upper:.2g})"


def _delay(contender: Contender, case: Case, scale: Scale, seed: int, *, change: int = CHANGE) -> str:
    alarms = contender.alarms(case.draw(scale.of(contender), seed=seed), seed=seed, stops=True)
    if alarms is None:
        return "refuses"
    return _delays(scored(first_alarms(alarms), change=change))


def _delays(found: Delay) -> str:
    limits = f"{_number(max(found.limits.lower, 0.0))}–{_number(found.limits.upper)}"
    return f"{_number(found.median)} [{limits}] / {_number(found.worst_tenth)} ({found.early:.0%})"


def _share(first: Sequence[float | None], within: float) -> str:
    found = false_alarm_probability(first, within=within)
    return f"{found.share:.3f} (≤ {found.upper:.3f})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else "∞"


def _length(found: RunLength) -> str:
    return f"{_number(found.mean)} ({_number(found.lower)}–{_number(found.upper)})"
