"""Perimeters in simulated worlds: what a document is said to do to a call is what it does, by the raw record alone.

The second working-out knows nothing of policies, nor of evidence: it is plain code on what CloudTrail wrote, with the
simulator's word for which calls are a thief's.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import pytest

from straykey.contain.policy import Answer
from straykey.contain.theft import Called, Caller
from straykey.core.finding import Finding
from straykey.core.judge import judge
from straykey.core.ledger import Settled
from straykey.core.ranges import parse_ranges
from straykey.core.settings import Settings
from straykey.harden.perimeter import Kind, Level
from straykey.harden.recorded import places_of, roles_of
from straykey.harden.rehearsal import Rehearsal
from straykey.harden.report import Rehearsed, Report, report_of
from straykey.harden.worker import Worker
from straykey.sim import trial
from straykey.sim.scenario import Scenario, simulate
from tests.records import RawRecord
from tests.seen import ledger_of

WORLDS: list[tuple[str, int]] = [*(("mixed", seed) for seed in (2, 3, 4, 5, 7, 9)), ("company", 1)]
AT_HOME = {"ssrf-agent", "same-nat"}  # thieves who call from the instance itself, or from behind its address
GUARDED = {"dynamodb", "ecr", "kms", "s3", "secretsmanager", "sqs"}


class Case:
    """A world, what the program makes of it, and what it was."""

    def __init__(self, world: Scenario) -> None:
        self.world = world
        self.ledger: Settled = ledger_of(world.records)
        ranges = parse_ranges(json.dumps(world.ip_ranges).encode())
        self.findings: list[Finding] = judge(self.ledger, Settings(), ranges)
        self.records = [one for one in world.records if "arn" in one["userIdentity"]]
        self.by_id: dict[str, RawRecord] = {one["eventID"]: one for one in self.records}
        self.by_saying = {saying(one): one for one in self.records}
        self.stolen = {event for theft in world.thefts for event in theft.event_ids}
        self.places = places_of(self.ledger, None)
        self.roles = list(roles_of(self.ledger, self.findings, self.places))
        launched = [
            item
            for one in world.records
            if one["eventName"] == "RunInstances"
            for item in one["responseElements"]["instancesSet"]["items"]
        ]
        self.vpcs = {item["instanceId"]: item["vpcId"] for item in launched}
        self.private_ips = {item["instanceId"]: item["privateIpAddress"] for item in launched}
        made = [one["responseElements"] for one in world.records if one["eventName"] == "CreateVpcEndpoint"]
        endpoints = [one.get("CreateVpcEndpointResponse", one)["vpcEndpoint"] for one in made]
        self.made_endpoints = {one["vpcEndpointId"]: one["vpcId"] for one in endpoints}
        # From where the sessions of a role, or of all roles of an account, rightly called: addresses and endpoints.
        self.addresses: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.endpoints: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.inside: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)  # by which instance, from where
        arns = {worker.home.arn for workers in self.roles for worker in workers}
        for one in self.records:
            arn = one["userIdentity"]["arn"]
            if arn in arns and one["eventID"] not in self.stolen and not is_by_service(one):
                for whose in ((arn.split(":")[4], arn.split("/")[1]), (arn.split(":")[4], "")):
                    if "vpcEndpointId" in one:
                        self.endpoints[whose].add(one["vpcEndpointId"])
                        self.inside[whose].add((arn.split("/")[2], one["sourceIPAddress"]))
                    else:
                        self.addresses[whose].add(one["sourceIPAddress"])

    def is_bound_to_address(self, whose: tuple[str, str]) -> bool:
        """Whether all that came through an endpoint came from where its instance was launched with."""
        inside = self.inside[whose]
        return bool(inside) and all(self.private_ips.get(instance) == address for instance, address in inside)

    def record_of(self, caller: Caller, called: Called) -> RawRecord:
        if called.event_id:
            return self.by_id[called.event_id]
        return self.by_saying[caller.arn, called.time, called.call.rpartition(":")[2], called.network.address]


def saying(record: RawRecord) -> tuple[str, str, str, str]:
    return record["userIdentity"]["arn"], record["eventTime"], record["eventName"], record["sourceIPAddress"]


def is_by_service(record: RawRecord) -> bool:
    return "invokedBy" in record["userIdentity"]


@cache
def case_of(kind: str, seed: int) -> Case:
    return Case(trial.world(seed) if kind == "mixed" else simulate(seed=seed, instances=24, hours=2, thefts=10))


@cache
def reported(kind: str, seed: int, level: Level) -> Report:
    case = case_of(kind, seed)
    return report_of(case.ledger, case.findings, None, level)


def denied(case: Case, report: Report, one: Rehearsed, worker: Worker, record: RawRecord) -> bool | None:
    """By the record alone; None where nothing tells in which VPC somebody is."""
    source = record["eventSource"].split(".")[0]
    artifact = one.artifact
    if record["eventName"] == "GetCallerIdentity" or is_by_service(record):
        return False
    if artifact.kind is Kind.ENDPOINT:
        return denied_at_endpoint(case, one, worker, record)
    if artifact.kind is Kind.RCP and source not in GUARDED:
        return False
    addresses, endpoints = (where[worker.home.account, artifact.role] for where in (case.addresses, case.endpoints))
    endpoint = record.get("vpcEndpointId")
    if endpoint is None:
        is_bound_to_vpc = report.level is Level.INSTANCE and source not in report.spared
        return is_bound_to_vpc or record["sourceIPAddress"] not in addresses
    whose, instance = (worker.home.account, worker.home.role), worker.home.instance
    if artifact.role and case.is_bound_to_address(whose) and record["sourceIPAddress"] != case.private_ips[instance]:
        return True
    if endpoint in endpoints:
        return False
    vpc, its = case.vpcs.get(instance), case.made_endpoints.get(endpoint)
    return vpc != its if vpc and its else None


def denied_at_endpoint(case: Case, one: Rehearsed, worker: Worker, record: RawRecord) -> bool | None:
    """Those of other VPCs than its users' are; all its users' accounts are the company's."""
    if record.get("vpcEndpointId") not in one.artifact.endpoints:
        return False
    users = {
        case.vpcs.get(other["userIdentity"]["arn"].split("/")[2], "")
        for other in case.records
        if other.get("vpcEndpointId") in one.artifact.endpoints and other["eventID"] not in case.stolen
    }
    vpc = case.vpcs.get(worker.home.instance)
    return vpc not in users | {one.artifact.vpc} if vpc else None


