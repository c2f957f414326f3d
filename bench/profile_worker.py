"""The profile worker against a bare loop of receive and decode, on a real broker.

    python -m bench profile_worker --features 10,100

Both read the same topic with the same client settings, one after the other, several times. The bare loop takes
batches from the client and gives each value to `orjson.loads`; the worker does everything it does in production, with
an active baseline of all features. Measured is the steady state: the first chunk, which holds the start, and the last
one, which waits for its age, are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import confluent_kafka
import numpy as np
import orjson
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.cimpl import NewTopic

from bench._worker import require_no_rejects
from stream_monitor.core.baseline import Baseline, Origin, OriginType, ReferenceTable, build_baseline
from stream_monitor.core.keys import row_hashes
from stream_monitor.core.names import feature_series
from stream_monitor.core.plan import BaselineFrom, InputPlan, LimitsPlan, ModelPlan, Plan, TimePlan
from stream_monitor.core.profile import ProfiledChunk
from stream_monitor.formats import build_decoder
from stream_monitor.kafka.baseline_log import BaselineWriter
from stream_monitor.kafka.client_settings import KafkaSettings, profile_producer, reader
from stream_monitor.kafka.clients import open_admin, open_producer
from stream_monitor.kafka.observer import ChunkStage, NullObserver
from stream_monitor.kafka.profile import ProfileJob, ProfileWorker, Tuning
from stream_monitor.kafka.topics import TopicNames, create_topics, plan_topics
from stream_monitor.lab.broker import Broker
from stream_monitor.runtimes.collector import settle_collector

RESULTS = Path(__file__).parent / "results"
SEED = 20261124
MODEL, VERSION = "fraud", "7"
PARTITIONS = 4
REFERENCE_ROWS = 4095
BYTES = 320 << 20
"""Of one topic: enough for tens of chunks."""


@dataclass(frozen=True)
class Rate:
    """What one run came to."""

    events_per_s: float
    cpu_us_per_event: float


@dataclass(frozen=True)
class Input:
    """A topic made for the bench."""

    topic: str
    features: int
    events: int
    event_bytes: float


def main() -> None:
    """Run, print the table and write it to `bench/results/profile_worker.md`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", default="10,100", help="numbers of features, comma separated")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--bootstrap-servers", default=None, help="a running broker; default: one is started")
    arguments = parser.parse_args()
    settle_collector()  # as in production; the bare loop gains by it, too
    with broker(arguments.bootstrap_servers) as bootstrap:
        settings = KafkaSettings({"bootstrap.servers": bootstrap, "log_level": "0"})
        rows = []
        for features in map(int, arguments.features.split(",")):
            source = produce(settings, features)
            bare, worker, shares = compare(settings, source, arguments.repetitions)
            rows.append(row(source, bare, worker, shares))
            print(rows[-1], flush=True)
    report = table(rows, arguments.repetitions)
    print(report)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "profile_worker.md").write_text(report)


@contextmanager
def broker(given: str | None) -> Iterator[str]:
    """Give the address of a broker."""
    if given:
        yield given
        return
    with Broker() as own:
        yield own.bootstrap


