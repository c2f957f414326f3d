"""`recover offsets` on a real broker: after each loss the documented command, and workers count on."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from stream_monitor.cli.main import run_command
from stream_monitor.core.profile import ProgressRecord, decode
from tests.kafka.folding import read_all
from tests.kafka.members import make_topic
from tests.kafka.profiling import Stage, make_stage, running, wait_until
from tests.kafka.test_lost_offsets import EVENTS, assert_whole, feed, patiently, reset_by_tool


def configured(stage: Stage, folder: Path) -> str:
    """Write the configuration of a stage and return its path."""
    names = stage.names
    topics = {
        name: getattr(names, name)
        for name in ("profiles", "baselines", "alerts", "alert_state", "judge_state", "dead_letters")
    }
    config = {
        "version": 1,
        "group": stage.prefix,
        "kafka": {"bootstrap.servers": stage.bootstrap, "log_level": "0"},
        "inputs": [{"topic": topic, "format": "native"} for topic in stage.inputs],
        "time": {"idle_after": "off"},
        "topics": {**topics, "partitions": 2, "replication": 1},
    }
    path = folder / "stream-monitor.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return str(path)


def recover(config: str, *arguments: str) -> int:
    """Run `recover offsets` and return its exit code."""
    return run_command(["-c", config, "recover", "offsets", *arguments])


def test_offsets_are_recovered_and_workers_count_on(
    kafka: str, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reset that lost the metadata: from the log, exact. A topic made anew: where the operator says, declared. Live
    workers are left alone and named, a dry run writes nothing, and a second run finds nothing to do.
    """
    stage = make_stage(kafka, prefix)
    config = configured(stage, tmp_path)
    feed(stage, range(EVENTS))
    with running(stage.job("alice")):
        wait_until(stage.is_caught_up)
        code = recover(config, "--to", "earliest", "--topic", stage.inputs[0], "--yes")
        said = capsys.readouterr().err
        assert (code, "alice on" in said, "stop these workers first" in said) == (2, True, True)
        assert {EVENTS // 2} == {offset for offset, _ in stage.committed().values()}
    patiently(lambda: reset_by_tool(stage, 1))
    before = stage.committed()

    assert recover(config) == 0
    assert stage.committed() == before, "a dry run writes nothing"
    assert recover(config, "--yes", "--wait", "30s") == 0
    assert stage.committed()[stage.inputs[0], 1][0] == EVENTS // 2
    assert "without the chain state" in capsys.readouterr().out
    assert recover(config, "--yes", "--format", "json") == 0
    assert capsys.readouterr().out.count('"condition":"good"') == 2
    feed(stage, range(EVENTS, 2 * EVENTS))
    with running(stage.job()):
        wait_until(stage.is_caught_up)
    assert_whole(stage, 2 * EVENTS)

    (future,) = stage.admin.delete_topics([stage.inputs[0]]).values()
    future.result(20)
    wait_until(lambda: stage.inputs[0] not in stage.admin.list_topics(timeout=20).topics)
    make_topic(kafka, stage.inputs[0], 2)
    feed(stage, range(2 * EVENTS, 3 * EVENTS))
    assert recover(config, "--yes", "--wait", "30s") == 2
    assert "need --to" in capsys.readouterr().err
    assert recover(config, "--to", "earliest", "--yes", "--wait", "30s") == 0
    with running(stage.job()):
        wait_until(stage.is_caught_up)
    written = [decode(m.value() or b"") for m in read_all(stage.settings, stage.names.profiles)[0]]
    opened = [r for r in written if isinstance(r, ProgressRecord) and r.source.epoch]

    assert sum(p.counts.counted + p.counts.late for p in opened) == EVENTS
    assert {p.source.epoch for p in opened} == {1}
