"""Readers of topics: exact exports, alerts without repeats, dead letters, ranges."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer
from hypothesis import given
from hypothesis import strategies as st

from stream_monitor.cli.main import run_command
from stream_monitor.kafka.client_settings import judge_producer
from stream_monitor.kafka.deliveries import Outgoing, deliver
from stream_monitor.kafka.readers import (
    Span,
    StoredRecord,
    alert_events,
    alerts_of,
    decode_line,
    encode_line,
    export_topics,
    follow_alerts,
    read_dead_letters,
    read_partition,
    read_profiles,
)
from tests.kafka.judging import T0_MS
from tests.kafka.members import make_topic, quick_settings

MAYBE_BYTES = st.none() | st.binary(max_size=40) | st.text(max_size=20).map(str.encode)
RECORDS = st.builds(
    StoredRecord,
    topic=st.text(min_size=1, max_size=10),
    partition=st.integers(0, 100),
    offset=st.integers(0, 2**62),
    timestamp_ms=st.integers(0, 2**50),
    key=MAYBE_BYTES,
    value=MAYBE_BYTES,
    headers=st.lists(st.tuples(st.text(max_size=10), MAYBE_BYTES), max_size=3).map(tuple),
)


@given(record=RECORDS)
def test_a_line_brings_back_the_record(record: StoredRecord) -> None:
    """Whatever bytes a record holds, its line is one line and decodes to the same record."""
    line = encode_line(record)

    assert line.count(b"\n") == 1
    assert decode_line(line) == record


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b'{"topic":"t"}', encode_line(StoredRecord("t", 0, 0, 0, None, b"\xff")).replace(b"/w", b"/?")],
    ids=["empty", "cut", "other type", "fields missing", "bad base64"],
)
def test_a_line_that_is_none_says_so(line: bytes) -> None:
    """A file that is no export is refused with a ValueError, not with a guess."""
    with pytest.raises(ValueError, match="not a line of an export"):
        decode_line(line)


def write(kafka: str, records: list[Outgoing]) -> None:
    """Write records in order, each acknowledged before the next so that order is certain."""
    deliver(Producer({"bootstrap.servers": kafka}), records, timeout_s=20)


def test_an_export_holds_every_committed_record_exactly(kafka: str, prefix: str) -> None:
    """Tombstones, missing keys, bytes that are no text and headers of equal names come back; an aborted record does
    not; the order is that of topics, partitions and offsets.
    """
    topics = [make_topic(kafka, f"{prefix}b", 2), make_topic(kafka, f"{prefix}a", 1)]
    headers = (("h", b"1"), ("h", b"\xff"), ("n", None))
    written = [
        Outgoing(topics[0], 0, None, b"text", T0_MS),
        Outgoing(topics[0], 0, b"\xfe", None, T0_MS + 1, headers),
        Outgoing(topics[0], 1, b"", b"\x00\xff", T0_MS - 5),
        Outgoing(topics[1], 0, b"k", "é".encode(), T0_MS),
    ]
    write(kafka, written)
    producer = Producer(judge_producer(quick_settings(kafka), group=prefix, instance="0"))
    producer.init_transactions(30)
    producer.begin_transaction()
    deliver(producer, [Outgoing(topics[0], 0, None, b"aborted")], timeout_s=20)
    producer.abort_transaction(20)
    file = io.BytesIO()

    assert export_topics(quick_settings(kafka), topics, file) == 4
    found = [decode_line(line) for line in file.getvalue().splitlines(keepends=True)]
    assert [(r.topic, r.partition, r.key, r.value, r.timestamp_ms, r.headers) for r in found] == [
        (w.topic, w.partition, w.key, w.value, w.timestamp_ms, w.headers) for w in written
    ]
    assert [r.offset for r in found] == [0, 1, 0, 0]


@pytest.mark.parametrize(
    ("span", "offsets"),
    [
        (Span(first=2), [2, 3, 4]),
        (Span(first=1, next=3), [1, 2]),
        (Span(since_ms=T0_MS + 3_000), [3, 4]),
        (Span(since_ms=T0_MS + 1_000, until_ms=T0_MS + 4_000), [1, 2, 3]),
        (Span(since_ms=T0_MS + 9_000), []),
    ],
    ids=["from an offset", "between offsets", "from a time", "between times", "after the end"],
)
def test_a_range_is_read_by_offsets_or_times(kafka: str, prefix: str, span: Span, offsets: list[int]) -> None:
    """Both ends of a range may be open; times go by the record's own time."""
    topic = make_topic(kafka, f"{prefix}log", 1)
    write(kafka, [Outgoing(topic, 0, b"m", b"v", T0_MS + 1_000 * i) for i in range(5)])

    assert [r.offset for r in read_partition(quick_settings(kafka), topic, 0, span=span)] == offsets
    assert [e.offset for e in read_profiles(quick_settings(kafka), topic, 0, span=span)] == offsets


