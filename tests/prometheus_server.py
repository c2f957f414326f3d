"""A real Prometheus on a free port of loopback, for tests that want to see what it makes of our metrics and rules."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from stream_monitor.lab.broker import free_ports

DEADLINE_S = 60.0


class PrometheusServer:
    """Scrapes one target every second; a context manager.

    Args:
        binary: the program.
        folder: for its configuration, data and log.
        target: `host:port` to scrape.
        rules: files of recording rules and alerts.
        labels: added to the target.
    """

    def __init__(self, binary: Path, folder: Path, *, target: str, rules: tuple[Path, ...] = (), job: str) -> None:
        self._binary = binary
        self._folder = folder
        (port,) = free_ports(1)
        self._address = f"127.0.0.1:{port}"
        self._configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(path) for path in rules],
            "scrape_configs": [{"job_name": job, "static_configs": [{"targets": [target]}]}],
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "prometheus.yml"
        configuration.write_text(json.dumps(self._configuration), encoding="utf-8")  # JSON is YAML
        storage = [f"--storage.tsdb.path={self._folder / 'data'}", "--storage.tsdb.retention.time=1d"]
        command = [
            str(self._binary),
            f"--config.file={configuration}",
            f"--web.listen-address={self._address}",
            *storage,
        ]
        with (self._folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
        try:
            self._wait_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Return the labels and value of each series of an instant query."""
        answer = self._get("/api/v1/query", query=expression)
        return [(each["metric"], float(each["value"][1])) for each in answer["data"]["result"]]

    def wait_for(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Return the answer of a query as soon as it is not empty.

        Raises:
            AssertionError: it stays empty.
        """
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            found = self.query(expression)
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"no answer to {expression}: {self.last_error()}")

    def last_error(self) -> str:
        """Return why the target could not be scraped, as Prometheus says it; "" when it could."""
        targets = self._get("/api/v1/targets")["data"]["activeTargets"]
        return "; ".join(str(target["lastError"]) for target in targets)

    def _wait_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            try:
                with urlopen(f"http://{self._address}/-/ready", timeout=5):
                    return
            except URLError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.05)
        raise AssertionError((self._folder / "prometheus.log").read_text(encoding="utf-8", errors="replace"))

    def _get(self, path: str, **parameters: str) -> Any:  # JSON of somebody else's shape
        with urlopen(f"http://{self._address}{path}?{urlencode(parameters)}", timeout=10) as answer:
            return json.load(answer)