def produce(settings: KafkaSettings, features: int) -> Input:
    """Fill a topic with native events of normally distributed features."""
    topic = f"bench-{uuid.uuid4().hex[:8]}"
    admin = open_admin(settings)
    for future in admin.create_topics([NewTopic(topic, PARTITIONS, 1)]).values():
        future.result(20)
    generator = np.random.default_rng(SEED)
    distinct = [
        orjson.dumps(dict(zip(names(features), np.round(row, 4).tolist(), strict=True)))
        for row in generator.normal(100, 30, (2_000, features))
    ]
    now_ms = int(time.time() * 1000)
    size = len(distinct[0]) + 110
    events = BYTES // size
    bootstrap = settings.common["bootstrap.servers"]
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 50, "compression.type": "lz4", "log_level": 0})
    for n in range(events):
        value = (b'{"event_id":"e%d","model":"%b","version":"%b","timestamp":%d,"features":%b,"prediction":0.25}') % (
            n,
            MODEL.encode(),
            VERSION.encode(),
            now_ms - 60_000 + 60_000 * n // events,
            distinct[n % len(distinct)],
        )
        while True:
            try:
                producer.produce(topic, value, partition=n // 100 % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(60) == 0
    return Input(topic, features, events, size)


def names(features: int) -> list[str]:
    """Return names of features as long as real ones."""
    return [f"feature_{i:03d}" for i in range(features)]


def compare(
    settings: KafkaSettings, source: Input, repetitions: int
) -> tuple[list[Rate], list[Rate], dict[str, float]]:
    """Return rates of the bare loop and of the worker, run in turn, and where the worker's time went."""
    bare, worker = [], []
    shares: dict[str, float] = {}
    for _ in range(repetitions):
        bare.append(run_bare(settings, source))
        rate, shares = run_worker(settings, source)
        worker.append(rate)
    return bare, worker, shares


def run_bare(settings: KafkaSettings, source: Input) -> Rate:
    """Receive and decode the whole topic, nothing else."""
    consumer = Consumer(reader(settings))
    consumer.assign([TopicPartition(source.topic, p, 0) for p in range(PARTITIONS)])
    seen, loads = 0, orjson.loads
    started = started_cpu = 0.0
    first = 0
    while seen < source.events:
        for message in consumer.consume(10_000, 0.2):
            if message.error() is None:
                loads(message.value() or b"")
                seen += 1
        if not first and seen > source.events // 10:
            first, started, started_cpu = seen, time.perf_counter(), time.process_time()
    took, cpu = time.perf_counter() - started, time.process_time() - started_cpu
    consumer.close()
    return Rate((seen - first) / took, cpu / (seen - first) * 1e6)


class Clock(NullObserver):
    """Notes when chunks are committed, and what the stages took."""

    def __init__(self) -> None:
        self.marks: list[tuple[float, float, int]] = []
        self.seconds: dict[ChunkStage, float] = {}
        self._read = 0

    def chunk(self, topic: str, partition: int, *, value_bytes: int, chunk: ProfiledChunk) -> None:
        if chunk.counts.read:
            self._read += chunk.counts.read
            self.marks.append((time.perf_counter(), time.process_time(), self._read))

    def duration(self, stage: ChunkStage, seconds: float) -> None:
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds


def run_worker(settings: KafkaSettings, source: Input) -> tuple[Rate, dict[str, float]]:
    """Let a new group profile the whole topic."""
    group = f"{source.topic}-{uuid.uuid4().hex[:6]}"
    topics = TopicNames(*(f"{group}-{n}" for n in ("profiles", "baselines", "alerts", "astate", "jstate", "dead")))
    create_topics(open_admin(settings), plan_topics(topics, partitions=4, replication=1))
    settled = ModelPlan(baseline=BaselineFrom.PUBLISHED)  # no rows are gathered for series without a reference
    plan = Plan(inputs=(InputPlan(source.topic),), time=TimePlan(idle_after_ms=None), models=(settled,))
    publish(settings, topics, source)
    clock = Clock()
    decoders = {item.topic: build_decoder(item, plan) for item in plan.inputs}
    job = ProfileJob(settings, plan, group, "0", decoders, topics=topics, observer=clock, tuning=Tuning())
    worker = ProfileWorker(job)
    thread = threading.Thread(target=worker.run)
    thread.start()
    while not clock.marks or clock.marks[-1][2] < source.events:
        time.sleep(0.05)
        if not thread.is_alive():
            raise RuntimeError("the worker ended")
    worker.stop()
    thread.join()
    require_no_rejects(settings, topics.dead_letters)
    rounds = [
        mark
        for i, mark in enumerate(clock.marks)
        if i + 1 == len(clock.marks) or clock.marks[i + 1][0] - mark[0] > 0.01
    ]
    (t0, c0, n0), (t1, c1, n1) = rounds[0], rounds[-2]
    shares = {stage.value: seconds / (n1 - n0) * 1e6 for stage, seconds in clock.seconds.items()}
    return Rate((n1 - n0) / (t1 - t0), (c1 - c0) / (n1 - n0) * 1e6), shares


def publish(settings: KafkaSettings, topics: TopicNames, source: Input) -> None:
    """Activate a baseline of all features from the beginning of time."""
    baseline = reference(source.features)
    producer = open_producer(profile_producer(settings, group="bench", instance="0"), lambda _: None)
    writer = BaselineWriter(producer, topics.baselines)
    writer.document(baseline)
    writer.activation(baseline, 0)


def reference(features: int) -> Baseline:
    """Return the baseline of the features' true distribution."""
    generator = np.random.default_rng(SEED + 1)
    values = np.round(generator.normal(100, 30, (REFERENCE_ROWS, features)), 4)
    select, ties = row_hashes(MODEL, [f"r{i}" for i in range(REFERENCE_ROWS)])
    columns = {feature_series(name): values[:, i] for i, name in enumerate(names(features))}
    table = ReferenceTable(columns, select, ties)
    return build_baseline(MODEL, VERSION, table, origin=Origin(OriginType.DATASET, REFERENCE_ROWS), limits=LimitsPlan())


def row(source: Input, bare: list[Rate], worker: list[Rate], shares: dict[str, float]) -> str:
    """Return a line of the table."""

    def middle(rates: list[Rate], of: Callable[[Rate], float]) -> float:
        return statistics.median(map(of, rates))

    speed_of: Callable[[Rate], float] = lambda r: r.events_per_s  # noqa: E731 - two columns of one record
    cpu_of: Callable[[Rate], float] = lambda r: r.cpu_us_per_event  # noqa: E731
    ratios = [w.events_per_s / b.events_per_s for b, w in zip(bare, worker, strict=True)]
    ratio = f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f}–{max(ratios):.2f})"
    cpu = middle(bare, cpu_of) / middle(worker, cpu_of)
    parts = ", ".join(f"{stage} {us:.2f}" for stage, us in sorted(shares.items()))
    return (
        f"| {source.features} | {source.events:,} | {source.event_bytes:.0f} | {middle(bare, speed_of):,.0f} |"
        f" {middle(worker, speed_of):,.0f} | {ratio} |"
        f" {cpu:.2f} | {parts} |"
    )


def table(rows: list[str], repetitions: int) -> str:
    """Return the report."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    versions = {
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "orjson": orjson.__version__,
        "confluent-kafka": confluent_kafka.version(),
        "librdkafka": confluent_kafka.libversion()[0],
    }
    head = (
        f"`python -m bench profile_worker`, {time.strftime('%Y-%m-%d')}, commit {commit.stdout.strip()}, "
        f"{repetitions} runs of each in turn, median (smallest–largest ratio), seed {SEED}, "
        f"one Kafka node on the same machine, {os.cpu_count()} cores, {PARTITIONS} partitions, "
        f"baseline of {REFERENCE_ROWS} rows. {json.dumps(versions)}"
    )
    columns = (
        "| features | events | bytes/event | bare loop, events/s | worker, events/s | ratio | ratio of CPU time |"
        " worker, µs/event by stage |"
    )
    title = "# Profile worker against a bare loop of receive and decode"
    return "\n".join([title, "", head, "", columns, "|---|---|---|---|---|---|---|---|", *rows, ""])


if __name__ == "__main__":
    main()
