"""Decoding and counting against a bare JSON decoder, without Kafka.

    python -m bench profile_cpu --features 10,100

The same bytes go through `orjson.loads` (each tree dropped at once), through the native decoder, and through decoder
and `profile_chunk` with an active baseline, in turns in one process. Measured is the CPU time of the thread, so other
programs disturb it less; they still take caches and memory bandwidth away. Chunks are different ones each time, as in
production: repeating one would train the branch predictor on its digits.

A second table sets the steady state against the time in which rows are gathered for a reference: in turns, on the same
decoded chunks.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice

import numpy as np
import orjson

from bench._report import Report, spread
from stream_monitor.core.baseline import (
    Baseline,
    Origin,
    OriginType,
    ReferenceTable,
    Schedule,
    activation_record,
    build_baseline,
)
from stream_monitor.core.batch import Batch, RawChunk
from stream_monitor.core.chain import FIRST, ChainState
from stream_monitor.core.names import CONFIDENCE, LATENCY, PREDICTION, SERVING_ERROR, feature_series
from stream_monitor.core.plan import BaselineFrom, InputPlan, LimitsPlan, ModelPlan, Plan
from stream_monitor.core.profile import ChunkPosition, profile_chunk
from stream_monitor.formats.native import NativeDecoder
from stream_monitor.runtimes.collector import settle_collector

SEED = 20261124
MODEL, VERSION = "fraud", "7"
T0_MS = 1_795_331_960_000
CHUNK = 20_000
"""Events of a chunk."""

CHUNKS = 3
SMALL_CHUNK = 2_500
"""Events of a chunk of which every row is gathered."""

REFERENCE_ROWS = 4_095
COUNTRIES = ["AT", "BE", "DE", "FR", "IT", "NL", "PL", "US"]
PLAN = Plan(models=(ModelPlan(baseline=BaselineFrom.PUBLISHED),))
"""A version whose series all have a reference: no rows are gathered any more."""

GATHERING = Plan(models=(ModelPlan(baseline=BaselineFrom.FIRST_EVENTS),))
"""A version whose series get their reference from live events, where they have none."""


@dataclass
class Traffic:
    """Made-up events: seven in ten features are amounts, one counts, two are categories."""

    features: int
    rng: np.random.Generator
    kinds: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.kinds = [["country", "amount", "amount", "count", *["amount"] * 3, "country", "amount", "amount"][n % 10]
                      for n in range(self.features)]  # fmt: skip

    @property
    def names(self) -> list[str]:
        """Names as long as real ones."""
        return [f"{kind}_{n:03d}" for n, kind in enumerate(self.kinds)]

    def columns(self, rows: int) -> list[Sequence[object]]:
        """Return a column of values for each feature."""
        draws: dict[str, Callable[[], Sequence[object]]] = {
            "amount": lambda: np.round(self.rng.lognormal(3, 1, rows), 2).tolist(),
            "count": lambda: self.rng.poisson(20, rows).tolist(),
            "country": lambda: self.rng.choice(COUNTRIES, rows).tolist(),
        }
        return [draws[kind]() for kind in self.kinds]

    def chunk(self, first: int) -> RawChunk:
        """Return events of one second."""
        offsets = np.arange(first, first + CHUNK, dtype=np.int64)
        record_ms = T0_MS + np.arange(CHUNK) * 1_000 // CHUNK
        fraud = np.round(self.rng.beta(1, 9, CHUNK), 6).tolist()
        latency = np.round(self.rng.gamma(4, 3, CHUNK), 2).tolist()
        values: list[bytes | None] = [
            orjson.dumps(
                {
                    "event_id": f"01JD9X2M7Q-{offset:09d}",
                    "model": MODEL,
                    "version": VERSION,
                    "timestamp": f"2026-11-22T07:19:{20 + n * 1_000 // CHUNK // 1_000:02d}.{n * 1_000 // CHUNK:03d}Z",
                    "features": dict(zip(self.names, row, strict=True)),
                    "prediction": {"ok": round(1 - fraud[n], 6), "fraud": fraud[n]},
                    "latency_ms": latency[n],
                    "instance": f"fraud-6d8f-{n % 3}",
                    "segments": {"channel": "web"},
                }
            )
            for n, (offset, row) in enumerate(
                zip(offsets.tolist(), zip(*self.columns(CHUNK), strict=True), strict=True)
            )
        ]
        return RawChunk("inference-events", 0, offsets, record_ms + 5, values)

    def baseline(self, *, features_only: bool = False) -> Baseline:
        """Return the baseline of the same traffic on another day, of all series or of what a training table has."""
        columns: dict[str, Sequence[object]] = {
            feature_series(name): column for name, column in zip(self.names, self.columns(REFERENCE_ROWS), strict=True)
        }
        if not features_only:
            columns[PREDICTION] = self.rng.choice(["ok", "fraud"], REFERENCE_ROWS, p=[0.97, 0.03]).tolist()
            columns[CONFIDENCE] = np.round(self.rng.uniform(0.5, 1, REFERENCE_ROWS), 6).tolist()
            columns[LATENCY] = np.round(self.rng.gamma(4, 3, REFERENCE_ROWS), 2).tolist()
            columns[SERVING_ERROR] = [False] * REFERENCE_ROWS
        table = ReferenceTable(
            columns,
            self.rng.integers(0, 2**63, REFERENCE_ROWS).astype(np.uint64),
            self.rng.integers(0, 2**53, REFERENCE_ROWS),
        )
        origin = Origin(OriginType.DATASET, REFERENCE_ROWS)
        return build_baseline(MODEL, VERSION, table, origin=origin, limits=LimitsPlan())


def main() -> None:
    """Run, print the table and write it to `bench/results/profile_cpu.md`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", default="10,100", help="numbers of features, comma separated")
    parser.add_argument("--repetitions", type=int, default=30)
    arguments = parser.parse_args()
    report = Report("profile_cpu", "Decoding and counting against a bare JSON decoder")
    report.say(
        f"CPU time of one thread in ns an event, median (smallest–largest) over chunks of {CHUNK:,} events. The ratio"
        " is of medians: how many times the bare decoder's work it takes to decode, and to decode and count."
    )
    settle_collector()
    rows = [measure(int(features), arguments.repetitions) for features in arguments.features.split(",")]
    head = ("features", "bytes an event", "orjson.loads", "our decode", "our decode and profile", "ratio decode")
    report.table((*head, "ratio decode and profile", "profile, ns a value"), rows)
    report.say(
        "While rows are gathered: at the start of a model (warm-up) of all series, behind an activation (supplement) of"
        f" those that the baseline lacks. At most {ModelPlan().baseline_events:,} rows of a chunk are gathered, so of a"
        " small chunk all. Times are of counting alone, in ns a value; the last ratio is of decoding and counting."
    )
    report.table(
        (
            *("features", "events of a chunk", "steady", "warm-up", "supplement"),
            *("ratio warm-up", "ratio supplement", "ratio warm-up, with decoding"),
        ),
        [
            gathering(int(features), events, arguments.repetitions)
            for features in arguments.features.split(",")
            for events in (SMALL_CHUNK, CHUNK)
        ],
    )
    report.write(repetitions=arguments.repetitions, seed=SEED)


