"""Somebody's web server, on this machine: it keeps what is posted to it and answers as it is told."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import NamedTuple


class Posted(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """`answers` are statuses for the next requests, then 200; `speak` answers in the server's stead."""

    def __init__(self, port: int, scheme: str) -> None:
        self.port = port
        self.url = f"{scheme}://127.0.0.1:{port}/told/SECRETPATH?token=SECRETQUERY"
        self.posted: list[Posted] = []
        self.answers: list[int] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.speak: Callable[[BaseHTTPRequestHandler], None] | None = None
        self.closing = Event()

    def at(self, host: str) -> str:
        return self.url.replace("127.0.0.1", host)


@contextmanager
def listening(trust: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.posted.append(Posted(self.path, dict(self.headers), body))
            if receiver.speak:
                receiver.speak(self)
                return
            self.send_response(receiver.answers.pop(0) if receiver.answers else receiver.status)
            for name, text in {**receiver.headers, "Content-Length": "0"}.items():
                self.send_header(name, text)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Who hangs up is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    if trust:
        server.socket = trust.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(server.server_port, "https" if trust else "http")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
