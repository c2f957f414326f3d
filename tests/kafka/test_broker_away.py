"""A worker whose broker goes away, or is not there yet: it waits, says what for, and goes on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from stream_monitor.config.yaml_text import Plain
from stream_monitor.lab.broker import free_ports
from tests.kafka.conftest import BrokerFactory
from tests.kafka.deployment import Deployment, Worker

SETTINGS: dict[str, Plain] = {
    "time": {"allowed_lateness": "2s", "idle_after": "off"},
    "detection": {"pane": "1s", "window": "10s"},
}


def probed(worker: Worker, page: str) -> tuple[int, str]:
    """Return status and body of a probe; 0 while the worker does not listen yet."""
    found = re.search(r"metrics and probes on (http://[\d.:]+)", worker.log())
    if found is None:
        return 0, ""
    try:
        with urlopen(f"{found[1]}{page}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("role", ["profile", "judge"])
@pytest.mark.timeout(240)
def test_a_worker_waits_for_a_broker_that_is_away_and_says_so(
    role: str, own_broker: BrokerFactory, prefix: str, tmp_path: Path
) -> None:
    """Alive, not ready with the reason, a handful of log lines; ready again by itself when the broker is back."""
    broker = own_broker(data=tmp_path / "data")
    deployment = Deployment(broker.bootstrap, prefix, tmp_path, input_partitions=1, judges=1, settings=SETTINGS)
    try:
        worker = deployment.start(role, "a")
        deployment.wait_until(lambda: probed(worker, "/readyz")[0] == 200, "ready")
        lines = worker.log().count("\n")
        broker.kill()
        # A judge that has just been given its partition is not ready for another reason.
        deployment.wait_until(lambda: "connection refused" in probed(worker, "/readyz")[1], "not ready")
        unready = json.loads(probed(worker, "/readyz")[1])
        others = probed(worker, "/healthz")[0], probed(worker, "/status")[0]
        broker.start()
        deployment.wait_until(lambda: probed(worker, "/readyz")[0] == 200, "ready again")
        deployment.wait_until(lambda: "brokers answer again" in worker.log(), "the end in the log")
        said = worker.log().splitlines()[lines:]
        code = worker.stop()
    finally:
        deployment.kill_all()

    assert {
        "status": "waiting",
        "loops": {role: f"no broker answers: {broker.bootstrap}: connection refused"},
    } == unready
    assert ((200, 200), 0) == (others, code)
    assert len(said) <= 12, said


@pytest.mark.timeout(120)
def test_a_worker_starts_before_its_broker(own_broker: BrokerFactory, prefix: str, tmp_path: Path) -> None:
    """Started together, the worker waits; the probes name the address."""
    broker = own_broker(data=tmp_path / "data")
    deployment = Deployment(broker.bootstrap, prefix, tmp_path, input_partitions=1, judges=1, settings=SETTINGS)
    try:
        broker.kill()
        worker = deployment.start("profile", "a")
        deployment.wait_until(lambda: "connection refused" in probed(worker, "/readyz")[1], "waiting")
        broker.start()
        deployment.wait_until(lambda: probed(worker, "/readyz")[0] == 200, "ready")
    finally:
        deployment.kill_all()

    assert f"waiting for a broker, at most 60 s: {broker.bootstrap}: connection refused" in worker.log()


def test_a_worker_whose_broker_does_not_come_ends(tmp_path: Path) -> None:
    """Exit code 3 with the address and the cause, after the time that was given."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    done = worker_without_broker(address, "--wait-for-broker", "1s")

    assert 3 == done.returncode
    assert f"no broker answers: {address}: connection refused" in done.stderr


def test_a_worker_that_is_stopped_while_python_imports_ends_well() -> None:
    """Nothing is open yet, so nothing has failed: exit code 0, as after a clean end."""
    code = """if True:
        import builtins, os, signal, sys
        imported = builtins.__import__
        def stopping(name, *rest, **named):
            if name == "stream_monitor.cli.main":
                os.kill(os.getpid(), signal.SIGTERM)
            return imported(name, *rest, **named)
        builtins.__import__ = stopping
        sys.argv = ["stream-monitor", "run"]
        from stream_monitor.cli.entry import main
        main()
    """

    assert 0 == subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode


def worker_without_broker(address: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a worker to its end."""
    settings = ("--set", "group=alone", "--set", "http.address=127.0.0.1:0", "--bootstrap-server", address)
    command = [sys.executable, "-m", "stream_monitor.cli.entry", "run", *settings, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
