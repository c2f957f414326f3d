"""A broker that cannot be reached: what is wrong is named, with the address, within seconds."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.errors import Unreachable
from stream_monitor.kafka.reach import reach
from stream_monitor.lab.broker import free_ports
from tests.kafka.test_run_command import command


@pytest.fixture
def silent() -> Iterator[str]:
    """Address of something that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        ("127.0.0.1:{port}", "127.0.0.1:{port}: connection refused"),
        ("no-such-host.invalid:9092", "no-such-host.invalid:9092: unknown host"),
        ("{silent}", "{silent}: connected, and no answer within 1 s"),
    ],
    ids=["refused", "unknown host", "silent"],
)
def test_what_is_wrong_is_named(address: str, cause: str, silent: str) -> None:
    """The message has the address and what the client said first, not the time-out that it became."""
    names = {"port": str(free_ports(1)[0]), "silent": silent}
    settings = KafkaSettings({"bootstrap.servers": address.format_map(names)})
    heard: list[str] = []

    with pytest.raises(Unreachable) as raised:
        reach(settings, within_s=1.0, waiting=heard.append)

    assert (3, True) == (raised.value.exit_code, cause.format_map(names) in str(raised.value))
    assert heard


def test_tls_spoken_to_a_port_without_it_is_named(kafka: str) -> None:
    """A broker that knows no TLS hangs up: the message says so."""
    with pytest.raises(Unreachable, match="SSL"):
        reach(KafkaSettings({"bootstrap.servers": kafka, "security.protocol": "SSL"}))


def test_a_wait_ends_when_it_is_asked_to(silent: str) -> None:
    """A worker that is stopped while it waits for its broker ends without an error."""
    asked = iter([False, True])
    settings = KafkaSettings({"bootstrap.servers": silent})

    assert not reach(settings, within_s=60.0, is_stopping=lambda: next(asked))


@pytest.mark.parametrize(
    "arguments",
    [
        ("topics", "create"),
        ("topics", "verify"),
        ("alerts", "list"),
        ("dead-letters", "list"),
        ("baseline", "show"),
        ("export", "drift-alerts"),
        ("check", "--connect", "--set", "group=fraud"),
    ],
    ids=" ".join,
)
def test_every_command_says_why_it_cannot_connect(arguments: tuple[str, ...]) -> None:
    """Exit code 3, one line: the address and the cause."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    done = command("--bootstrap-server", address, *arguments)

    assert (3, [f"no broker answers: {address}: connection refused"]) == (
        done.returncode,
        [line.partition(";")[0] for line in done.stderr.splitlines()],
    )
