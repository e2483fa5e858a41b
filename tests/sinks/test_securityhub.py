"""What Security Hub has after an import, and what is made of what it refuses."""

from typing import Any

import boto3
from botocore.stub import Stubber
from msgspec.structs import replace

from straykey.formats import asff
from straykey.sinks.securityhub import SecurityHub
from tests.aws import Aws
from tests.formats import variants
from tests.sinks.told import AT, notification

HUB = asff.Hub("aws", "us-east-1", "111111111111")


def stubbed() -> SecurityHub:
    """With the account known."""
    sink = SecurityHub()
    sink.__dict__["_hub"] = HUB
    return sink


def found() -> list[Any]:
    return list(boto3.client("securityhub").get_findings()["Findings"])


def failed(*numbers: int, code: str = "InvalidInput") -> dict[str, object]:
    failures = [
        {"Id": f"straykey/{notification(n).finding.id}", "ErrorCode": code, "ErrorMessage": "no"} for n in numbers
    ]
    return {"FailedCount": len(failures), "SuccessCount": 0, "FailedFindings": failures}


def test_the_product_is_that_of_who_imports_wherever_the_theft_was(aws: Aws) -> None:
    assert SecurityHub().deliver([notification()]) == []
    (one,) = found()
    account = boto3.client("sts").get_caller_identity()["Account"]
    assert one["ProductArn"] == f"arn:aws:securityhub:us-east-1:{account}:product/{account}/default"
    assert one["AwsAccountId"] == account


def test_a_change_replaces_what_is_there_with_a_later_time(aws: Aws) -> None:
    sink = SecurityHub()
    sink.deliver([notification()])
    sink.deliver([replace(notification(status="resolved"), at="2026-05-06T08:00:00Z")])
    (one,) = found()
    assert (one["RecordState"], one["UpdatedAt"]) == ("ARCHIVED", "2026-05-06T08:00:00.000Z")


def test_who_calls_is_asked_once_and_only_when_needed(aws: Aws) -> None:
    sink = SecurityHub()
    assert aws.asked == []
    for _ in range(2):
        sink.deliver([notification()])
    assert aws.asked.count("POST /?") == 1
    assert aws.asked.count("POST /findings/import?") == 2


def test_a_call_holds_a_hundred(aws: Aws) -> None:
    SecurityHub().deliver([notification(number) for number in range(250)])
    assert aws.asked.count("POST /findings/import?") == 3


def test_of_two_changes_the_last_is_told_and_both_share_its_fate(aws: Aws) -> None:
    both = [notification(1), notification(2), notification(1, status="resolved")]
    assert SecurityHub().deliver(both) == []
    assert sorted(one["RecordState"] for one in found()) == ["ACTIVE", "ARCHIVED"]
    sink = stubbed()
    with Stubber(sink._client) as stub:
        stub.add_response("batch_import_findings", failed(1))
        refused = sink.deliver(both)
    assert [one.key for one in refused] == [both[0].key, both[2].key]


def test_those_that_failed_are_named(aws: Aws) -> None:
    sink = stubbed()
    with Stubber(sink._client) as stub:
        stub.add_response("batch_import_findings", failed(2))
        stub.add_response("batch_import_findings", failed(1, code="InternalFailure"))
        (refused,) = sink.deliver([notification(1), notification(2)])
        (later,) = sink.deliver([notification(1), notification(2)])
    assert (refused.key, refused.is_final) == (notification(2).key, True)
    assert refused.reason == "Security Hub in us-east-1: not taken (InvalidInput)"
    assert (later.key, later.is_final) == (notification(1).key, False)


def test_one_that_spoils_the_call_is_told_from_the_others(aws: Aws) -> None:
    sink = stubbed()
    whole = {"FailedCount": 0, "SuccessCount": 1, "FailedFindings": []}
    with Stubber(sink._client) as stub:
        stub.add_client_error("batch_import_findings", "InvalidInputException", http_status_code=400)
        stub.add_response("batch_import_findings", whole)
        stub.add_client_error("batch_import_findings", "InvalidInputException", http_status_code=400)
        (refused,) = sink.deliver([notification(1), notification(2)])
    assert (refused.key, refused.is_final) == (notification(2).key, True)


def test_when_it_is_throttled_all_that_is_left_is_held_back(aws: Aws) -> None:
    sink = stubbed()
    many = [notification(number) for number in range(150)]
    with Stubber(sink._client) as stub:
        stub.add_response("batch_import_findings", failed(5))
        stub.add_client_error("batch_import_findings", "LimitExceededException", http_status_code=429)
        refused = sink.deliver(many)
    assert [one.key for one in refused] == [many[5].key, *(one.key for one in many[100:])]
    assert [one.is_final for one in refused] == [True] + [False] * 50


def test_where_the_caller_cannot_be_told_all_is_held_back(aws: Aws) -> None:
    aws.refuse("POST /?", "ExpiredToken")
    (refused,) = SecurityHub().deliver([notification()])
    assert refused.reason.startswith("Security Hub in us-east-1: ")
    assert not refused.is_final
    assert "POST /findings/import?" not in aws.asked


def test_every_finding_is_below_240_kb(aws: Aws) -> None:
    assert SecurityHub().deliver([notification(finding=variants.hostile(1000))]) == []
    assert found()[0]["UpdatedAt"] == AT.replace("Z", ".000Z")