def measure(features: int, repetitions: int) -> list[str]:
    """Return a line of the table."""
    traffic = Traffic(features, np.random.default_rng((SEED, features)))
    chunks = [traffic.chunk(n * CHUNK) for n in range(CHUNKS)]
    schedule = schedule_of(traffic.baseline())
    decoder = NativeDecoder(InputPlan("inference-events"), PLAN)
    for chunk in chunks:
        count(decoder.decode(chunk), chunk, schedule)
    bare, decode, both = [], [], []
    for chunk in islice(cycle(chunks), repetitions):
        times = [time.thread_time_ns()]
        for value in chunk.values:
            orjson.loads(value or b"")
        times.append(time.thread_time_ns())
        batch = decoder.decode(chunk)
        times.append(time.thread_time_ns())
        count(batch, chunk, schedule)
        times.append(time.thread_time_ns())
        bare.append((times[1] - times[0]) / CHUNK)
        decode.append((times[2] - times[1]) / CHUNK)
        both.append((times[3] - times[1]) / CHUNK)
    size = sum(len(value or b"") for chunk in chunks for value in chunk.values) / CHUNK / CHUNKS
    middle = [float(np.median(each)) for each in (bare, decode, both)]
    return [
        str(features),
        f"{size:.0f}",
        *(spread(each) for each in (bare, decode, both)),
        f"{middle[1] / middle[0]:.2f}",
        f"**{middle[2] / middle[0]:.2f}**",
        f"{(middle[2] - middle[1]) / (features + 4):.1f}",
    ]


