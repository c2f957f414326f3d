"""Topics, logs and processes for the tests of the judge worker."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_monitor.core.judge import ALERT_HEADERS
from stream_monitor.kafka.client_settings import KafkaSettings, reader
from stream_monitor.kafka.clients import committed, open_admin, open_consumer
from stream_monitor.kafka.deliveries import Outgoing, deliver
from stream_monitor.kafka.judge.state_records import (
    COMMIT_KEY,
    Commit,
    Manifest,
    Slot,
    decode_commit,
    decode_manifest,
    manifest_key,
)
from stream_monitor.kafka.readers import read_partition
from stream_monitor.kafka.topics import create_topics, describe_topics, plan_topics
from tests import instants
from tests.kafka.counting_judge import entry_value
from tests.kafka.judge_process import topic_names

T0_MS = instants.ago_ms(instants.HOUR_S, edge_ms=1)
"""Event time of the first entry: an hour ago, because alerts carry event time and retention goes by it."""

FAST = {
    "commit_every_s": 0.05,
    "alert_gap_s": 0.01,
    "snapshot_every_s": 0.0,
    "transaction_bytes": 600,
    "block_bytes": 200,
    "batch": 7,
    "poll_s": 0.05,
    "flush_s": 3.0,
}
"""A pace at which a short log meets every step many times."""


@dataclass(frozen=True, slots=True)
class Alert:
    """What a reader sees of an alert record."""

    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple[tuple[str, bytes | None], ...]


class JudgedTopics:
    """The topics of one test, with what is written to them and read from them."""

    def __init__(self, bootstrap: str, prefix: str, *, partitions: int) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.names = topic_names(prefix)
        self.settings = KafkaSettings({"bootstrap.servers": bootstrap})
        specs = plan_topics(self.names, partitions=partitions, replication=1)
        create_topics(self.admin(), specs)
        while len(describe_topics(self.admin(), [s.name for s in specs])) < len(specs):
            time.sleep(0.02)  # acknowledged before every broker has heard of it

    def admin(self) -> AdminClient:
        """Return an admin client."""
        return open_admin(self.settings)

    def write_log(self, partition: int, seqs: Sequence[int]) -> None:
        """Append entries of the counting protocol to a partition of the log."""
        values = [entry_value(seq, seq * 7, T0_MS + seq) for seq in seqs]
        self.write([Outgoing(self.names.profiles, partition, b"m", value) for value in values])

    def write(self, records: Sequence[Outgoing]) -> None:
        """Write records of any kind."""
        deliver(Producer({"bootstrap.servers": self.bootstrap}), records, timeout_s=20)

    def alerts(self, partition: int) -> list[Alert]:
        """Return all committed alerts of a partition, in order."""
        records = read_partition(self.settings, self.names.alerts, partition)
        return [Alert(r.key, r.value, r.timestamp_ms, r.headers) for r in records]

    def state(self, partition: int) -> dict[bytes, bytes]:
        """Return the judge's state records that count: of each key the last."""
        found: dict[bytes, bytes] = {}
        for record in read_partition(self.settings, self.names.judge_state, partition):
            if record.key is not None and record.value is not None:
                found[record.key] = record.value
            elif record.key is not None:
                found.pop(record.key, None)
        return found

    def commit(self, partition: int) -> Commit:
        """Return where the judge stands."""
        return decode_commit(self.state(partition)[COMMIT_KEY])

    def manifests(self, partition: int) -> dict[Slot, Manifest]:
        """Return the manifests of the snapshots, whole or not."""
        state = self.state(partition)
        return {slot: decode_manifest(state[manifest_key(slot)]) for slot in Slot if manifest_key(slot) in state}

    def wait_for_offsets(self, group: str, ends: Mapping[int, int], *, timeout_s: float = 60.0) -> None:
        """Return when a group has committed these offsets of the log.

        Raises:
            TimeoutError: it has not in time.
        """
        config = {**reader(self.settings), "group.id": f"{self.prefix}{group}-judge"}
        consumer = open_consumer(config, lambda _: None)
        deadline = time.monotonic() + timeout_s
        try:
            while True:
                wanted = [TopicPartition(self.names.profiles, p) for p in ends]
                found = {tp.partition: tp.offset for tp in committed(consumer, wanted)}
                if all(found[p] >= end for p, end in ends.items()):
                    return
                if time.monotonic() > deadline:
                    raise TimeoutError(f"group stands at {found}, wanted {dict(ends)}")
        finally:
            consumer.close()


def expected_alerts(partition: int, last_seq: int) -> list[Alert]:
    """Return what an uninterrupted count of the entries 1 to `last_seq` publishes; nothing names the last yet."""
    key = str(partition).encode()
    alerts = []
    total = 0
    for seq in range(1, last_seq):
        total += seq * 7
        if seq % 3 == 0:
            value = json.dumps({"id": f"{partition}-{seq}", "total": total}).encode()
            alerts.append(Alert(key, value, T0_MS + seq, ALERT_HEADERS))
    return alerts
