"""The documents as they are sent, for reviewers; what AWS's samples exempt is exempt in them."""

import ipaddress
import json
import warnings
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from straykey.contain.document import read_policy
from straykey.contain.policy import Answer
from straykey.core.network import Lane, network_of
from straykey.harden.packing import control_policies
from straykey.harden.perimeter import (
    ATTACHED,
    DATA_PLANES,
    GUARDED,
    ROOM,
    Artifact,
    Kind,
    Level,
    collapsed,
    endpoint_policy,
    role_policy,
    ways_of,
)
from straykey.harden.rehearsal import Rehearsal
from straykey.harden.worker import Footprint, Places, Worker, footprint_of
from tests.conftest import Golden
from tests.harden.workers import ACCOUNT, BATCH, FOREIGN, GATE, HUB, OTHER, VPC, WEB, called, footprint, worker

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it finds its data with pkg_resources
    import parliament

HOMES = {"198.18.0.10": (WEB,), "198.18.0.11": (WEB, BATCH), "2001:db8:1000::10": (BATCH,)}
WHOLE = footprint(addresses=HOMES, endpoints=(GATE,), alone=True)
CONTROLS = (Kind.SCP, Kind.RCP)


def document(kind: Kind, level: Level, of: Footprint = WHOLE, spared: tuple[str, ...] = ()) -> Artifact:
    if kind is Kind.ROLE:
        return role_policy(of, level, spared)
    if kind is Kind.ENDPOINT:
        return endpoint_policy(VPC, [GATE], [HUB], [ACCOUNT, OTHER])
    found = control_policies(kind, [of, footprint(OTHER, addresses=of.addresses, endpoints=(GATE,))], level, spared)
    (one,) = found.artifacts
    return one


BINDING = [(kind, level) for kind in (Kind.ROLE, *CONTROLS) for level in Level]
ALL = [*BINDING, (Kind.ENDPOINT, Level.NETWORK)]  # which is the same at every level


def said(artifact: Artifact) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(artifact.document)["Statement"]
    return found


@pytest.mark.parametrize(("kind", "level"), ALL)
def test_documents_are_these(kind: Kind, level: Level, golden: Golden) -> None:
    free = ("iam", "organizations") if level is Level.INSTANCE else ()
    text = json.dumps(json.loads(document(kind, level, spared=free).document), indent=1) + "\n"
    golden(f"tests/golden/harden/perimeter.{kind.value}.{level.value}.json", text)


# Parliament knows identity policies: of resources' it does not understand Principal, an address of IPv6 is none to it,
# and of the keys that every call may have it knows these but for some services.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
UNHEARD = ("Unknown condition aws:ViaAWSService for", "Unknown condition aws:Ec2InstanceSourcePrivateIPv4 for")


def told_by_parliament(artifact: Artifact) -> list[str]:
    statements = [{key: value for key, value in one.items() if key != "Principal"} for one in said(artifact)]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return [
        f"{one.issue}: {one.detail}"
        for one in parliament.analyze_policy_string(policy).findings
        if not (one.issue == "MISMATCHED_TYPE" and "/128" in str(one.detail))
        and not (one.issue == "UNKNOWN_CONDITION_FOR_ACTION" and str(one.detail).startswith(UNHEARD))
    ]


@pytest.mark.parametrize(("kind", "level"), ALL)
def test_parliament_finds_nothing_wrong(kind: Kind, level: Level) -> None:
    assert told_by_parliament(document(kind, level)) == []


@pytest.mark.parametrize(("kind", "level"), ALL)
def test_parliament_would_find_what_is_wrong(kind: Kind, level: Level) -> None:
    right = document(kind, level)
    wrong = Artifact(kind, right.name, right.document.replace("StringNotEquals", "StringNotEqual"), right.accounts)
    assert told_by_parliament(wrong)


@pytest.mark.parametrize(("kind", "level"), ALL)
def test_a_document_is_ascii_without_white_space_and_read_to_the_letter(kind: Kind, level: Level) -> None:
    one = document(kind, level)
    assert one.document.isascii()
    assert not set(one.document) & set(" \n\t")
    assert len(one.document) <= ROOM[kind]
    assert read_policy(one.document, names_principals=kind in (Kind.RCP, Kind.ENDPOINT)).statements


# What every one of AWS's samples for a network perimeter carries.


