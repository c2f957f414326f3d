"""`check --connect` beside real records: each kind of mistake is a line, and good records are one line that says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from confluent_kafka import Producer, TopicPartition

from stream_monitor.cli.failures import Exit
from stream_monitor.cli.main import run_command
from stream_monitor.kafka.clients import end_offsets, open_admin
from stream_monitor.kafka.readers import Newest, newest_records
from tests.instants import now_ms
from tests.kafka.members import make_topic, quick_settings, write

Event = dict[str, object]


def event(number: int, **changes: object) -> Event:
    """Return a good event of fraud 7, with other members."""
    return {
        "event_id": str(number),
        "model": "fraud",
        "version": "7",
        "timestamp": now_ms(),
        "features": {"amount": number % 97, "channel": "abc"[number % 3]},
        **changes,
    }


def events(count: int, **changes: object) -> list[bytes]:
    return [orjson.dumps(event(number, **changes)) for number in range(count)]


class Monitor:
    """A configuration with its topics made, a baseline of fraud 7, and two inputs of which one is empty."""

    def __init__(self, kafka: str, prefix: str, folder: Path) -> None:
        self.kafka, self.topic, self.empty = kafka, f"{prefix}events", f"{prefix}empty"
        self.file = folder / "monitor.yaml"
        for topic in (self.topic, self.empty):
            make_topic(kafka, topic, 3)
        self.configure(inputs=[{"topic": self.topic}], topics={"prefix": prefix, "partitions": 1, "replication": 1})
        self.run("topics", "create")
        rows = folder / "rows.csv"
        rows.write_text("\n".join(["amount,channel", *(f"{i % 97},{'abc'[i % 3]}" for i in range(500))]) + "\n")
        self.run("baseline", "build", str(rows), "--model", "fraud", "--version", "7", "--publish", "--activate")

    def configure(self, **settings: object) -> None:
        """Change sections of the file."""
        config = yaml.safe_load(self.file.read_text()) if self.file.exists() else {"version": 1, "group": self.topic}
        self.file.write_text(yaml.safe_dump({**config, "kafka": {"bootstrap.servers": self.kafka}, **settings}))

    def run(self, *arguments: str, code: int = 0) -> None:
        assert run_command(["-c", str(self.file), *arguments]) == code

    def write(self, *values: bytes, partition: int = 0) -> None:
        write(self.kafka, self.topic, partition, list(values))


@pytest.fixture
def monitor(kafka: str, prefix: str, tmp_path: Path) -> Monitor:
    return Monitor(kafka, prefix, tmp_path)


Check = Callable[..., str]


@pytest.fixture
def check(monitor: Monitor, capsys: pytest.CaptureFixture[str]) -> Check:
    """Return a function that runs the check and returns what it prints."""

    def checked(*more: str, code: int = 0) -> str:
        capsys.readouterr()
        monitor.run("check", "--connect", *more, code=code)
        return capsys.readouterr().out

    return checked


def test_records_that_fit_are_one_line(monitor: Monitor, check: Check) -> None:
    """Of the newest 500 records of all partitions that have some."""
    monitor.write(*events(400))
    monitor.write(*events(400), partition=2)
    lines = check().splitlines()

    assert "records: 500 records of 1 topic read: fraud 7 500; they fit plan and baselines" in lines
    records = orjson.loads(check("--format", "json"))["records"]
    assert [] == records["findings"] == records["unread"]
    assert {"0": 250, "2": 250} == records["topics"][0]["partitions"]


def test_each_mistake_is_a_line(monitor: Monitor, check: Check) -> None:
    """They are warnings, and programs get all of them under one key."""
    monitor.configure(
        inputs=[{"topic": monitor.topic}, {"topic": monitor.empty}],
        models=[{"name": "fraud"}, {"name": "churn"}],
        models_only=True,
    )
    monitor.write(*events(300, features={"amount": "12.5", "channel_name": "a"}))
    monitor.write(*events(40, model="churn"), *events(20, model="risk"), b"{broken", partition=1)
    text = check()
    records = orjson.loads(check("--format", "json"))["records"]
    found = {finding["kind"]: finding for finding in records["findings"]}
    place = f"{monitor.topic}[1]"

    assert [
        "unknown_model",
        "rejects",
        "no_records",
        "no_baseline",
        "kind_changed",
        "missing_column",
        "extra_column",
    ] == [finding["kind"] for finding in records["findings"]]
    assert (["risk"], 20, f"{place}@40") == tuple(found["unknown_model"][key] for key in ("names", "count", "example"))
    assert (["invalid_json"], 1, f"{place}@60") == tuple(found["rejects"][key] for key in ("names", "count", "example"))
    assert [False] * 7 == [finding["error"] for finding in records["findings"]]
    assert 7 == len(
        [line for line in text.splitlines() if line.startswith("warning: ") and line[9:] in _texts(records)]
    )
    assert f"warning: topic {monitor.empty} holds no records" in text
    assert "fraud 7: amount: most values are text, the baseline has numbers" in text
    assert "has a value of channel (likely renamed to channel_name)" in text


def _texts(records: dict[str, list[dict[str, str]]]) -> set[str]:
    return {finding["text"] for finding in records["findings"]}


def test_too_many_rejects_are_an_error(monitor: Monitor, check: Check) -> None:
    """The exit code is that of findings, and the share that is allowed is named."""
    monitor.write(*events(8), b"{}", b"{}")
    text = check(code=Exit.UNEXPECTED)

    assert f"error: 2 of 10 records (20 %) of topic {monitor.topic} are rejected, and dead_letters.max_share" in text
    monitor.configure(dead_letters={"max_share": 0.2})
    assert "are rejected as missing_field" in check()


def newest(kafka: str, topic: str, most: int = 500, within_s: float = 20) -> Newest:
    settings = quick_settings(kafka)
    return newest_records(settings, topic, most=most, within_s=within_s, admin=open_admin(settings))


def offsets(found: Newest) -> dict[int, list[int]]:
    return {number: [record.offset for record in records] for number, records in found.records.items()}


def transactional(kafka: str, prefix: str) -> Producer:
    """Return a producer in a transaction."""
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": f"{prefix}id", "log_level": 0})
    producer.init_transactions(20)
    producer.begin_transaction()
    return producer


def test_what_stands_at_the_end_may_be_no_record(kafka: str, prefix: str) -> None:
    """Behind the records of a partition stand markers and aborted records, another is all markers, one was emptied."""
    topic = make_topic(kafka, f"{prefix}events", 4)
    write(kafka, topic, 0, [b"{}"] * 5)
    producer = transactional(kafka, prefix)
    for _ in range(40):
        producer.produce(topic, b"{}", partition=0)
        producer.produce(topic, b"{}", partition=1)
        producer.flush(20)
        producer.abort_transaction(20)
        producer.begin_transaction()
    write(kafka, topic, 2, [b"{}"] * 9)
    admin = open_admin(quick_settings(kafka))
    for future in admin.delete_records([TopicPartition(topic, 2, 9)]).values():
        future.result(20)
    found = newest(kafka, topic, 12)

    assert ({0: [0, 1, 2, 3, 4]}, ()) == (offsets(found), found.unread)


def test_an_open_transaction_does_not_hold_up(kafka: str, prefix: str) -> None:
    """What is committed before it is read, and no more."""
    topic = make_topic(kafka, f"{prefix}events", 1)
    write(kafka, topic, 0, [b"{}"] * 5)
    producer = transactional(kafka, prefix)
    producer.produce(topic, b"{}", partition=0)
    producer.flush(20)
    write(kafka, topic, 0, [b"{}"] * 5)
    found = newest(kafka, topic, 3)
    producer.abort_transaction(20)

    assert ({0: [2, 3, 4]}, ()) == (offsets(found), found.unread)


Then = Callable[[dict[tuple[str, int], int]], dict[tuple[str, int], int]]


@pytest.fixture
def after_the_ends(monkeypatch: pytest.MonkeyPatch) -> Callable[[Then], None]:
    """Return a function that lets something happen between the question for the ends and the reading."""

    def let(then: Then) -> None:
        def asked(*arguments: Any, **options: Any) -> dict[tuple[str, int], int]:
            answer = end_offsets(*arguments, **options)
            return answer if options.get("earliest") else then(answer)

        monkeypatch.setattr("stream_monitor.kafka.readers.newest.end_offsets", asked)

    return let


def test_what_comes_meanwhile_is_not_read(kafka: str, prefix: str, after_the_ends: Callable[[Then], None]) -> None:
    """Reading ends where the log ended when it was asked, even if no record stands there."""
    topic = make_topic(kafka, f"{prefix}events", 1)
    write(kafka, topic, 0, [b"{}"] * 5)
    producer = transactional(kafka, prefix)
    producer.produce(topic, b"{}", partition=0)
    producer.flush(20)
    producer.abort_transaction(20)

    def written(ends: dict[tuple[str, int], int]) -> dict[tuple[str, int], int]:
        write(kafka, topic, 0, [b"{}"] * 5)
        return ends

    after_the_ends(written)

    assert {0: [0, 1, 2, 3, 4]} == offsets(newest(kafka, topic))


def test_records_that_are_deleted_meanwhile_are_none(
    kafka: str, prefix: str, after_the_ends: Callable[[Then], None]
) -> None:
    """They are no reason to stop, or to wait."""
    topic = make_topic(kafka, f"{prefix}events", 2)
    for partition in range(2):
        write(kafka, topic, partition, [b"{}"] * 5)
    admin = open_admin(quick_settings(kafka))

    def deleted(ends: dict[tuple[str, int], int]) -> dict[tuple[str, int], int]:
        for future in admin.delete_records([TopicPartition(topic, 1, 5)]).values():
            future.result(20)
        return ends

    after_the_ends(deleted)
    found = newest(kafka, topic)

    assert ({0: [0, 1, 2, 3, 4]}, (), "") == (offsets(found), found.unread, found.refusal)


def test_reading_ends_in_time(kafka: str, prefix: str, after_the_ends: Callable[[Then], None]) -> None:
    """What an end does not come for is said, and what was read is kept."""
    topic = make_topic(kafka, f"{prefix}events", 1)
    write(kafka, topic, 0, [b"{}"] * 5)
    after_the_ends(lambda ends: {place: end + 10 for place, end in ends.items()})
    found = newest(kafka, topic, within_s=3)

    assert ({0: [0, 1, 2, 3, 4]}, (0,)) == (offsets(found), found.unread)


def test_records_come_from_all_partitions(kafka: str, prefix: str) -> None:
    """As many of each as of the others; what one lacks, others give."""
    topic = make_topic(kafka, f"{prefix}events", 3)
    write(kafka, topic, 0, [b"{}"] * 2)
    write(kafka, topic, 2, [b"{}"] * 50)

    assert {0: [0, 1], 2: list(range(42, 50))} == offsets(newest(kafka, topic, 10))
