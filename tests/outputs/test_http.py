"""The web server: loopback by default, read-only, and only metrics and probes beyond loopback."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest

from stream_monitor.kafka.observer import Loop
from stream_monitor.outputs import http
from stream_monitor.outputs.endpoints import Answer, Identity, pages
from stream_monitor.outputs.http import CannotListen, HttpServer
from tests.outputs.listening import Listener, eventful

IDENTITY = Identity("fraud-monitor", "fraud-0", ("profile", "judge"), "0.1.0", "9f2b0c61d8")

Get = Callable[..., tuple[int, str]]


def asked(address: str, path: str, *, method: str = "GET", host: str | None = None) -> tuple[int, str]:
    """Return status and body of one request."""
    connection = HTTPConnection(address, timeout=10)
    try:
        connection.request(method, path, headers={} if host is None else {"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.fixture
def listener() -> Listener:
    """A worker that has heard everything."""
    return eventful()


@pytest.fixture
def address(listener: Listener) -> Iterator[str]:
    """Address of its web server."""
    with HttpServer("127.0.0.1", 0, pages(IDENTITY, listener.metrics, listener.health)) as server:
        yield server.address


def test_metrics_are_served(address: str) -> None:
    """/metrics has the families with their values."""
    status, body = asked(address, "/metrics")

    assert (status, 'stream_monitor_alerts_firing{model="fraud",severity="warning"} 1.0' in body) == (200, True)


def test_healthz_fails_for_a_loop_that_hangs(address: str, listener: Listener) -> None:
    """Alive while every loop came round within the limit; the answer names the one that did not."""
    alive = asked(address, "/healthz")[0]
    listener.clock.now_s += 61
    listener.metrics.progress("judge")
    status, body = asked(address, "/healthz")

    assert (alive, status, json.loads(body)) == (200, 503, {"silent_s": {"profile": 61}, "status": "stalled"})


def test_readyz_fails_until_every_loop_has_its_state(address: str, listener: Listener) -> None:
    """Not ready while a loop restores; the answer says what it waits for."""
    ready = asked(address, "/readyz")[0]
    listener.metrics.readiness("judge", ready=False, detail="restoring partition 2")
    status, body = asked(address, "/readyz")

    assert (ready, status, json.loads(body)) == (
        200,
        503,
        {"loops": {"judge": "restoring partition 2"}, "status": "waiting"},
    )


@pytest.mark.parametrize("loop", list(Loop))
def test_a_loop_that_is_unready_again_is_named_by_every_page(address: str, listener: Listener, loop: Loop) -> None:
    """Workers name themselves by members of an enum; the pages answer 503 and 200 all the same."""
    for known in (Loop.PROFILE, Loop.JUDGE):
        listener.metrics.readiness(known, ready=True, detail="")
        listener.metrics.progress(known)
    listener.metrics.progress(loop)
    listener.metrics.readiness(loop, ready=False, detail="no broker answers")
    listener.clock.now_s += 61
    found = {page: asked(address, page) for page in ("/readyz", "/status", "/healthz")}

    assert (503, {"loops": {str(loop): "no broker answers"}, "status": "waiting"}) == (
        found["/readyz"][0],
        json.loads(found["/readyz"][1]),
    )
    assert {str(loop): "no broker answers"} == json.loads(found["/status"][1])["waiting"]
    assert (503, 61) == (found["/healthz"][0], json.loads(found["/healthz"][1])["silent_s"][str(loop)])


def test_a_worker_is_not_ready_before_it_said_so() -> None:
    """At the start every loop is awaited."""
    assert Listener().health.waiting() == {"judge": "starting", "profile": "starting"}


def test_status_says_where_the_worker_stands(address: str) -> None:
    """Role, group, partitions with watermarks, last panes, digest of the configuration."""
    status, body = asked(address, "/status")
    found = json.loads(body)

    assert (status, found["group"], found["roles"], found["config"], found["partitions"], found["judge"]) == (
        200,
        "fraud-monitor",
        ["profile", "judge"],
        "9f2b0c61d8",
        [
            {
                "topic": "inference-events",
                "partition": 2,
                "lag_records": 17.0,
                "watermark": "2026-11-22T07:19:28.000Z",
                "chunk_limit_records": 12500.0,
            }
        ],
        [
            {
                "partition": 0,
                "watermarks": {"inference-events": "2026-11-22T07:19:28.000Z"},
                "awaited": [],
                "waiting_chunks": 0,
                "alerts_firing": 1,
                "models": [
                    {
                        "model": "fraud",
                        "panes_closed": 3,
                        "last_pane": "2026-11-22T07:19:20.000Z",
                        "baselines": {"7": "sha256:e3b0c44298fc"},
                        "warming_up": {},
                        "compared": {},
                        "unwatched": {
                            "8": {
                                "since": "2026-11-22T07:19:10.000Z",
                                "rows": 12,
                                "wanted": 4095,
                                "attempts": 0,
                                "failure": None,
                            }
                        },
                        "coverage": {
                            "watched": 1,
                            "not_watched": {"not watched: not in the baseline": ["7/confidence", "7/latency"]},
                        },
                        "series": 2,
                        "guarantees": {"bound": ["7/feature:amount", "7/prediction"]},
                    }
                ],
            }
        ],
    )


def test_beyond_loopback_only_metrics_and_probes_are_served(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever listens wider gives away numbers, not the state of the worker."""
    monkeypatch.setattr(http, "is_loopback", lambda host: host == "localhost")  # as if 127.0.0.1 were a public address
    with HttpServer("127.0.0.1", 0, pages(IDENTITY, listener.metrics, listener.health)) as server:
        paths = ("/metrics", "/healthz", "/readyz", "/status")
        answers = {path: asked(server.address, path, host="localhost")[0] for path in paths}

    assert answers == {"/metrics": 200, "/healthz": 200, "/readyz": 200, "/status": 403}


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:9464", 200), ("[::1]:9464", 200), ("evil.example:9464", 403), ("127.0.0.1.evil.example", 403)],
)
def test_a_foreign_name_cannot_read_the_status(address: str, host: str, status: int) -> None:
    """A web page whose name was pointed at loopback does not get what loopback is trusted with."""
    assert asked(address, "/status", host=host)[0] == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
