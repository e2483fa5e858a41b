"""What the honest changes of mixed worlds are like, and that the records that explain them come first."""

import json

import pytest

from straykey.sim.scenario import Scenario
from tests.sim.trials import calls_of, changes, honest_calls, is_in_aws, named, world

FIRST_RECORD = {
    "eip-by-allocation": "AllocateAddress",
    "late-delivery": "AllocateAddress",
    "china": "AllocateAddress",
    "eip-by-interface": "AllocateAddress",
    "eip-unresolved": "AssociateAddress",
    "stop-start": "StopInstances",
    "interface-attached": "CreateNetworkInterface",
    "nat-replaced-recorded": "AllocateAddress",
    "nat-address-added": "AllocateAddress",
    "ipv6-assigned": "AssignIpv6Addresses",
    "private-added": "AssignPrivateIpAddresses",
    "endpoint-added": "CreateVpcEndpoint",
    "terminated": "TerminateInstances",
}
UNRECORDED = ("egress-moved", "dual-stack")
ALWAYS = ("nat-pool", "central-egress", "on-premises-egress", "hub-endpoints")


def first_use(scenario: Scenario, arns: tuple[str, ...], address: str) -> str:
    return min(str(r["eventTime"]) for arn in arns for r in calls_of(scenario, arn) if r["sourceIPAddress"] == address)


def addresses_of(scenario: Scenario, arn: str) -> list[str]:
    return [r["sourceIPAddress"] for r in honest_calls(scenario, arn)]


def test_every_change_names_sessions_that_worked() -> None:
    for scenario, change in changes():
        assert change.session_arns
        assert all(calls_of(scenario, arn) for arn in change.session_arns)


def test_a_new_address_is_used_after_what_the_records_say_of_it() -> None:
    seen = set()
    for scenario, change in changes(*FIRST_RECORD):
        seen.add(change.kind)
        names = {r["eventName"] for r in scenario.records if r["eventTime"] == change.at}
        assert FIRST_RECORD[change.kind] in names
        assert all(first_use(scenario, change.session_arns, it) > change.at for it in change.addresses)
    assert seen == FIRST_RECORD.keys()


def test_what_is_not_recorded_still_begins_when_the_truth_says() -> None:
    for scenario, change in changes(*UNRECORDED):
        assert all(first_use(scenario, change.session_arns, it) >= change.at for it in change.addresses)


def test_sessions_of_a_change_use_its_addresses() -> None:
    for scenario, change in changes(*FIRST_RECORD, *UNRECORDED, *ALWAYS):
        used = {address for arn in change.session_arns for address in addresses_of(scenario, arn)}
        assert used.issuperset(change.addresses)


@pytest.mark.parametrize("kind", ["eip-by-allocation", "eip-by-address", "eip-by-interface", "eip-unresolved"])
def test_an_elastic_address_takes_over(kind: str) -> None:
    for scenario, change in changes(kind):
        (arn,) = change.session_arns
        came = [address in change.addresses for address in addresses_of(scenario, arn)]
        assert came == sorted(came)
        assert {True, False} == set(came)


def test_an_association_that_names_no_address_is_of_an_unknown_allocation() -> None:
    for scenario, change in changes("eip-unresolved"):
        assert not any(address in json.dumps(named(scenario, "AllocateAddress")) for address in change.addresses)


def test_both_encodings_of_an_association_occur() -> None:
    requests = [
        r["requestParameters"] for s in {id(s): s for s, _ in changes()}.values() for r in named(s, "AssociateAddress")
    ]
    assert {"AssociateAddressRequest" in request for request in requests} == {True, False}


def test_a_started_instance_uses_new_keys_only() -> None:
    for scenario, change in changes("stop-start"):
        (arn,) = change.session_arns
        sides: dict[bool, set[str]] = {True: set(), False: set()}
        for r in honest_calls(scenario, arn):
            sides[r["eventTime"] > change.at].add(r["userIdentity"]["accessKeyId"])
        assert sides[True]
        assert not sides[True] & sides[False]


def test_a_fleet_that_moves_does_not_go_back() -> None:
    for scenario, change in changes("egress-moved"):
        assert len(change.session_arns) >= 4
        for arn in change.session_arns:
            came = [address in change.addresses for address in addresses_of(scenario, arn)]
            assert came == sorted(came)


