"""What the thieves of mixed worlds do, and what the truth says of it."""

import json
from datetime import datetime, timedelta

import pytest

from straykey.sim.scenario import Scenario
from straykey.sim.truth import Theft
from tests.sim.trials import SEEDS, Record, honest_calls, is_in_aws, named, thefts, world

INSTANCE = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration"
RESOURCE = "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration"
AT_HOME = ("ssrf-agent", "same-nat", "after-termination")
EXPECTED = {
    "first-outside": (f"{INSTANCE}.OutsideAWS", "HIGH"),
    "first-inside": (f"{INSTANCE}.InsideAWS", "HIGH"),
    "rented-endpoint": (f"{INSTANCE}.InsideAWS", "HIGH"),
    "rented-endpoint-unowned": (f"{INSTANCE}.InsideAWS", "HIGH"),
    "v6-outside": (f"{INSTANCE}.OutsideAWS", "HIGH"),
    "spoofed-name": ("DefenseEvasion:IAMUser/InstanceSessionName.Spoofed", "MEDIUM"),
    "ssrf-agent": ("CredentialAccess:IAMUser/InstanceUserAgent.Unrecognized", "MEDIUM"),
    "pivoting": (f"{INSTANCE}.OutsideAWS", "HIGH"),
    "inside-move": (f"{INSTANCE}.InsideAWS", "HIGH"),
    "identity-key": (f"{INSTANCE}.OutsideAWS", "HIGH"),
    "managed-key": (f"{INSTANCE}.OutsideAWS", "HIGH"),
    "china-outside": (f"{INSTANCE}.OutsideAWS", "HIGH"),
    "persistent": (f"{INSTANCE}.OutsideAWS", "HIGH"),
    "affiliated": (f"{INSTANCE}.InsideAWS", "MEDIUM"),
    "same-account": (f"{INSTANCE}.InsideAWS", "LOW"),
    "ecs-outside": (f"{RESOURCE}.OutsideAWS", "HIGH"),
    "ecs-inside": (f"{RESOURCE}.InsideAWS", "HIGH"),
    "lambda-outside": (f"{RESOURCE}.OutsideAWS", "HIGH"),
    "eks-outside": (f"{RESOURCE}.OutsideAWS", "HIGH"),
    "irsa-outside": (f"{RESOURCE}.OutsideAWS", "HIGH"),
    "same-nat": ("", ""),
    "lambda-inside-region": ("", ""),
}


def records_of(scenario: Scenario, theft: Theft) -> list[Record]:
    wanted = set(theft.event_ids)
    return [r for r in scenario.records if r["eventID"] in wanted]


def home_addresses(scenario: Scenario, arn: str) -> set[str]:
    return {r["sourceIPAddress"] for r in honest_calls(scenario, arn)}


@pytest.mark.parametrize("kind", EXPECTED)
def test_each_kind_says_what_is_to_be_found(kind: str) -> None:
    found = {(theft.expected_type, theft.expected_severity) for _, theft in thefts(kind)}
    assert found == {EXPECTED[kind]}


def test_nothing_is_expected_of_what_is_excluded_and_something_of_all_else() -> None:
    for _, theft in thefts():
        assert bool(theft.excluded) != bool(theft.expected_type)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_truth_of_a_theft_agrees_with_its_records(seed: int) -> None:
    for theft in world(seed).thefts:
        made = records_of(world(seed), theft)
        own = [r for r in made if r["userIdentity"].get("arn") == theft.session_arn]
        assert own
        assert {r["userIdentity"]["accessKeyId"] for r in own} == set(theft.access_keys)
        assert {(r["sourceIPAddress"], r.get("vpcEndpointId")) for r in made} == {(theft.address, theft.vpc_endpoint)}
        assert {r["userAgent"].strip("[]") for r in made} == {theft.user_agent}
        assert theft.first_seen == min(r["eventTime"] for r in made)
        assert theft.last_seen == max(r["eventTime"] for r in made)


def test_where_the_thief_is_agrees_with_the_expected_type() -> None:
    for _, theft in thefts():
        if theft.expected_type.endswith("OutsideAWS"):
            assert not is_in_aws(theft.address)
        if theft.expected_type.endswith("InsideAWS"):
            assert theft.vpc_endpoint or is_in_aws(theft.address)


def test_no_other_thief_calls_from_a_network_of_the_victim() -> None:
    for scenario, theft in thefts():
        if theft.kind not in AT_HOME and theft.vpc_endpoint is None:
            assert theft.address not in home_addresses(scenario, theft.session_arn)


def test_robbed_instances_live_on_at_home() -> None:
    for scenario, theft in thefts():
        if theft.kind not in ("after-termination", "spoofed-name"):
            after = [r for r in honest_calls(scenario, theft.session_arn) if r["eventTime"] > theft.last_seen]
            assert after or theft.kind == "persistent"


def test_agents_are_those_of_sdks_but_where_the_agent_is_what_gives_away() -> None:
    for _, theft in thefts():
        is_sdk = theft.user_agent.lower().startswith(("aws-cli", "boto3"))
        assert is_sdk == (theft.kind != "ssrf-agent")


