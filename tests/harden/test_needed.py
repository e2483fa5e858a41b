"""Which endpoints are needed: what leads there, what could, what never will, and what an endpoint does not help."""

import pytest

from straykey.contain.account import Endpoint
from straykey.contain.document import read_policy
from straykey.contain.theft import Called
from straykey.core.network import network_of
from straykey.harden.needed import Need, Needs, State, spared, suffix_of
from straykey.harden.perimeter import Level, role_policy
from straykey.harden.posture import Gate, Posture, Region
from straykey.harden.worker import Worker
from tests.harden.workers import ACCOUNT, GATE, HUB, INSIDE, REGION, VPC, called, footprint, worker

S3, STS = f"com.amazonaws.{REGION}.s3", f"com.amazonaws.{REGION}.sts"


def gate(service: str = S3, vpc: str = VPC) -> Gate:
    return Gate(Endpoint(GATE, vpc, service, "Gateway", "available"), None)


def posture(*gates: Gate, services: tuple[str, ...] | None = (S3, STS)) -> Posture:
    return Posture(ACCOUNT, regions=(Region(REGION, gates=gates, services=services),))


def needs(*workers: Worker, read: Posture | None = None) -> list[Need]:
    found = Needs()
    found.take(workers)
    return found.found([read] if read else [])


def need(*calls: Called, read: Posture | None = None) -> Need:
    (one,) = needs(worker(*calls), read=read)
    return one


def test_a_service_that_an_endpoint_of_the_vpc_leads_to_is_there() -> None:
    assert need(called(), read=posture(gate())).state is State.THERE


def test_a_service_that_was_reached_through_an_endpoint_is_there_whosever_vpc_it_is_in() -> None:
    found = need(called(network=INSIDE), read=posture(gate(vpc=HUB)))
    assert (found.state, found.through, found.inside, found.public) == (State.THERE, (GATE,), 1, 0)


def test_a_service_whose_endpoint_is_to_be_had_is_missing_by_its_full_name() -> None:
    found = need(called(), called(), read=posture())
    assert (found.state, found.endpoints, found.public) == (State.MISSING, (S3,), 2)
    assert found.is_certain


def test_an_endpoint_of_another_vpc_that_nobody_uses_leads_nowhere() -> None:
    assert need(called(), read=posture(gate(vpc=HUB))).state is State.MISSING


def test_a_service_with_two_doors_is_there_only_when_both_are() -> None:
    api, docker = (f"com.amazonaws.{REGION}.ecr.{one}" for one in ("api", "dkr"))
    call = called("ecr:GetAuthorizationToken")
    assert need(call, read=posture(gate(api), services=(api, docker))).state is State.MISSING
    assert need(call, read=posture(gate(api), gate(docker), services=(api, docker))).state is State.THERE


@pytest.mark.parametrize("call", ["iam:GetRole", "kafka:ListClusters", "nothing-like-it:Get"])
def test_a_global_service_or_one_that_the_region_does_not_offer_has_none(call: str) -> None:
    assert need(called(call), read=posture()).state is State.NONE


def test_a_call_to_another_region_is_helped_by_no_endpoint_be_it_there_or_to_be_had() -> None:
    call = called(region="us-east-1")
    assert need(call, read=posture()).state is State.ELSEWHERE
    assert need(call, read=posture(gate())).state is State.ELSEWHERE


def test_calls_to_two_regions_are_two_needs_and_one_tells_nothing_of_the_other() -> None:
    elsewhere = called(region="us-east-1")
    found = needs(worker(called(network=INSIDE), called(), elsewhere))
    assert sorted((one.state.value, one.public, one.inside) for one in found) == [("elsewhere", 1, 0), ("there", 1, 1)]


def test_a_call_whose_region_nobody_kept_counts_as_near() -> None:
    assert need(called(region=""), read=posture()).state is State.MISSING


def test_without_the_account_aws_list_says_what_is_to_be_had_and_it_is_not_certain() -> None:
    found = need(called())
    assert (found.state, found.endpoints, found.is_certain) == (State.MISSING, ("s3",), False)


def test_a_vpc_that_nobody_knows_makes_nothing_certain() -> None:
    (found,) = needs(worker(called(), vpc=""), read=posture(gate()))
    assert (found.vpc, found.is_certain) == ("", False)


def test_services_that_act_and_addresses_that_are_none_need_no_endpoint() -> None:
    assert needs(worker(called(network=network_of("s3.amazonaws.com")), called(network=network_of("nonsense!")))) == []


def test_roles_of_one_vpc_share_a_need_and_those_of_another_do_not() -> None:
    found = needs(worker(called()), worker(called(), role="batch"), worker(called(), role="far", vpc=HUB))
    assert [(one.vpc, one.roles) for one in found] == [(VPC, ("batch", "web-role")), (HUB, ("far",))]


def test_what_a_thief_used_is_not_needed() -> None:
    assert needs(worker(thiefs=[called()])) == []


@pytest.mark.parametrize(
    ("service", "suffix"),
    [
        ("com.amazonaws.eu-west-1.ecr.api", "ecr.api"),
        ("cn.com.amazonaws.cn-north-1.sts", "sts"),
        ("com.amazonaws.cn-north-1.s3", "s3"),
    ],
)
def test_the_last_part_of_an_endpoint_services_name_is_told(service: str, suffix: str) -> None:
    assert suffix_of(service) == suffix


def test_only_what_has_no_endpoint_is_spared_and_by_iams_name() -> None:
    calls = [called(one) for one in ("iam:GetRole", "s3:GetObject", "monitoring:Unheard", "organizations:ListRoots")]
    found = needs(worker(*calls, called("sqs:SendMessage", region="us-east-1")))
    assert spared(found) == ("iam", "organizations")
    none = needs(worker(called("monitoring:GetMetricData")), read=posture(services=(S3,)))
    assert spared(none) == ("cloudwatch",)


@pytest.mark.parametrize("source", ["*", "s?", "\x1b[31m", "Iam iam", '"', "iam:*,s3"])
def test_what_is_no_name_of_a_service_is_never_let_through(source: str) -> None:
    """A record says what it likes; a star in a policy is everything, and what cannot be read ends the command."""
    assert spared(needs(worker(called(f"{source}:Get")))) in ((), ("iam",))
    document = role_policy(footprint(), Level.INSTANCE, spared(needs(worker(called(f"{source}:Get"))))).document
    assert read_policy(document).statements