def gathering(features: int, events: int, repetitions: int) -> list[str]:
    """Return a line of the table of gathered rows."""
    traffic = Traffic(features, np.random.default_rng((SEED, features)))
    chunks = [first_of(traffic.chunk(n * CHUNK), events) for n in range(CHUNKS)]
    states = [
        (PLAN, schedule_of(traffic.baseline())),
        (GATHERING, Schedule()),
        (GATHERING, schedule_of(traffic.baseline(features_only=True))),
    ]
    decoder = NativeDecoder(InputPlan("inference-events"), PLAN)
    decode: list[float] = []
    counting: list[list[float]] = [[] for _ in states]
    values = events * (features + 4)
    for chunk in islice(cycle(chunks), repetitions + CHUNKS):
        before = time.thread_time_ns()
        batch = decoder.decode(chunk)
        decode.append((time.thread_time_ns() - before) / values)
        for found, (plan, schedule) in zip(counting, states, strict=True):
            before = time.thread_time_ns()
            count(batch, chunk, schedule, plan=plan)
            found.append((time.thread_time_ns() - before) / values)
    decoding, steady, warm_up, supplement = (float(np.median(each[CHUNKS:])) for each in (decode, *counting))
    return [
        str(features),
        f"{events:,}",
        *(spread(each[CHUNKS:], ",.1f") for each in counting),
        f"**{warm_up / steady:.1f}**",
        f"{supplement / steady:.1f}",
        f"**{(decoding + warm_up) / (decoding + steady):.1f}**",
    ]


def first_of(chunk: RawChunk, events: int) -> RawChunk:
    """Return the first events of a chunk."""
    return RawChunk(chunk.topic, 0, chunk.offsets[:events], chunk.record_ms[:events], chunk.values[:events])


def count(batch: Batch, chunk: RawChunk, schedule: Schedule, *, plan: Plan = PLAN) -> None:
    """Count a chunk as the worker does.

    Raises:
        RuntimeError: not every event of it counts.
    """
    first = int(chunk.offsets[0])
    position = ChunkPosition(
        topic=chunk.topic,
        partition=0,
        topic_id="bench",
        source_partitions=1,
        epoch=0,
        seq=1,
        lease=1,
        prev=FIRST,
        first=first,
        next=first + len(chunk),
    )
    profiled = profile_chunk(
        batch, position=position, chain=ChainState("bench"), plan=plan, schedule=schedule, partitions=4
    )
    if profiled.counts.counted != len(chunk):
        raise RuntimeError(f"only {profiled.counts.counted:,} of {len(chunk):,} events count: {profiled.counts}")


def schedule_of(baseline: Baseline) -> Schedule:
    """Return a schedule in which the baseline is active for ever."""
    schedule = Schedule()
    activation = activation_record(MODEL, VERSION, baseline.id, 0)
    for offset, (key, value) in enumerate([*baseline.parts(), activation]):
        schedule.apply(key, value, offset, 0)
    return schedule


if __name__ == "__main__":
    main()
