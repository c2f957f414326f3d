"""Rules and dashboard: accepted by promtool, right in its unit tests, and about metrics that exist."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest
import yaml

from stream_monitor.outputs.endpoints import Identity, pages
from stream_monitor.outputs.families import FAMILIES, FamilyType
from stream_monitor.outputs.http import HttpServer
from tests.deploy.dashboard import ROOT, RULES, dashboard, filled_in, metrics_of, queries
from tests.outputs.listening import eventful, hear_everything
from tests.prometheus_server import PrometheusServer

FOLDER = ROOT / "deploy" / "prometheus"
ALERTS = {
    "StreamMonitorDown",
    "StreamMonitorStalled",
    "StreamMonitorLagGrowing",
    "StreamMonitorSmallChunks",
    "StreamMonitorStateRebuilt",
    "StreamMonitorFutureEvents",
    "StreamMonitorInputGap",
    "StreamMonitorDeadLetters",
    "StreamMonitorUnjudged",
    "StreamMonitorSeriesSuppressed",
    "ModelDrift",
}


def rules() -> list[dict[str, str]]:
    """Return all rules."""
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def exported() -> set[str]:
    """Return every metric name that a scrape or a rule can give."""
    names = {"up", "process_resident_memory_bytes"} | {rule["record"] for rule in rules() if "record" in rule}
    for family in FAMILIES:
        endings = ("_bucket", "_sum", "_count") if family.type is FamilyType.HISTOGRAM else ("",)
        names |= {family.full_name + ending for ending in endings}
    return names


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "--lint=all", "--lint-fatal", "rules.yml"),
        ("test", "rules", "rules_test.yml"),
    ],
    ids=["configuration", "rules", "unit tests"],
)
def test_promtool_accepts_what_we_ship(promtool: Path, arguments: tuple[str, ...]) -> None:
    """Prometheus' own checker finds nothing, and every alert fires and stays silent as its unit tests say."""
    done = subprocess.run([str(promtool), *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)

    assert (done.returncode, "FAILED" in done.stdout) == (0, False), done.stdout + done.stderr


def test_the_unit_tests_of_the_rules_can_fail(promtool: Path, tmp_path: Path) -> None:
    """A rule with another threshold does not pass them."""
    text = RULES.read_text(encoding="utf-8")
    (tmp_path / "rules.yml").write_text(text.replace("> 0.01", "> 0.1"), encoding="utf-8")
    (tmp_path / "rules_test.yml").write_bytes((FOLDER / "rules_test.yml").read_bytes())
    command = [str(promtool), "test", "rules", "rules_test.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 1


def test_every_alert_has_a_unit_test_in_which_it_fires() -> None:
    """No alert is shipped that was not seen to fire."""
    document = yaml.safe_load((FOLDER / "rules_test.yml").read_text(encoding="utf-8"))
    seen = {
        case["alertname"]
        for test in document["tests"]
        for case in test.get("alert_rule_test", [])
        if case.get("exp_alerts")
    }

    assert seen == {rule["alert"] for rule in rules() if "alert" in rule} == ALERTS


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule.get("record"))
def test_a_rule_is_about_metrics_that_exist(rule: dict[str, str]) -> None:
    """A misspelt name would never fire and never be noticed."""
    used = metrics_of(rule["expr"])

    assert (used != set(), used - exported()) == (True, set())


@pytest.mark.parametrize("where", queries())
def test_a_panel_is_about_metrics_that_exist(where: str) -> None:
    """A misspelt name would be an empty panel for ever."""
    used = metrics_of(queries()[where])

    assert (used != set(), used - exported()) == (True, set())


def test_a_recorded_name_says_level_metric_and_operation() -> None:
    """`level:metric:operation`, as Prometheus recommends."""
    assert [rule["record"] for rule in rules() if rule.get("record", "::").count(":") != 2] == []


def test_panels_neither_overlap_nor_share_an_id() -> None:
    """The grid of 24 columns is filled without two panels in one place."""
    panels = dashboard()["panels"]
    cells = [
        (column, line)
        for grid in (panel["gridPos"] for panel in panels)
        for column in range(grid["x"], grid["x"] + grid["w"])
        for line in range(grid["y"], grid["y"] + grid["h"])
    ]

    assert (len(cells), len(panels), max(column for column, _ in cells)) == (
        len(set(cells)),
        len({panel["id"] for panel in panels}),
        23,
    )


def test_a_real_prometheus_answers_every_panel_with_data(prometheus: Path, tmp_path: Path) -> None:
    """Each query is valid PromQL and shows something of a worker that has seen everything."""
    listener = eventful()
    identity = Identity("fraud-monitor", "0", ("profile", "judge"), "0.1.0", "9f2b0c61d8")
    ended = threading.Event()

    def go_on() -> None:
        times = 1
        while not ended.wait(0.2):
            times += 1
            hear_everything(listener, times)

    traffic = threading.Thread(target=go_on)
    traffic.start()
    try:
        with (
            HttpServer("127.0.0.1", 0, pages(identity, listener.metrics, listener.health)) as server,
            PrometheusServer(
                prometheus, tmp_path, target=server.address, rules=(RULES,), job="stream-monitor"
            ) as scraper,
        ):
            scraper.wait_for("count(changes(stream_monitor_events_total[10s]) > 1)")
            asked = {
                where: filled_in(expression) for where, expression in queries().items() if "annotation" not in where
            }
            empty = [where for where, expression in asked.items() if not scraper.query(expression)]
            firing = scraper.wait_for('ALERTS{alertname="ModelDrift"}')
    finally:
        ended.set()
        traffic.join()

    assert (empty, firing[0][0]["series"]) == ([], "feature:amount")
