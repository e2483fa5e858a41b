"""AWS on this machine: moto behind a real HTTP server, with an empty account at the beginning of each test."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

BUCKET = "example-trail-bucket"
_Answer = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass
class _Prepared:
    """An answer to so many requests that moto does not get."""

    status: str
    body: bytes
    left: float


class Aws:
    """The server.  `asked` are the requests since the test began: method, path and query, or what they call.

    `actions` are those of them that name what they call in a form, as IAM and EC2 have it: "Action=CreateRole".
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.actions: list[str] = []
        self._prepared: dict[str, _Prepared] = {}
        self._broken: dict[str, int] = {}

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Aws]:
        from moto.server import ThreadedMotoServer  # noqa: PLC0415 - takes a second, and few tests need it

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        aws = cls()
        aws.url = "http://{}:{}".format(*server.get_host_and_port())
        behind: Any = server._server
        behind.app = aws._listening(behind.app)
        try:
            yield aws
        finally:
            server.stop()

    def reset(self) -> None:
        with urlopen(Request(f"{self.url}/moto-api/reset", method="POST"), timeout=60):
            self.asked.clear()
            self.actions.clear()
            self._prepared.clear()
            self._broken.clear()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    @property
    def s3(self) -> S3Client:
        import boto3  # noqa: PLC0415 - as moto

        return boto3.client("s3")

    @property
    def sqs(self) -> SQSClient:
        import boto3  # noqa: PLC0415 - as moto

        return boto3.client("sqs")

    def bucket(self, objects: dict[str, bytes], name: str = BUCKET) -> str:
        """Make a bucket that holds `objects`; returns its URL."""
        s3 = self.s3
        s3.create_bucket(Bucket=name)
        for key, body in objects.items():
            s3.put_object(Bucket=name, Key=key, Body=body)
        self.asked.clear()
        return f"s3://{name}"

    def bucket_of(self, folder: Path, name: str = BUCKET) -> str:
        """Make a bucket that holds what lies in `folder`."""
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return self.bucket({path.relative_to(folder).as_posix(): path.read_bytes() for path in files}, name)

    def refuse(self, text: str, code: str, status: str = "403 Forbidden", times: float = inf) -> None:
        """Answer every request that has `text` in what was asked, or so many, with an error."""
        is_json = text.startswith(("AmazonSQS.", "AWSEvents.", "AWSOrganizations", "CloudTrail_"))
        xml = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
        if text.startswith("Action="):
            xml = f"<Response><Errors>{xml}</Errors>{xml}</Response>"  # where EC2 has it, and where IAM does
        body = json.dumps({"__type": code, "message": "no"}) if is_json else xml
        self._prepared[text] = _Prepared(status, body.encode(), times)

    def answer(self, text: str, document: object, times: float = inf) -> None:
        """Answer every request that has `text` in what was asked, or so many, with a JSON document."""
        self._prepared[text] = _Prepared("200 OK", json.dumps(document).encode(), times)

    def answer_xml(self, text: str, body: str, times: float = inf) -> None:
        """Answer every request that has `text` in what was asked, or so many, with this."""
        self._prepared[text] = _Prepared("200 OK", body.encode(), times)

    def relent(self) -> None:
        """Answer as AWS would again."""
        self._prepared.clear()

    def break_off(self, text: str, times: int) -> None:
        """Send, so many times, but half of what is asked for with `text` in its path."""
        self._broken[text] = times

    def _prepared_for(self, asked: str) -> _Prepared | None:
        fitting = (
            prepared
            for text, prepared in self._prepared.items()
            if (asked.endswith(text) if text.startswith("Action=") else text in asked)
        )
        return next((one for one in fitting if one.left), None)

    def _listening(self, app: _Answer) -> _Answer:
        def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            path = environ["PATH_INFO"].encode("latin-1").decode()
            asked = f"{environ['REQUEST_METHOD']} {path}?{unquote(environ['QUERY_STRING'])}"
            asked = environ.get("HTTP_X_AMZ_TARGET", asked)
            self.asked.append(asked)
            form = _form(environ)
            if "Action" in form:
                self.actions.append(f"Action={form['Action']}")
                asked += self.actions[-1]
            if prepared := self._prepared_for(asked):
                prepared.left -= 1
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                start(prepared.status, [("Content-Type", "text/plain")])
                return [prepared.body]
            if form.get("DryRun") == "true":  # of which moto takes no notice where it changes most
                start("412 Precondition Failed", [("Content-Type", "text/xml")])
                return [b"<Response><Errors><Error><Code>DryRunOperation</Code></Error></Errors></Response>"]
            whole = app(environ, start)
            for text, left in self._broken.items():
                if text in asked and left:
                    self._broken[text] -= 1
                    body = b"".join(whole)
                    return [body[: len(body) // 2]]
            return whole

        return answer


def _form(environ: dict[str, Any]) -> dict[str, str]:
    """What a request says in a form; it can be read again."""
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return {}
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(body)
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}
