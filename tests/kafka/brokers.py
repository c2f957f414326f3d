"""Where the tests' broker comes from: the one they are given, else the jars, else a container."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stream_monitor.lab import broker
from stream_monitor.lab.broker import Broker, BrokerUnavailable, free_ports
from stream_monitor.lab.kafka_jars import KAFKA_VERSION

IMAGE = f"apache/kafka:{KAFKA_VERSION}"
GIVEN = "KAFKA_BOOTSTRAP_SERVERS"


@contextmanager
def any_broker() -> Iterator[str]:
    """Give the bootstrap servers of a broker that answers, for as long as the context is open.

    Raises:
        BrokerUnavailable: none of the three ways leads to one; the message has the reasons.
    """
    given = os.environ.get(GIVEN)
    if given:
        wait_for_metadata(given, timeout_s=30)
        yield given
        return
    reasons = []
    try:
        own = Broker()
        own.start()
    except BrokerUnavailable as error:
        reasons.append(str(error))
    else:
        with own_until_end(own) as bootstrap:
            yield bootstrap
        return
    try:
        container, bootstrap = start_container()
    except BrokerUnavailable as error:
        reasons.append(str(error))
        raise BrokerUnavailable(f"{GIVEN} is not set; " + "; ".join(reasons)) from error
    try:
        wait_for_metadata(bootstrap, timeout_s=90)
        yield bootstrap
    finally:
        subprocess.run(["docker", "rm", "--force", container], capture_output=True, check=False)


@contextmanager
def own_until_end(own: Broker) -> Iterator[str]:
    """Give the address of a running broker and end it with the context, at once: nobody reads its data again."""
    try:
        yield own.bootstrap
    finally:
        own.kill()
        own.stop()


def jars_missing() -> str | None:
    """Return why a test cannot have a broker that it may kill."""
    return broker.available()


def start_container() -> tuple[str, str]:
    """Start Kafka's official image and return its container and bootstrap servers.

    Raises:
        BrokerUnavailable: there is no Docker, no engine answers, or the image cannot be had.
    """
    if shutil.which("docker") is None:
        raise BrokerUnavailable("no Docker")
    if _docker("info", timeout_s=20) is None:
        raise BrokerUnavailable("no Docker engine answers")
    (port,) = free_ports(1)
    settings = {
        **broker.SETTINGS,
        "listeners": f"DIRECT://:{port},CONTROLLER://:9093",
        "advertised.listeners": f"DIRECT://127.0.0.1:{port}",
        "inter.broker.listener.name": "DIRECT",
        "listener.security.protocol.map": "DIRECT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.quorum.voters": "1@localhost:9093",
    }
    environment = [f"--env=KAFKA_{key.replace('.', '_').upper()}={value}" for key, value in settings.items()]
    publish = f"--publish=127.0.0.1:{port}:{port}"
    container = _docker("run", "--detach", "--rm", publish, *environment, IMAGE, timeout_s=300)
    if container is None:
        raise BrokerUnavailable(f"Docker could not start {IMAGE}")
    return container, f"127.0.0.1:{port}"


def wait_for_metadata(bootstrap: str, *, timeout_s: float) -> None:
    """Return when the brokers answer a metadata request.

    Raises:
        BrokerUnavailable: they do not in time.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            admin.list_topics(timeout=5)
            return
        except KafkaException as error:
            if time.monotonic() > deadline:
                raise BrokerUnavailable(f"no broker answers at {bootstrap}") from error


def _docker(*arguments: str, timeout_s: float) -> str | None:
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
