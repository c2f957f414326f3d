"""The judge worker on a real broker: every alert once, whatever ends the process and wherever."""

from __future__ import annotations

import signal

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.cimpl import NewPartitions

from stream_monitor.kafka.deliveries import Outgoing
from stream_monitor.kafka.judge.state_records import COMMIT_KEY, Slot, block_key
from tests.kafka.conftest import BrokerFactory
from tests.kafka.judge_process import JudgeProcess, JudgeRun, finish
from tests.kafka.judging import FAST, JudgedTopics, expected_alerts

KILLED = -signal.SIGKILL

IN_A_COMMIT = {
    "judge.folded": 3,
    "judge.commit.begin": 2,
    "judge.commit.begun": 2,
    "judge.commit.output": 5,
    "judge.commit.outputs": 3,
    "judge.commit.flush": 3,
    "judge.commit.flushed": 3,
    "judge.commit.offsets": 3,
    "judge.commit.done": 3,
}
"""Steps of a commit, and at which of its visits the process dies."""

IN_A_RESTORE = {
    "judge.restore.committed": 1,
    "judge.restore.state": 1,
    "judge.restore.slot": 1,
    "judge.restore.fold": 1,
}


@pytest.fixture
def topics(kafka: str, prefix: str) -> JudgedTopics:
    """The product's topics, with one partition each."""
    return JudgedTopics(kafka, prefix, partitions=1)


def test_a_log_is_judged_once_and_in_order(kafka: str, prefix: str) -> None:
    """Each partition of the log gives its alerts, in order, with key, bytes, headers and event time."""
    topics = JudgedTopics(kafka, prefix, partitions=2)
    topics.write_log(0, range(1, 101))
    topics.write_log(1, range(1, 51))
    ending = finish(JudgeRun(kafka, prefix, ends={"0": 100, "1": 50}, tuning=FAST))

    assert ending == (0, [])
    assert topics.alerts(0) == expected_alerts(0, 100)
    assert topics.alerts(1) == expected_alerts(1, 50)


def test_a_process_killed_at_every_step_publishes_every_alert_once(topics: JudgedTopics) -> None:
    """Kill -9 at each step of a commit and of a restore, one after the other on one log: no alert is lost, doubled or
    changed.
    """
    topics.write_log(0, range(1, 301))
    run = JudgeRun(topics.bootstrap, topics.prefix, ends={"0": 300}, tuning=FAST)
    for name, hit in [*IN_A_COMMIT.items(), *IN_A_RESTORE.items()]:
        assert finish(run.failing_at(name, hit)) == (KILLED, [f"reached {name}"])
    assert finish(run) == (0, [])

    assert topics.alerts(0) == expected_alerts(0, 300)


@pytest.mark.parametrize("hit", [6, 7, 8, 9])
def test_a_snapshot_cut_by_a_kill_does_not_exist(topics: JudgedTopics, hit: int) -> None:
    """A process that dies among the blocks of a snapshot, in one transaction of several, leaves the older slot in
    force.
    """
    topics.write_log(0, range(1, 101))
    run = JudgeRun(topics.bootstrap, topics.prefix, ends={"0": 100}, tuning=FAST)
    assert finish(run.failing_at("judge.commit.state", hit)) == (KILLED, ["reached judge.commit.state"])
    assert finish(run) == (0, [])

    assert topics.alerts(0) == expected_alerts(0, 100)


def test_a_graceful_stop_leaves_nothing_to_fold(topics: JudgedTopics) -> None:
    """The snapshot of a process that was asked to stop stands at the committed position."""
    topics.write_log(0, range(1, 31))
    assert finish(JudgeRun(topics.bootstrap, topics.prefix, ends={"0": 30})) == (0, [])

    newest = max(m.next_offset for m in topics.manifests(0).values())
    assert newest == topics.commit(0).next_offset == 30