def test_thieves_who_came_first_called_before_the_instance_ever_did() -> None:
    for scenario, theft in thefts():
        honest = [r["eventTime"] for r in honest_calls(scenario, theft.session_arn)]
        assert theft.is_turned == (bool(honest) and theft.last_seen < min(honest))
        assert theft.is_turned == theft.kind.startswith("first-")


def test_the_instance_robbed_first_has_a_home_that_others_share_or_a_record_names() -> None:
    for scenario, theft in thefts("first-inside"):
        (home,) = home_addresses(scenario, theft.session_arn)
        granted = [r for r in named(scenario, "AllocateAddress") if r["responseElements"]["publicIp"] == home]
        sharing = [s for s in scenario.sessions if any(h.address == home for h in s.homes)]
        assert granted or len(sharing) >= 3


def test_a_rented_endpoint_shows_the_very_address_of_the_victim_and_another_owner() -> None:
    for scenario, theft in thefts("rented-endpoint"):
        assert theft.address in home_addresses(scenario, theft.session_arn)
        assert theft.vpc_endpoint_account in scenario.attacker_accounts


def test_an_endpoint_without_owner_is_used_with_a_key_the_victim_never_uses() -> None:
    for scenario, theft in thefts("rented-endpoint-unowned"):
        made = records_of(scenario, theft)
        honest = {r["userIdentity"]["accessKeyId"] for r in honest_calls(scenario, theft.session_arn)}
        assert not any("vpcEndpointAccountId" in r for r in made)
        assert not honest & set(theft.access_keys)


def test_keys_outlive_their_instance_by_more_than_the_grace() -> None:
    for scenario, theft in thefts("after-termination"):
        ends = [r["eventTime"] for r in named(scenario, "TerminateInstances") if theft.instance_id in json.dumps(r)]
        assert datetime.fromisoformat(theft.first_seen) - datetime.fromisoformat(ends[0]) > timedelta(minutes=15)


def test_crossing_accounts_leaves_two_records_of_one_event() -> None:
    for scenario, theft in thefts("pivoting"):
        crossing = [r for r in named(scenario, "AssumeRole") if r["sourceIPAddress"] == theft.address]
        assert len(crossing) == 2
        assert len({r["sharedEventID"] for r in crossing}) == 1
        assert len({r["recipientAccountId"] for r in crossing}) == 2
        outline = [r["userIdentity"] for r in crossing if r["recipientAccountId"] != theft.account]
        assert [(it["type"], "arn" in it) for it in outline] == [("AWSAccount", False)]


def test_keys_made_with_a_stolen_one_are_named_and_used() -> None:
    for scenario, theft in thefts("pivoting"):
        later = [r for r in scenario.records if r["eventID"] in set(theft.made_event_ids)]
        assert {r["userIdentity"]["accessKeyId"] for r in later} == set(theft.made_keys)
        assert {"CreateUser", "CreateAccessKey"} <= {r["eventName"] for r in later}
        assert len({r["sourceIPAddress"] for r in later}) == 2
        assert all(key in json.dumps([r["responseElements"] for r in scenario.records]) for key in theft.made_keys)


def test_a_fleet_is_robbed_from_one_address_in_a_burst() -> None:
    for seed in SEEDS:
        many = [theft for theft in world(seed).thefts if theft.kind == "many-keys"]
        assert not many or 4 <= len(many) <= 6
        assert len({theft.address for theft in many}) == bool(many)
        assert len({theft.session_arn for theft in many}) == len(many)


def test_the_thief_of_a_moving_fleet_calls_while_it_moves() -> None:
    for scenario, theft in thefts("inside-move"):
        (move,) = [c for c in scenario.changes if theft.session_arn in c.session_arns]
        assert move.kind == "egress-moved"
        assert datetime.fromisoformat(theft.first_seen) - datetime.fromisoformat(move.at) < timedelta(minutes=2)


def test_after_a_start_two_more_addresses_are_the_thief_s() -> None:
    for scenario, theft in thefts("after-start"):
        same = [t for t in scenario.thefts if t.session_arn == theft.session_arn]
        assert {t.expected_type for t in same} == {f"{INSTANCE}.InsideAWS", f"{INSTANCE}.OutsideAWS"}
        assert len(home_addresses(scenario, theft.session_arn)) == 2


def test_a_persistent_thief_is_there_in_every_hour_till_the_end() -> None:
    for scenario, theft in thefts("persistent"):
        assert {r["eventTime"][11:13] for r in records_of(scenario, theft)} == {"10", "11", "12"}


def test_a_spoofed_name_is_that_of_no_instance_s_own_session() -> None:
    for scenario, theft in thefts("spoofed-name"):
        taking = [r for r in records_of(scenario, theft) if r["eventName"] == "AssumeRole"]
        assert [r["userIdentity"]["type"] in ("IAMUser", "AssumedRole") for r in taking] == [True]
        assert theft.session_arn not in {session.session_arn for session in scenario.sessions}
