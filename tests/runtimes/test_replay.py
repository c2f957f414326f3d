"""Exported topics, replayed: the alerts of the run that they came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from stream_monitor.config import Settings, Topics
from stream_monitor.core.alerts.event import decode
from stream_monitor.core.baseline import activation_record, start_record
from stream_monitor.core.plan import Plan
from stream_monitor.core.profile import ProfiledChunk
from stream_monitor.kafka.readers.record_export import encode_line
from stream_monitor.kafka.readers.stored_record import StoredRecord
from stream_monitor.runtimes.local import LocalAlert, LocalPipeline
from stream_monitor.runtimes.replay import ExportError, is_export, replay, survey
from tests.runtimes.stories import PLAN, START_MS, TOPIC, Records, chunks, reference, traffic

PARTITIONS = 2
SETTINGS = Settings(group="g", instance="0", plan=PLAN, topics=Topics(partitions=2))


def _baseline_records(group: str) -> list[StoredRecord]:
    baseline = reference()
    pairs = [*baseline.parts(), activation_record(baseline.model, baseline.version, baseline.id, 0)]
    pairs.append(start_record(group, "0", {TOPIC: PARTITIONS}))
    return [
        StoredRecord("drift-baselines", 0, offset, START_MS - 1_000, key, value)
        for offset, (key, value) in enumerate(pairs)
    ]


def _event_records(placed: list[Records]) -> list[StoredRecord]:
    return [
        StoredRecord(TOPIC, partition, offset, at_ms, None, value)
        for partition, records in enumerate(placed)
        for offset, (at_ms, value) in enumerate(records)
    ]


def _write(path: Path, records: list[StoredRecord]) -> Path:
    path.write_bytes(b"".join(encode_line(record) for record in records))
    return path


def _replay(path: Path, settings: Settings = SETTINGS, partitions: Mapping[str, int] | None = None) -> list[LocalAlert]:
    alerts: list[LocalAlert] = []
    replay(path, settings, contents=survey(path), partitions=partitions or {}, on_alert=alerts.append)
    return alerts


def _live(
    placed: list[Records], plan: Plan = PLAN, on_chunk: Callable[[str, int, ProfiledChunk], None] | None = None
) -> list[LocalAlert]:
    pipeline = LocalPipeline(
        plan,
        group="g",
        partitions=2,
        sources={TOPIC: len(placed)},
        baselines=[(reference(), 0)],
        on_chunk=on_chunk,
    )
    alerts = []
    for partition, records in enumerate(placed):
        for chunk in chunks(records, partition, [500, 900]):
            alerts += pipeline.feed(chunk)
    return alerts + pipeline.pause()


def _by_partition(alerts: list[LocalAlert]) -> dict[int, list[tuple[bytes, bytes, int]]]:
    found: dict[int, list[tuple[bytes, bytes, int]]] = {}
    for alert in alerts:
        found.setdefault(alert.partition, []).append((alert.event.key, alert.event.value, alert.event.timestamp_ms))
    return found


def test_a_replay_gives_the_same_bytes(tmp_path: Path) -> None:
    """Events and baselines exported, replayed: key, value, time and order of every alert in every partition."""
    placed = traffic(25, partitions=PARTITIONS)
    path = _write(tmp_path / "export.jsonl", [*_event_records(placed), *_baseline_records("g")])
    expected = _by_partition(_live(placed))

    assert expected
    assert expected == _by_partition(_replay(path))


def test_a_range_of_profiles_is_judged_again(tmp_path: Path) -> None:
    """The log alone, with its baselines, gives the alerts; with another floor, others."""
    placed = traffic(25, partitions=PARTITIONS)
    ends = [0, 0]
    records: list[StoredRecord] = []

    def keep(_topic: str, _partition: int, chunk: ProfiledChunk) -> None:
        for entry in chunk.entries:
            offset = ends[entry.partition]
            ends[entry.partition] += 1
            records.append(StoredRecord("drift-profiles", entry.partition, offset, START_MS, entry.key, entry.value))

    expected = _by_partition(_live(placed, on_chunk=keep))
    path = _write(tmp_path / "profiles.jsonl", [*records, *_baseline_records("g")])
    rules = tuple(replace(rule, effect=replace(rule.effect, floor=1e6)) for rule in PLAN.rules)

    assert expected == _by_partition(_replay(path))
    assert [] == _replay(path, replace(SETTINGS, plan=replace(PLAN, rules=rules)))


def test_a_partition_without_records_holds_panes_open(tmp_path: Path) -> None:
    """The export cannot show a silent partition; the start record or an option tells that it exists."""
    path = _write(tmp_path / "export.jsonl", [*_event_records(traffic(25)), *_baseline_records("g")])
    alone = _write(tmp_path / "alone.jsonl", [*_event_records(traffic(25)), *_baseline_records("another")])

    assert [] == _replay(path)
    assert [] != _replay(alone)
    assert [] == _replay(alone, partitions={TOPIC: 3})


def test_alerts_name_the_group(tmp_path: Path) -> None:
    """The group is part of the bytes: a replay under another name gives other events."""
    path = _write(tmp_path / "export.jsonl", [*_event_records(traffic(25)), *_baseline_records("another")])
    events = [decode(alert.event.value) for alert in _replay(path)]

    assert {"/stream-monitor/g"} == {event.source for event in events}


def test_other_files_are_no_exports(tmp_path: Path) -> None:
    """Rows and events are told from exports by their first line."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"x": 1}\n')
    export = _write(tmp_path / "export.jsonl", _event_records(traffic(1)))

    assert not is_export(rows)
    assert is_export(export)


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    """An export that was cut in the middle of a line is refused with the number of that line."""
    path = _write(tmp_path / "export.jsonl", _event_records(traffic(1))[:3])
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(ExportError, match="line 3"):
        survey(path)


def test_an_export_of_other_topics_is_refused(tmp_path: Path) -> None:
    """Nothing in the file is an input of the plan: told, not judged as silence."""
    path = _write(tmp_path / "export.jsonl", [StoredRecord("other", 0, 0, START_MS, None, b"{}")])

    with pytest.raises(ExportError, match="holds other, and the plan reads inference-events"):
        _replay(path)
