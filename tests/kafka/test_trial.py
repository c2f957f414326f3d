"""A deployment from its first day on: a table with a label, drifts of every kind, and all that operators do meanwhile.

After each kind of alert something happens to the deployment while that alert is open: a judge joins, the configuration
changes, workers are killed, the broker is. At the end every committed alert is compared with a replay of the topics.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import orjson
import pytest
import yaml

from stream_monitor.config import load
from stream_monitor.config.yaml_text import Plain
from stream_monitor.kafka.readers import decode_alert
from stream_monitor.lab.broker import Broker
from tests import instants
from tests.kafka.conftest import BrokerFactory
from tests.kafka.deployment import Deployment, Worker
from tests.kafka.replays import committed_alerts, replayed_alerts
from tests.kafka.test_run_command import command
from tests.kafka.test_training_table import PANE_MS, live, training_table

PARTITIONS, JUDGES = 2, 2
FIRST, DRIFTING, HEALTHY = 215, 14, 8
"""Panes: traffic is learnt from the first two hundred."""

SETTINGS: dict[str, Plain] = {
    "time": {"idle_after": "off", "allowed_lateness": "1s"},
    "detection": {"window": "1m", "budget": {"false_alarms": 1, "per": "1d"}},
    "models": [{"name": "churn", "baseline": {"from": "published"}, "segments": ["channel"]}],
}

Event = dict[str, object]
Change = Callable[[Event, int], Event | None]


def shifted(event: Event, _: int) -> Event:
    """Return an event of customers that stay longer."""
    return with_feature(event, "tenure", lambda value: int(value) + 30)


def nameless(event: Event, _: int) -> Event:
    """Return an event whose contract is gone."""
    features = event["features"]
    assert isinstance(features, dict)
    return {**event, "features": {name: value for name, value in features.items() if name != "contract"}}


def strange(event: Event, number: int) -> Event:
    """Return an event of a category that nobody knew, three times in ten."""
    return with_feature(event, "contract", lambda value: "decade" if number % 10 < 3 else value)


def rare(event: Event, number: int) -> Event | None:
    """Return one event in five."""
    return event if number % 5 == 0 else None


def with_feature(event: Event, name: str, change: Callable[[str], object]) -> Event:
    features = event["features"]
    assert isinstance(features, dict)
    return {**event, "features": {**features, name: change(features[name])}}


class Trial:
    """A deployment under way, and its traffic."""

    def __init__(self, broker: Broker, prefix: str, folder: Path) -> None:
        self.broker = broker
        self.made = Deployment(
            broker.bootstrap, prefix, folder, input_partitions=PARTITIONS, judges=JUDGES, settings=SETTINGS
        )
        self.workers: dict[tuple[str, str], Worker] = {}
        self._next_ms = instants.ago_ms(3 * instants.HOUR_S)
        self._seed = 0

    def start(self, *names: tuple[str, str]) -> None:
        """Start workers by role and instance."""
        for role, instance in names:
            self.workers[role, instance] = self.made.start(role, instance)

    def stop_all(self) -> list[tuple[str, str]]:
        """Stop every worker as an operator does; return which there were."""
        names = list(self.workers)
        codes = {name: self.workers.pop(name).stop() for name in names}
        assert dict.fromkeys(names, 0) == codes
        return names

    def send(self, panes: int, change: Change | None = None) -> None:
        """Send what happens next: so many panes, and in each partition an event that closes the last."""
        self._seed += 1
        start_ms, self._next_ms = self._next_ms, self._next_ms + panes * PANE_MS
        events = live(start_ms, panes=panes, seed=self._seed)
        *rows, (_, end_ms, last) = events
        found: list[tuple[int, int, bytes]] = []
        for number, (_, at_ms, value) in enumerate(rows):
            event = orjson.loads(value) if change is None else change(orjson.loads(value), number)
            if event is not None:
                found.append((number % PARTITIONS, at_ms, orjson.dumps(event)))
        closing = orjson.loads(last)
        for partition in range(PARTITIONS):
            identity = {"event_id": f"{self._seed}-end-{partition}", "timestamp": start_ms + panes * PANE_MS}
            found.append((partition, end_ms, orjson.dumps({**closing, **identity})))
        self.made.send(found)

    def firing(self) -> set[str]:
        """Return the names of alerts that fire now."""
        last: dict[str, tuple[int, str, str]] = {}
        for partition in committed_alerts(self.made, JUDGES):
            for _, value, *_ in partition:
                alert = decode_alert(value)
                known = last.get(alert.alert_id, (0, "", ""))
                last[alert.alert_id] = max(known, (alert.sequence, alert.status, alert.labels["alertname"]))
        return {name for _, status, name in last.values() if status == "firing"}

    def configure(self, section: str, settings: Mapping[str, Plain]) -> None:
        """Change the configuration while every worker is away, as a roll-out does."""
        names = self.stop_all()
        config = yaml.safe_load(self.made.config.read_text(encoding="utf-8"))
        config[section] = {**config.get(section, {}), **settings}
        self.made.config.write_text(yaml.safe_dump(config), encoding="utf-8")
        self.made.settings = load(self.made.config, environ={})
        assert 0 == command("check", "--connect", config=self.made.config).returncode
        self.start(*names)

    def kill(self) -> None:
        """Kill a worker of each role and start it again under its name."""
        for name in (("profile", "a"), ("judge", "a")):
            self.workers[name].kill()
            self.start(name)

    def bounce_broker(self) -> None:
        """Cut the power of the broker, and give it back."""
        self.broker.kill()
        self.broker.start()

    def settle(self) -> None:
        """Return when everything sent is counted and judged."""
        self.made.wait_until(lambda: self.made.offsets.is_caught_up("profile"), "all events are profiled")
        assert dict.fromkeys(self.stop_role("profile"), 0) == {}
        self.made.wait_until(lambda: self.made.offsets.is_caught_up("judge"), "all profiles are judged")
        self.stop_all()

    def stop_role(self, role: str) -> list[str]:
        """Stop the workers of a role; return those that did not end well."""
        names = [name for name in self.workers if name[0] == role]
        return [name[1] for name in names if self.workers.pop(name).stop() != 0]


@pytest.fixture
def trial(own_broker: BrokerFactory, prefix: str, tmp_path: Path) -> Iterator[Trial]:
    """A deployment on a broker of its own."""
    found = Trial(own_broker(data=tmp_path / "data"), prefix, tmp_path)
    try:
        yield found
    finally:
        found.made.kill_all()


@pytest.mark.timeout(500)
def test_a_deployment_keeps_its_word_through_all_that_operators_do(trial: Trial, tmp_path: Path) -> None:
    """Every kind of drift is reported while things happen; what was committed is what a replay says, byte for byte."""
    made, table = trial.made, tmp_path / "training.csv"
    training_table(table)
    build = ("baseline", "build", str(table), "--model", "churn", "--version", "7", "--label", "churned")
    built = command(*build, "--publish", "--activate", config=made.config)
    assert 0 == built.returncode, built.stderr
    trial.start(("profile", "a"), ("profile", "b"), ("judge", "a"))
    trial.send(FIRST)
    story: list[tuple[str, Change, Callable[[], None]]] = [
        ("FeatureDrift", shifted, lambda: trial.start(("judge", "b"))),
        ("MissingColumn", nameless, lambda: trial.configure("alerts", {"reminder": "6h"})),
        ("UnseenCategories", strange, trial.kill),
        ("FeatureDrift", shifted, trial.bounce_broker),
        ("DemandChange", rare, lambda: trial.configure("limits", {"models": 100})),
    ]
    for name, change, meanwhile in story:
        trial.send(DRIFTING, change)
        made.wait_until(lambda wanted=name: wanted in trial.firing(), f"{name} fires")  # type: ignore[misc]
        meanwhile()
        trial.send(HEALTHY + DRIFTING)
    trial.settle()

    committed = committed_alerts(made, JUDGES)
    assert committed == replayed_alerts(made, tmp_path / "export.jsonl", JUDGES)
    letters = command("dead-letters", "list", "--format", "json", config=made.config)
    assert [] == [json.loads(line) for line in letters.stdout.splitlines()]
