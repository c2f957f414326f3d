"""Splitting judge partitions changes nothing that is published: every model goes on where it stood."""

from __future__ import annotations

import numpy as np
import pytest

from stream_monitor.core.judge.changes.split import keep_own, settle
from stream_monitor.core.judge.stored.snapshot import relabelled
from stream_monitor.core.keys import judge_partition
from tests.laws.test_judge_laws import END, MODELS, PLAN, SOURCES, baselines, traffic, until
from tests.traffic import MINUTE, SECOND, T0, TOPIC, Monitor


def judged(*, split_at: int | None = None, to: int = 4) -> tuple[Monitor, set[int]]:
    """Judge the traffic in steps of half a minute, from one of them on in more partitions; return the ones in use."""
    monitor = Monitor(PLAN, sources=SOURCES, baselines=baselines())
    sent = [[0] * len(MODELS) for _ in range(SOURCES)]
    for step, edge in enumerate([*range(T0 + 30 * SECOND, END, 30 * SECOND), END + 5 * MINUTE]):
        if step == split_at:
            split(monitor, to)
        for p in range(SOURCES):
            parts = []
            for k, part in enumerate(traffic()[p]):
                end = max(until(part, edge), sent[p][k])
                parts.append(part.take(np.arange(sent[p][k], end)))
                sent[p][k] = end
            monitor.chunk(p, *parts)
    monitor.close(END + MINUTE)
    return monitor, {p for p, outputs in enumerate(monitor.outputs) if outputs}


def split(monitor: Monitor, to: int) -> None:
    """Give the one partition's models to `to` partitions."""
    (old,) = monitor.judges
    settle(old, {(TOPIC, p): source.chain.last for p, source in enumerate(monitor.sources)})
    sealed, end = old.dump(), len(monitor.log[0])
    monitor.partitions = to
    monitor.judges = []
    for child in range(to):
        state = relabelled(sealed, partition=child, partitions=to, position=end if child == 0 else 0)
        judge = monitor.judge(child, state)
        assert all(judge_partition(model, to) == child for model in keep_own(judge, was=1))
        monitor.judges.append(monitor.judge(child, judge.dump()))
    monitor.log += [[] for _ in range(1, to)]
    monitor.outputs += [[] for _ in range(1, to)]


def told(monitor: Monitor) -> list[bytes]:
    """Return all alert events, in one order for every number of partitions."""
    return sorted(value for p in range(monitor.partitions) for _, value, _ in monitor.written(p))


@pytest.mark.parametrize("step", [3, 6, 9])
def test_alerts_are_those_of_a_judge_that_was_never_split(step: int) -> None:
    """In a quiet time, under open alerts, while a model warms up: byte for byte the same, from several partitions."""
    whole, _ = judged()
    split_up, used = judged(split_at=step)

    assert len(told(whole)) > 5
    assert told(whole) == told(split_up)
    assert len(used) > 1


def test_a_chunk_that_the_log_does_not_hold_is_not_settled() -> None:
    """Whoever splits while something is under way would lose it: it is refused."""
    monitor, _ = judged()
    names = {(TOPIC, p): source.chain.last for p, source in enumerate(monitor.sources)}
    with pytest.raises(ValueError, match="no committed chunk"):
        settle(monitor.judges[0], {})
    unknown = {place: type(name)(name.seq + 1, name.lease) for place, name in names.items()}
    with pytest.raises(ValueError, match="does not hold chunk"):
        settle(monitor.judges[0], unknown)
