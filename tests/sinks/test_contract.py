"""What every sink promises."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest

from straykey.formats.notification import Shape
from straykey.ports import Sink
from straykey.sinks.eventbridge import EventBridge
from straykey.sinks.http import Reach
from straykey.sinks.jsonl import JsonLines
from straykey.sinks.securityhub import SecurityHub
from straykey.sinks.slack import Slack
from straykey.sinks.sns import Sns
from straykey.sinks.webhook import Webhook
from tests.aws import Aws
from tests.sinks.aws_queue import Queue
from tests.sinks.receiver import Receiver
from tests.sinks.told import notification

SECRET = "SECRETOFTHEHMAC"
SECRETS = (SECRET, "SECRETPATH", "SECRETQUERY", "testing")
HERE = Reach(allow_private=True)


class Received(NamedTuple):
    """`name`: by which its receiver knows it again."""

    name: str
    is_over: bool


class Place(NamedTuple):
    """A sink, what its receiver has, and how to make the receiver refuse and take again."""

    sink: Sink
    received: Callable[[], list[Received]]
    shut: Callable[[], None]
    open: Callable[[], None]


def told(document: Any) -> Received:
    """Of our own shape."""
    return Received(document["key"], document["finding"]["status"] == "resolved")


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def in_file(folder: Path, shape: Shape, received: Callable[[Any], Received]) -> Place:
    path, away = folder / "told" / "findings.jsonl", folder / "away"
    path.parent.mkdir()

    def shut() -> None:
        path.parent.rename(away)

    def reopen() -> None:
        away.rename(path.parent)

    return Place(JsonLines(path, shape=shape), lambda: [received(line) for line in lines(path)], shut, reopen)


def jsonl(folder: Path) -> Place:
    return in_file(folder, Shape.JSON, told)


def ocsf(folder: Path) -> Place:
    return in_file(folder, Shape.OCSF, lambda line: Received(line["metadata"]["uid"], line["status_id"] == 4))


def over_http(receiver: Receiver, sink: Sink, is_over: Callable[[Any], bool]) -> Place:
    def received() -> list[Received]:
        taken = [one for one in receiver.posted if receiver.status == 200]
        return [Received(one.headers["Idempotency-Key"], is_over(json.loads(one.body))) for one in taken]

    def answer(status: int) -> None:
        receiver.status = status
        receiver.posted.clear()

    return Place(sink, received, lambda: answer(500), lambda: answer(200))


def webhook(receiver: Receiver) -> Place:
    sink = Webhook(receiver.url, SECRET, now=lambda: 1.0, reach=HERE)
    return over_http(receiver, sink, lambda body: told(body).is_over)


def slack(receiver: Receiver) -> Place:
    return over_http(receiver, Slack(receiver.url, reach=HERE), lambda body: body["text"].startswith("RESOLVED"))


def on_aws(aws: Aws, sink: Sink, asked: str, received: Callable[[], list[Received]]) -> Place:
    return Place(sink, received, lambda: aws.refuse(asked, "AccessDenied"), aws.relent)


def sns(aws: Aws) -> Place:
    queue = Queue("told")
    topic = boto3.client("sns").create_topic(Name="told")["TopicArn"]
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    return on_aws(aws, Sns(topic), "POST /?", lambda: [told(json.loads(body["Message"])) for body in queue.bodies()])


def eventbridge(aws: Aws) -> Place:
    queue = Queue("told")
    events = boto3.client("events")
    events.put_rule(Name="told", EventPattern=json.dumps({"source": ["straykey"]}))
    events.put_targets(Rule="told", Targets=[{"Id": "1", "Arn": queue.arn}])

    def received() -> list[Received]:
        details = [body["detail"] for body in queue.bodies()]
        return [Received(f"{one['id']}-{one['updatedAt']}", one["service"]["archived"]) for one in details]

    return on_aws(aws, EventBridge(), "AWSEvents.PutEvents", received)


def securityhub(aws: Aws) -> Place:
    hub = boto3.client("securityhub")
    hub.enable_security_hub()

    def received() -> list[Received]:
        found = hub.get_findings()["Findings"]
        return [Received(f"{one['Id']}-{one['UpdatedAt']}", one["RecordState"] == "ARCHIVED") for one in found]

    return on_aws(aws, SecurityHub(), "POST /findings/import?", received)


@pytest.fixture(params=[jsonl, ocsf, webhook, slack, sns, eventbridge, securityhub], ids=lambda one: one.__name__)
def place(request: pytest.FixtureRequest) -> Place:
    make = request.param
    (needed,) = make.__annotations__.keys() - {"return"}
    place: Place = make(request.getfixturevalue("tmp_path" if needed == "folder" else needed))
    return place


def test_it_delivers_all(place: Place) -> None:
    many = [notification(number) for number in range(12)]
    assert place.sink.deliver(many) == []
    assert len({one.name for one in place.received()}) == 12


def test_a_second_delivery_is_known_as_such(place: Place) -> None:
    place.sink.deliver([notification()])
    assert place.sink.deliver([notification()]) == []
    assert len({one.name for one in place.received()}) == 1


def test_what_is_resolved_is_told_as_over(place: Place) -> None:
    place.sink.deliver([notification(1), notification(2, status="resolved")])
    assert sorted(one.is_over for one in place.received()) == [False, True]


def test_what_is_refused_is_named_and_may_come_again(place: Place) -> None:
    many = [notification(number) for number in range(3)]
    place.shut()
    refused = place.sink.deliver(many)
    assert [one.key for one in refused] == [one.key for one in many]
    assert not any(one.is_final for one in refused)
    place.open()
    assert place.sink.deliver(many) == []
    assert len(place.received()) == 3


def test_no_secret_is_in_a_reason_nor_in_a_log(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    place.sink.deliver([notification()])
    place.shut()
    (refused,) = place.sink.deliver([notification()])
    assert refused.reason.isprintable()
    assert 0 < len(refused.reason) <= 300
    shown = refused.reason + repr(place.sink) + caplog.text
    assert not [secret for secret in SECRETS if secret in shown]


def test_nothing_to_tell_is_no_call(place: Place) -> None:
    place.shut()
    assert place.sink.deliver([]) == []
