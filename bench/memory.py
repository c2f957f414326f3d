"""Memory of a worker by series: what the profile stage and the judge hold for each, and what a snapshot of it takes.

    python -m bench memory --features 100,1000,4000 --repetitions 3

Each stage runs in a process of its own for each number of features: the profile stage counts real native events in
chunks of 2,000 and writes the log to a file, the judge folds that file. Chunks are equally large for every number of
features, so what grows is what a feature costs. Resident memory is measured in one process, the Python heap
(tracemalloc, NumPy included) in another, because tracing takes memory itself.

A feature is three series to the judge: its values, whether it is missing, whether it is invalid.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import orjson

from bench._models import Bodies, baseline, event, model_name
from bench._report import Report, spread
from stream_monitor.core.baseline import Schedule, activation_lead_ms, activation_record, start_record
from stream_monitor.core.batch import Decoder, RawChunk
from stream_monitor.core.chain import ChainState
from stream_monitor.core.judge import Judge, StoredEntry
from stream_monitor.core.plan import BaselineFrom, ModelPlan, Plan
from stream_monitor.core.profile import ChunkPosition, LogEntry, profile_chunk
from stream_monitor.formats import build_decoder

SEED = 20261124
FEATURES = 100
"""Of one model."""

CHUNK_EVENTS = 2_000
PANES = 40
"""More than a window of the default length: rings are full."""

MIB = 1 << 20


@dataclass(frozen=True)
class Stage:
    """What one process measured, in bytes.

    Attributes:
        features, series: watched, over all models.
        started: before the first baseline or entry.
        ended: after the last one, garbage collected.
        peak: largest resident size ever; 0 when the heap was traced.
        snapshot: size of a snapshot; 0 for the profile stage.
        baselines: size of the documents as published.
    """

    features: int
    series: int
    started: int
    ended: int
    peak: int
    snapshot: int
    baselines: int

    @property
    def grown(self) -> int:
        """Bytes that came with the features and their traffic."""
        return self.ended - self.started


@dataclass(frozen=True)
class Figures:
    """Of one stage and number of features: resident sizes of each repetition, and the heap, which does not vary."""

    resident: list[Stage]
    heap: Stage


HEAD = (
    "features",
    "series",
    "RSS at start, MiB",
    "RSS grown, MiB",
    "RSS peak, MiB",
    "heap grown, MiB",
    "snapshot, MiB",
    "baselines as published, MiB",
)


def main() -> None:
    """Run, print the tables and write them; or be one of the processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", default="100,1000,4000", help=f"multiples of {FEATURES}, comma separated")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--stage", choices=("profile", "judge"), help=argparse.SUPPRESS)
    parser.add_argument("--log", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--trace", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    features = [int(text) for text in arguments.features.split(",")]
    if arguments.stage is not None:
        run = {"profile": run_profile, "judge": run_judge}[arguments.stage]
        print(json.dumps(asdict(run(features[0] // FEATURES, arguments.log, traced=arguments.trace))))
        return
    report = Report("memory", "Memory by feature in both stages")
    measure(report, features, arguments.repetitions)
    report.write(repetitions=arguments.repetitions, seed=SEED)


def measure(report: Report, features: list[int], repetitions: int) -> None:
    """Run all processes and fill the report."""
    report.say(
        f"Models of {FEATURES} numeric features, a baseline of 4,095 rows each, default detectors and comparisons, "
        f"{PANES} panes of 10 s with {CHUNK_EVENTS:,} events each over all models, window 5 min, one partition. "
        "Median of the repetitions (smallest–largest); grown = at the end less before the first baseline. What the "
        "profile stage has at the start includes the events that the bench made beforehand, some 100 MiB."
    )
    found: dict[str, dict[int, Figures]] = {"profile": {}, "judge": {}}
    with tempfile.TemporaryDirectory(prefix="stream-monitor-bench-") as folder:
        for count in features:
            log = Path(folder) / f"log-{count}"
            for stage, figures in found.items():  # the judge folds what the profile stage wrote
                resident = [process(stage, count, log, trace=False) for _ in range(repetitions)]
                figures[count] = Figures(resident, process(stage, count, log, trace=True))
                print(stage, " ".join(row(figures[count])), flush=True)
            log.unlink()
    for stage, figures in found.items():
        report.say(f"## {stage.capitalize()}")
        report.table(HEAD, [row(figures[count]) for count in features])
        report.say(slope(figures[min(features)], figures[max(features)]))


def process(stage: str, features: int, log: Path, *, trace: bool) -> Stage:
    """Measure in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "bench",
        "memory",
        "--stage",
        stage,
        "--features",
        str(features),
        "--log",
        str(log),
    ]
    done = subprocess.run([*command, *(["--trace"] if trace else [])], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{stage} of {features} features failed:\n{done.stderr[-2_000:]}")
    return Stage(**json.loads(done.stdout))


def row(figures: Figures) -> list[str]:
    """Return a line of a table."""
    one = figures.heap
    return [
        f"{one.features:,}",
        f"{one.series:,}",
        spread([stage.started / MIB for stage in figures.resident], ".1f"),
        spread([stage.grown / MIB for stage in figures.resident], ".1f"),
        spread([stage.peak / MIB for stage in figures.resident], ".1f"),
        f"{one.grown / MIB:.1f}",
        f"{one.snapshot / MIB:.2f}" if one.snapshot else "–",
        f"{one.baselines / MIB:.2f}",
    ]


def slope(few: Figures, many: Figures) -> str:
    """Return the cost of one more feature between the smallest and the largest number."""
    features = many.heap.features - few.heap.features
    if not features:
        return ""
    resident = [(m.grown - f.grown) / features / 1024 for f, m in zip(few.resident, many.resident, strict=True)]
    heap = (many.heap.grown - few.heap.grown) / features / 1024
    text = f"One more feature: **{spread(resident, '.1f')} KiB** resident, {heap:.1f} KiB of heap"
    snapshot = (many.heap.snapshot - few.heap.snapshot) / features / 1024
    if snapshot:
        text += f", {snapshot:.2f} KiB of snapshot"
    series = (many.heap.series - few.heap.series) / features
    return f"{text}; a feature is {series:.2f} series (from {few.heap.features:,} to {many.heap.features:,} features)."


# --- in the processes -------------------------------------------------------------------------------------------------


def make_plan() -> Plan:
    """Return the default plan, with published baselines."""
    return Plan(models=(ModelPlan(baseline=BaselineFrom.PUBLISHED),))


def make_schedule(plan: Plan, models: int) -> tuple[Schedule, int]:
    """Return a schedule with a baseline of every model, and the bytes they take as published."""
    schedule = Schedule(group="bench", lead_ms=activation_lead_ms(plan.time))
    size = 0
    for number in range(models):
        document = baseline(number, FEATURES, seed=SEED)
        active = activation_record(document.model, document.version, document.id, 0)
        for key, value in (*document.parts(), active):
            schedule.apply(key, value, schedule.next_offset, 0)
            size += len(value)
    schedule.apply(*start_record("bench", "0", {plan.inputs[0].topic: 1}), schedule.next_offset, 0)
    return schedule, size


def run_profile(models: int, log: Path, *, traced: bool) -> Stage:
    """Count chunk after chunk, and write the log for the judge."""
    plan = make_plan()
    bodies = Bodies(FEATURES, seed=SEED)
    meter = Meter(traced=traced)
    schedule, size = make_schedule(plan, models)
    decoder = build_decoder(plan.inputs[0], plan)
    with log.open("wb") as file:
        for entry in counted(chunks(plan, bodies, models), decoder, plan, schedule):
            key = None if entry.key is None else entry.key.decode()
            file.write(orjson.dumps([key, entry.value.decode()]) + b"\n")
    return meter.stage(models, 0, size)


def counted(chunks: Iterator[RawChunk], decoder: Decoder, plan: Plan, schedule: Schedule) -> Iterator[LogEntry]:
    """Yield the log entries of chunk after chunk of one partition."""
    chain = ChainState("bench", lease=1)
    for number, chunk in enumerate(chunks):
        offset = number * CHUNK_EVENTS
        position = ChunkPosition(
            topic=chunk.topic,
            partition=0,
            topic_id=chain.topic,
            source_partitions=1,
            epoch=chain.epoch,
            seq=chain.last.seq + 1,
            lease=chain.lease,
            prev=chain.last,
            first=offset,
            next=offset + CHUNK_EVENTS,
        )
        profiled = profile_chunk(
            decoder.decode(chunk), position=position, chain=chain, plan=plan, schedule=schedule, partitions=1
        )
        if profiled.counts.counted != len(chunk):
            raise RuntimeError(f"only {profiled.counts.counted:,} of {len(chunk):,} events count: {profiled.counts}")
        chain = profiled.chain
        yield from profiled.entries


def run_judge(models: int, log: Path, *, traced: bool) -> Stage:
    """Fold the log of the profile stage."""
    plan = make_plan()
    meter = Meter(traced=traced)
    schedule, size = make_schedule(plan, models)
    judge = Judge(plan, partition=0, partitions=1, source="/stream-monitor/bench", schedule=schedule.get)
    with log.open("rb") as file:
        for offset, line in enumerate(file):
            key, value = orjson.loads(line)
            judge.fold(StoredEntry(offset, offset, None if key is None else key.encode(), value.encode()))
    snapshot = len(judge.dump())
    return meter.stage(models, snapshot, size, series=len(judge.view().series))


def chunks(plan: Plan, bodies: Bodies, models: int) -> Iterator[RawChunk]:
    """Yield one chunk a pane, of all models in turn."""
    names = [model_name(number).encode() for number in range(models)]
    start_ms = 1_795_331_960_000
    for pane in range(PANES):
        numbers = range(pane * CHUNK_EVENTS, (pane + 1) * CHUNK_EVENTS)
        times = [start_ms + number * plan.detection.pane_ms // CHUNK_EVENTS for number in numbers]
        values = [
            event(bodies.body(number), model=names[number % models], number=number, at_ms=at_ms)
            for number, at_ms in zip(numbers, times, strict=True)
        ]
        yield RawChunk(plan.inputs[0].topic, 0, np.array(numbers), np.array(times), values)


class Meter:
    """Measures from its making to `stage`.

    Args:
        traced: the Python heap instead of the resident size.
    """

    def __init__(self, *, traced: bool) -> None:
        self._traced = traced
        gc.collect()
        if traced:
            tracemalloc.start()
        self._started = self._now()

    def stage(self, models: int, snapshot: int, baselines: int, *, series: int | None = None) -> Stage:
        """Return what was measured."""
        gc.collect()
        ended = self._now()
        peak = 0 if self._traced else _status("VmHWM")
        features = models * FEATURES
        return Stage(features, features if series is None else series, self._started, ended, peak, snapshot, baselines)

    def _now(self) -> int:
        return tracemalloc.get_traced_memory()[0] if self._traced else _status("VmRSS")


def _status(field: str) -> int:
    """Return a size of this process in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


if __name__ == "__main__":
    main()
