"""From event to alert: what both stages add to pane end + allowed lateness, on a real broker.

    python -m bench latency --rate 5000 --seconds 120 --repetitions 3

Twenty models drift one after another, one each second, so that every pane has an alert of its own. Events are sent at
their event time; a worker of both roles runs as a process of its own; alerts fire in the first pane that shows the
drift. Measured is, for each alert, the wall clock at which a read_committed consumer has it, less (end of the alert's
pane + allowed lateness). The log of profiles tells where the time went: a chunk counts only when its successor names
it, so two chunks are waited for, each about a second.
"""

from __future__ import annotations

import argparse
import resource
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from bench._models import Bodies, baseline, event, model_name
from bench._report import Report, spread
from bench._worker import broker, deployment
from stream_monitor.config import Settings
from stream_monitor.config.yaml_text import Plain
from stream_monitor.core.chain import ChunkName
from stream_monitor.core.profile import ProgressRecord, decode
from stream_monitor.kafka.client_settings import reader
from stream_monitor.kafka.clients import open_admin, open_consumer
from stream_monitor.kafka.event_producer import EventProducer
from stream_monitor.kafka.readers import decode_alert, read_profiles
from stream_monitor.kafka.readers.topic import partition_counts
from stream_monitor.runtimes.connection import kafka_settings, topic_names

SEED = 20261124
MODELS = 20
FEATURES = 10
PARTITIONS = 4
PANE_MS = 1_000
LATENESS_MS = 1_000
DRIFT_MS = 3_000
SLICE_MS = 20
WARM_UP_S = 10
"""Of the traffic, left out: the worker's first chunks hold its start."""

DRAIN_S = 6.0

SECTIONS: Mapping[str, Plain] = {
    "time": {"allowed_lateness": f"{LATENESS_MS}ms"},
    "detection": {"pane": f"{PANE_MS}ms", "window": "5s"},
    "alerts": {"open_after": 1, "resolve_after": 1, "cooldown": "0s"},
    "models": [{"name": "*", "baseline": {"from": "published"}}],
}


@dataclass(frozen=True)
class Seen:
    """An alert as it came: end of its pane, partition of the alert topic, and when we had it (epoch ms)."""

    pane_end_ms: int
    partition: int
    at_ms: float


@dataclass(frozen=True)
class Run:
    """One run: milliseconds by part for each pane that alarmed, and the circumstances."""

    parts: Mapping[str, Sequence[float]]
    sender_lag_ms: float
    events: int
    worker_cores: float


WRITTEN = "pane end + lateness → chunk that passes it written, last partition"
NAMED = "→ its successor written"
JUDGED = "→ alert committed and read"
TOTAL = "**added by both stages**"