def test_nothing_can_be_written(address: str, method: str) -> None:
    """Other methods than GET and HEAD are unknown."""
    assert asked(address, "/metrics", method=method)[0] == 501


def test_an_unknown_page_names_the_known_ones(address: str) -> None:
    """404 with the list."""
    assert asked(address, "/") == (404, "no such page; there are /healthz /metrics /readyz /status\n")


def test_a_page_that_fails_does_not_end_the_probes(caplog: pytest.LogCaptureFixture) -> None:
    """The answer is 500 without details, the log has them, and the next request is served."""

    def broken(accept: str) -> Answer:
        raise ValueError("secret detail")

    def works(accept: str) -> Answer:
        return Answer(200, http.PLAIN, b"ok")

    with HttpServer("127.0.0.1", 0, {"/metrics": broken, "/healthz": works}) as server:
        answers = [asked(server.address, "/metrics"), asked(server.address, "/healthz")]

    assert (answers, "secret detail" in caplog.text) == ([(500, "failed; the log says why\n"), (200, "ok")], True)


def test_a_taken_port_is_an_error_that_names_the_setting(address: str, listener: Listener) -> None:
    """The message says which setting and what to do."""
    port = int(address.rsplit(":", 1)[1])
    server = HttpServer("127.0.0.1", port, pages(IDENTITY, listener.metrics, listener.health))

    with pytest.raises(CannotListen, match=rf"http\.address: cannot listen on 127\.0\.0\.1:{port} .*port 0"):
        server.start()


def test_slow_and_silent_clients_keep_nobody_waiting(address: str) -> None:
    """A thousand connections that say nothing, or a byte at a time, cost their own oldest; probes and scrapes go on."""
    host, port = address.rsplit(":", 1)
    with ExitStack() as stack:
        for number in range(1_000):
            slow = stack.enter_context(socket.create_connection((host, int(port))))
            if number % 2:
                slow.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        answers = {page: asked(address, page)[0] for page in ("/healthz", "/readyz", "/metrics", "/status")}

    assert dict.fromkeys(answers, 200) == answers


def test_a_request_has_a_deadline_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that sends something now and then does not keep its connection."""
    monkeypatch.setattr(http, "REQUEST_DEADLINE_S", 0.2)
    with HttpServer("127.0.0.1", 0, {"/healthz": lambda _: Answer(200, http.PLAIN, b"ok")}) as server:
        host, port = server.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as slow:
            slow.settimeout(0.05)
            ended = False
            while not ended:
                try:
                    slow.sendall(b"G")
                    ended = slow.recv(1) == b""
                except TimeoutError:
                    continue
                except ConnectionError:
                    ended = True

    assert ended


def test_a_reader_that_does_not_read_holds_up_no_other() -> None:
    """A large page that nobody takes is given up; the next scrape has its answer meanwhile."""
    large = Answer(200, http.PLAIN, b"x" * 8_000_000)
    with HttpServer("127.0.0.1", 0, {"/metrics": lambda _: large}) as server, ExitStack() as stack:
        host, port = server.address.rsplit(":", 1)
        for _ in range(8):
            idle = stack.enter_context(socket.create_connection((host, int(port))))
            idle.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        status, body = asked(server.address, "/metrics")

    assert (200, 8_000_000) == (status, len(body))


@pytest.mark.parametrize(
    "said",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 300 + b"\r\n",
        b"x" * 20_000,
    ],
    ids=["empty", "short", "version", "headers", "long"],
)
def test_what_is_no_request_is_refused(address: str, said: bytes) -> None:
    """Status 400, and the server goes on."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(said)
        answer = client.recv(1_000)

    assert (b"HTTP/1.1 400 Bad Request", 200) == (answer.partition(b"\r\n")[0], asked(address, "/healthz")[0])


def test_ipv6_loopback_works() -> None:
    """`[::1]` is an address like any other, where the machine has it."""
    try:
        with HttpServer("::1", 0, {"/healthz": lambda _: Answer(200, http.PLAIN, b"ok")}) as server:
            answer = asked(server.address, "/healthz")
    except CannotListen:
        pytest.skip("no IPv6 here")

    assert answer == (200, "ok")
