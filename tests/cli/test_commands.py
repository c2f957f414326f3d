"""The command line: help, errors in one line, exit codes, output for people and for programs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest
from confluent_kafka import KafkaError, KafkaException

from stream_monitor.cli.failures import Exit
from stream_monitor.cli.main import hoisted, run_command
from stream_monitor.cli.schema_files import SCHEMAS
from stream_monitor.kafka.deliveries import UndeliveredRecords

COMMANDS = [
    ["run"],
    ["check"],
    ["topics"],
    ["topics", "show"],
    ["topics", "create"],
    ["topics", "verify"],
    ["baseline"],
    ["baseline", "build"],
    ["baseline", "show"],
    ["baseline", "activate"],
    ["backtest"],
    ["simulate"],
    ["demo"],
    ["export"],
    ["alerts"],
    ["alerts", "list"],
    ["alerts", "follow"],
    ["alerts", "show"],
    ["dead-letters", "list"],
    ["schema", "print"],
]


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("STREAM_MONITOR_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_its_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` says what a command does in a sentence."""
    assert run_command([*command, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"stream-monitor {' '.join(command)}" in out
    assert "." in out


def test_help_loads_nothing_heavy() -> None:
    """The start-up of the command line imports neither arrays nor Kafka nor validation."""
    code = (
        "import sys; from stream_monitor.cli.main import run_command; run_command(['--help'])\n"
        "heavy = {'numpy', 'scipy', 'river', 'confluent_kafka', 'pydantic', 'pyarrow'}\n"
        "sys.exit(str(sorted(heavy & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert "[]" == done.stderr.strip()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["chek"], Exit.USAGE, "No such command 'chek'"),
        (["check"], Exit.USAGE, "group: is required"),
        (["check", "--set", "group=g"], Exit.USAGE, "kafka.bootstrap.servers: is required"),
        (["check", "--set", "group=g", "--set", "detection.pane=7s"], Exit.USAGE, "detection.pane: must divide"),
        (["check", "--set", "nonsense"], Exit.USAGE, "--set: must be a.b=value, got nonsense"),
        (["-c", "/nowhere.yaml", "check"], Exit.USAGE, "--config: cannot be read"),
        (
            ["check", "--set", "group=g", "-X", "bootstrap.servers=a:1", "-X", "enable.auto.commit=true"],
            Exit.USAGE,
            "kafka.enable.auto.commit: is set by stream-monitor",
        ),
        (["run", "--role", "relay", "--set", "group=g"], Exit.USAGE, "relay is not available yet"),
        (["run", "--role", "boss", "--set", "group=g"], Exit.USAGE, "--role: must be profile, judge"),
        (["backtest", "f.csv", "--time-unit", "m"], Exit.USAGE, "--time-unit: must be one of s, ms, us, ns, got m"),
        (["backtest", "/nowhere.csv"], Exit.USAGE, "no such file"),
        (["simulate", "fraud"], Exit.USAGE, "needs either --to FILE or --topic NAME"),
        (["schema", "print", "evnt"], Exit.USAGE, "schema must be one of event"),
        (["alerts", "list", "--since", "soon", "-X", "bootstrap.servers=a:1"], Exit.USAGE, "--since: must be a span"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_error_is_one_line_with_its_exit_code(
    arguments: list[str], code: Exit, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback, nothing on standard output, one line that says what to do."""
    assert code == run_command(arguments)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert len(captured.err.strip().splitlines()) == 1


def test_an_unexpected_error_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bug of ours names its kind; `--traceback` shows where."""
    monkeypatch.setattr("stream_monitor.cli.state.GlobalOptions.settings", lambda *_, **__: 1 / 0)

    assert run_command(["check"]) == Exit.UNEXPECTED
    assert "unexpected ZeroDivisionError" in capsys.readouterr().err
    assert run_command(["check", "--traceback"]) == Exit.UNEXPECTED
    assert "Traceback" in capsys.readouterr().err


def test_a_traceback_is_redacted_as_its_last_line_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is pasted into a report holds no user and password of an address."""
    registry = "https://me:hunter2@registry:8081 does not answer"
    monkeypatch.setattr("stream_monitor.cli.state.GlobalOptions.settings", _refused(RuntimeError(registry)))

    assert run_command(["check", "--traceback"]) == Exit.UNEXPECTED
    said = capsys.readouterr().err
    assert ("Traceback" in said, "hunter2" in said, "https://***@registry:8081" in said) == (True, False, True)


def _refused(error: Exception) -> Callable[..., None]:
    def settings(*_: object, **__: object) -> None:
        raise error

    return settings


_DENIED = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
_TOO_LARGE = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KafkaException(_DENIED), Exit.NOT_AUTHORISED, "'stream-monitor topics acls' prints what grants it"),
        (KafkaException(_TOO_LARGE), Exit.FATAL, "kafka: MSG_SIZE_TOO_LARGE: "),
        (UndeliveredRecords("a[0]: denied", _DENIED), Exit.NOT_AUTHORISED, "'stream-monitor topics acls' prints"),
        (UndeliveredRecords("a[0]: too large", _TOO_LARGE), Exit.FATAL, "kafka: not written: a[0]: too large"),
        (UndeliveredRecords("1 of 2 records unacknowledged"), Exit.FATAL, "kafka: not written: 1 of 2 records"),
    ],
    ids=str,
)
def test_what_the_cluster_refuses_has_the_code_of_the_table(
    error: Exception, code: Exit, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever call met the refusal: a request, a record that was written, or the acknowledgement that never came."""
    monkeypatch.setattr("stream_monitor.cli.state.GlobalOptions.settings", _refused(error))

    assert code == run_command(["check"])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["run", "-c", "f"], ["-c", "f", "run"]),
        (["run", "--format=json"], ["--format=json", "run"]),
        (["backtest", "f", "--", "-c"], ["backtest", "f", "--", "-c"]),
        (["run", "-c"], ["run", "-c"]),
        (["-X", "a=b", "run", "-X", "c=d"], ["-X", "a=b", "-X", "c=d", "run"]),
    ],
)
def test_global_options_may_stand_anywhere(given: list[str], expected: list[str]) -> None:
    """They are moved before the command, in their order."""
    assert expected == hoisted(given)


def test_check_shows_the_plan_and_no_secret(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passwords, user info and expanded values are hidden in both forms of the output."""
    monkeypatch.setenv("RACK", "canary-rack")
    arguments = ["check", "--set", "group=g", "--bootstrap-servers", "a:1", "-X", "sasl.password=canary-1"]
    arguments += ["-X", "client.rack=${RACK}"]
    assert run_command(arguments) == 0
    assert run_command([*arguments, "--format", "json"]) == 0
    text = capsys.readouterr().out

    assert "canary" not in text
    assert "A = 259200 panes" in text
    report = orjson.loads(text.strip().splitlines()[-1])
    assert report["plan"]["detection"]["pane_ms"] == 10_000
    assert report["kafka"]["sasl.password"] == "***"


def test_topics_show_asks_no_broker(capsys: pytest.CaptureFixture[str]) -> None:
    """The table of topics follows from the configuration alone."""
    assert run_command(["topics", "show", "--set", "topics.partitions=2", "--format", "json"]) == 0
    specs = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert {"drift-profiles": 2, "drift-baselines": 1} == {s["name"]: s["partitions"] for s in specs[:2]}


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_schemas_are_printed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed is the schema of the file."""
    assert run_command(["schema", "print", name]) == 0
    assert SCHEMAS[name]() == orjson.loads(capsys.readouterr().out)


def test_injected_drifts_are_data_with_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads what was injected where, and how many events there are."""
    to = str(tmp_path / "events")
    assert run_command(["simulate", "fraud", "--to", to, "--for", "40s", "--rate", "5", "--format", "json"]) == 0
    drift, last = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert (drift["from_s"], drift["until_s"]) == (15.0, 35.0)
    assert last == {"events": 200, "to": to}


def test_a_demo_ends_with_its_verdict_as_data_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output holds the verdict alone; a demo that ends before the first drift is no pass."""
    command = ["demo", "--no-broker", "--for", "1s", "--rate", "100", "--format", "json"]
    assert run_command(command) == Exit.UNEXPECTED
    shown = capsys.readouterr()

    assert orjson.loads(shown.out) == {
        "verdict": "nothing_due_yet",
        "found": [],
        "missed": [],
        "just_begun": [],
        "false_alarms": [],
    }
    assert "metrics: http://" in shown.err


def test_simulated_traffic_is_reproducible(tmp_path: Path) -> None:
    """The same scenario, seed and start give the same file; another seed another one."""
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        code = run_command(
            ["simulate", "fraud", "--to", str(tmp_path / name), "--for", "3s", "--rate", "50", "--seed", seed]
        )
        assert code == 0

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()
    assert 150 == (tmp_path / "a").read_bytes().count(b"\n")


def test_backtest_prints_alerts_and_keeps_its_remarks_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output has the alerts, as lines or as the events themselves; choices are on standard error."""
    events, reference = tmp_path / "events.jsonl", tmp_path / "reference.jsonl"
    run_command(
        ["simulate", "fraud", "--to", str(events), "--for", "30s", "--rate", "100", "--reference", str(reference)]
    )
    arguments = ["backtest", str(events), "--baseline", str(reference)]
    capsys.readouterr()
    assert run_command(arguments) == 0
    text = capsys.readouterr()
    assert run_command([*arguments, "--format", "json"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert "amount rose: median" in text.out
    assert "began between row" in text.out
    assert "pane:" in text.err
    assert "budget:" in text.err
    assert "series raised an alert" in text.err
    assert {"1.0"} == {orjson.loads(line)["specversion"] for line in lines}


def test_backtest_judges_the_values_of_a_column_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --segment a drift of a twelfth of the rows is told with its segment, and all rows stay silent."""
    random = np.random.default_rng(5)
    rows = 24_000
    channel = random.choice(["web", "app", "fax"], size=rows, p=[0.6, 0.32, 0.08])
    amount = random.normal(100.0, 20.0, rows) + 20.0 * ((channel == "fax") & (np.arange(rows) >= 12_000))
    file = tmp_path / "rows.csv"
    lines = (f"{value:.2f},{name}" for value, name in zip(amount, channel, strict=True))
    file.write_text("\n".join(["amount,channel", *lines]) + "\n")
    assert run_command(["backtest", str(file), "--segment", "channel", "--format", "json"]) == 0
    told = capsys.readouterr()
    alerts = [orjson.loads(line)["data"] for line in told.out.splitlines()]
    assert run_command(["backtest", str(file), "--segment", "colour"]) == 2

    assert {alert["labels"].get("segment") for alert in alerts} == {"channel=fax"}
    assert {alert["labels"]["series"] for alert in alerts} == {"feature:amount"}
    assert "segment channel: channel=web" in told.err
    assert "raised an alert: channel=fax feature:amount" in told.err
    assert "has no column 'colour'" in capsys.readouterr().err


def test_backtest_tells_a_detector_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A class of the user's that raises on the way ends nothing, and is named with its series counted."""
    events, reference = tmp_path / "events.jsonl", tmp_path / "reference.jsonl"
    run_command(
        ["simulate", "fraud", "--to", str(events), "--for", "30s", "--rate", "100", "--reference", str(reference)]
    )
    fragile = "{kind: 'tests.runtimes.own_detectors:Fragile', params: {threshold: 1000000.0}}"
    arguments = ["backtest", str(events), "--baseline", str(reference), "--set", "detection.pane=1s"]
    arguments += ["--set", "detection.window=10s"]
    capsys.readouterr()
    assert run_command([*arguments, "--set", f"detection.detectors=[rank_shiryaev_roberts, {fragile}]"]) == 0
    said = capsys.readouterr()

    assert "amount rose: median" in said.out
    assert "detector tests.runtimes.own_detectors:Fragile failed on 1 series of fraud" in said.err


def test_a_baseline_is_built_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The document in the file is the one that was described, to its id."""
    reference = tmp_path / "reference.jsonl"
    run_command(
        ["simulate", "fraud", "--to", str(tmp_path / "e"), "--for", "1s", "--rate", "1", "--reference", str(reference)]
    )
    document = tmp_path / "baseline.json"
    capsys.readouterr()
    assert run_command(["baseline", "build", str(reference), "--to", str(document)]) == 0
    built = capsys.readouterr().out
    assert run_command(["baseline", "show", str(document)]) == 0
    shown = capsys.readouterr().out

    assert built == shown
    assert orjson.loads(document.read_bytes())["id"] in shown
    assert "feature:amount" in shown