def main() -> None:
    """Run, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=5_000, help="events per second")
    parser.add_argument("--seconds", type=int, default=120, help="of measured traffic in a run")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--bootstrap-servers", default=None, help="a running broker; default: one is started")
    arguments = parser.parse_args()
    report = Report("latency", "Latency from event to alert, added by both stages")
    bodies = Bodies(FEATURES, seed=SEED)
    baselines = [baseline(number, FEATURES, seed=SEED) for number in range(MODELS)]
    runs = []
    with broker(arguments.bootstrap_servers) as bootstrap:
        for repetition in range(arguments.repetitions):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            with deployment(bootstrap, SECTIONS, partitions=PARTITIONS, baselines=baselines) as settings:
                seen, traffic = watch(settings, bodies, rate=arguments.rate, seconds=arguments.seconds)
                parts = split(settings, seen)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            run = Run(parts, traffic.lag_ms, traffic.sent, used / (arguments.seconds + WARM_UP_S + DRAIN_S))
            runs.append(run)
            middle, tail = np.percentile(parts[TOTAL], [50, 99]) / 1000
            print(f"run {repetition + 1}: {len(parts[TOTAL])} panes, p50 {middle:.2f} s, p99 {tail:.2f} s", flush=True)
    tell(report, runs, arguments.rate)
    report.write(repetitions=arguments.repetitions, seed=SEED)


def tell(report: Report, runs: Sequence[Run], rate: int) -> None:
    """Fill the report."""
    panes = [len(run.parts[TOTAL]) for run in runs]
    report.say(
        f"{rate:,} events/s of {MODELS} models with {FEATURES} features each over {PARTITIONS} partitions, panes of "
        f"{PANE_MS / 1000:g} s, allowed lateness {LATENESS_MS / 1000:g} s, one Kafka node on the same machine. "
        f"Alerts in {spread(panes)} panes a run, counted once a pane. Seconds, median over runs (smallest–largest)."
    )
    rows = [
        [part, *(spread([np.percentile(run.parts[part], q) / 1000 for run in runs], ".2f") for q in (50, 90, 99, 100))]
        for part in (WRITTEN, NAMED, JUDGED, TOTAL)
    ]
    report.table(["part", "p50", "p90", "p99", "largest"], rows)
    report.say(
        f"99 % of the sender's slices were sent within {max(run.sender_lag_ms for run in runs):.0f} ms of their last "
        "event's time, which is part of the figures. "
        f"The worker used {spread([run.worker_cores for run in runs], '.2f')} cores, its start included."
    )


# --- traffic and alerts -----------------------------------------------------------------------------------------------


def watch(settings: Settings, bodies: Bodies, *, rate: int, seconds: int) -> tuple[list[Seen], Traffic]:
    """Send traffic for some seconds and return the alerts that came."""
    alerts = AlertWatch(settings)
    alerts.start()
    traffic = Traffic(settings, bodies, rate=rate)
    traffic.run(WARM_UP_S + seconds)
    time.sleep(DRAIN_S)
    found = [seen for seen in alerts.stop() if seen.pane_end_ms >= traffic.start_ms + WARM_UP_S * 1000]
    if not found:
        raise RuntimeError("no alert came")
    return found, traffic


@dataclass
class Traffic:
    """Sends events of all models in turn, each at its event time.

    Attributes:
        start_ms: event time of the first one.
        sent: events sent.
        lag_ms: 99 % of the slices were sent at most so much after their last event's time.
    """

    settings: Settings
    bodies: Bodies
    rate: int
    start_ms: int = 0
    sent: int = 0
    lag_ms: float = 0.0
    _models: list[bytes] = field(default_factory=lambda: [model_name(number).encode() for number in range(MODELS)])

    def run(self, seconds: int) -> None:
        """Send for so long."""
        producer = EventProducer(kafka_settings(self.settings), self.settings.plan.inputs[0].topic)
        self.start_ms = (int(time.time()) + 1) * 1000
        lags = []
        size = self.rate * SLICE_MS // 1000
        for number in range(0, self.rate * seconds, size):
            piece = list(self._events(number, size))
            wait_s = piece[-1][1] / 1000 - time.time()
            if wait_s > 0:
                time.sleep(wait_s)
            for partition, at_ms, value in piece:
                producer.send(value, timestamp_ms=at_ms, partition=partition)
            lags.append(time.time() * 1000 - piece[-1][1])
        producer.flush()
        self.sent = producer.sent
        self.lag_ms = float(np.percentile(lags, 99))

    def _events(self, first: int, size: int) -> Iterator[tuple[int, int, bytes]]:
        for number in range(first, first + size):
            passed_ms = number * 1000 // self.rate
            model = number % MODELS
            at_ms = self.start_ms + passed_ms
            body = self.bodies.body(number, drifted=is_drifted(model, passed_ms))
            value = event(body, model=self._models[model], number=number, at_ms=at_ms)
            yield number // MODELS % PARTITIONS, at_ms, value  # every model is on every partition


def is_drifted(model: int, passed_ms: int) -> bool:
    """Say whether a model drifts: 3 s of every cycle, one model after the other, not on the edge of a pane."""
    onset_ms = model * 1000 + model * 370 % 1000
    return (passed_ms - onset_ms) % (MODELS * 1000) < DRIFT_MS


class AlertWatch(threading.Thread):
    """Notes when alerts that have just fired can be read by a read_committed consumer."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="bench-alerts", daemon=True)
        self._topic = topic_names(settings).alerts
        self._consumer = open_consumer(reader(kafka_settings(settings)), lambda _: None)
        self._ending = threading.Event()
        self._seen: list[Seen] = []
        self._settings = settings

    def run(self) -> None:
        """Read until stopped: one record a call, so that none waits for the next."""
        self._consumer.assign(_places(self._settings, self._topic))
        while not self._ending.is_set():
            message = self._consumer.poll(0.1)
            at_ms = time.time() * 1000
            if message is None or message.error() is not None:
                continue
            alert = decode_alert(message.value() or b"")
            partition = message.partition()
            assert partition is not None
            if alert.reason == "fired":
                self._seen.append(Seen(alert.time_ms, partition, at_ms))
        self._consumer.close()

    def stop(self) -> list[Seen]:
        """Stop and return what was seen, the first alert of each pane."""
        self._ending.set()
        self.join()
        first: dict[int, Seen] = {}
        for seen in self._seen:
            first.setdefault(seen.pane_end_ms, seen)
        return list(first.values())


