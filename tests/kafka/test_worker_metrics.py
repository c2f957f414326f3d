"""A real worker on a real broker, scraped by a real Prometheus: what an operator sees of it."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from urllib.request import urlopen

from stream_monitor.lab.demo.on_kafka import KafkaBackend
from stream_monitor.lab.drifts import MeanShift
from stream_monitor.lab.fraud import Fraud
from stream_monitor.lab.scenario import Scenario
from tests import instants
from tests.deploy.dashboard import RULES, filled_in, queries
from tests.prometheus_server import PrometheusServer

HISTORY_S = 40
BAD = b'{"event_id": "cut off'
ODD = b'{"event_id": "odd-%d", "model": "fraud", "version": "7", "timestamp": %d, "features": {"amount": "text"}}'

SCENARIO = Scenario("fraud", Fraud(1), 300, (MeanShift("amount", at_s=15.0, until_s=3_000.0, factor=1.8),), 6_000)


def send_second(worker: KafkaBackend, second: int, *, start_ms: int) -> None:
    """Send one second of traffic, with a record that cannot be read and a value that cannot be counted."""
    at_ms = start_ms + second * 1_000
    worker.send([*SCENARIO.second(second, start_ms=start_ms), (at_ms, BAD), (at_ms, ODD % (second, at_ms))])


def test_prometheus_and_the_dashboard_see_a_real_worker(
    kafka: str, promtool: Path, prometheus: Path, tmp_path: Path
) -> None:
    """The exposition has no lint, the drift arrives as a firing ModelDrift, and every panel shows data."""
    ended = threading.Event()
    start_ms = instants.ago_ms(HISTORY_S, edge_ms=1_000)

    def traffic(worker: KafkaBackend) -> None:
        second = HISTORY_S
        while not ended.wait(max(0.0, (start_ms - instants.now_ms()) / 1_000 + second + 1)):
            send_second(worker, second, start_ms=start_ms)
            second += 1

    with KafkaBackend(SCENARIO, bootstrap=kafka, say=lambda _: None) as worker:
        for second in range(HISTORY_S):
            send_second(worker, second, start_ms=start_ms)
        thread = threading.Thread(target=traffic, args=(worker,))
        thread.start()
        try:
            target = {"target": worker.address, "job": "stream-monitor"}
            with PrometheusServer(prometheus, tmp_path, rules=(RULES,), **target) as scraper:
                ((firing, _), *_) = scraper.wait_for('ALERTS{alertname="ModelDrift", series="feature:amount"}')
                scraper.wait_for("count(changes(stream_monitor_events_total[10s]) > 2)")
                worker.check()
                panels = {where: filled_in(query) for where, query in queries().items() if "annotation" not in where}
                empty = {where for where, query in panels.items() if not scraper.query(query)}
            with urlopen(f"http://{worker.address}/metrics", timeout=10) as answer:
                text = answer.read()
        finally:
            ended.set()
            thread.join()
    lint = subprocess.run([str(promtool), "check", "metrics"], input=text, capture_output=True, check=False)

    # The demo's configuration exports one comparison, so the panel of the other is empty here.
    assert (firing["model"], empty, lint.returncode, lint.stdout + lint.stderr) == (
        "fraud",
        {"Kolmogorov-Smirnov distance A"},
        0,
        b"",
    )
