"""Answers `/metrics` and `/healthz`, and nothing else, to whoever asks on one address.

It asks nobody who they are, so it tells no more than numbers and reasons in our own words.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socket import AF_INET6, socket
from socketserver import TCPServer, ThreadingMixIn

import msgspec
import structlog

from straykey.errors import StraykeyError, UsageError
from straykey.formats.text import as_json, printable

_AT_ONCE = 8
_WAIT_SECONDS = 5
_PATIENCE_SECONDS = 0.25
_POLL_SECONDS = 0.1
_JSON = "application/json"


class Health(msgspec.Struct, frozen=True):
    """How `watch` is: well, if there is no reason why not.  Reasons are sentences of ours, without text from logs."""

    reasons: tuple[str, ...] = ()
    last_commit_age_seconds: float | None = None


class Page(msgspec.Struct, frozen=True):
    content_type: str
    body: bytes
    status: HTTPStatus = HTTPStatus.OK


class Monitor(msgspec.Struct, frozen=True):
    """What is answered: `metrics` gives a text of this type; `health` is asked anew each time."""

    metrics: Callable[[], bytes]
    metrics_type: str
    health: Callable[[], Health]

    def page(self, path: str) -> Page:
        if path == "/metrics":
            return Page(self.metrics_type, self.metrics())
        if path == "/healthz":
            return _page_of(self._asked())
        return Page("text/plain; charset=utf-8", b"there are /metrics and /healthz\n", HTTPStatus.NOT_FOUND)

    def _asked(self) -> Health:
        """A store that cannot even be asked is no reason to give no answer."""
        try:
            return self.health()
        except StraykeyError as error:
            return Health(reasons=(printable(str(error)),))


def _page_of(health: Health) -> Page:
    status = "failing" if health.reasons else "ok"
    age = health.last_commit_age_seconds
    told = {
        "status": status,
        "reasons": list(health.reasons),
        "last_commit_age_seconds": None if age is None else round(age, 3),
    }
    code = HTTPStatus.SERVICE_UNAVAILABLE if health.reasons else HTTPStatus.OK
    return Page(_JSON, as_json(told).encode() + b"\n", code)


@contextmanager
def serve(host: str, port: int, monitor: Monitor) -> Iterator[int]:
    """Answer until the block ends; gives the port, which port 0 leaves open.  Raises `UsageError` if it is taken."""
    try:
        server = (_ServerV6 if ":" in host else _Server)((host, port), monitor)
    except OSError as error:
        told = f"cannot listen on {host}, port {port}: {error.strerror}"
        raise UsageError(told, hint="set listen to another HOST:PORT, or to off") from error
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), name="monitor", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingMixIn, TCPServer):
    # Not http.server's own: it looks up the host's name before it begins, which may take as long as DNS does.
    allow_reuse_address = True
    daemon_threads = True
    monitor: Monitor

    def __init__(self, address: tuple[str, int], monitor: Monitor) -> None:
        self.monitor = monitor
        self._free = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(address, _Answer)

    def process_request(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Who comes while so many are being answered is sent away, if none is done soon: threads are bounded."""
        if self._free.acquire(timeout=_PATIENCE_SECONDS):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Who asked gets no answer, which a probe takes for a failure; it is one unless he left himself."""
        if not isinstance(sys.exc_info()[1], OSError):
            structlog.get_logger().error("monitor could not answer", exc_info=True)


class _ServerV6(_Server):
    address_family = AF_INET6


class _Answer(BaseHTTPRequestHandler):
    server: _Server
    timeout = _WAIT_SECONDS
    error_content_type = "text/plain; charset=utf-8"
    error_message_format = "%(code)d\n"

    def do_GET(self) -> None:
        page = self._begin()
        self.wfile.write(page.body)

    def do_HEAD(self) -> None:
        self._begin()

    def _begin(self) -> Page:
        page = self.server.monitor.page(self.path.partition("?")[0])
        self.send_response(page.status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        return page

    def version_string(self) -> str:
        return "straykey"

    def log_message(self, *_: object) -> None:
        """Nothing: a probe every few seconds, in words of whoever asks."""
