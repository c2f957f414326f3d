"""What a round asks before a silent partition advances: the ends, after the broker's time, and never its own clock."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from confluent_kafka import TopicPartition

from stream_monitor.core.chain import ChainState
from stream_monitor.core.plan import SECOND_MS, Plan, TimePlan
from stream_monitor.kafka.broker_wait import BrokerWait
from stream_monitor.kafka.profile import round as round_module
from stream_monitor.kafka.profile.owned import OwnedPartition
from stream_monitor.kafka.profile.policy import Tuning
from stream_monitor.kafka.profile.round import Round
from tests.instants import PANE_MS, T0_MS

PLAN = Plan(time=TimePlan(allowed_lateness_ms=30 * SECOND_MS, idle_after_ms=30 * SECOND_MS))
PLACE = ("in", 0)


def silent_round(partition: OwnedPartition) -> Round:
    """Return a round that knows the broker's time and owns a partition that is silent for a minute."""
    partition.end = partition.next
    partition.quiet_since_ms = T0_MS - 60 * SECOND_MS
    made = Round.__new__(Round)
    made._job = SimpleNamespace(plan=PLAN, tuning=Tuning())  # type: ignore[assignment]  # what the question needs
    made._waiting = BrokerWait()
    made._admin = SimpleNamespace()  # type: ignore[assignment]  # handed on
    made.broker_ms = T0_MS
    return made


@pytest.mark.parametrize(
    ("stable", "high", "advances"),
    [
        pytest.param(5, 5, True, id="nothing came"),
        pytest.param(6, 6, False, id="a record came that was not fetched yet"),
        pytest.param(5, 6, False, id="a transaction is open"),
    ],
)
def test_the_end_as_it_is_now_decides(
    stable: int, high: int, *, advances: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end that the client saw is older than the broker's time: a record may have come in between."""

    def ends(
        _: object, parts: Sequence[TopicPartition], *, uncommitted: bool = False, timeout_s: float
    ) -> dict[tuple[str, int], int]:
        assert [PLACE] == [(p.topic, p.partition) for p in parts]
        return {PLACE: high if uncommitted else stable}

    partition = OwnedPartition(
        *PLACE, source_partitions=1, next=5, chain=ChainState("id"), empty_due_at=0.0, heard_at=0.0
    )
    monkeypatch.setattr(round_module, "end_offsets", ends)

    assert silent_round(partition)._idle([partition]) == ({PLACE: T0_MS - 60 * SECOND_MS} if advances else {})


@pytest.mark.parametrize("ahead_s", [-3_600, 3_600])
def test_the_clock_of_the_worker_decides_nothing(ahead_s: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fast or slow by an hour: a partition advances by the broker's time."""
    partition = OwnedPartition(
        *PLACE, source_partitions=1, next=5, chain=ChainState("id"), empty_due_at=0.0, heard_at=0.0
    )
    monkeypatch.setattr(round_module, "end_offsets", lambda *_, **__: {PLACE: 5})
    monkeypatch.setattr(time, "time", lambda: T0_MS / 1_000 + ahead_s)
    monkeypatch.setattr(time, "time_ns", lambda: T0_MS * 10**6 + ahead_s * 10**9)

    assert silent_round(partition)._idle([partition]) == {PLACE: (T0_MS - 60 * SECOND_MS) // PANE_MS * PANE_MS}
