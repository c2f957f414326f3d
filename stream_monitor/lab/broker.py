"""A real Apache Kafka of one's own: one KRaft node from the pinned jars, on loopback, with ports from the system.

    with Broker() as broker:
        settings = {"bootstrap.servers": broker.bootstrap}

It starts in about 3 s with a heap of 512 MB. Data is in a temporary folder that goes with the broker, or in a given
folder, which stays: `kill()` (SIGKILL, as a power cut) and `start()` again continue on the same data and the same port.
The JVM never outlives its owner: a guard process ends it when this process dies, however it dies. POSIX only.

A broker for tests and demonstrations: one replica, no fsync, no authentication.
"""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from stream_monitor.lab import kafka_jars
from stream_monitor.lab.kafka_jars import BrokerUnavailable

__all__ = ["Broker", "BrokerUnavailable", "available"]

HEAP = "-Xmx512m"
START_TIMEOUT_S = 90.0  # 3 s on an idle machine; a crowded one with two cores took more than 30
STOP_TIMEOUT_S = 20.0
START_ATTEMPTS = 3  # a port that was free may be taken before Kafka binds it
READY = "Kafka Server started"
PORT_TAKEN = "Address already in use"

SETTINGS: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",  # a misspelt topic is an error, as in production
    # one node
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    # no waiting
    "group.initial.rebalance.delay.ms": "0",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "log.cleaner.backoff.ms": "1000",
    "log.retention.check.interval.ms": "2000",
    "log.segment.delete.delay.ms": "1000",
    "broker.session.timeout.ms": "3000",  # after a kill the node waits this long for its own old session
    "broker.heartbeat.interval.ms": "500",
    # small
    "log.cleaner.dedupe.buffer.size": "8388608",  # the default is a quarter of our heap
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
}


def available() -> str | None:
    """Return why no broker can be started on this machine, or None when one can."""
    if os.name != "posix":
        return "the broker needs a POSIX system: give the address of a running one instead"
    return kafka_jars.missing()


