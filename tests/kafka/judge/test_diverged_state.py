"""Another version refolds the log to another state, on a real broker: the judge goes on with what was published."""

from __future__ import annotations

import dataclasses
import json

from confluent_kafka import Producer

from stream_monitor.core.alerts.event import AlertCloudEvent, decode, encode
from stream_monitor.kafka.baseline_log import BaselineWriter
from stream_monitor.kafka.deliveries import Outgoing
from stream_monitor.kafka.judge.state_records import COMMIT_KEY, Commit
from stream_monitor.kafka.judge.state_records import encode as sealed
from tests.kafka.judge_process import JudgeRun, finish
from tests.kafka.judging import FAST, JudgedTopics
from tests.kafka.test_judge_alerts import PLAN, alert_states
from tests.kafka.test_plan_change import monitor

TUNING = {**FAST, "transaction_bytes": 60_000, "block_bytes": 10_000}


def overwrite(topics: JudgedTopics, partition: int, commit: Commit) -> None:
    """Write what a process of another version would have committed."""
    other = dataclasses.replace(commit, state_digest="0" * 64, versions={"river": "0.1"})
    topics.write([Outgoing(topics.names.judge_state, partition, COMMIT_KEY, sealed(other))])


def published(topics: JudgedTopics, partition: int) -> list[AlertCloudEvent]:
    return [decode(alert.value or b"") for alert in topics.alerts(partition)]


def strange(value: bytes) -> tuple[bytes, bytes]:
    """Return the last event of an open alert that this version knows nothing of."""
    own = json.loads(value.replace(decode(value).data.fingerprint.encode(), b"00000000deadbeef"))
    own["data"]["labels"]["series"] = "feature:gone"
    return b"00000000deadbeef", encode(decode(json.dumps(own).encode()))


def test_a_judge_that_refolds_another_state_goes_on_with_the_published_alerts(kafka: str, prefix: str) -> None:
    """An alert that only the topic knows ends, one that only the judge knows fires anew, the others go on."""
    made, cuts = monitor()
    topics = JudgedTopics(kafka, prefix, partitions=2)
    writer = BaselineWriter(Producer({"bootstrap.servers": kafka}), topics.names.baselines)
    for baseline in made.schedule.documents.values():
        writer.document(baseline)
    first = {str(p): cuts[p][1] for p in range(2)}
    whole = {str(p): cuts[p][2] for p in range(2)}
    for p in range(2):
        topics.write([Outgoing(topics.names.profiles, p, e.key, e.value) for e in made.log[p][: cuts[p][1]]])
    run = JudgeRun(kafka, prefix, plan=PLAN, ends=first, tuning=TUNING)
    assert finish(run) == (0, [])
    before = [published(topics, p) for p in range(2)]
    states = [alert_states(topics, p) for p in range(2)]
    opened = [{key: value for key, value in own.items() if decode(value).data.status == "firing"} for own in states]
    assert min(len(own) for own in opened) >= 2
    forgotten, *kept = sorted(opened[0])
    key, value = strange(opened[0][forgotten])
    topics.write([Outgoing(topics.names.alert_state, 0, k, v) for k, v in ((forgotten, None), (key, value))])
    for p in range(2):
        overwrite(topics, p, topics.commit(p))
        topics.write([Outgoing(topics.names.profiles, p, e.key, e.value) for e in made.log[p][cuts[p][1] :]])

    assert finish(dataclasses.replace(run, ends=whole)) == (0, [])
    after = [published(topics, p)[len(before[p]) :] for p in range(2)]
    end, *rest = after[0]
    assert (end.data.alert_id, end.data.reason, end.data.status) == (
        decode(value).data.alert_id,
        "state_rebuilt",
        "resolved",
    )
    for own in kept:
        going = [event for event in rest if event.data.fingerprint == own.decode()]
        assert going[0].data.alert_id == decode(opened[0][own]).data.alert_id
        assert going[0].data.sequence == decode(opened[0][own]).data.sequence + 1
    again = [event for event in rest if event.data.fingerprint == forgotten.decode()]
    assert (again[0].data.reason, again[0].data.sequence) == ("fired", 1)
    assert [event.data.reason for event in after[1]].count("fired") == 0
    assert {decode(own).data.status for p in range(2) for own in alert_states(topics, p).values()} == {"resolved"}

    committed = [topics.commit(p) for p in range(2)]
    assert finish(dataclasses.replace(run, ends=whole)) == (0, [])
    assert [topics.commit(p).state_digest for p in range(2)] == [commit.state_digest for commit in committed]
    assert [len(published(topics, p)) for p in range(2)] == [len(before[p]) + len(after[p]) for p in range(2)]