def event(fingerprint: str, starts_ms: int, sequence: int, status: str) -> bytes:
    """Return an alert event with what readers look at."""
    alert_id = f"{fingerprint}-{starts_ms}"
    labels = {"alertname": "FeatureDrift", "model": "fraud", "severity": "warning"}
    instant = "2026-11-22T07:19:20.000Z" if starts_ms == 1 else "2026-11-22T08:19:20.000Z"
    data = {
        "alert_id": alert_id,
        "fingerprint": fingerprint,
        "status": status,
        "reason": "fired",
        "sequence": sequence,
        "labels": labels,
        "startsAt": instant,
        "annotations": {"summary": "drifts"},
        "evidence": {},
    }
    return orjson.dumps({"specversion": "1.0", "id": f"{alert_id}-{sequence}", "time": instant, "data": data})


@pytest.fixture
def alerts(kafka: str, prefix: str) -> str:
    """A topic with two alerts of one fingerprint, one of another, a repeat of each kind and a record of a stranger."""
    topic = make_topic(kafka, f"{prefix}alerts", 2)
    first = [event("a", 1, 1, "firing"), event("a", 1, 2, "resolved"), event("a", 2, 1, "firing")]
    values = [first[0], first[1], first[0], first[1], b"stranger", first[2], first[1]]
    write(kafka, [Outgoing(topic, 0, b"a", value, T0_MS) for value in values])
    write(kafka, [Outgoing(topic, 1, b"b", event("b", 1, 1, "firing"), T0_MS)] * 2)
    return topic


def test_repeated_alert_events_come_once(kafka: str, alerts: str) -> None:
    """After a crash of an at-least-once judge the same events stand in the topic again; readers see each once."""
    found = [e.id for e in alert_events(quick_settings(kafka), alerts)]

    assert found == ["a-1-1", "a-1-2", "b-1-1", "a-2-1"]


def test_the_list_of_alerts_has_the_last_event_of_each(kafka: str, alerts: str) -> None:
    """Newest first, one line an alert, with its present status."""
    found = [(a.alert_id, a.status, a.summary) for a in alerts_of(alert_events(quick_settings(kafka), alerts))]

    assert found == [("a-2", "firing", "drifts"), ("a-1", "resolved", "drifts"), ("b-1", "firing", "drifts")]


def test_following_alerts_yields_them_as_they_come(kafka: str, alerts: str) -> None:
    """From the beginning or from now on; the caller says when it ends."""
    turns = itertools.count()

    def first_four() -> Iterator[str]:
        followed = follow_alerts(
            quick_settings(kafka), alerts, from_beginning=True, is_stopping=lambda: next(turns) > 50
        )
        for alert in itertools.islice(followed, 4):
            yield alert.id

    assert sorted(first_four()) == ["a-1-1", "a-1-2", "a-2-1", "b-1-1"]


def test_a_dead_letter_shows_its_origin_and_comes_once(kafka: str, prefix: str) -> None:
    """Position and reason are read from our headers, the last of equal names; the original's headers are kept apart."""
    topic = make_topic(kafka, f"{prefix}dead", 1)
    headers = (
        ("trace", b"x"),
        ("stream_monitor.reason", b"forged"),
        ("__connect.errors.topic", b"events"),
        ("__connect.errors.partition", b"3"),
        ("__connect.errors.offset", b"17"),
        ("__connect.errors.class.name", b"native"),
        ("__connect.errors.stage", b"VALUE_CONVERTER"),
        ("stream_monitor.reason", b"invalid_json"),
    )
    write(kafka, [Outgoing(topic, 0, b"k", b"{", T0_MS, headers)] * 2)
    (letter,) = read_dead_letters(quick_settings(kafka), topic)

    assert (letter.topic, letter.partition, letter.offset, letter.reason) == ("events", 3, 17, "invalid_json")
    assert (letter.record.value, letter.original_headers) == (b"{", (("trace", b"x"),))


def test_a_topic_that_is_missing_costs_no_file(
    kafka: str, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The export of before is still there when the next one is refused."""
    file = tmp_path / "export.jsonl"
    file.write_bytes(b"of before\n")
    arguments = ["-X", f"bootstrap.servers={kafka}", "export", f"{prefix}nowhere", "--to", str(file)]

    assert run_command(arguments) == 2
    assert f"topics missing: {prefix}nowhere" in capsys.readouterr().err
    assert file.read_bytes() == b"of before\n"


def test_what_cannot_be_put_back_is_not_announced(kafka: str, prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A record of somebody else and one of which only a part is here are left alone; nobody is asked about them."""
    topic = make_topic(kafka, f"{prefix}dead", 1)
    cut = (
        ("__connect.errors.topic", b"events"),
        ("__connect.errors.partition", b"0"),
        ("__connect.errors.offset", b"1"),
        ("stream_monitor.sha256", b"00"),
    )
    write(kafka, [Outgoing(topic, 0, None, b"of somebody else"), Outgoing(topic, 0, None, b"{", T0_MS, cut)])
    arguments = ["-X", f"bootstrap.servers={kafka}", "--set", f"topics.dead_letters={topic}", "dead-letters", "requeue"]

    assert run_command(arguments) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.splitlines() == [
        "0 records written",
        "1 record left alone, too large: only a part was kept",
        "1 record left alone: no header says where from",
    ]
