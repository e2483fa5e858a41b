"""Each rule of the method of 2018, and what it costs."""

from typing import Any

import pytest

from straykey.sim.lock2018 import Alarm, alarms
from tests.records import RawRecord, issuance_record, use_record

INSTANCE = "i-0123456789abcdef0"
ARN = f"arn:aws:sts::111122223333:assumed-role/web-role/{INSTANCE}"
HOME, OTHER, THIRD = "198.18.0.10", "198.18.0.20", "198.18.0.30"


def at(clock: str) -> str:
    return f"2026-05-04T{clock}:00Z"


def use(address: str, clock: str = "10:00", **more: Any) -> RawRecord:
    return use_record(address=address, time=at(clock), **more)


def private(address: str, endpoint: str) -> RawRecord:
    return use(address, endpoint=endpoint, endpoint_owner="111122223333")


def change(event: str, error: str | None = None, **asked: str) -> RawRecord:
    """An operator's call that gives an instance an address."""
    record = use_record(instance="operator", source="ec2.amazonaws.com", event=event, error=error)
    return record | {"requestParameters": asked, "responseElements": {"_return": True}}


def elastic(**asked: str) -> RawRecord:
    return change("AssociateAddress", **({"instanceId": INSTANCE} | asked))


def accused(*delivered: RawRecord) -> list[str]:
    return [alarm.address for alarm in alarms([issuance_record(), *delivered])]


def test_a_session_is_locked_to_the_first_address_it_is_used_from() -> None:
    assert list(alarms([issuance_record(), use(HOME), use(OTHER, "10:05")])) == [Alarm(ARN, OTHER, at("10:05"))]


def test_each_further_address_raises_one_alarm() -> None:
    assert accused(use(HOME), use(OTHER), use(THIRD), use(OTHER), use(THIRD), use(HOME)) == [OTHER, THIRD]


def test_a_private_address_is_locked_beside_the_public_one() -> None:
    assert accused(use(HOME), private("10.0.0.1", "vpce-0a"), use(HOME), private("10.0.0.1", "vpce-0a")) == []


def test_a_second_private_address_raises_an_alarm() -> None:
    assert accused(private("10.0.0.1", "vpce-0a"), private("172.31.0.9", "vpce-0a")) == ["172.31.0.9"]


def test_a_private_address_and_its_endpoint_are_locked_as_a_pair() -> None:
    assert accused(private("10.0.0.1", "vpce-0a"), private("10.0.0.1", "vpce-0b")) == ["10.0.0.1"]


def test_an_address_named_by_an_association_is_allowed_and_no_other_is() -> None:
    assert accused(use(HOME), elastic(publicIp=OTHER), use(THIRD), use(OTHER)) == [THIRD]


def test_an_association_without_an_address_allows_the_next_new_one_only() -> None:
    assert accused(use(HOME), elastic(allocationId="eipalloc-0a"), use(HOME), use(OTHER), use(THIRD)) == [THIRD]


def test_an_association_before_the_first_use_belongs_to_the_first_address() -> None:
    assert accused(elastic(allocationId="eipalloc-0a"), use(HOME), use(OTHER)) == [OTHER]


def test_an_elastic_address_explains_no_private_one() -> None:
    delivered = private("10.0.0.1", "vpce-0a"), elastic(allocationId="eipalloc-0a"), private("10.0.0.2", "vpce-0a")
    assert accused(*delivered) == ["10.0.0.2"]


def test_an_association_delivered_twice_allows_one_address() -> None:
    again = elastic(allocationId="eipalloc-0a")
    assert accused(use(HOME), again, use(OTHER), again, use(THIRD)) == [THIRD]


def test_an_attached_interface_allows_one_more_address() -> None:
    attached = change("AttachNetworkInterface", networkInterfaceId="eni-0a", instanceId=INSTANCE)
    assert accused(use(HOME), attached, use(OTHER), use(THIRD)) == [THIRD]


def test_an_address_of_an_attached_interface_is_the_instances() -> None:
    attached = change("AttachNetworkInterface", networkInterfaceId="eni-0a", instanceId=INSTANCE)
    named = change("AssociateAddress", networkInterfaceId="eni-0a", publicIp=OTHER)
    assert accused(use(HOME), attached, named, use(OTHER)) == []


@pytest.mark.parametrize("asked", [{"instanceId": "i-0fedcba9876543210"}, {"networkInterfaceId": "eni-0b"}])
def test_an_association_with_another_instance_allows_nothing(asked: dict[str, str]) -> None:
    assert accused(use(HOME), change("AssociateAddress", publicIp=OTHER, **asked), use(OTHER)) == [OTHER]


def test_an_association_that_failed_allows_nothing() -> None:
    failed = change("AssociateAddress", "Client.UnauthorizedOperation", instanceId=INSTANCE, publicIp=OTHER)
    assert accused(use(HOME), failed, use(OTHER)) == [OTHER]


def test_an_association_delivered_after_the_first_use_comes_too_late() -> None:
    assert accused(use(HOME), use(OTHER), elastic(publicIp=OTHER), use(OTHER)) == [OTHER]


def test_a_session_is_forgotten_six_hours_after_its_last_issuance() -> None:
    assert accused(use(HOME), use(OTHER, "15:59")) == [OTHER]
    assert accused(use(HOME), use(OTHER, "16:00")) == []


def test_a_renewed_session_keeps_its_lock() -> None:
    assert accused(use(HOME), issuance_record(time=at("11:00")), use(OTHER, "16:30")) == [OTHER]


def test_a_forgotten_session_is_locked_anew() -> None:
    renewed = issuance_record(time=at("18:00"))
    assert accused(use(HOME), renewed, use(OTHER, "18:01"), use(HOME, "18:02")) == [HOME]


@pytest.mark.parametrize("source", ["ec2.amazonaws.com", "AWS Internal", "AWS Internal/3"])
def test_the_name_of_a_service_neither_locks_nor_alarms(source: str) -> None:
    assert accused(use(source), use(HOME), use(source)) == []


def test_a_session_whose_issuance_was_not_seen_is_silent() -> None:
    assert list(alarms([use(HOME), use(OTHER)])) == []


def test_calls_delivered_before_the_issuance_are_not_judged() -> None:
    assert list(alarms([use(HOME), issuance_record(), use(OTHER), use(HOME)])) == [Alarm(ARN, HOME, at("10:00"))]


@pytest.mark.parametrize(
    "issuer",
    [
        {"type": "AWSService", "invokedBy": "ecs-tasks.amazonaws.com"},
        {"type": "AWSService", "invokedBy": "ec2.amazonaws.com.cn"},
        {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/operator"},
    ],
    ids=lambda issuer: issuer.get("invokedBy", "a person"),
)
def test_only_what_ec2_assumed_is_judged(issuer: dict[str, str]) -> None:
    assert list(alarms([issuance_record(userIdentity=issuer), use(HOME), use(OTHER)])) == []


def test_other_partitions_are_not_judged() -> None:
    asked = {"roleArn": "arn:aws-cn:iam::111122223333:role/web-role", "roleSessionName": INSTANCE}
    assert list(alarms([issuance_record(requestParameters=asked), use(HOME), use(OTHER)])) == []


def test_records_delivered_backwards_lock_the_thief_in_and_the_instance_out() -> None:
    home, thief = use(HOME, "10:00"), use("203.0.113.66", "10:05")
    assert accused(home, thief) == ["203.0.113.66"]
    assert accused(thief, home) == [HOME]