def test_each_address_of_a_pool_is_the_first_of_some_instance_of_each_account() -> None:
    for scenario, change in changes("nat-pool", "central-egress", "on-premises-egress"):
        firsts: dict[str, set[str]] = {}
        for arn in change.session_arns:
            public = [it for it in addresses_of(scenario, arn) if not it.startswith("10.")]
            firsts.setdefault(arn.split(":")[4], set()).add(public[0])
        assert all(found == set(change.addresses) for found in firsts.values())


def test_hub_addresses_are_those_of_an_account_that_lives_elsewhere() -> None:
    for scenario, change in changes("central-egress"):
        accounts = {arn.split(":")[4] for arn in change.session_arns}
        owners = {
            r["recipientAccountId"]
            for r in named(scenario, "AllocateAddress")
            if r["responseElements"]["publicIp"] in change.addresses
        }
        assert len(accounts) == 2
        assert len(owners) == 1
        assert not owners & accounts


def test_on_premises_addresses_lie_outside_aws() -> None:
    assert not any(is_in_aws(address) for _, change in changes("on-premises-egress") for address in change.addresses)


def test_a_terminated_instance_is_soon_silent_but_for_services() -> None:
    for scenario, change in changes("terminated"):
        (arn,) = change.session_arns
        trailing = [r for r in scenario.records if r["userIdentity"].get("arn") == arn and r["eventTime"] > change.at]
        assert {r["sourceIPAddress"][:3] for r in trailing if "invokedBy" in r["userIdentity"]} <= {"s3.", "AWS"}
        assert max(r["eventTime"] for r in honest_calls(scenario, arn))[:16] <= max(r["eventTime"] for r in trailing)


def test_a_chained_session_bears_the_instance_s_name_and_lives_at_its_home() -> None:
    for scenario, change in changes("role-chaining"):
        own, chained = change.session_arns
        assert own.rsplit("/", 1)[1] == chained.rsplit("/", 1)[1]
        assert set(addresses_of(scenario, own)) == set(addresses_of(scenario, chained))


def test_own_tools_are_all_that_their_role_ever_uses() -> None:
    for scenario, change in changes("own-tool"):
        agents = {r["userAgent"].strip("[]") for arn in change.session_arns for r in calls_of(scenario, arn)}
        assert len(agents) == 1
        assert "aws" not in agents.pop().lower()


def test_in_china_names_are_those_of_its_partition() -> None:
    for scenario, change in changes("china"):
        theirs = [r for r in scenario.records if r["recipientAccountId"] == "210987654321"]
        assert change.session_arns[0].startswith("arn:aws-cn:sts::210987654321:")
        assert not any("arn:aws:" in json.dumps(r) for r in theirs)
        assert {r["awsRegion"] for r in theirs} == {"cn-north-1"}
        assert {"ec2.amazonaws.com.cn"} <= {r["userIdentity"].get("invokedBy") for r in theirs}


def test_pods_use_the_network_of_their_node() -> None:
    for scenario, change in changes("eks-pod-identity", "irsa"):
        homes = {home.address for session in scenario.sessions for home in session.homes}
        assert {address for arn in change.session_arns for address in addresses_of(scenario, arn)} <= homes


def test_a_pod_gets_its_key_after_its_node_asked() -> None:
    for scenario, change in changes("eks-pod-identity"):
        asked = {r["eventTime"] for r in named(scenario, "AssumeRoleForPodIdentity")}
        given = [
            r
            for r in named(scenario, "AssumeRole")
            if r["userIdentity"].get("invokedBy") == "pods.eks.amazonaws.com"
            and any(arn.endswith(r["requestParameters"]["roleSessionName"]) for arn in change.session_arns)
        ]
        assert given
        assert {r["eventTime"] for r in given} <= asked


def test_a_function_calls_from_many_addresses_of_its_region() -> None:
    for scenario, change in changes("lambda"):
        seen = set(addresses_of(scenario, change.session_arns[0]))
        assert len(seen) > 10
        assert all(map(is_in_aws, seen))


def test_no_address_of_one_change_is_used_by_another_s_sessions() -> None:
    for seed in range(6):
        for change in world(seed).changes:
            others = [c for c in world(seed).changes if c is not change]
            assert not any(set(change.addresses) & set(c.addresses) for c in others)