# --- where the time went ----------------------------------------------------------------------------------------------


@dataclass
class Chain:
    """Chunks of one source partition in one partition of the log, in the order written."""

    watermarks_ms: list[int] = field(default_factory=list)
    names: list[ChunkName] = field(default_factory=list)
    written_ms: list[int] = field(default_factory=list)
    named_ms: dict[ChunkName, int] = field(default_factory=dict)

    def add(self, record: ProgressRecord, log_ms: int) -> None:
        """Take the next chunk."""
        self.named_ms.setdefault(record.prev, log_ms)
        if record.watermark_ms is not None:
            self.watermarks_ms.append(record.watermark_ms)
            self.names.append(record.source.name)
            self.written_ms.append(log_ms)

    def passed(self, pane_end_ms: int) -> tuple[int, int]:
        """Return when the first chunk past a pane was written, and when its successor was (log time, ms)."""
        place = bisect_left(self.watermarks_ms, pane_end_ms)
        return self.written_ms[place], self.named_ms[self.names[place]]


def split(settings: Settings, seen: Sequence[Seen]) -> dict[str, list[float]]:
    """Return the milliseconds of each part, for each pane that alarmed."""
    chains = {partition: _chains(settings, partition) for partition in {one.partition for one in seen}}
    parts: dict[str, list[float]] = defaultdict(list)
    for one in seen:
        due_ms = one.pane_end_ms + LATENESS_MS
        found = [chain.passed(one.pane_end_ms) for chain in chains[one.partition].values()]
        written_ms, named_ms = max(w for w, _ in found), max(n for _, n in found)
        parts[WRITTEN].append(written_ms - due_ms)
        parts[NAMED].append(named_ms - written_ms)
        parts[JUDGED].append(one.at_ms - named_ms)
        parts[TOTAL].append(one.at_ms - due_ms)
    return dict(parts)


def _chains(settings: Settings, partition: int) -> dict[int, Chain]:
    chains: dict[int, Chain] = defaultdict(Chain)
    for entry in read_profiles(kafka_settings(settings), topic_names(settings).profiles, partition):
        if entry.key is None:
            record = decode(entry.value)
            assert isinstance(record, ProgressRecord)
            chains[record.source.partition].add(record, entry.timestamp_ms)
    return chains


def _places(settings: Settings, topic: str) -> list[TopicPartition]:
    counts = partition_counts(open_admin(kafka_settings(settings)), [topic])
    return [TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(counts[topic])]


if __name__ == "__main__":
    main()
