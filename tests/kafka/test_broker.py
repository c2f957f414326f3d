"""The broker that the tests and the demo start: it serves, survives a kill with its data, and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from stream_monitor.lab.broker import Broker
from tests.kafka.conftest import BrokerFactory


def alive(pid: int) -> bool:
    """Tell whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_shared_broker_knows_no_topic_that_nobody_made(kafka: str, prefix: str) -> None:
    """A misspelt topic is an error and is not made on the way."""
    admin = AdminClient({"bootstrap.servers": kafka})
    metadata = admin.list_topics(f"{prefix}misspelt", timeout=10)

    assert metadata.topics[f"{prefix}misspelt"].error is not None


def test_a_killed_broker_continues_on_the_same_data_and_port(own_broker: BrokerFactory, tmp_path: Path) -> None:
    """What was acknowledged before SIGKILL is read after the next start, by a client that kept the old address."""
    broker = own_broker(tmp_path / "kafka")
    address = broker.bootstrap
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(10)
    producer = Producer({"bootstrap.servers": address, "acks": "all"})
    producer.produce("kept", b"before")
    assert producer.flush(10) == 0

    broker.kill()
    broker.start()
    producer.produce("kept", b"after")
    assert producer.flush(30) == 0
    consumer = Consumer({"bootstrap.servers": address, "group.id": "g", "auto.offset.reset": "earliest"})
    consumer.subscribe(["kept"])
    read = [message.value() for message in consumer.consume(2, timeout=30)]
    consumer.close()

    assert (read, broker.bootstrap) == ([b"before", b"after"], address)


def test_a_stopped_broker_leaves_neither_process_nor_temporary_folder(own_broker: BrokerFactory) -> None:
    """`stop` ends the JVM and its guard and removes the data that nobody asked to keep."""
    broker = own_broker()
    pid, folder = broker.pid, broker.log_file.parent
    assert (alive(pid), folder.is_dir()) == (True, True)

    broker.stop()

    assert (alive(pid), folder.exists()) == (False, False)


def test_the_jvm_ends_when_its_owner_is_killed(own_broker: BrokerFactory, tmp_path: Path) -> None:
    """An owner that dies by SIGKILL takes the JVM along: nothing holds the port or the memory afterwards."""
    del own_broker  # asked for only because it skips where no broker can be had
    code = (
        "import sys, time; from pathlib import Path; from stream_monitor.lab.broker import Broker\n"
        "broker = Broker(Path(sys.argv[1])); broker.start(); print(broker.pid, flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "kafka")], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner.stdout:
        pid = int(owner.stdout.readline())
        assert alive(pid)
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    deadline = time.monotonic() + 20
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not alive(pid)


def test_a_frozen_broker_answers_again_when_it_is_let_go(own_broker: BrokerFactory) -> None:
    """SIGSTOP and SIGCONT are a broker that hangs for a while, not one that is gone."""
    broker = own_broker()
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    broker.suspend()
    with pytest.raises(Exception, match=r"_TRANSPORT|_TIMED_OUT"):
        admin.list_topics(timeout=1)
    broker.resume()

    assert list(admin.list_topics(timeout=30).brokers) == [1]


def test_a_client_of_the_proxied_listener_is_sent_to_the_proxy(own_broker: BrokerFactory) -> None:
    """Metadata asked for on the PROXIED listener names the proxy's address, so that all traffic takes that way.

    The client may have learnt that address by itself before it is asked: then it asks there, where nobody listens, and
    says so.
    """
    broker = own_broker(proxied="127.0.0.1:1")
    said: list[str] = []
    callbacks: dict[str, Any] = {"error_cb": lambda error: said.append(str(error.str()))}
    admin = AdminClient({"bootstrap.servers": broker.proxied_target, **callbacks})
    try:
        known = [f"{each.host}:{each.port}" for each in admin.list_topics(timeout=10).brokers.values()]
    except KafkaException:
        admin.poll(10)
        known = sorted({text.split("/")[0] for text in said if text.startswith("127.0.0.1:1/1: ")})

    assert known == ["127.0.0.1:1"]


def test_a_start_that_fails_says_why_in_the_brokers_words(own_broker: BrokerFactory, tmp_path: Path) -> None:
    """The error ends with the last lines of the broker's own log, and nothing of it runs on."""
    del own_broker
    broker = Broker(tmp_path / "kafka", overrides={"num.io.threads": "none"})

    with pytest.raises(Exception, match=r"num\.io\.threads"):
        broker.start()
    with pytest.raises(RuntimeError, match="does not run"):
        _ = broker.pid
