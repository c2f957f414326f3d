"""`check`: what the budget promises and lets one see, for people and for programs."""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pytest

from stream_monitor.cli.failures import Exit
from stream_monitor.cli.main import run_command

BASE = ["check", "--set", "group=g", "-X", "bootstrap.servers=a:1"]


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("STREAM_MONITOR_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("check")
    rows, document = folder / "rows.csv", folder / "baseline.json"
    lines = (f"{i % 97},{'abc'[i % 3]}" for i in range(1500))
    rows.write_text("\n".join(["amount,channel", *lines]) + "\n")
    assert run_command(["baseline", "build", str(rows), "--model", "fraud", "--to", str(document)]) == 0
    return str(document)


def test_each_series_has_its_delays_in_time(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Weight, threshold and promise, then the size of each shift beside the time it takes."""
    capsys.readouterr()
    assert run_command([*BASE, "--baseline", document, "--rate", "20", "-v"]) == 0
    lines = capsys.readouterr().out.splitlines()
    amount = next(line for line in lines if line.startswith("feature:amount"))

    assert any("at most 1 false alarm in 30d" in line and "A = 259200 panes" in line for line in lines)
    assert any("at 20 events/s" in line for line in lines)
    assert "rank_shiryaev_roberts" in amount
    assert "bound" in amount
    assert "+28 in 50s" in amount


def test_without_traffic_delays_are_in_events(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And the report says that the traffic is unknown."""
    capsys.readouterr()
    assert run_command([*BASE, "--baseline", document]) == 0
    text = capsys.readouterr().out

    assert "traffic unknown" in text
    assert "+28 in 100" in text


def test_programs_get_the_same_as_data(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON value with a list of models, and in each its series."""
    capsys.readouterr()
    assert run_command([*BASE, "--baseline", document, "--rate", "20", "--format", "json"]) == 0
    fraud, rest = orjson.loads(capsys.readouterr().out)["models"]
    channel = next(item for item in fraud["series"] if item["series"] == "feature:channel")

    assert (fraud["model"], rest["model"]) == ("fraud", "*")
    assert fraud["budget"]["panes"] == 259_200
    assert fraud["events_per_s"] == 20
    assert channel["guarantee"] == "bound"
    assert channel["shifts"][-1]["within_s"] == 50
    assert channel["shifts"][-1]["size"] == pytest.approx(0.471, abs=0.01)


def test_warnings_do_not_fail_unless_asked(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A floor within the noise of a small window is a warning; `--strict` makes it a finding."""
    noisy = [*BASE, "--baseline", document, "--rate", "0.5"]
    assert run_command(noisy) == 0
    assert "by chance alone" in " ".join(capsys.readouterr().out.split())
    assert run_command([*noisy, "--strict"]) == Exit.UNEXPECTED


def test_a_baseline_that_cannot_be_used_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and the exit code of a wrong command line."""
    broken = tmp_path / "broken.json"
    broken.write_text("{}")

    assert run_command([*BASE, "--baseline", str(broken)]) == Exit.USAGE
    assert "--baseline" in capsys.readouterr().err


CUSUM = (
    "{{kind: 'tests.runtimes.own_detectors:Cusum',"
    " calibrate: {{parameter: threshold, short: 1, long: 50, targets: [100, 300]}}{rest}}}"
)


def own(rest: str = "") -> list[str]:
    return [*BASE, "--set", f"detection.detectors=[{CUSUM.format(rest=rest)}]"]


def test_a_detector_that_is_not_calibrated_is_no_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    """And the command that helps is named."""
    assert run_command(own()) == Exit.USAGE
    assert "detection.detectors[0].run_lengths: is required with calibrate" in capsys.readouterr().err


def test_calibrate_prints_what_belongs_into_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    """The pairs that it prints are good; others are a finding, and so is their absence."""
    assert run_command([*own(), "--calibrate"]) == Exit.UNEXPECTED
    found = capsys.readouterr().out.split("put in: run_lengths: ")[1].splitlines()[0]
    assert found.startswith("[[")

    assert run_command([*own(f", run_lengths: {found}"), "--calibrate"]) == 0
    assert "runs as long as run_lengths says" in capsys.readouterr().err
    assert run_command(own(f", run_lengths: {found}")) == 0
    assert run_command([*own(", run_lengths: [[3.0, 100], [4.0, 300]]"), "--calibrate"]) == Exit.UNEXPECTED


def test_ends_that_enclose_no_run_length_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The field, the detector, and what was seen."""
    narrow = [*BASE, "--calibrate", "--set", f"detection.detectors=[{CUSUM.format(rest='')}]".replace("50", "1.5")]
    assert run_command(narrow) == Exit.USAGE
    said = capsys.readouterr().err

    assert "detection.detectors[0].calibrate: tests.runtimes.own_detectors:Cusum cannot be calibrated with it" in said
    assert "1.5 alarms more often than once in 100" in said


RULE = "rules=[{{name: mine, series: ['{series}']{rest}}}]"


@pytest.mark.parametrize(
    ("series", "rest", "why"),
    [
        (
            "features:*",
            "",
            "none is named like features:*; there are demand, feature:amount, feature:channel, invalid:",
        ),
        ("demand", ", effect: {psi: 0.1}", "its effect psi is not measured on demand"),
        (
            "feature:*",
            ", evidence: negative_binomial",
            "its evidence negative_binomial does not test feature:amount, feature:channel",
        ),
    ],
)
def test_a_rule_that_watches_nothing_is_a_warning(
    document: str, series: str, rest: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its place in the file and the reason; a rule that watches something beside it has none."""
    rule = RULE.format(series=series, rest=rest)[:-1] + ", {name: drift, series: ['feature:*']}]"
    assert run_command([*BASE, "--baseline", document, "--set", rule]) == 0
    warnings = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning: rules")]

    assert len(warnings) == 1
    assert warnings[0].startswith(f"warning: rules[0] (mine): watches no series of model fraud: {why}")


def test_no_rules_at_all_are_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty list replaces the default rules."""
    assert run_command([*BASE, "--set", "rules=[]"]) == 0
    assert "warning: rules: the list is empty: nothing raises an alert" in capsys.readouterr().out


def test_pane_ranks_have_their_delays(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Also of shifts that put every pane into one bin; without a warning of NumPy's, which fails this test."""
    rule = RULE.format(series="feature:*", rest=", evidence: pane_rank")
    assert run_command([*BASE, "--baseline", document, "--set", rule, "-v"]) == 0
    amount = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("feature:amount"))

    assert "pane_rank" in amount
    assert "+28 in 500" in amount


def test_all_wrong_librdkafka_settings_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With their values, but for those that are secret or come from elsewhere."""
    assert run_command([*BASE, "-X", "acks=1", "-X", "group.id=mine"]) == Exit.USAGE
    assert capsys.readouterr().err.splitlines() == [
        "kafka.acks: is set by stream-monitor and cannot be changed, got 1: remove it",
        "kafka.group.id: is set by stream-monitor and cannot be changed, got mine: remove it",
    ]
    monkeypatch.setenv("CODEC", "hunter2")
    librdkafka = 'Invalid value for configuration property "queue.buffering.max.ms"'
    wrong = ["linger=5", "linger.ms=soon", "compression.type=${CODEC}", "ssl.key.password=x"]
    assert run_command([*BASE, *(word for text in wrong for word in ("-X", text))]) == Exit.USAGE
    assert capsys.readouterr().err.splitlines() == [
        "kafka.linger: no such librdkafka setting",
        f"kafka.linger.ms: is refused by librdkafka, got soon: {librdkafka}",
        "kafka.compression.type: is refused by librdkafka, got ***",
    ]


def test_a_rule_of_ones_own_is_tried(capsys: pytest.CaptureFixture[str]) -> None:
    """Params that its class does not take are told with the rule, the class and what it says."""
    own = ", target: 'tests.runtimes.own_rules:AnyChange', params: {flor: 1}"
    assert run_command([*BASE, "--set", RULE.format(series="prediction", rest=own)]) == Exit.USAGE
    told = "rules[0] (mine).params: tests.runtimes.own_rules:AnyChange does not take them ('floor')"
    assert told in capsys.readouterr().err