@pytest.mark.parametrize(("kind", "level"), BINDING)
def test_only_keys_that_ec2_handed_out_are_denied(kind: Kind, level: Level) -> None:
    """Without it the policy would deny every principal that is in no VPC."""
    of_ec2 = "aws:Ec2InstanceSourceVpc" if kind is Kind.RCP else "ec2:SourceInstanceARN"
    for one in said(document(kind, level)):
        assert one["Effect"] == "Deny"
        assert one["Condition"]["Null"][of_ec2] == "false"


@pytest.mark.parametrize(("kind", "level"), BINDING)
def test_what_a_service_does_on_behalf_is_let_through(kind: Kind, level: Level) -> None:
    for one in said(document(kind, level)):
        assert one["Condition"]["BoolIfExists"]["aws:ViaAWSService"] == "false"


@pytest.mark.parametrize("level", Level)
def test_an_rcp_lets_services_themselves_through_and_guards_the_services_it_may(level: Level) -> None:
    (one,) = said(document(Kind.RCP, level))
    assert one["Condition"]["BoolIfExists"]["aws:PrincipalIsAWSService"] == "false"
    assert (one["Principal"], tuple(one["Action"])) == ("*", GUARDED)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("kind", CONTROLS)
def test_an_organizations_policy_exempts_ec2_itself_and_whoever_is_tagged(kind: Kind, level: Level) -> None:
    (one,) = said(document(kind, level))
    infrastructure = "arn:aws:iam::*:role/aws:ec2-infrastructure"
    assert one["Condition"]["ArnNotLikeIfExists"] == {"aws:PrincipalArn": infrastructure}
    assert one["Condition"]["StringNotEqualsIfExists"] == {"aws:PrincipalTag/dp:exclude:network": "true"}


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("kind", [Kind.ROLE, Kind.SCP])
def test_data_planes_inside_the_vpc_are_let_through(kind: Kind, level: Level) -> None:
    for one in said(document(kind, level)):
        assert set(one["NotAction"]) == set(DATA_PLANES)
        assert "Action" not in one


@pytest.mark.parametrize("kind", [Kind.ROLE, Kind.SCP])
def test_what_no_endpoint_leads_to_is_bound_to_known_addresses_and_not_to_the_vpc(kind: Kind) -> None:
    to_vpc, to_addresses, *_ = said(document(kind, Level.INSTANCE, spared=("iam",)))
    assert set(to_vpc["NotAction"]) == {*DATA_PLANES, "iam:*"}
    assert "NotIpAddressIfExists" not in to_vpc["Condition"]
    assert to_addresses["Action"] == ["iam:*"]
    assert to_addresses["Condition"]["NotIpAddressIfExists"] == {
        "aws:SourceIp": ["198.18.0.10/31", "2001:db8:1000::10/128"]
    }


@pytest.mark.parametrize("kind", [Kind.ROLE, *CONTROLS])
def test_addresses_are_let_through_by_level_network_alone(kind: Kind) -> None:
    network, instance = (said(document(kind, level))[0]["Condition"] for level in Level)
    assert network["NotIpAddressIfExists"]["aws:SourceIp"] == ["198.18.0.10/31", "2001:db8:1000::10/128"]
    assert "NotIpAddressIfExists" not in instance
    for one in (network, instance):
        own = {"aws:SourceVpc": "${aws:Ec2InstanceSourceVpc}", "aws:SourceVpce": GATE}
        assert one["StringNotEquals"] == own


def test_a_role_that_is_alone_with_its_addresses_is_bound_to_them_and_no_other_is() -> None:
    own, bound = said(document(Kind.ROLE, Level.NETWORK))
    assert (own["Sid"], bound["Sid"]) == ("OwnNetwork", "OwnAddress")
    assert bound["Condition"]["StringNotEquals"] == {"aws:Ec2InstanceSourcePrivateIPv4": "${aws:VpcSourceIp}"}
    assert bound["Condition"]["Null"]["aws:VpcSourceIp"] == "false"  # what comes on a public way has none
    assert [one["Sid"] for one in said(role_policy(footprint(), Level.NETWORK))] == ["OwnNetwork"]


