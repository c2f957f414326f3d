"""A small read-only web server for probes and scrapes, on loopback unless told otherwise.

Beyond loopback it serves /metrics and the probes only: the rest would need authentication, and there is none here. On
loopback the other pages also refuse a foreign `Host`, so that a web page in a browser on the same machine cannot read
them through a name that it lets point here.
"""

from __future__ import annotations

import asyncio
import io
import ipaddress
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from functools import partial
from http import HTTPStatus
from http.client import HTTPException, parse_headers
from typing import Final, Self

from stream_monitor.outputs.endpoints import Answer, Page

PROBES: Final = frozenset({"/healthz", "/readyz"})
OPEN_PATHS: Final = PROBES | {"/metrics"}
REQUEST_DEADLINE_S: Final = 10.0
"""From the first byte of a connection to the last one of its answer, however slowly either side goes about it."""

CONNECTIONS: Final = 256
CLIENT_CONNECTIONS: Final = 64
"""Of one address. Whoever opens more loses the oldest of its own, so what was asked last is always answered."""

MAX_HEAD_BYTES: Final = 16_384
PLAIN: Final = "text/plain; charset=utf-8"

_SLICE_BYTES = 65_536
_PAGE_THREADS = 2

_log = logging.getLogger(__name__)


class CannotListen(RuntimeError):
    """The address of the web server cannot be used."""


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a listening address.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "", "monitor.example")]
    [True, True, True, False, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class HttpServer:
    """Serves pages from a thread of its own between `start()` and `stop()`; a context manager too.

    A client that is slow, or silent, costs a connection and no thread: nobody waits for it. Probes are answered by the
    thread that accepts; other pages are made in two threads beside it, so that a scrape holds up no probe.

    Args:
        host: address to listen on.
        port: 0 takes a free one.
        pages: by path.
    """

    def __init__(self, host: str, port: int, pages: Mapping[str, Page]) -> None:
        self._host = host
        self._port = port
        self._site = _Site(pages, local=is_loopback(host))
        self._listening: socket.socket | None = None
        self._started = threading.Event()
        self._ask_to_stop: Callable[[], object]
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """`host:port` that answers."""
        if self._listening is None:
            raise RuntimeError("the web server does not run")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self._listening.getsockname()[1]}"

    def start(self) -> None:
        """Listen and serve.

        Raises:
            CannotListen: the address is taken or not of this machine.
        """
        try:
            self._listening = _listen(self._host, self._port)
        except (OSError, OverflowError) as error:
            raise CannotListen(
                f"http.address: cannot listen on {self._host}:{self._port} ({error}); port 0 takes a free one"
            ) from error
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="http", daemon=True)
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        """Stop listening; without effect when it does not run."""
        if self._thread is not None:
            self._ask_to_stop()
            self._thread.join()
            self._listening = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    async def _serve(self) -> None:
        """Serve until `stop`; connections that are still open then are given up with the loop."""
        with ThreadPoolExecutor(_PAGE_THREADS, thread_name_prefix="http-page") as threads:
            connections = _Connections(self._site, threads)
            server = await asyncio.start_server(
                connections.serve, sock=self._listening, limit=MAX_HEAD_BYTES, backlog=CONNECTIONS
            )
            stopping = asyncio.Event()
            self._ask_to_stop = partial(asyncio.get_running_loop().call_soon_threadsafe, stopping.set)
            self._started.set()
            await stopping.wait()
            server.close()
            connections.close()


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; without the reverse look-up of the standard servers, which can take seconds."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(CONNECTIONS)
    except BaseException:
        listening.close()
        raise
    return listening


class _Connections:
    """The open connections, oldest first, each a task with a deadline."""

    def __init__(self, site: _Site, threads: ThreadPoolExecutor) -> None:
        self._site = site
        self._threads = threads
        self._open: dict[asyncio.Task[None], str] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        task = asyncio.current_task()
        assert task is not None
        client = str((writer.get_extra_info("peername") or ("",))[0])
        self._make_room(client)
        self._open[task] = client
        try:
            async with asyncio.timeout(REQUEST_DEADLINE_S):
                await self._answer(reader, writer)
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            _log.debug("a web client went away, or was too slow")
        finally:
            self._open.pop(task, None)
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    def close(self) -> None:
        """Give every connection up."""
        for task in self._open:
            task.cancel()

    def _make_room(self, client: str) -> None:
        own = [task for task, of in self._open.items() if of == client]
        if len(own) >= CLIENT_CONNECTIONS:
            own[0].cancel()
        elif len(self._open) >= CONNECTIONS:
            next(iter(self._open)).cancel()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = _request(await reader.readuntil(b"\r\n\r\n"))
        except (ValueError, HTTPException, asyncio.LimitOverrunError):
            await _send(writer, Answer(400, PLAIN, b"not a request\n"), body=True)
            return
        if request.path in PROBES:
            answer = self._site.answer(request)
        else:
            answer = await asyncio.get_running_loop().run_in_executor(self._threads, self._site.answer, request)
        await _send(writer, answer, body=request.method != "HEAD")


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    headers: Message


def _request(head: bytes) -> _Request:
    """Return what is asked for.

    Raises:
        ValueError, HTTPException: the bytes are no head of a request.
    """
    lines = io.BytesIO(head)
    method, target, version = lines.readline().decode("latin-1").split()
    if not version.startswith("HTTP/1."):
        raise ValueError(f"version must be HTTP/1.x, got {version!r}")
    return _Request(method, target.partition("?")[0], parse_headers(lines))


class _Site:
    """The pages, and who may see them."""

    def __init__(self, pages: Mapping[str, Page], *, local: bool) -> None:
        self._pages = pages
        self._local = local

    def answer(self, request: _Request) -> Answer:
        path, page = request.path, self._pages.get(request.path)
        if request.method not in ("GET", "HEAD"):
            return Answer(501, PLAIN, b"nothing can be written here\n")
        if page is None:
            return Answer(404, PLAIN, f"no such page; there are {' '.join(sorted(self._pages))}\n".encode())
        if path not in OPEN_PATHS and not self._local:
            return Answer(403, PLAIN, b"served on loopback only: it needs authentication beyond\n")
        if path not in OPEN_PATHS and not is_loopback(_name_of(request.headers.get("Host", ""))):
            return Answer(403, PLAIN, b"asked for under a foreign name\n")
        return _made(page, request.headers.get("Accept", ""), path)


async def _send(writer: asyncio.StreamWriter, answer: Answer, *, body: bool) -> None:
    head = (
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
        "Server: stream-monitor\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\n"
        "Cache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Connection: close\r\n\r\n"
    )
    writer.write(head.encode("latin-1"))
    for start in range(0, len(answer.body) if body else 0, _SLICE_BYTES):
        writer.write(answer.body[start : start + _SLICE_BYTES])
        await writer.drain()
    await writer.drain()
    writer.close()
    await writer.wait_closed()


def _made(page: Callable[[str], Answer], accept: str, path: str) -> Answer:
    try:
        return page(accept)
    except Exception:  # noqa: BLE001 - outermost: a page that fails must not end the probes
        _log.exception("%s failed", path)
        return Answer(500, PLAIN, b"failed; the log says why\n")


def _name_of(host: str) -> str:
    """Return the host of a `Host` header without its port.

    >>> _name_of("[::1]:9464"), _name_of("localhost:9464"), _name_of("127.0.0.1")
    ('::1', 'localhost', '127.0.0.1')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
