"""What thieves do in the simulation, and what the truth says of it."""

from functools import cache
from ipaddress import IPv4Network, ip_address

import pytest

from straykey.sim.scenario import Scenario, simulate
from straykey.sim.theft import KINDS
from straykey.sim.truth import Session, Theft

AWS = IPv4Network("198.18.0.0/15")
ORDER = ["outside-aws", "inside-aws", "foreign-endpoint", "affiliated", "same-account"]
TYPE = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration"
SEEDS = range(12)


@cache
def world(seed: int = 0) -> Scenario:
    return simulate(seed=seed, thefts=7)


def of_kind(kind: str) -> list[tuple[Scenario, Theft]]:
    return [(world(seed), theft) for seed in SEEDS for theft in world(seed).thefts if theft.kind == kind]


def victim_of(scenario: Scenario, theft: Theft) -> Session:
    return next(s for s in scenario.sessions if s.session_arn == theft.session_arn)


def landlords_of(scenario: Scenario, theft: Theft) -> list[Session]:
    """Whose home the thief called from."""
    return [s for s in scenario.sessions if any(h.address == theft.address for h in s.homes)]


def test_thefts_take_the_kinds_in_turn() -> None:
    assert [theft.kind for theft in world().thefts] == [*ORDER, "outside-aws", "inside-aws"]


def test_no_instance_is_robbed_twice() -> None:
    victims = [theft.instance_id for theft in world().thefts]
    assert len(set(victims)) == len(victims)


def test_too_many_thefts_for_the_company_are_refused() -> None:
    with pytest.raises(ValueError, match="simulate more instances"):
        simulate(seed=1, instances=2, thefts=4)


@pytest.mark.parametrize("seed", SEEDS)
def test_twelve_instances_are_enough_for_ten_thefts(seed: int) -> None:
    assert len(simulate(seed=seed, instances=12, thefts=10).thefts) == 10


def test_no_theft_gives_no_truth() -> None:
    assert simulate(seed=1, thefts=0).thefts == ()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_truth_names_all_and_only_what_thieves_did(seed: int) -> None:
    homes = {(s.session_arn, h.address, h.vpc_endpoint) for s in world(seed).sessions for h in s.homes}
    strays = {
        r["eventID"]
        for r in world(seed).records
        if "ec2RoleDelivery" in r["userIdentity"].get("sessionContext", {})
        and "invokedBy" not in r["userIdentity"]
        and (r["userIdentity"]["arn"], r["sourceIPAddress"], r.get("vpcEndpointId")) not in homes
    }
    told = [event for theft in world(seed).thefts for event in theft.event_ids]
    assert len(told) == len(set(told))
    assert set(told) == strays


@pytest.mark.parametrize("seed", SEEDS)
def test_the_truth_of_a_theft_agrees_with_its_records(seed: int) -> None:
    records = {r["eventID"]: r for r in world(seed).records}
    for theft in world(seed).thefts:
        made = [records[event] for event in theft.event_ids]
        assert {r["userIdentity"]["arn"] for r in made} == {theft.session_arn}
        assert {r["sourceIPAddress"] for r in made} == {theft.address}
        assert {r.get("vpcEndpointId") for r in made} == {theft.vpc_endpoint}
        assert {r.get("vpcEndpointAccountId") for r in made} == {theft.vpc_endpoint_account}
        assert {r["userIdentity"]["accessKeyId"] for r in made} == set(theft.access_keys)
        assert {r["recipientAccountId"] for r in made} == {theft.account}
        assert min(r["eventTime"] for r in made) == theft.first_seen
        assert max(r["eventTime"] for r in made) == theft.last_seen


@pytest.mark.parametrize("seed", SEEDS)
def test_no_thief_calls_from_a_home_of_the_victim(seed: int) -> None:
    for theft in world(seed).thefts:
        assert theft.address not in {h.address for h in victim_of(world(seed), theft).homes}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_victim_works_before_and_after_the_theft_in_the_lane_the_thief_uses(seed: int) -> None:
    for theft in world(seed).thefts:
        lane = "endpoint" if theft.vpc_endpoint else "public"
        homes = [h for h in victim_of(world(seed), theft).homes if h.lane == lane]
        assert min(h.first_seen for h in homes) < theft.first_seen
        assert max(h.last_seen for h in homes) > theft.last_seen


def test_the_key_stolen_over_v1_is_never_used_by_the_instance() -> None:
    for scenario, theft in of_kind("outside-aws"):
        users = [r for r in scenario.records if r["userIdentity"].get("accessKeyId") in theft.access_keys]
        assert {r["eventID"] for r in users} == set(theft.event_ids)
        assert {r["userIdentity"]["sessionContext"]["ec2RoleDelivery"] for r in users} == {"1.0"}


def test_outside_thieves_are_outside_aws() -> None:
    assert not any(ip_address(theft.address) in AWS for _, theft in of_kind("outside-aws"))


def test_inside_thieves_hold_an_aws_address_that_is_nobodys_home() -> None:
    for scenario, theft in of_kind("inside-aws"):
        assert ip_address(theft.address) in AWS
        assert landlords_of(scenario, theft) == []


def test_a_foreign_endpoint_is_owned_by_an_account_without_records() -> None:
    for scenario, theft in of_kind("foreign-endpoint"):
        received = {r["recipientAccountId"] for r in scenario.records}
        assert theft.vpc_endpoint_account in scenario.attacker_accounts
        assert theft.vpc_endpoint_account not in received


def test_an_affiliated_thief_calls_from_the_home_of_one_session_of_another_account() -> None:
    for scenario, theft in of_kind("affiliated"):
        landlords = landlords_of(scenario, theft)
        assert len({s.instance_id for s in landlords}) == 1
        assert {s.account for s in landlords} <= set(scenario.accounts) - {theft.account}


def test_a_thief_next_door_calls_from_the_home_of_one_other_instance_of_the_account() -> None:
    for scenario, theft in of_kind("same-account"):
        landlords = landlords_of(scenario, theft)
        assert len({s.instance_id for s in landlords}) == 1
        assert {s.account for s in landlords} == {theft.account}
        assert theft.instance_id not in {s.instance_id for s in landlords}


def test_each_kind_says_what_is_to_be_found() -> None:
    assert {kind.name: (kind.expected, kind.severity) for kind in KINDS} == {
        "outside-aws": (f"{TYPE}.OutsideAWS", "HIGH"),
        "inside-aws": (f"{TYPE}.InsideAWS", "HIGH"),
        "foreign-endpoint": (f"{TYPE}.InsideAWS", "HIGH"),
        "affiliated": (f"{TYPE}.InsideAWS", "MEDIUM"),
        "same-account": (f"{TYPE}.InsideAWS", "LOW"),
    }


def test_thieves_are_refused_some_of_what_they_ask() -> None:
    records = {r["eventID"]: r for r in world().records}
    for theft in world().thefts:
        assert any(records[event].get("errorCode") == "AccessDenied" for event in theft.event_ids)
