"""What nobody reports and the worker has to find out."""

from __future__ import annotations

import logging
import threading

import pytest

from stream_monitor.core.chain import ChainState
from stream_monitor.kafka.broker_wait import BrokerWait
from stream_monitor.kafka.errors import ClientRestart, DataLoss
from stream_monitor.kafka.profile.owned import OwnedPartition
from stream_monitor.kafka.profile.watchdog import LoopWatch, OwnTopicWatch, SilenceWatch, TopicWatch
from stream_monitor.kafka.topics import TopicState

PLACE = ("in", 0)


def topic(topic_id: str = "id-1") -> dict[str, TopicState]:
    return {"in": TopicState("in", topic_id, 1, 1, {})}


def partition() -> OwnedPartition:
    return OwnedPartition(
        *PLACE, source_partitions=1, next=10, chain=ChainState("id-1"), empty_due_at=0.0, heard_at=0.0
    )


def test_a_topic_with_another_id_is_another_topic() -> None:
    """Offsets of the old one mean nothing in the new one."""
    watch = TopicWatch(topic())
    watch.look(topic())

    with pytest.raises(DataLoss, match="made anew: its id is id-2, counted was id-1"):
        watch.look(topic("id-2"))


def test_a_topic_must_be_missing_twice() -> None:
    """One broker's metadata may lag behind; a look at which it is there starts the count again."""
    watch = TopicWatch(topic())
    watch.look({})
    watch.look(topic())
    watch.look({})

    with pytest.raises(DataLoss, match="gone"):
        watch.look({})


def test_records_that_never_come_restart_the_clients() -> None:
    """The end lies ahead and nothing has been heard for a minute."""
    watch, owned = SilenceWatch(60.0), partition()
    watch.look([owned], stable={PLACE: 11}, high={PLACE: 11}, now=60.0)

    with pytest.raises(ClientRestart, match="none came for 60 s"):
        watch.look([owned], stable={PLACE: 11}, high={PLACE: 11}, now=60.1)


def test_a_partition_that_is_read_paused_or_at_its_end_is_not_stuck() -> None:
    """Nothing is expected of it, or something has come."""
    watch, owned = SilenceWatch(60.0), partition()
    watch.look([owned], stable={PLACE: 10}, high={PLACE: 10}, now=1e6)
    owned.paused = True
    watch.look([owned], stable={PLACE: 11}, high={PLACE: 11}, now=1e6)
    owned.paused, owned.heard_at = False, 1e6
    watch.look([owned], stable={PLACE: 11}, high={PLACE: 11}, now=1e6)


def test_a_transaction_left_open_on_an_input_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """The stable end stands still while records pile up behind it."""
    watch, owned = SilenceWatch(60.0), partition()
    with caplog.at_level(logging.ERROR):
        watch.look([owned], stable={PLACE: 10}, high={PLACE: 11}, now=0.0)
        watch.look([owned], stable={PLACE: 10}, high={PLACE: 15}, now=59.0)
        assert not caplog.records
        watch.look([owned], stable={PLACE: 10}, high={PLACE: 19}, now=61.0)

    assert "holds the partition at offset 10 for 61 s; 9 records wait" in caplog.text


def test_a_loop_that_does_not_come_round_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Once for each time it stands still."""
    shown = threading.Event()
    watch = LoopWatch(0.02, lambda _: shown.set())
    watch.start()

    assert shown.wait(20)
    watch.stop()
    assert "has not come round" in caplog.text


def test_a_loop_that_waits_for_the_brokers_is_no_fault_of_ours(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The probes hear what is waited for; no error, no stacks."""
    heard: list[str] = []
    told = threading.Event()

    def stalled(why: str) -> None:
        heard.append(why)
        told.set()

    watch = LoopWatch(0.02, stalled, lambda: "no broker answers")
    watch.start()

    assert told.wait(20)
    watch.stop()
    assert set(heard) == {"no broker answers"}
    assert not caplog.records
    assert "Thread" not in capfd.readouterr().err


def test_an_answer_that_does_not_come_is_named_after_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    """Once, and once a minute; an answer ends it."""
    now = 0.0
    wait = BrokerWait("fraud-profile-0", lambda: now)
    with wait.of("records are not acknowledged"):
        now = 9.0
        assert wait.look() is None
        for now in (10.0, 11.0, 60.0, 71.0):
            assert wait.look() == f"no broker answers: records are not acknowledged since {now:.0f} s"
    assert wait.look() is None
    assert [record.message.split(": ", 1)[1] for record in caplog.records] == [
        f"no broker answers: records are not acknowledged since {s} s" for s in (10, 71)
    ]


def test_our_own_topics_are_missing_until_they_are_back() -> None:
    """At the second look, by name and with the command that mends it; one that was made anew restarts the clients."""
    watch = OwnTopicWatch(topic())

    assert watch.look(topic()) is None
    assert watch.look({}) is None
    assert watch.look({}) == "topics missing: in: run 'stream-monitor topics create'"
    assert watch.look(topic()) is None
    with pytest.raises(ClientRestart, match="made anew"):
        watch.look(topic("id-2"))