def test_an_endpoints_policy_is_about_our_own_instances_keys_alone() -> None:
    """ECR's own account signs what S3 serves of an image; a vendor's agent has keys of its own."""
    one = document(Kind.ENDPOINT, Level.NETWORK)
    allowed, elsewhere = said(one)
    assert (allowed["Effect"], "Condition" in allowed) == ("Allow", False)
    assert elsewhere["Condition"] == {
        "Null": {"aws:Ec2InstanceSourceVpc": "false"},
        "StringEquals": {"aws:PrincipalAccount": [ACCOUNT, OTHER]},
        "StringNotEquals": {"aws:Ec2InstanceSourceVpc": [VPC, HUB]},
    }
    assert (one.vpc, one.endpoints) == (VPC, (GATE,))


def test_an_endpoint_whose_id_is_none_is_in_no_policy() -> None:
    assert ways_of([footprint(endpoints=("vpce-*", GATE, "${x}"))], Level.INSTANCE).endpoints == (GATE,)


@pytest.mark.parametrize(("kind", "level"), BINDING)
def test_another_partition_is_named_in_every_arn(kind: Kind, level: Level) -> None:
    china = footprint(OTHER, partition="aws-cn")
    one = role_policy(china, level) if kind is Kind.ROLE else control_policies(kind, [china], level, ()).artifacts[0]
    assert "arn:aws:" not in one.document


def test_room_and_number_are_what_organizations_takes() -> None:
    assert (ROOM[Kind.SCP], ROOM[Kind.RCP], ROOM[Kind.ROLE], ROOM[Kind.ENDPOINT]) == (10_240, 5_120, 10_240, 20_480)
    assert ATTACHED == {Kind.SCP: 9, Kind.RCP: 4}


four = st.integers(0, 40).map(lambda one: f"198.18.0.{one}")
six = st.integers(0, 40).map(lambda one: f"2001:db8:1000::{one:x}")


@given(st.lists(four | six))
def test_ranges_hold_the_addresses_and_nothing_else(addresses: list[str]) -> None:
    ranges = [ipaddress.ip_network(one) for one in collapsed(addresses)]
    assert sorted(str(one) for net in ranges for one in net) == sorted(set(addresses_of(addresses)))
    assert all(not a.overlaps(b) for a, b in pairwise(sorted(ranges, key=str)) if a.version == b.version)


def addresses_of(texts: list[str]) -> list[str]:
    return [str(ipaddress.ip_address(one)) for one in texts]


def test_ranges_are_in_order_whatever_order_addresses_come_in() -> None:
    assert collapsed(["198.18.0.11", "2001:db8::1", "198.18.0.10", "198.18.0.9"]) == (
        "198.18.0.9",
        "198.18.0.10/31",
        "2001:db8::1/128",
    )
    assert collapsed([]) == ()


# Whatever was recorded at home, a policy made of it lets it through.

networks = st.one_of(
    (four | six).map(network_of),
    st.builds(
        network_of,
        st.integers(4, 6).map(lambda one: f"10.0.0.{one}"),
        st.sampled_from([GATE, FOREIGN, "vpce-0123abcd"]),
        st.sampled_from([ACCOUNT, OTHER, ""]),
    ),
)
workers = st.builds(
    lambda calls, **fields: worker(*calls, **fields),
    st.lists(st.builds(called, st.sampled_from(["s3:GetObject", "iam:GetRole", "kms:Odd"]), networks), max_size=6),
    instance=st.sampled_from([WEB, BATCH]),
    vpc=st.sampled_from(["", VPC, HUB]),
    private_ip=st.sampled_from(["", "10.0.0.5"]),
    role_arn=st.sampled_from(["", f"arn:aws:iam::{ACCOUNT}:role/app/web-role"]),
)
gates = st.dictionaries(st.sampled_from([GATE, FOREIGN]), st.sampled_from([VPC, HUB]))


@given(st.lists(workers, min_size=1, max_size=4), gates)
@settings(max_examples=60)
def test_at_level_network_no_recorded_call_from_home_is_denied(some: list[Worker], vpcs: Mapping[str, str]) -> None:
    of = footprint_of(some)
    controls = [one for kind in CONTROLS for one in control_policies(kind, [of], Level.NETWORK, ()).artifacts]
    rehearsal = Rehearsal([role_policy(of, Level.NETWORK), *controls], Places(endpoints=vpcs))
    for number in range(len(rehearsal.artifacts)):
        for one in some:
            for call in one.home.calls:
                assert call.network.lane in (Lane.PUBLIC, Lane.PUBLIC_V6, Lane.ENDPOINT)
                assert rehearsal.verdict(number, "aws", one.home, call).answer is Answer.ALLOWED