def judged(case: Case, report: Report) -> Iterator[tuple[Rehearsed, Worker, Called, Answer, RawRecord]]:
    rehearsal = Rehearsal([one.artifact for one in report.rehearsed], case.places)
    for number, one in enumerate(report.rehearsed):
        for worker in (worker for workers in case.roles for worker in workers):
            if worker.home.account not in one.artifact.accounts or one.artifact.role not in ("", worker.home.role):
                continue
            for caller in (worker.home, worker.thief):
                for called in caller.calls:
                    answer = rehearsal.verdict(number, worker.partition, caller, called).answer
                    yield one, worker, called, answer, case.record_of(caller, called)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize(("kind", "seed"), WORLDS)
def test_every_call_fares_as_its_record_says(kind: str, seed: int, level: Level) -> None:
    case, report = case_of(kind, seed), reported(kind, seed, level)
    expected = {True: Answer.DENIED, False: Answer.ALLOWED, None: Answer.UNKNOWN}
    for one, worker, called, answer, record in judged(case, report):
        assert answer is expected[denied(case, report, one, worker, record)], (one.artifact.kind, called, record)


def test_the_worlds_have_documents_of_every_kind() -> None:
    kinds = {one.artifact.kind for kind, seed in WORLDS for one in reported(kind, seed, Level.NETWORK).rehearsed}
    assert kinds == set(Kind)


@pytest.mark.parametrize(("kind", "seed"), WORLDS)
def test_bound_to_its_vpc_no_stolen_key_is_worth_anything(kind: str, seed: int) -> None:
    """But by who calls from where the workload does.

    Of what stays unknown from logs alone, the simulator knows: a thief's endpoint is in no VPC of his victim's.
    """
    case, report = case_of(kind, seed), reported(kind, seed, Level.INSTANCE)
    visible = {event for theft in case.world.thefts if theft.kind not in AT_HOME for event in theft.event_ids}
    foreign = {theft.vpc_endpoint for theft in case.world.thefts} - {None}
    let_through = defaultdict(set)
    for one, worker, _, answer, record in judged(case, report):
        if one.artifact.kind is not Kind.ROLE or record["eventID"] not in visible:
            continue
        is_stopped = answer is Answer.DENIED or (answer is Answer.UNKNOWN and record["vpcEndpointId"] in foreign)
        if not is_stopped:
            let_through[worker.home.arn].add(record["eventName"])
    assert {arn: names for arn, names in let_through.items() if names != {"GetCallerIdentity"}} == {}


@pytest.mark.parametrize(("kind", "seed"), WORLDS)
def test_bound_to_known_networks_no_home_call_is_broken(kind: str, seed: int) -> None:
    for one in reported(kind, seed, Level.NETWORK).rehearsed:
        if one.artifact.kind is Kind.ENDPOINT:  # it asks for VPCs that logs alone may not tell
            continue
        assert (one.denied, sum(role.home.unknown for role in one.roles)) == (0, 0)
