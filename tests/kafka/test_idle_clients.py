"""Clients that have nothing to read: what they have to say is heard all the same, when it is news."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, KafkaError

from stream_monitor.core.baseline import Schedule
from stream_monitor.kafka.baseline_log import BaselineLog
from stream_monitor.kafka.clients import open_consumer
from stream_monitor.kafka.profile.healing import LogTail
from tests.kafka.profiling import wait_until


def _of_baselines(reader: Consumer) -> Callable[[], object]:
    log = BaselineLog(reader, "drift-baselines", Schedule())
    return lambda: log.refresh(budget_s=0.05)


def _of_profiles(reader: Consumer) -> Callable[[], object]:
    return LogTail(reader, "drift-profiles").serve


@pytest.mark.parametrize("served", [_of_baselines, _of_profiles])
def test_errors_of_a_client_without_records_are_heard(served: Callable[[Consumer], Callable[[], object]]) -> None:
    """Else they pile up while brokers are away, and tell of an outage that is long over when a record comes."""
    heard: list[KafkaError] = []
    with socket.socket() as taken:  # bound and not listening: whoever connects is refused
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        reader = open_consumer({"bootstrap.servers": address, "group.id": "reader"}, heard.append)
        serve = served(reader)
        wait_until(lambda: _served(serve, heard), timeout_s=20)
        reader.close()

    assert KafkaError._TRANSPORT in {error.code() for error in heard}


def _served(serve: Callable[[], object], heard: list[KafkaError]) -> bool:
    serve()
    return bool(heard)
