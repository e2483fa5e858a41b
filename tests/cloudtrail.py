"""CloudTrail's LookupEvents on 127.0.0.1, for boto3 to call over real HTTP; other test servers do not have it.

Pages go from the newest event back; a token is good for the parameters it was made for; what a call is answered
instead of a page is told beforehand, call by call.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from tests.records import RawRecord, compact

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEKEY000001",
    "AWS_SECRET_ACCESS_KEY": "EXAMPLE-SECRET",
    "AWS_SESSION_TOKEN": "EXAMPLE-SESSION-TOKEN",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_TARGET = "CloudTrail_20131101.LookupEvents"
_MOST = 50


class Event(msgspec.Struct):
    """One entry of the history; `text` is what stands in `CloudTrailEvent`."""

    at: int
    text: str


class Failure(msgspec.Struct):
    """What AWS says instead of a page."""

    code: str
    message: str = "no"
    status: int = 400


class Call(msgspec.Struct):
    region: str
    asked: dict[str, Any]


class CloudTrail:
    """What there is in each region, what goes wrong at which call, counted from 1, and what was asked."""

    def __init__(self) -> None:
        self.events: dict[str, list[Event]] = {}
        self.failures: dict[int, Failure] = {}
        self.calls: list[Call] = []

    def record(self, *records: RawRecord, region: str = "eu-west-1") -> None:
        for one in records:
            self.hold(compact(one).decode(), one["eventTime"], region=region)

    def hold(self, text: str, time: str = "2026-05-04T10:00:00Z", *, region: str = "eu-west-1") -> None:
        at = int(datetime.fromisoformat(time).timestamp())
        self.events.setdefault(region, []).append(Event(at, text))

    def answer(self, region: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.calls.append(Call(region, asked))
        failure = self.failures.get(len(self.calls))
        if failure is not None:
            return failure.status, {"__type": failure.code, "message": failure.message}
        window = {name: value for name, value in asked.items() if name != "NextToken"}
        start, made_for = json.loads(asked["NextToken"]) if "NextToken" in asked else (0, window)
        if made_for != window:
            return 400, {"__type": "InvalidNextTokenException", "message": "made for other parameters"}
        since, until = asked.get("StartTime", 0), asked.get("EndTime", 1 << 40)
        within = [one for one in self.events.get(region, []) if since <= one.at <= until]
        within.sort(key=lambda one: one.at, reverse=True)
        end = start + min(asked.get("MaxResults", _MOST), _MOST)
        entries = [{"EventTime": one.at, "CloudTrailEvent": one.text} for one in within[start:end]]
        return 200, {"Events": entries} | ({"NextToken": json.dumps([end, window])} if end < len(within) else {})


@contextmanager
def served(trail: CloudTrail) -> Iterator[str]:
    """The URL at which `trail` answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["X-Amz-Target"].endswith(_TARGET)
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            scope = re.search(r"Credential=[^/]+/\d{8}/([a-z0-9-]+)/cloudtrail/", self.headers["Authorization"])
            assert scope
            status, document = trail.answer(scope[1], asked)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
