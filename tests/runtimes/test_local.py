"""The local runtime: the same alerts however the records come, and accounts that balance."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_monitor.core.alerts.event import decode
from stream_monitor.core.baseline import Baseline
from stream_monitor.core.batch import RawChunk
from stream_monitor.core.plan import BaselineFrom, ModelPlan
from stream_monitor.runtimes.local import LocalPipeline
from tests.runtimes.stories import PLAN, TOPIC, Records, chunks, reference, traffic

SECONDS = 26
Alerts = list[tuple[int, bytes, bytes, int]]


@cache
def _baseline() -> Baseline:
    return reference()


def _pipeline(partitions: int, judges: int = 2) -> LocalPipeline:
    return LocalPipeline(PLAN, group="g", partitions=judges, sources={TOPIC: partitions}, baselines=[(_baseline(), 0)])


def _run(placed: list[Records], cuts: Sequence[int], order: Sequence[int] = (0,)) -> Alerts:
    """Feed the chunks of all partitions; `order` says whose turn it is, a partition without chunks passes it on."""
    pipeline = _pipeline(len(placed))
    waiting = [chunks(records, partition, cuts) for partition, records in enumerate(placed)]
    alerts = []
    for turn in itertools.cycle(order):
        left = [own for own in waiting if own]
        if not left:
            break
        alerts += pipeline.feed(left[turn % len(left)].pop(0))
    alerts += pipeline.close()
    return [(a.partition, a.event.key, a.event.value, a.event.timestamp_ms) for a in alerts]


@cache
def _whole() -> Alerts:
    return _run(traffic(SECONDS), [])


def test_a_shift_is_one_firing_alert() -> None:
    """The amount triples in second 15: the severe rule fires soon after, for the mild one too."""
    events = [decode(value) for _, _, value, _ in _whole()]
    fired = [(e.data.labels["series"], e.data.labels["rule"]) for e in events if e.data.reason == "fired"]

    assert ("feature:amount", "severe_drift") in fired
    assert ("feature:amount", "drift") not in fired
    assert all(event.source == "/stream-monitor/g" for event in events)


@settings(max_examples=6, deadline=None)
@given(cuts=st.lists(st.integers(0, 4_000), max_size=12))
def test_cuts_change_no_byte(cuts: list[int]) -> None:
    """One chunk or many, with late, disordered and duplicated events: the same alerts."""
    assert _whole() == _run(traffic(SECONDS), cuts)


@settings(max_examples=3, deadline=None)
@given(cuts=st.lists(st.integers(0, 2_000), max_size=6), order=st.lists(st.integers(0, 2), min_size=1, max_size=9))
def test_the_order_of_partitions_changes_no_byte(cuts: list[int], order: list[int]) -> None:
    """Partitions read one after the other, in turn or at random: the same alerts in every judge partition."""
    placed = traffic(SECONDS, partitions=3)

    assert sorted(_run(placed, [])) == sorted(_run(placed, cuts, order))


def test_the_traffic_of_these_tests_is_disordered_and_late() -> None:
    """A law that is only tested on tidy traffic would not notice a lost watermark."""
    pipeline = _pipeline(1)
    for chunk in chunks(traffic(SECONDS)[0], 0, []):
        pipeline.feed(chunk)

    assert pipeline.totals.late > 10
    assert pipeline.totals.counted > SECONDS * 100 - pipeline.totals.late


def test_every_record_is_accounted_for() -> None:
    """Read is counted, late, rejected and tombstones together; reasons are told."""
    pipeline = _pipeline(1)
    at_ms, value = traffic(1)[0][0]
    values = [value, b"{", None, b"[]", value]
    pipeline.feed(RawChunk(TOPIC, 0, np.arange(5), np.full(5, at_ms), values))
    totals = pipeline.totals

    assert (5, 2, 0, 2, 1) == (totals.read, totals.counted, totals.late, totals.rejected, totals.tombstones)
    assert {"invalid_json": 1, "not_an_object": 1} == totals.reasons


def test_an_export_stays_open_and_a_file_closes() -> None:
    """Without the end of a file the last pane waits for a watermark, as on Kafka."""
    placed = traffic(3)
    paused, closed = _pipeline(1), _pipeline(1)
    for pipeline in (paused, closed):
        pipeline.feed(chunks(placed[0], 0, [])[0])
    paused.pause()
    closed.close()

    def panes(pipeline: LocalPipeline) -> int:
        return sum(model.panes_closed for view in pipeline.views for model in view.models)

    assert panes(paused) < panes(closed)


def test_offsets_that_go_back_are_refused() -> None:
    """A caller that feeds a range twice has a bug, and is told."""
    pipeline = _pipeline(1)
    [chunk] = chunks(traffic(1)[0], 0, [])
    pipeline.feed(chunk)

    with pytest.raises(ValueError, match="offsets must go on"):
        pipeline.feed(chunk)


def test_an_automatic_baseline_is_proposed_and_used() -> None:
    """Without a published baseline the first events make one, active some minutes of broker time later."""
    plan = replace(PLAN, models=(ModelPlan(baseline=BaselineFrom.FIRST_EVENTS, baseline_events=255),))
    pipeline = LocalPipeline(plan, group="g", partitions=1, sources={TOPIC: 1})
    for chunk in chunks(traffic(20)[0], 0, range(0, 3_000, 200)):
        pipeline.feed(chunk)
    pipeline.close()

    assert ["fraud"] == [baseline.model for baseline in pipeline.proposed]
    assert pipeline.proposed[0].origin.rows == 255
