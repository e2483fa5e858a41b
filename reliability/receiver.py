"""A sink and who receives from it: HTTP on this machine, that may be down."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

import msgspec

from straykey.ports import Notification, Refusal

_TIMEOUT_SECONDS = 5.0


class Manner(StrEnum):
    """What becomes of what is posted."""

    TAKES = "takes what comes"
    REFUSES = "answers 503"
    LOSES = "takes what comes, and breaks off before it says so"


class Receiver:
    """Keeps all that was ever posted, in order, by the path it was posted to."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.manner = Manner.TAKES
        self._taken: dict[str, list[Notification]] = {}
        self._lock = Lock()

    @classmethod
    @contextmanager
    def started(cls) -> "Iterator[Receiver]":
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        receiver = _receivers[server] = cls(server.server_address[1])
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            server.server_close()
            del _receivers[server]

    def took(self, sink: str) -> list[Notification]:
        with self._lock:
            return list(self._taken.get(sink, []))

    def take(self, sink: str, body: bytes) -> None:
        posted = msgspec.json.decode(body, type=Notification)
        with self._lock:
            self._taken.setdefault(sink, []).append(posted)


_receivers: dict[object, Receiver] = {}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = _receivers[self.server]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if receiver.manner is not Manner.REFUSES:
            receiver.take(self.path.strip("/"), body)
        if receiver.manner is not Manner.LOSES:
            self.send_response(200 if receiver.manner is Manner.TAKES else 503)
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Posting:
    """Posts each notification."""

    def __init__(self, port: int, name: str) -> None:
        self._port, self._name = port, name

    def deliver(self, notifications: Sequence[Notification]) -> list[Refusal]:
        outcomes = ((one, self._problem(one)) for one in notifications)
        return [Refusal(one.key, problem) for one, problem in outcomes if problem]

    def _problem(self, notification: Notification) -> str:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request("POST", f"/{self._name}", msgspec.json.encode(notification))
            status = connection.getresponse().status
        except (OSError, HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()
        return "" if status == 200 else f"HTTP {status}"
