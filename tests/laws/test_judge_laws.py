"""Laws of the fold: what may not matter to a judge does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_monitor.core.baseline import Baseline
from stream_monitor.core.judge import AlertEvent, BaselineProposal, Judge, StoredEntry
from stream_monitor.core.plan import AlertsPlan, Budget, DetectionPlan, ModelPlan, Plan, TimePlan
from stream_monitor.core.profile import ProfileRecord, ProgressRecord, chunk_digest, decode, encode
from stream_monitor.core.time import parse_instant
from tests.traffic import MINUTE, SECOND, T0, Events, Monitor, baseline_of, partition_of

MODELS = ("churn", "fraud", "fresh")
"""The last one has no baseline and proposes its own."""
PLAN = Plan(
    time=TimePlan(allowed_lateness_ms=15 * SECOND, idle_after_ms=None),
    detection=DetectionPlan(pane_ms=10 * SECOND, window_ms=40 * SECOND, budget=Budget(1, 60 * MINUTE)),
    models=(ModelPlan("fraud", segments=("channel",)), ModelPlan(baseline_events=63)),
    alerts=AlertsPlan(open_after=1, resolve_after=3, cooldown_ms=MINUTE, reminder_ms=MINUTE, max_open=2),
)
SOURCES = 3
END = T0 + 8 * MINUTE


def events(model: str, seed: int, *, length_ms: int, rate: float, start_ms: int = T0) -> Events:
    """Return events of a model with a shift, a null storm, late and disordered arrivals and duplicates.

    One channel of three has a shift of its own, one is too rare for a reference.
    """
    random = np.random.default_rng(seed)
    n = int(rate * length_ms / SECOND)
    at = np.sort(start_ms + random.integers(0, length_ms, n))
    delay = np.where(random.random(n) < 0.05, random.integers(20_000, 60_000, n), random.integers(0, 9_000, n))
    drifted = (at >= T0 + 2 * MINUTE) & (at < T0 + 4 * MINUTE)
    channel = random.choice(["app", "fax", "web"], size=n, p=[0.18, 0.02, 0.8])
    own = (channel == "app") & (at >= T0 + 5 * MINUTE) & (at < T0 + 7 * MINUTE)
    age = np.where(drifted & (random.random(n) < 0.5), np.nan, random.gamma(3.0, size=n))
    whole = Events(
        model=model,
        version="1",
        ids=[f"{model}-{seed}-{i}" for i in range(n)],
        at_ms=at,
        record_ms=at + delay,
        numbers={"feature:amount": random.normal(size=n) + 2.0 * drifted + 1.5 * own, "feature:age": age},
        texts={"feature:country": random.choice(["DE", "FR", "IT"], size=n).tolist()},
        segments={"channel": channel.tolist()},
    )
    arrival = np.argsort(whole.record_ms, kind="stable")
    doubled = np.sort(np.concatenate([arrival, arrival[:: n // 10 or 1]]))
    return whole.take(arrival[np.searchsorted(np.arange(n), doubled)])


@cache
def baselines() -> tuple[tuple[Baseline, int], ...]:
    """Baselines of all models but the last."""
    start_ms = T0 - 10 * MINUTE
    tables = [events(model, 1, length_ms=200 * SECOND, rate=3.0, start_ms=start_ms) for model in MODELS[:-1]]
    return tuple((baseline_of(table), 0) for table in tables)


@cache
def traffic() -> tuple[tuple[Events, ...], ...]:
    """Events of all models, by source partition."""
    parts = [events(model, 2 + i, length_ms=8 * MINUTE, rate=(6.0, 6.0, 0.5)[i]) for i, model in enumerate(MODELS)]
    return tuple(tuple(part.take(np.arange(p, len(part), SOURCES)) for part in parts) for p in range(SOURCES))


def until(part: Events, record_ms: int) -> int:
    """Return how many events of a part arrived before an instant."""
    return int(np.searchsorted(part.record_ms, record_ms))


def run(cuts: Sequence[Sequence[int]], turns: Sequence[int], *, partitions: int = 2) -> Monitor:
    """Judge the traffic, each source partition cut at its record times, the chunks in the order of the turns."""
    monitor = Monitor(PLAN, partitions=partitions, sources=SOURCES, baselines=baselines())
    queues = [[*sorted(own), END + 5 * MINUTE] for own in cuts]
    sent = [[0] * len(MODELS) for _ in range(SOURCES)]
    order = [turn % SOURCES for turn in turns] + [p for p in range(SOURCES) for _ in queues[p]]
    for p in order:
        if not queues[p]:
            continue
        edge = queues[p].pop(0)
        parts = []
        for k, part in enumerate(traffic()[p]):
            end = until(part, edge)
            parts.append(part.take(np.arange(sent[p][k], max(end, sent[p][k]))))
            sent[p][k] = max(end, sent[p][k])
        monitor.chunk(p, *parts)
    monitor.close(END + MINUTE)
    return monitor


def even_cuts(step_ms: int) -> list[list[int]]:
    return [list(range(T0 + step_ms, END, step_ms))] * SOURCES


def round_robin(step_ms: int) -> Monitor:
    cuts = even_cuts(step_ms)
    return run(cuts, [p for _ in cuts[0] for p in range(SOURCES)])


@cache
def reference() -> Monitor:
    """The plain run: chunks of five seconds, partitions in turn."""
    return round_robin(5 * SECOND)


def test_the_story_of_the_laws_is_worth_their_while() -> None:
    """It fires, resolves, reminds, storms, proposes and knows segments: laws about silence would prove nothing."""
    reasons = {event.data.reason for event in reference().alerts()}
    names = {event.data.labels["alertname"] for event in reference().alerts()}
    segments = {event.data.labels.get("segment", "") for event in reference().alerts()}

    assert reasons >= {"fired", "recovered", "reminder"}
    assert names >= {"FeatureDrift", "AlertStorm"}
    assert segments == {"", "channel=app"}
    assert all(reference().written(p) for p in range(2))
    assert any(isinstance(out, BaselineProposal) for out in reference().outputs[partition_of("fresh", 2)])


times = st.integers(T0, END)


@settings(max_examples=12, deadline=None)
@given(
    cuts=st.lists(st.lists(times, max_size=40), min_size=SOURCES, max_size=SOURCES),
    turns=st.lists(st.integers(0, SOURCES - 1), max_size=150),
)
def test_alerts_depend_neither_on_cuts_nor_on_interleaving(cuts: list[list[int]], turns: list[int]) -> None:
    """Any chunking and any order of the source partitions give the same alert records in every partition."""
    found = run(cuts, turns)

    assert [found.written(p) for p in range(2)] == [reference().written(p) for p in range(2)]


def test_alerts_do_not_depend_on_the_number_of_judges() -> None:
    """A model's alerts are the same whichever other models its judge has."""
    cuts = even_cuts(5 * SECOND)
    turns = [p for _ in cuts[0] for p in range(SOURCES)]
    alone = run(cuts, turns, partitions=1)
    spread = run(cuts, turns, partitions=5)

    assert sorted(alone.written(0)) == sorted(record for p in range(5) for record in spread.written(p))


