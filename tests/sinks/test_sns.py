"""What SNS and its subscribers get, on AWS as far as moto has it."""

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from msgspec.structs import replace

from straykey.errors import SourceError, UsageError
from straykey.sinks.sns import Sns, subject
from tests.aws import Aws
from tests.conftest import Golden
from tests.formats import variants
from tests.sinks.aws_queue import Queue
from tests.sinks.told import notification

TOPIC = "arn:aws:sns:us-east-1:123456789012:told"


def fifo() -> tuple[str, Queue]:
    topic = boto3.client("sns").create_topic(Name="told.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    queue = Queue("told.fifo")
    boto3.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"}
    )
    return topic, queue


def test_a_message_has_subject_body_and_attributes(aws: Aws, golden: Golden) -> None:
    topic = boto3.client("sns").create_topic(Name="told")["TopicArn"]
    queue = Queue("told")
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    assert Sns(topic).deliver([notification(status="acknowledged")]) == []
    (body,) = queue.bodies()
    told = {name: body[name] for name in ("Subject", "MessageAttributes")} | {"Message": json.loads(body["Message"])}
    golden("tests/golden/sns.json", json.dumps(told, indent=2) + "\n")


def test_a_subscription_can_choose_by_attribute(aws: Aws) -> None:
    topic = boto3.client("sns").create_topic(Name="told")["TopicArn"]
    queue = Queue("told")
    policy = json.dumps({"severity": ["HIGH"], "account": ["111122223333"], "status": ["open"]})
    boto3.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"FilterPolicy": policy}
    )
    Sns(topic).deliver(
        [notification(1), notification(2, finding=variants.delivered()), notification(3, status="resolved")]
    )
    assert [json.loads(body["Message"])["finding"]["id"] for body in queue.bodies()] == [notification(1).finding.id]


def test_a_fifo_topic_takes_each_key_once_and_groups_by_finding(aws: Aws) -> None:
    topic, queue = fifo()
    sent: list[dict[str, Any]] = []
    sink = Sns(topic)
    sink._client.meta.events.register("provide-client-params.sns.Publish", lambda params, **_: sent.append(params))
    assert sink.deliver([notification()] * 2) == []
    assert {one["MessageGroupId"] for one in sent} == {notification().finding.id}
    assert {one["MessageDeduplicationId"] for one in sent} == {notification().key}
    assert len(queue.bodies()) == 1


def test_a_subject_is_short_ascii_on_one_line() -> None:
    for finding in (*variants.everything(), variants.hostile(100)):
        told = subject(replace(finding, title=f"{finding.title} × \n\x1b[1m"))
        assert told.isascii()
        assert told.isprintable()
        assert len(told) < 100
    assert subject(variants.full(status="resolved")).startswith("straykey RESOLVED: HIGH: ")


def test_a_finding_too_large_for_a_message_is_told_with_less(aws: Aws) -> None:
    topic = boto3.client("sns").create_topic(Name="told")["TopicArn"]
    queue = Queue("told")
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    assert Sns(topic).deliver([notification(finding=variants.hostile(100))]) == []
    (body,) = queue.bodies()
    assert len(body["Message"]) <= 256 * 1024
    assert json.loads(body["Message"])["left_out"]["access_keys"] > 0


@pytest.mark.parametrize(
    ("code", "status", "is_final", "tried"),
    [
        ("InvalidParameter", 400, True, 2),
        ("ThrottledException", 429, False, 1),
        ("InternalError", 500, False, 1),
        ("AuthorizationError", 403, False, 1),
        ("NotFound", 404, False, 1),
        ("ExpiredToken", 403, False, 1),
    ],
)
def test_only_what_is_invalid_is_refused_for_good(aws: Aws, code: str, status: int, is_final: bool, tried: int) -> None:
    sink = Sns(TOPIC)
    with Stubber(sink._client) as stub:
        for _ in range(tried):
            stub.add_client_error("publish", code, "token=HIDDEN", status)
        refused = sink.deliver([notification(1), notification(2)])
        stub.assert_no_pending_responses()
    assert [(one.key, one.is_final) for one in refused] == [(notification(n).key, is_final) for n in (1, 2)]
    assert refused[0].reason.startswith(f"{TOPIC}: ")


def test_a_wrong_signature_does_not_show_what_was_signed(aws: Aws) -> None:
    sink = Sns(TOPIC)
    with Stubber(sink._client) as stub:
        stub.add_client_error("publish", "SignatureDoesNotMatch", "x-amz-security-token:HIDDEN", 403)
        (refused,) = sink.deliver([notification()])
    assert "HIDDEN" not in refused.reason


def test_a_topic_is_named_by_its_arn(aws: Aws) -> None:
    with pytest.raises(UsageError, match="no SNS topic"):
        Sns("told")
    with pytest.raises(SourceError, match="cannot be called"):
        Sns("arn:aws:sns:no region:123456789012:told")
