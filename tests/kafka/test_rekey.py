"""`rekey` on a real broker: two judge partitions become four, and every event is judged once."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_monitor.cli.main import run_command
from stream_monitor.config import load
from stream_monitor.core.keys import judge_partition
from stream_monitor.kafka.clients import open_producer
from stream_monitor.kafka.deliveries import Outgoing, deliver
from tests.kafka.profiling import Stage, make_stage
from tests.kafka.test_lost_offsets import EVENTS
from tests.kafka.test_recover_gap import commits, count, events_judged, judge
from tests.kafka.test_recover_offsets import configured


def write_alert_state(stage: Stage, value: bytes | None) -> None:
    """Write a record of a foreign key into the first partition of the alerts' states."""
    producer = open_producer(stage.settings.producer_config(), lambda _: None)
    deliver(producer, [Outgoing(stage.names.alert_state, 0, b"foreign", value)], timeout_s=30.0)


def test_models_move_with_their_state(
    kafka: str, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command shows what moves and writes nothing until it is told to; then the judges go on in four partitions,
    with what they had gathered in two. A second run finds nothing to do, and a number that cannot be is refused. A
    foreign record among the states of alerts is refused before anything is written.
    """
    stage = make_stage(kafka, prefix)
    config = configured(stage, tmp_path)
    object.__setattr__(stage, "plan", load(Path(config), environ={}).plan)
    moved_to = judge_partition("fraud", 4)

    def rekey(*arguments: str) -> int:
        return run_command(["-c", config, "rekey", *arguments])

    assert moved_to != judge_partition("fraud", 2), "the model moves, or the test shows nothing"
    count(stage, range(EVENTS))
    judge(stage)
    assert rekey("--partitions", "3", "--wait", "30s") == 2
    assert rekey("--partitions", "4") == 0
    assert f"partition {moved_to}, from partition 0: fraud" in capsys.readouterr().out
    assert len(stage.ends_of_profiles()) == 2
    write_alert_state(stage, b'{"data": {"labels": {}}}')
    assert rekey("--partitions", "4", "--yes") == 7
    assert f"{stage.names.alert_state}[0]: offset 0: the record is no alert event" in capsys.readouterr().err
    assert (2, [2, 2]) == (len(stage.ends_of_profiles()), [commit and commit.partitions for commit in commits(stage)])
    write_alert_state(stage, None)
    assert rekey("--partitions", "4", "--yes") == 0
    assert [4] * 4 == [commit and commit.partitions for commit in commits(stage, 4)]
    assert rekey("--partitions", "4", "--yes") == 0
    assert "nothing to do" in capsys.readouterr().err
    count(stage, range(EVENTS, 2 * EVENTS))
    judge(stage)

    assert events_judged(stage) == 2 * EVENTS
