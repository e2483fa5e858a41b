"""What EC2's own records tell about addresses and instances, in both forms CloudTrail writes them in."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from straykey.core.fact import key_of
from straykey.core.grant import GRANTING, Grant, grants_of
from straykey.core.record import Record, Skipped
from tests.ec2_calls import (
    ACCOUNT,
    AT_ENI1,
    CALLS,
    EIP1,
    EIP2,
    EIP3,
    ENI1,
    I1,
    I2,
    JSON,
    OK,
    ON_NAT,
    Facts,
    call,
    interface,
    launched,
    wrapped,
)

META = ("time", "event_id", "api", "account", "region")


def granted(record: Record) -> tuple[Grant, ...]:
    found = grants_of(record)
    assert not isinstance(found, Skipped)
    return found


def told(record: Record) -> Facts:
    """What is known of each grant, without what all grants of a record share."""
    grants = map(msgspec.structs.asdict, granted(record))
    return [{name: value for name, value in one.items() if value and name not in META} for one in grants]


NAMES = [f"{api}-{at}" for at, (api, *_) in enumerate(CALLS)]
every_call = pytest.mark.parametrize(("api", "request_", "response", "facts"), CALLS, ids=NAMES)


def test_every_call_that_grants_is_tried_here() -> None:
    assert {api for api, *_ in CALLS} == GRANTING


@every_call
def test_a_flat_record_tells(api: str, request_: JSON, response: JSON, facts: Facts) -> None:
    assert told(call(api, request_, response)) == facts


@every_call
def test_a_wrapped_record_tells_the_same(api: str, request_: JSON, response: JSON, facts: Facts) -> None:
    assert told(wrapped(api, request_, response)) == facts


@every_call
def test_a_failed_call_grants_nothing(api: str, request_: JSON, response: JSON, facts: Facts) -> None:
    assert granted(call(api, request_, response, errorCode="Client.DryRunOperation")) == ()
    assert granted(call(api, request_, response | {"_return": False})) == ()
    assert granted(call(api, {f"{api}Request": request_}, {f"{api}Response": response | {"return": False}})) == ()
    assert granted(call(api, request_, None)) == ()


@every_call
def test_china_writes_its_own_source(api: str, request_: JSON, response: JSON, facts: Facts) -> None:
    assert told(call(api, request_, response, eventSource="ec2.amazonaws.com.cn")) == facts


@every_call
def test_other_services_calls_of_that_name_grant_nothing(
    api: str, request_: JSON, response: JSON, facts: Facts
) -> None:
    assert granted(call(api, request_, response, eventSource="ec2.example.com")) == ()


@every_call
def test_only_what_has_a_time_is_a_grant(api: str, request_: JSON, response: JSON, facts: Facts) -> None:
    assert grants_of(call(api, request_, response, eventTime="soon")) is Skipped.BAD_TIME


def test_other_calls_grant_nothing() -> None:
    assert granted(call("DescribeInstances", {}, {"instancesSet": {"items": [launched(I1)]}}, eventTime=None)) == ()
    assert grants_of(Record()) == ()


def test_a_grant_says_when_and_where_it_was_made() -> None:
    grant = granted(call("ReleaseAddress", {"allocationId": EIP1}, OK, eventTime="2026-05-04T11:00:00+02:00"))[0]
    assert [getattr(grant, name) for name in META] == [
        "2026-05-04T09:00:00Z",
        "e-1",
        "ReleaseAddress",
        ACCOUNT,
        "eu-west-1",
    ]


def test_what_a_record_leaves_out_is_empty() -> None:
    record = call("ReleaseAddress", {"allocationId": EIP1}, OK, eventID=None, recipientAccountId=None, awsRegion=None)
    assert granted(record) == (Grant("2026-05-04T09:00:00Z", "", "ReleaseAddress", "", "", allocation=EIP1),)


def test_addresses_are_in_their_one_form() -> None:
    mapped = call("AllocateAddress", None, {"publicIp": "::ffff:198.18.0.10"})
    spelled = call("AssignIpv6Addresses", {"NetworkInterfaceId": ENI1}, {"assignedIpv6Addresses": ["2001:DB8:0::11"]})
    assert told(mapped) == [{"address": "198.18.0.10"}]
    assert told(spelled) == [{"interface": ENI1, "address": "2001:db8::11"}]


@pytest.mark.parametrize("address", ["999.1.1.1", "pending", 42, None, {}, ["198.18.0.10"]])
def test_what_is_no_address_is_left_out(address: object) -> None:
    assert told(call("AllocateAddress", None, {"publicIp": address, "allocationId": EIP1})) == [{"allocation": EIP1}]


def test_what_says_nothing_is_no_grant() -> None:
    assert granted(call("AllocateAddress", {"domain": "vpc"}, {"publicIp": "pending"})) == ()


def test_the_answer_counts_before_the_request() -> None:
    record = call("AttachNetworkInterface", {"instanceId": I1, "attachmentId": "asked"}, {"attachmentId": "answered"})
    assert told(record) == [{"instance": I1, "attachment": "answered"}]


@pytest.mark.parametrize(
    "assigned",
    [
        {"assignedPrivateIpAddressSetType": [{"privateIpAddress": "10.0.1.13"}, {"privateIpAddress": "10.0.1.14"}]},
        {"item": [{"privateIpAddress": "10.0.1.13"}, {"privateIpAddress": "10.0.1.14"}]},
        [{"privateIpAddress": "10.0.1.13"}, "10.0.1.14"],
    ],
)
def test_addresses_that_ec2_chose_are_in_the_answer(assigned: object) -> None:
    record = call(
        "AssignPrivateIpAddresses",
        {"networkInterfaceId": ENI1, "secondaryPrivateIpAddressCount": 2},
        OK | {"assignedPrivateIpAddressesSet": assigned},
    )
    assert told(record) == [
        {"interface": ENI1, "address": "10.0.1.13"},
        {"interface": ENI1, "address": "10.0.1.14"},
    ]


def test_one_address_that_ec2_chose_may_stand_alone() -> None:
    answer = {"assignedPrivateIpAddressesSet": {"assignedPrivateIpAddressSetType": {"privateIpAddress": "10.0.1.13"}}}
    record = call("AssignPrivateIpAddresses", {"networkInterfaceId": ENI1}, answer)
    assert told(record) == [{"interface": ENI1, "address": "10.0.1.13"}]


def test_an_interface_whose_addresses_are_not_said_still_got_some() -> None:
    assert told(call("AssignPrivateIpAddresses", {"networkInterfaceId": ENI1}, OK)) == [{"interface": ENI1}]


def test_a_public_address_in_a_launch_is_taken_too() -> None:
    associated = interface(ENI1, "10.0.1.10") | {"association": {"publicIp": "198.18.0.20"}}
    record = call(
        "RunInstances",
        None,
        {
            "instancesSet": {
                "items": [launched(I1, associated, publicIpAddress="198.18.0.20", privateIpAddress="10.0.1.10")]
            }
        },
    )
    assert told(record) == [AT_ENI1 | {"address": "10.0.1.10"}, AT_ENI1 | {"address": "198.18.0.20"}]


@pytest.mark.parametrize("name", ["publicIpAddress", "ipAddress"])
def test_an_address_of_no_interface_is_the_instances(name: str) -> None:
    answer = {"instancesSet": {"items": [launched(I1, interface(ENI1, "10.0.1.10"), **{name: "198.18.0.20"})]}}
    assert told(call("RunInstances", None, answer))[1:] == [
        {"instance": I1, "vpc": "vpc-0d", "address": "198.18.0.20"},
    ]


def test_a_launch_with_too_long_a_request_tells_all_the_same() -> None:
    answer = {"instancesSet": {"items": [launched(I1), launched(I2)]}}
    assert [one["instance"] for one in told(call("RunInstances", None, answer))] == [I1, I2]


def test_an_entry_without_an_instance_is_none() -> None:
    answer = {"instancesSet": {"items": [launched(""), {}, None, "i-0", launched(I2)]}}
    assert told(call("RunInstances", None, answer)) == [{"instance": I2, "vpc": "vpc-0d"}]


def test_an_interface_is_in_the_vpc_of_its_instance() -> None:
    answer = {"instancesSet": {"items": [launched(I1, {"networkInterfaceId": ENI1})]}}
    assert told(call("RunInstances", None, answer)) == [AT_ENI1]


def test_what_is_listed_twice_is_told_once() -> None:
    answer = {"instancesSet": {"items": [{"instanceId": I1}, {"instanceId": I2}, {"instanceId": I1}]}}
    assert told(call("StopInstances", None, answer)) == [{"instance": I1}, {"instance": I2}]


def test_ids_longer_than_any_of_awss_are_left_out() -> None:
    answer = {"publicIp": "198.18.0.10", "allocationId": "eipalloc-" + "0" * 120}
    assert told(call("AllocateAddress", None, answer)) == [{"address": "198.18.0.10"}]


def test_an_id_that_was_taken_for_a_number_is_text_again() -> None:
    assert told(call("ReleaseAddress", {"ReleaseAddressRequest": {"AllocationId": 12345}}, OK)) == [
        {"allocation": "12345"}
    ]


def test_the_high_byte_of_a_state_does_not_count() -> None:
    answer = {"instancesSet": {"item": {"instanceId": I1, "previousState": {"code": 272 + 64}}}}
    assert told(call("StartInstances", None, answer)) == [{"instance": I1, "was_stopped": True}]


@pytest.mark.parametrize("previous", [None, {}, "stopped", {"code": "x"}, {"code": -176}, {"name": 80}])
def test_a_start_that_does_not_say_from_which_state_is_no_change(previous: object) -> None:
    answer = {"instancesSet": {"items": [{"instanceId": I1, "previousState": previous}]}}
    assert told(call("StartInstances", None, answer)) == [{"instance": I1}]


def test_instances_asked_for_by_number_are_terminated() -> None:
    asked = {"InstanceId": [{"tag": 1, "content": I1}, {"tag": 2, "content": I2}]}
    record = call("TerminateInstances", {"TerminateInstancesRequest": asked}, {"TerminateInstancesResponse": {"x": 1}})
    assert told(record) == [{"instance": I1}, {"instance": I2}]


def test_a_regional_gateway_takes_addresses_by_zone() -> None:
    zones = [
        {"tag": 1, "AvailabilityZone": "eu-west-1a", "AllocationId": {"tag": 1, "content": EIP1}},
        {"tag": 2, "AvailabilityZone": "eu-west-1b", "AllocationId": [{"tag": 1, "content": EIP2}, EIP3]},
    ]
    request = {"CreateNatGatewayRequest": {"VpcId": "vpc-0d", "AvailabilityZoneAddress": zones}}
    response = {"CreateNatGatewayResponse": {"natGateway": {"natGatewayId": "nat-0c"}}}
    assert told(call("CreateNatGateway", request, response)) == [
        ON_NAT | {"allocation": one} for one in (EIP1, EIP2, EIP3)
    ]


def test_a_gateway_without_an_id_is_none() -> None:
    assert granted(call("CreateNatGateway", {"allocationId": EIP1}, {"natGateway": {"vpcId": "vpc-0d"}})) == ()


def test_an_endpoint_is_the_one_in_the_answer() -> None:
    assert granted(call("CreateVpcEndpoint", {"vpcId": "vpc-0d", "vpcEndpointId": "vpce-0a"}, OK)) == ()


@pytest.mark.parametrize(
    ("grant", "subject"),
    [
        ({"instance": "i", "nat": "n", "interface": "e", "address": "a"}, "i"),
        ({"nat": "n", "allocation": "l", "vpc": "v"}, "n"),
        ({"interface": "e", "address": "a"}, "e"),
        ({"address": "a", "allocation": "l"}, "l"),
        ({"address": "a", "association": "s"}, "a"),
        ({"association": "s"}, "s"),
        ({"endpoint": "p", "vpc": "v"}, "p"),
        ({"attachment": "t"}, "t"),
        ({"vpc": "v"}, ""),
    ],
)
def test_a_grant_is_kept_under_what_it_is_about(grant: JSON, subject: str) -> None:
    assert Grant("t", "e", "api", "a", "r", **grant).subject == subject


spaced = st.sampled_from(["", " ", "0 ", " 0 "])
grants = st.builds(Grant, *[st.just("")] * 5, instance=spaced, interface=spaced, address=spaced)


@given(grants, grants)
def test_keys_are_equal_exactly_for_equal_grants(one: Grant, other: Grant) -> None:
    assert (key_of(one) == key_of(other)) == (one == other)


names = st.sampled_from(
    sorted(
        {
            *("items", "item", "content", "tag", "_return", "instancesSet", "instanceId", "networkInterfaceSet"),
            *("networkInterface", "networkInterfaceId", "privateIpAddressesSet", "ipv6AddressesSet", "association"),
            *("publicIp", "allocationId", "associationId", "attachmentId", "natGateway", "natGatewayId", "vpcId"),
            *("natGatewayAddressSet", "AvailabilityZoneAddress", "SecondaryAllocationId", "vpcEndpoint", "code"),
            *("assignedIpv6Addresses", "assignedPrivateIpAddressesSet", "previousState", "vpcEndpointId", "name"),
        }
    )
)
scalars = st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False)
words = st.text(max_size=5) | st.sampled_from(["198.18.0.10", "::ffff:10.0.0.1", "i-0", "stopped", "x" * 200])
values = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(GRANTING)), values, values, st.booleans())
def test_no_payload_raises(api: str, request_: object, response: object, is_wrapped: bool) -> None:
    if is_wrapped:
        request_, response = {f"{api}Request": request_}, {f"{api}Response": response}
    for grant in granted(call(api, request_, response)):
        *parts, was_stopped = msgspec.structs.astuple(grant)
        assert all(isinstance(part, str) and len(part) <= 128 for part in parts)
        assert isinstance(was_stopped, bool)
        assert grant.subject


def test_a_payload_that_is_nested_too_deep_is_named() -> None:
    raw = msgspec.Raw(b"[" * 5000 + b"]" * 5000)
    record = Record(name="RunInstances", source="ec2.amazonaws.com", time="2026-05-04T09:00:00Z", response=raw)
    assert grants_of(record) is Skipped.TOO_DEEP