def fold_all(judge: Judge, monitor: Monitor, partition: int, *, until: int | None = None) -> list[object]:
    """Fold the log of a partition from where the judge stands; baselines are compared by their ids."""
    outputs: list[object] = []
    for entry in monitor.log[partition][judge.next_offset : until]:
        outputs += [out.baseline.id if isinstance(out, BaselineProposal) else out for out in judge.fold(entry)]
    return outputs


@pytest.mark.parametrize("cut", [0, 1, 7, 100, 240, 331, 391, 402, 403, 404, 405, 480, 555, 640])
def test_resuming_from_a_snapshot_equals_not_stopping(cut: int) -> None:
    """Fold, dump, restore and fold on: same outputs, same digest, same bytes; the replay itself is silent."""
    monitor = reference()
    for partition in range(2):
        whole, first = monitor.judge(partition), monitor.judge(partition)
        before = fold_all(first, monitor, partition, until=cut)
        again = monitor.judge(partition, first.dump())
        replayed = fold_all(again, monitor, partition, until=cut)

        assert replayed == []
        assert (again.digest, again.dump()) == (first.digest, first.dump())
        assert before + fold_all(again, monitor, partition) == fold_all(whole, monitor, partition)
        assert (again.digest, again.dump()) == (whole.digest, whole.dump())


