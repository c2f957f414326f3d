"""A small read-only web server for probes and scrapes, on loopback unless told otherwise.

Beyond loopback it serves /metrics and the probes only: the rest would need authentication, and there is none here. On
loopback the other pages also refuse a foreign `Host`, so that a web page in a browser on the same machine cannot read
them through a name that it lets point here.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from stream_monitor.outputs.endpoints import Answer, Page

OPEN_PATHS: Final = frozenset({"/metrics", "/healthz", "/readyz"})
CONNECTIONS: Final = 32
REQUEST_TIMEOUT_S: Final = 10.0
PLAIN: Final = "text/plain; charset=utf-8"

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
    """Serves pages from threads of its own between `start()` and `stop()`; a context manager too.

    Args:
        host: address to listen on.
        port: 0 takes a free one.
        pages: by path.
    """

    def __init__(self, host: str, port: int, pages: Mapping[str, Page]) -> None:
        self._host = host
        self._port = port
        self._pages = pages
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """`host:port` that answers."""
        if self._server is None:
            raise RuntimeError("the web server does not run")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self._server.server_address[1]}"

    def start(self) -> None:
        """Listen and serve.

        Raises:
            CannotListen: the address is taken or not of this machine.
        """
        try:
            self._server = _Server(self._host, self._port, _handler(self._pages, local=is_loopback(self._host)))
        except (OSError, OverflowError) as error:
            raise CannotListen(
                f"http.address: cannot listen on {self._host}:{self._port} ({error}); port 0 takes a free one"
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="http", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; without effect when it does not run."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 2 * CONNECTIONS  # the default of 5 makes a burst wait for the kernel's retries
    block_on_close = False  # a slow reader must not hold up the end of the process

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__((host, port), handler)

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the standard class, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "stream-monitor", int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:  # types of the standard library's stubs
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # likewise
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # likewise
        _log.debug("a web client went away", exc_info=True)


def _handler(pages: Mapping[str, Page], *, local: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "stream-monitor"
        sys_version = ""
        timeout = REQUEST_TIMEOUT_S

        def do_GET(self) -> None:
            self._send(self._answer(), body=True)

        def do_HEAD(self) -> None:
            self._send(self._answer(), body=False)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's signature
            """Scrapes are no news."""

        def _answer(self) -> Answer:
            path = self.path.partition("?")[0]
            page = pages.get(path)
            if page is None:
                return Answer(404, PLAIN, f"no such page; there are {' '.join(sorted(pages))}\n".encode())
            if path not in OPEN_PATHS and not local:
                return Answer(403, PLAIN, b"served on loopback only: it needs authentication beyond\n")
            if path not in OPEN_PATHS and not is_loopback(_name_of(self.headers.get("Host", ""))):
                return Answer(403, PLAIN, b"asked for under a foreign name\n")
            return _made(page, self.headers.get("Accept", ""), path)

        def _send(self, answer: Answer, *, body: bool) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            if body:
                self.wfile.write(answer.body)

    return Handler


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