def test_a_frozen_process_that_was_replaced_publishes_nothing(topics: JudgedTopics) -> None:
    """A process that wakes up in the middle of a transaction, after another took its name, is fenced and exits with
    code 3; what it had written stays invisible.
    """
    topics.write_log(0, range(1, 101))
    run = JudgeRun(topics.bootstrap, topics.prefix, ends={"0": 100}, tuning=FAST)
    zombie = JudgeProcess(run.failing_at("judge.commit.flushed", 3, action="freeze"))
    zombie.next_word()
    assert finish(run) == (0, [])
    zombie.signal(signal.SIGCONT)
    code, said = zombie.ended()

    assert (code, "another process" in said[-1]) == (3, True)
    assert topics.alerts(0) == expected_alerts(0, 100)


def test_a_broken_snapshot_is_passed_over_for_the_other_slot(topics: JudgedTopics) -> None:
    """One flipped block makes a slot invalid; the older one serves, although the log before it is gone."""
    for first, behind in ((1, 31), (31, 61)):
        topics.write_log(0, range(first, behind))
        assert finish(JudgeRun(topics.bootstrap, topics.prefix, ends={"0": behind - 1})) == (0, [])
    older, newer = (topics.manifests(0)[slot] for slot in Slot)
    assert (older.next_offset, newer.next_offset) == (30, 60)
    topics.write([Outgoing(topics.names.judge_state, 0, block_key(newer.slot, 0), b"flipped")])
    delete_log_before(topics, older.replay_from)
    topics.write_log(0, range(61, 101))

    assert finish(JudgeRun(topics.bootstrap, topics.prefix, ends={"0": 100}, tuning=FAST)) == (0, [])
    assert topics.alerts(0) == expected_alerts(0, 100)


def test_history_that_is_lost_stops_the_judge_with_its_code(topics: JudgedTopics) -> None:
    """Without a valid snapshot and without the start of the log there is nothing to judge from: exit code 7."""
    topics.write_log(0, range(1, 31))
    run = JudgeRun(topics.bootstrap, topics.prefix, ends={"0": 30}, tuning=FAST)
    assert finish(run) == (0, [])
    topics.write([Outgoing(topics.names.judge_state, 0, block_key(slot, 0), b"flipped") for slot in Slot])
    delete_log_before(topics, 20)
    code, said = finish(run)

    assert (code, "history lost" in said[-1]) == (7, True)


def test_a_broken_commit_record_is_replaced_by_the_groups_offset(topics: JudgedTopics) -> None:
    """A flipped bit in `_commit` is found by its digest; the group's offset, of the same transaction, stands in."""
    topics.write_log(0, range(1, 31))
    run = JudgeRun(topics.bootstrap, topics.prefix, ends={"0": 30}, tuning=FAST)
    assert finish(run) == (0, [])
    flipped = topics.state(0)[COMMIT_KEY].replace(b'"next_offset":30', b'"next_offset":20')
    topics.write([Outgoing(topics.names.judge_state, 0, COMMIT_KEY, flipped)])
    topics.write_log(0, range(31, 61))

    assert finish(JudgeRun(topics.bootstrap, topics.prefix, ends={"0": 60}, tuning=FAST)) == (0, [])
    assert topics.alerts(0) == expected_alerts(0, 60)


def test_state_of_another_number_of_partitions_is_refused(topics: JudgedTopics) -> None:
    """Models would move away from their state: the start ends with exit code 7 and says what it found."""
    topics.write_log(0, range(1, 11))
    run = JudgeRun(topics.bootstrap, topics.prefix, ends={"0": 10})
    assert finish(run) == (0, [])
    names = topics.names
    for name in (names.profiles, names.alerts, names.alert_state, names.judge_state):
        grow(topics, name, 2)
    code, said = finish(JudgeRun(topics.bootstrap, topics.prefix))

    assert (code, "has 2 partitions, its state was made with 1" in said[-1]) == (7, True)


