"""`rekey` on a real broker: two judge partitions become four, and every event is judged once."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_monitor.cli.main import run_command
from stream_monitor.config import load
from stream_monitor.core.keys import judge_partition
from tests.kafka.profiling import make_stage
from tests.kafka.test_lost_offsets import EVENTS
from tests.kafka.test_recover_gap import commits, count, events_judged, judge
from tests.kafka.test_recover_offsets import configured


def test_models_move_with_their_state(
    kafka: str, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command shows what moves and writes nothing until it is told to; then the judges go on in four partitions,
    with what they had gathered in two. A second run finds nothing to do, and a number that cannot be is refused.
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
    assert rekey("--partitions", "4", "--yes") == 0
    assert [4] * 4 == [commit and commit.partitions for commit in commits(stage, 4)]
    assert rekey("--partitions", "4", "--yes") == 0
    assert "nothing to do" in capsys.readouterr().err
    count(stage, range(EVENTS, 2 * EVENTS))
    judge(stage)

    assert events_judged(stage) == 2 * EVENTS
