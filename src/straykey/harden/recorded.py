"""A ledger and its findings, put as workers: whose calls were recorded, and which of them are a thief's.

Where a session is at home is as its findings say, never judged anew; of a session without any all calls are its own.
Names go into policies, where some letters mean more than themselves: what is no name that AWS gives is left out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from msgspec.structs import replace

from straykey.contain.ground import is_endpoint_id, is_role_name
from straykey.contain.recorded import THEFTS, is_delivered_by_ec2
from straykey.contain.theft import Called, Caller
from straykey.contain.whose import Group, Hands, Homes, Whose, grouped, homes_of
from straykey.core.evidence import Evidence, instance_of
from straykey.core.finding import Finding
from straykey.core.grant import Grant
from straykey.core.holding import Holdings
from straykey.core.ledger import Settled
from straykey.core.network import Lane, network_of
from straykey.core.pivot import Makings, taints
from straykey.harden.delivery import delivery_of
from straykey.harden.posture import Posture
from straykey.harden.worker import Places, Worker

_NOBODY = taints([])
_VPC = re.compile(r"vpc-[0-9a-z]+")
_ROLE_ARN = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+")


def roles_of(ledger: Settled, findings: Iterable[Finding], places: Places) -> Iterator[list[Worker]]:
    """The workers of one role after the other, by account and name; one role's are held at a time."""
    for _, workers in groupby(_workers(ledger, findings, places), key=lambda one: one.whose):
        yield list(workers)


def places_of(ledger: Settled, posture: Posture | None) -> Places:
    """What records of launches and of endpoints tell, and what the account does, which knows better."""
    holdings = Holdings(ledger.grants)
    instances = {one.instance for one in ledger.grants if one.instance}
    machines = posture.machines() if posture else ()
    gates = [gate.endpoint for region in (posture.regions if posture else ()) for gate in region.gates or ()]
    told = {one: vpc for one in sorted(instances) if (vpc := holdings.vpc_of(one))}
    made = {one.endpoint: one.vpc for one in sorted(ledger.grants) if is_endpoint_id(one.endpoint)}
    return Places(
        vpcs=_named(told) | {one.id: one.vpc for one in machines if one.vpc},
        private_ips=_private_ips(ledger.grants) | {one.id: one.address for one in machines if one.address},
        endpoints=_named(made) | {one.id: one.vpc for one in gates},
    )


def _named(vpcs: Mapping[str, str]) -> dict[str, str]:
    return {thing: vpc for thing, vpc in vpcs.items() if _VPC.fullmatch(vpc)}


def _private_ips(grants: Iterable[Grant]) -> dict[str, str]:
    """Of instances that were launched with one private address: of several nobody says which is the primary one."""
    found: dict[str, set[str]] = {}
    for grant in grants:
        is_private = "." in grant.address and network_of(grant.address).lane is Lane.PRIVATE
        if grant.api == "RunInstances" and grant.instance and is_private:
            found.setdefault(grant.instance, set()).add(grant.address)
    return {instance: next(iter(some)) for instance, some in sorted(found.items()) if len(some) == 1}


def _workers(ledger: Settled, findings: Iterable[Finding], places: Places) -> Iterator[Worker]:
    thefts: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda one: one.id, reverse=True):
        if finding.type in THEFTS:
            thefts[finding.session.arn] = finding
    apis = {one.access_key: one.api for one in sorted(Makings(ledger.makings)) if one.access_key}
    for arn in _by_role(ledger.sessions):
        evidence = ledger.sessions[arn]
        if evidence.sightings and is_delivered_by_ec2(evidence) and is_role_name(evidence.session.role):
            yield _worker(evidence, _homes(evidence, thefts.get(arn), ledger), apis, places)


def _by_role(arns: Iterable[str]) -> list[str]:
    return sorted(arns, key=lambda arn: (arn.split(":")[4:5], arn.split("/")[1:2], arn))


def _homes(evidence: Evidence, finding: Finding | None, ledger: Settled) -> Homes:
    if finding is not None:
        return homes_of(finding, evidence, ledger)
    return Homes(frozenset(evidence.sightings), gone="", is_blind=False)


def _worker(evidence: Evidence, homes: Homes, apis: Mapping[str, str], places: Places) -> Worker:
    arn = evidence.session.arn
    groups = grouped(evidence, Whose(arn, homes, dict(apis), _NOBODY))
    came = delivery_of(evidence)
    home, thief = (
        [
            replace(one, delivery=came.of(one.access_key, one.network.key))
            for one in groups.get(Group(Hands.OWN, is_so), [])
        ]
        for is_so in (False, True)
    )
    instance, region = instance_of(evidence)
    caller = Caller(
        arn=arn,
        account=evidence.session.account,
        role=evidence.session.role,
        instance=instance,
        region=region or min((one.region for one in home), default=""),
        is_delivered_by_ec2=True,
        calls=(),
        role_arn=_role_arn(evidence),
        vpc=places.vpcs.get(instance, ""),
        private_ip=places.private_ips.get(instance, ""),
    )
    return Worker(evidence.session.partition, _with(caller, home), _with(caller, thief))


def _role_arn(evidence: Evidence) -> str:
    """As recorded; empty if no record has one that the role could have."""
    end = f"/{evidence.session.role}"
    return min((one for one in evidence.role_arns.times if one.endswith(end) and _ROLE_ARN.fullmatch(one)), default="")


def _with(caller: Caller, calls: list[Called]) -> Caller:
    return replace(caller, calls=tuple(calls))