def test_a_chain_gap_stops_its_partition_and_no_other(kafka: str, prefix: str) -> None:
    """What comes before the gap is published; the other partition is judged to its end; the process ends with 7."""
    topics = JudgedTopics(kafka, prefix, partitions=2)
    topics.write_log(0, [*range(1, 31), *range(32, 60)])
    topics.write_log(1, range(1, 61))
    code, said = finish(JudgeRun(kafka, prefix, ends={"1": 60}, tuning=FAST))

    assert (code, "chain gap in input-0" in said[-1]) == (7, True)
    assert topics.alerts(0) == expected_alerts(0, 30)
    assert topics.alerts(1) == expected_alerts(1, 60)


def test_without_transactions_a_repeat_has_the_same_bytes(topics: JudgedTopics) -> None:
    """`delivery: at_least_once`: a process killed between alerts and state publishes some alerts again, none anew."""
    topics.write_log(0, range(1, 101))
    run = JudgeRun(topics.bootstrap, topics.prefix, ends={"0": 100}, tuning=FAST, delivery="at_least_once")
    for hit in (2, 3):
        assert finish(run.failing_at("judge.commit.outputs", hit))[0] == KILLED
    assert finish(run) == (0, [])

    alerts = topics.alerts(0)
    assert len(alerts) > len(set(alerts))
    assert sorted(set(alerts), key=lambda a: a.timestamp_ms) == expected_alerts(0, 100)


def test_judges_share_partitions_and_survive_each_other(kafka: str, prefix: str) -> None:
    """A second judge joins in the middle and takes partitions over; then the first is killed and comes back: every
    partition is judged as by one that nobody disturbed.
    """
    topics = JudgedTopics(kafka, prefix, partitions=4)
    for partition in range(4):
        topics.write_log(partition, range(1, 101))
    first = JudgeProcess(JudgeRun(kafka, prefix, instance="0", tuning=FAST))
    topics.wait_for_offsets("judges", dict.fromkeys(range(4), 100))
    second = JudgeProcess(
        JudgeRun(kafka, prefix, instance="1", tuning=FAST, fail_at="judge.restore.slot", action="tell")
    )
    second.next_word()
    for partition in range(4):
        topics.write_log(partition, range(101, 201))
    topics.wait_for_offsets("judges", dict.fromkeys(range(4), 200))
    first.signal(signal.SIGKILL)
    assert first.ended() == (KILLED, [])
    for partition in range(4):
        topics.write_log(partition, range(201, 301))
    again = JudgeProcess(JudgeRun(kafka, prefix, instance="0", tuning=FAST))
    topics.wait_for_offsets("judges", dict.fromkeys(range(4), 300))
    for process in (second, again):
        process.signal(signal.SIGTERM)
        assert process.ended()[0] == 0

    assert [topics.alerts(p) for p in range(4)] == [expected_alerts(p, 300) for p in range(4)]


@pytest.mark.timeout(240)
def test_a_broker_that_dies_and_returns_costs_no_alert(own_broker: BrokerFactory, prefix: str) -> None:
    """SIGKILL of the broker in the middle of the log, and a start on the same data: the judge takes new clients and
    goes on by itself.
    """
    broker = own_broker()
    topics = JudgedTopics(broker.bootstrap, prefix, partitions=1)
    topics.write_log(0, range(1, 101))
    judge = JudgeProcess(JudgeRun(broker.bootstrap, prefix, tuning=FAST))
    topics.wait_for_offsets("judges", {0: 50})
    broker.kill()
    broker.start()
    topics.write_log(0, range(101, 201))
    topics.wait_for_offsets("judges", {0: 200})
    judge.signal(signal.SIGTERM)

    assert judge.ended() == (0, [])
    assert topics.alerts(0) == expected_alerts(0, 200)


def delete_log_before(topics: JudgedTopics, offset: int) -> None:
    """Let retention take the beginning of the log."""
    before = TopicPartition(topics.names.profiles, 0, offset)
    admin = topics.admin()
    admin.delete_records([before])[before].result(20)


def grow(topics: JudgedTopics, name: str, partitions: int) -> None:
    """Add partitions to a topic."""
    admin = topics.admin()
    admin.create_partitions([NewPartitions(name, partitions)])[name].result(20)