class Broker:
    """One Kafka node: a context manager, or `start()` and `stop()`.

    Args:
        data: folder of the broker's data, made when it is missing, left when the broker stops; None: a temporary one.
        overrides: broker settings beside or instead of `SETTINGS`.
        proxied: `host:port` that a second listener, PROXIED, advertises to its clients: that of a proxy in front of
            `proxied_target`. None: no second listener.
    """

    def __init__(
        self, data: Path | None = None, *, overrides: Mapping[str, str] | None = None, proxied: str | None = None
    ) -> None:
        self._folder = data
        self._temporary: Path | None = None
        self._overrides = dict(overrides or {})
        self._proxied = proxied
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._ports: dict[str, int] = {}
        self._log_start = 0

    @property
    def bootstrap(self) -> str:
        """Address of the broker, `127.0.0.1:<port>`: the same after a kill and a new start."""
        return self._address("DIRECT")

    @property
    def proxied_target(self) -> str:
        """Address on which the PROXIED listener really listens."""
        return self._address("PROXIED")

    @property
    def pid(self) -> int:
        """Process id of the running JVM."""
        return self._running().pid

    @property
    def log_file(self) -> Path:
        """The broker's own log, of all starts."""
        if self._folder is None:
            raise RuntimeError("the broker has no folder yet: start it first")
        return self._folder / "broker.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Format the folder when it is new, start Kafka and return when it serves requests.

        Raises:
            BrokerUnavailable: it cannot be started here; the message ends with the last lines of its log.
        """
        if self._process is not None:
            raise RuntimeError("the broker runs already")
        reason = available()
        if reason is not None:
            raise BrokerUnavailable(reason)
        classpath = f"{kafka_jars.jars()}/*"
        for attempt in range(1, START_ATTEMPTS + 1):
            fresh = self._prepare(classpath)
            try:
                self._launch(classpath)
                self._wait_ready()
                return
            except BaseException as error:
                taken = fresh and isinstance(error, BrokerUnavailable) and PORT_TAKEN in str(error)
                self.kill()
                if fresh:
                    self._discard()
                if not taken or attempt == START_ATTEMPTS:
                    raise

    def stop(self) -> None:
        """End the broker cleanly and remove its temporary folder; without effect when it does not run."""
        if self._process is not None:
            self.resume()
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_TIMEOUT_S)
            self.kill()
        if self._temporary is not None:
            self._discard()

    def kill(self) -> None:
        """End the broker at once (SIGKILL), as a crash would; the data stays for the next `start()`."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
            self._process = None
        if self._guard is not None:
            self._dismiss_guard(self._guard)
            self._guard = None

    def suspend(self) -> None:
        """Freeze the broker (SIGSTOP): connections stay open, nothing answers."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen broker go on (SIGCONT)."""
        self._running().send_signal(signal.SIGCONT)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the broker does not run")
        return self._process

    def _address(self, listener: str) -> str:
        if listener not in self._ports:
            raise RuntimeError(f"no address of listener {listener}: the broker was not started, or has none")
        return f"127.0.0.1:{self._ports[listener]}"

    def _prepare(self, classpath: str) -> bool:
        """Make folder, ports, server.properties and the storage format where they are missing; tell if they are new."""
        if self._folder is None:
            self._temporary = self._folder = Path(tempfile.mkdtemp(prefix="stream-monitor-kafka-"))
        properties = self._folder / "server.properties"
        if properties.exists():  # a folder in use keeps its ports, so that clients find the broker again
            self._ports = read_ports(properties.read_text(encoding="utf-8"))
            return False
        self._folder.mkdir(parents=True, exist_ok=True)
        names = ["DIRECT", "CONTROLLER"] + (["PROXIED"] if self._proxied else [])
        self._ports = dict(zip(names, free_ports(len(names)), strict=True))
        text = "".join(f"{key}={value}\n" for key, value in self._settings(self._folder).items())
        unformatted = properties.with_suffix(".new")
        unformatted.write_text(text, encoding="utf-8")
        self._format(classpath, unformatted)
        unformatted.rename(properties)
        return True

    def _settings(self, folder: Path) -> dict[str, str]:
        at = {name: f"{name}://127.0.0.1:{port}" for name, port in self._ports.items()}
        advertised = [at["DIRECT"]] + ([f"PROXIED://{self._proxied}"] if self._proxied else [])
        return {
            **SETTINGS,
            "log.dirs": str(folder / "log"),
            "listeners": ",".join(at.values()),
            "advertised.listeners": ",".join(advertised),
            "inter.broker.listener.name": "DIRECT",
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in self._ports),
            "controller.quorum.voters": f"1@127.0.0.1:{self._ports['CONTROLLER']}",
            **self._overrides,
        }

    def _format(self, classpath: str, properties: Path) -> None:
        tool = ["kafka.tools.StorageTool", "format", "--cluster-id", cluster_id(), "--config", str(properties)]
        done = subprocess.run([*_java(classpath), *tool], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise BrokerUnavailable(f"Kafka could not format its folder:\n{_last_lines(done.stdout + done.stderr)}")

    def _launch(self, classpath: str) -> None:
        assert self._folder is not None
        command = [*_java(classpath), "kafka.Kafka", str(self._folder / "server.properties")]
        with self.log_file.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the owner, who stops the broker last
            )
        # It reads one line from the owner: a line comes at the broker's end, the end of the file at the owner's death.
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", 'read line || kill -9 "$0"', str(self._process.pid)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @staticmethod
    def _dismiss_guard(guard: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(BrokenPipeError):
            guard.communicate(b"the broker has ended\n")

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (READY in self._log_of_this_start() and self._answers()):
            if self._running().poll() is not None:
                raise BrokerUnavailable(f"Kafka ended while starting:\n{_last_lines(self._log_of_this_start())}")
            if time.monotonic() > deadline:
                last = _last_lines(self._log_of_this_start())
                raise BrokerUnavailable(f"Kafka was not ready after {START_TIMEOUT_S:.0f} s:\n{last}")
            time.sleep(0.05)

    def _log_of_this_start(self) -> str:
        with self.log_file.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode("utf-8", "replace")

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._ports["DIRECT"]), timeout=1):
            return True
        return False

    def _discard(self) -> None:
        """Forget what a failed or finished start left; a given folder only loses its format, for the next attempt."""
        assert self._folder is not None
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = self._folder = None
        else:
            (self._folder / "server.properties").unlink(missing_ok=True)
            shutil.rmtree(self._folder / "log", ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nothing listens on, different from each other."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def read_ports(properties: str) -> dict[str, int]:
    r"""Return the port of each listener in a server.properties.

    >>> read_ports("node.id=1\nlisteners=DIRECT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093\n")
    {'DIRECT': 9092, 'CONTROLLER': 9093}
    """
    lines = dict(line.split("=", 1) for line in properties.splitlines() if "=" in line)
    listeners = (each.split("://") for each in lines["listeners"].split(","))
    return {name: int(address.rsplit(":", 1)[1]) for name, address in listeners}


def cluster_id() -> str:
    """Return a new cluster id as Kafka spells it: 16 bytes as 22 characters of URL-safe base64, not begun by a dash."""
    return base64.urlsafe_b64encode(b"\x40" + uuid.uuid4().bytes[1:]).decode("ascii").rstrip("=")


def _java(classpath: str) -> list[str]:
    java = kafka_jars.java_binary()
    assert java is not None, "asked for by available()"
    log = ["-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"]
    return [str(java), HEAP, "-Djava.awt.headless=true", *log, "-cp", classpath]


def _last_lines(text: str, count: int = 12) -> str:
    said = [line for line in text.strip().splitlines() if not line.startswith("\tat ")]  # without stack traces
    return "\n".join(said[-count:])
