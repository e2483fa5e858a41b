"""What reaches a rule, and what is made of what EventBridge refuses."""

import json

import boto3
import pytest
from botocore.stub import Stubber

from straykey.ports import Notification
from straykey.sinks.eventbridge import EventBridge, _batches, _detail
from tests.aws import Aws
from tests.formats import variants
from tests.sinks.aws_queue import Queue
from tests.sinks.told import AT, notification

# As in the documentation of GuardDuty, but for the source.
PATTERN = {
    "source": ["straykey"],
    "detail-type": ["GuardDuty Finding"],
    "detail": {
        "severity": [{"numeric": [">=", 7]}],
        "type": [{"prefix": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration"}],
    },
}


def test_a_rule_written_for_guardduty_gets_it(aws: Aws) -> None:
    queue = Queue("told")
    events = boto3.client("events")
    events.put_rule(Name="theft", EventPattern=json.dumps(PATTERN))
    events.put_targets(Rule="theft", Targets=[{"Id": "1", "Arn": queue.arn}])
    assert EventBridge().deliver([notification(1), notification(2, finding=variants.delivered())]) == []
    (event,) = queue.bodies()
    assert event["detail"]["resource"]["instanceDetails"]["instanceId"] == "i-0123456789abcdef0"
    assert event["detail"]["updatedAt"] == AT.replace("Z", ".000Z")


def test_a_bus_of_its_own_is_told_by_arn_or_by_name_and_region(aws: Aws) -> None:
    events = boto3.client("events", region_name="eu-west-1")
    arn = events.create_event_bus(Name="security")["EventBusArn"]
    queue = Queue("told", "eu-west-1")
    events.put_rule(Name="theft", EventPattern=json.dumps(PATTERN), EventBusName="security")
    events.put_targets(Rule="theft", EventBusName="security", Targets=[{"Id": "1", "Arn": queue.arn}])
    assert EventBridge(arn).deliver([notification(1)]) == []
    assert EventBridge("security", region="eu-west-1").deliver([notification(2)]) == []
    assert len(queue.bodies()) == 2


def test_those_that_were_not_taken_are_named_one_by_one(aws: Aws) -> None:
    sink = EventBridge()
    entries = [
        {"EventId": "1"},
        {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"},
        {"ErrorCode": "MalformedDetail", "ErrorMessage": "bad"},
        {"ErrorCode": "InternalFailure", "ErrorMessage": "oh"},
    ]
    with Stubber(sink._client) as stub:
        stub.add_response("put_events", {"FailedEntryCount": 3, "Entries": entries})
        refused = sink.deliver([notification(number) for number in range(4)])
    assert [(one.key, one.is_final) for one in refused] == [
        (notification(1).key, False),
        (notification(2).key, True),
        (notification(3).key, False),
    ]
    assert refused[1].reason == "EventBridge bus default: not taken (MalformedDetail)"


def test_a_call_that_is_refused_for_one_is_made_for_each(aws: Aws) -> None:
    sink = EventBridge()
    with Stubber(sink._client) as stub:
        stub.add_client_error("put_events", "ValidationException", http_status_code=400)
        stub.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})
        stub.add_client_error("put_events", "ValidationException", http_status_code=400)
        refused = sink.deliver([notification(1), notification(2)])
    assert [(one.key, one.is_final) for one in refused] == [(notification(2).key, True)]


def test_when_aws_fails_all_that_is_left_is_held_back(aws: Aws) -> None:
    sink = EventBridge()
    many = [notification(number) for number in range(25)]
    with Stubber(sink._client) as stub:
        stub.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}] * 10})
        stub.add_client_error("put_events", "InternalException", http_status_code=500)
        refused = sink.deliver(many)
    assert [one.key for one in refused] == [one.key for one in many[10:]]
    assert not any(one.is_final for one in refused)


def test_a_call_holds_ten_events_and_256_kib() -> None:
    many = [notification(number) for number in range(25)]
    assert [len(batch) for batch in _batches([(one, "x") for one in many])] == [10, 10, 5]
    assert [len(batch) for batch in _batches([(one, "x" * 100_000) for one in many[:5]])] == [2, 2, 1]
    assert list(_batches([])) == []


@pytest.mark.parametrize("one", [notification(finding=variants.hostile(1000)), notification()])
def test_every_event_fits_into_a_call(one: Notification) -> None:
    assert len(_detail(one) or "") in range(1, 262_144)