def test_alerts_are_written_in_the_order_of_their_names() -> None:
    """Panes in order; inside a pane by model, version, segment, series and rule."""
    for partition in range(2):
        keys = [
            (
                event.time,
                *(event.data.labels.get(name, "") for name in ("model", "version", "segment", "series", "rule")),
            )
            for event in reference().alerts(partition)
        ]

        assert keys == sorted(keys)


def test_evidence_names_the_offsets_of_the_events_not_of_the_chunks() -> None:
    """The offset ranges of an alert are those of the model's events in the panes of its window."""
    event = next(event for event in reference().alerts() if event.data.labels.get("series") == "feature:amount")
    window = event.data.evidence.window
    offsets: dict[int, list[int]] = {}
    for p, parts in enumerate(traffic()):
        record_ms = np.concatenate([part.record_ms for part in parts])
        rank = np.argsort(np.argsort(record_ms, kind="stable"))
        start = 0
        for part in parts:
            inside = (part.at_ms >= parse_instant(window.from_)) & (part.at_ms < parse_instant(window.to))
            mine = part.model == event.data.labels["model"]
            offsets.setdefault(p, []).extend(rank[start : start + len(part)][inside & mine].tolist())
            start += len(part)
    on_time = {span.partition: (span.first, span.next - 1) for span in event.data.evidence.source}

    assert set(on_time) == set(offsets)
    for partition, (first, last) in on_time.items():
        assert {first, last} <= set(offsets[partition])


def chunks_of(log: Sequence[StoredEntry]) -> list[tuple[int, list[StoredEntry]]]:
    """Return the chunks of a log: position after the progress record, and the entries."""
    found, begun = [], dict[tuple[str, int], list[StoredEntry]]()
    for entry in log:
        source = decode(entry.value).source
        begun.setdefault((source.topic, source.partition), []).append(entry)
        if entry.key is None:
            found.append((entry.offset + 1, begun.pop((source.topic, source.partition))))
    return found


def zombie(chunk: Sequence[StoredEntry], lease: int, *, lost: int) -> list[StoredEntry]:
    """Return what another worker wrote for the same place in the chain: other counts, and some records lost."""
    profiles, values = [], []
    for entry in chunk[:-1]:
        record = decode(entry.value)
        assert isinstance(record, ProfileRecord)
        record = replace(record, source=replace(record.source, lease=lease))
        doubled = replace(record.profile, demand=2 * record.profile.demand, rows={"inference": 1})
        values.append(encode(replace(record, profile=doubled)))
        profiles.append(replace(entry, value=values[-1]))
    progress = decode(chunk[-1].value)
    assert isinstance(progress, ProgressRecord)
    source = replace(progress.source, lease=lease)
    end = replace(chunk[-1], value=encode(replace(progress, source=source, digest=chunk_digest(values))))
    return [*profiles[lost:], end]


@settings(max_examples=8)
@given(
    strays=st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(2, 40), st.integers(0, 3), st.integers(0, 60)), max_size=40
    )
)
def test_what_nobody_names_changes_nothing(strays: list[tuple[int, int, int, int]]) -> None:
    """Rivals, half-written chunks and zombies that wake up late, anywhere in the log: the alerts stay the same."""
    for partition in range(2):
        log = reference().log[partition]
        chunks = chunks_of(log)
        inserted: dict[int, list[StoredEntry]] = {}
        for which, lease, lost, later in strays:
            end, chunk = chunks[which % len(chunks)]
            inserted.setdefault(min(end + later, len(log)), []).extend(zombie(chunk, lease, lost=lost))
        mixed = [stored for i in range(len(log) + 1) for stored in (*inserted.get(i, ()), *log[i : i + 1])]
        judge = reference().judge(partition)
        outputs = [out for i, entry in enumerate(mixed) for out in judge.fold(replace(entry, offset=i))]

        written = [(out.key, out.value, out.timestamp_ms) for out in outputs if isinstance(out, AlertEvent)]
        assert written == reference().written(partition)
