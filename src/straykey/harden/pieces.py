"""What a report and its measures come to: pieces that can each be put in place, and taken back, on their own.

Whose credentials a piece wants, and in which region, stands with it; what nobody knows is empty there, never guessed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from straykey.contain.ground import is_endpoint_id
from straykey.contain.services import doorways
from straykey.core.evidence import Bounds
from straykey.harden.blindness import Gap
from straykey.harden.command import Argv
from straykey.harden.imds_document import Document
from straykey.harden.imds_document import Kind as DocumentKind
from straykey.harden.imds_plan import Measure, Step
from straykey.harden.needed import Need, State, suffix_of
from straykey.harden.perimeter import ROOM, Kind
from straykey.harden.rehearsal import Count
from straykey.harden.report import Rehearsed, Report

# In the words of Organizations.
TYPES: Mapping[Kind, str] = {Kind.SCP: "SERVICE_CONTROL_POLICY", Kind.RCP: "RESOURCE_CONTROL_POLICY"}
_ENDING = {
    "SERVICE_CONTROL_POLICY": "scp",
    "RESOURCE_CONTROL_POLICY": "rcp",
    "DECLARATIVE_POLICY_EC2": "declarative",
}
SAMPLE = f"of each network of a session at most {Bounds().events} calls, and the first of each kind"
_REPLACES = (
    "It replaces the policy that the endpoint has: a stricter one must be merged into it by hand first, or what that "
    "one denied is let through."
)
_PARTITION = re.compile(r'"arn:([a-z0-9-]+):')


class Place(msgspec.Struct, frozen=True, order=True):
    """Whose credentials are wanted, and where; an account or region that is empty nobody knows."""

    account: str
    region: str = ""
    partition: str = "aws"


class OnRole(msgspec.Struct, frozen=True):
    """An inline policy of one role."""

    place: Place
    role: str
    name: str
    document: str
    about: str


class Organized(msgspec.Struct, frozen=True):
    """A policy of an organization: of its management account, and attached by whoever may.  Names are unique."""

    partition: str
    type: str
    name: str
    document: str
    about: str


class OnEndpoint(msgspec.Struct, frozen=True):
    """The policy of one VPC endpoint, which replaces the one it has."""

    place: Place
    vpc: str
    endpoint: str
    document: str
    about: str


class Opening(msgspec.Struct, frozen=True, order=True):
    """An endpoint that a VPC lacks; `service` is its name in full."""

    place: Place
    vpc: str
    service: str
    is_gateway: bool
    about: str


class Command(msgspec.Struct, frozen=True):
    """A line for AWS's command line; `key` is the instance, or the region, that it is about."""

    account: str
    step: Step
    key: str
    argv: Argv

    @property
    def region(self) -> str:
        return _after(self.argv, "--region")


class Pieces(msgspec.Struct, frozen=True):
    """`keys` are role policies for whichever of `canaries`, all roles by name, is to begin with.

    The place of a gap in `gaps` is its number.  `undo` lacks what nobody can know before it is changed.  `remarks` are
    full sentences.
    """

    roles: tuple[OnRole, ...]
    organized: tuple[Organized, ...]
    endpoints: tuple[OnEndpoint, ...]
    openings: tuple[Opening, ...]
    keys: tuple[Document, ...]
    canaries: tuple[tuple[Place, str], ...]
    commands: tuple[Command, ...]
    undo: tuple[Command, ...]
    accounts: tuple[Place, ...]
    gaps: tuple[Gap, ...]
    remarks: tuple[str, ...]


def pieces_of(report: Report, measures: Sequence[Measure], gaps: Sequence[Gap] = ()) -> Pieces:
    """Equal for equal reports.  What no API would take is left out, and a remark says so."""
    partitions = {one.account: one.partition for one in report.footprints}
    documents = [document for measure in measures for document in measure.documents]
    where = _Where(report.needs, partitions)
    openings, homeless = _openings(report.needs, where)
    return Pieces(
        roles=tuple(_on_roles(report.rehearsed, partitions)),
        organized=(*_control(report.rehearsed, partitions), *_organized(documents, partitions)),
        endpoints=tuple(_on_endpoints(report.rehearsed, where)),
        openings=openings,
        keys=tuple(one for one in documents if one.kind is DocumentKind.ROLE),
        canaries=tuple((Place(one.account, "", one.partition), one.role) for one in report.footprints),
        commands=tuple(_commands((one, one.commands) for one in measures)),
        undo=tuple(_commands((one, one.undo) for one in measures)),
        accounts=tuple(Place(account, "", partition) for account, partition in sorted(partitions.items())),
        gaps=tuple(gaps),
        remarks=tuple(_remarks(report, measures, homeless)),
    )


def about(one: Rehearsed) -> str:
    """What the rehearsal found, in one sentence."""
    home, thief = [role.home for role in one.roles], [role.thief for role in one.roles]
    lost = f" ({_many(len(one.hit), 'role')} would lose some)" if one.hit else ""
    return f"Would have denied {_put(home)} of {_many(len(home), 'role')} at home{lost}, and {_put(thief)} of thieves."


def _put(counts: Sequence[Count]) -> str:
    unknown = sum(one.unknown for one in counts)
    said = f"{sum(one.denied for one in counts):,} of {_many(sum(one.calls for one in counts), 'sampled call')}"
    return f"{said} (and {unknown:,} unknown)" if unknown else said


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def limits(one: Rehearsed) -> str:
    return f"{len(one.artifact.document):,} of {ROOM[one.artifact.kind]:,} characters"


class _Where:
    """Whose a VPC is, and where, as far as the needs of its workloads tell."""

    def __init__(self, needs: Sequence[Need], partitions: Mapping[str, str]) -> None:
        self._needs = needs
        self._partitions = partitions

    def of_vpc(self, vpc: str) -> Place:
        return self._one([need for need in self._needs if need.vpc == vpc])

    def of_endpoint(self, vpc: str, endpoint: str) -> Place:
        """Its own VPC's workloads know better than those that reach it from elsewhere."""
        its = self.of_vpc(vpc)
        return its if its.region else self._one([need for need in self._needs if endpoint in need.through])

    def _one(self, needs: Sequence[Need]) -> Place:
        # A VPC may be shared: several accounts have workloads in it, and none of the records says whose it is.
        accounts, regions = {one.account for one in needs}, {one.region for one in needs}
        account = accounts.pop() if len(accounts) == 1 else ""
        region = regions.pop() if len(regions) == 1 else ""
        return Place(account, region, self._partitions.get(account, "aws"))


def _fitting(rehearsed: Iterable[Rehearsed]) -> Iterator[Rehearsed]:
    return (one for one in rehearsed if not one.artifact.is_too_long)


def _on_roles(rehearsed: Iterable[Rehearsed], partitions: Mapping[str, str]) -> Iterator[OnRole]:
    for one in _fitting(rehearsed):
        its = one.artifact
        if its.kind is Kind.ROLE:
            place = Place(its.accounts[0], "", partitions.get(its.accounts[0], "aws"))
            yield OnRole(place, its.role, its.name, its.document, about(one))


def _control(rehearsed: Iterable[Rehearsed], partitions: Mapping[str, str]) -> Iterator[Organized]:
    for one in _fitting(rehearsed):
        its = one.artifact
        if its.kind in TYPES:
            yield _named(partitions.get(its.accounts[0], "aws"), TYPES[its.kind], its.name, its.document, about(one))


def _organized(documents: Iterable[Document], partitions: Mapping[str, str]) -> Iterator[Organized]:
    """A document that names an ARN is of that partition, any other of all: each is an organization of its own."""
    everywhere = sorted(set(partitions.values())) or ["aws"]
    for one in documents:
        if one.kind is DocumentKind.ROLE:
            continue
        said = sorted(set(_PARTITION.findall(one.text)))
        for partition in said or everywhere:
            name = one.name if partition == "aws" else f"{one.name}-{partition}"
            yield _named(partition, one.kind.value, name, one.text, "Not rehearsed here: see the measures.")


def _named(partition: str, type_: str, name: str, document: str, said: str) -> Organized:
    # An SCP and an RCP may not have the same name either.
    return Organized(partition, type_, f"{name}-{_ENDING[type_]}", document, said)


def _on_endpoints(rehearsed: Iterable[Rehearsed], where: _Where) -> Iterator[OnEndpoint]:
    for one in _fitting(rehearsed):
        its = one.artifact
        for endpoint in (each for each in its.endpoints if is_endpoint_id(each)):
            yield OnEndpoint(
                where.of_endpoint(its.vpc, endpoint), its.vpc, endpoint, its.document, f"{about(one)} {_REPLACES}"
            )


def _openings(needs: Iterable[Need], where: _Where) -> tuple[tuple[Opening, ...], int]:
    """Those of VPCs that are known, each endpoint service once; and how many needs are of VPCs that nobody knows."""
    found: dict[tuple[str, str], list[Need]] = {}
    gateways: dict[str, bool] = {}
    homeless = 0
    for need in (one for one in needs if one.state is State.MISSING):
        homeless += not need.vpc
        kinds = {one.suffix: one.is_gateway for one in doorways(need.service)}
        for name in need.endpoints if need.vpc else ():
            service = _in_full(name, need.region)
            gateways[service] = kinds.get(suffix_of(name), False) or kinds.get(name, False)
            found.setdefault((need.vpc, service), []).append(need)
    openings = [
        Opening(where.of_vpc(vpc), vpc, service, gateways[service], _wanted(some))
        for (vpc, service), some in found.items()
    ]
    return tuple(sorted(openings)), homeless


def _in_full(name: str, region: str) -> str:
    """Of an account that was read the name is in full; else it is AWS's usual one."""
    return name if "." in name and "amazonaws." in name else f"com.amazonaws.{region}.{name}"


def _wanted(needs: Iterable[Need]) -> str:
    some = list(needs)
    roles = {(one.account, role) for one in some for role in one.roles}
    guessed = "" if all(one.is_certain for one in some) else " Its name is AWS's usual one: the account was not read."
    calls = sum(one.public for one in some)
    return f"Went to it on a public way: {_many(calls, 'sampled call')} of {_many(len(roles), 'role')}.{guessed}"


def _commands(measures: Iterable[tuple[Measure, Sequence[Argv]]]) -> Iterator[Command]:
    for measure, lines in measures:
        for argv in lines:
            yield Command(measure.account, measure.step, _key(argv), argv)


def _key(argv: Argv) -> str:
    named = _after(argv, "--instance-id") or _after(argv, "--dimensions").rpartition("Value=")[2]
    return named or _after(argv, "--region")


def _after(argv: Argv, option: str) -> str:
    at = argv.index(option) + 1 if option in argv else len(argv)
    return argv[at] if at < len(argv) else ""


def _remarks(report: Report, measures: Iterable[Measure], homeless: int) -> Iterator[str]:
    yield f"Calls to be denied, and calls on a public way, are counted in a sample: {SAMPLE}."
    yield from report.notes
    for one in (one for one in report.rehearsed if one.artifact.is_too_long):
        its = one.artifact
        whose = f" for {its.role} in {its.accounts[0]}" if its.role else ""
        yield f"Left out: {its.kind.value} {its.name}{whose}, too long: {limits(one)}."
    for kind, account, role in report.left_out:
        yield f"In no {kind.value}, for too many addresses are its home: {role} in {account}."
    if report.spared:
        yield f"Bound to known addresses, for no endpoint leads there: {', '.join(report.spared)}."
    if homeless:
        yield f"Of {homeless:,} services that lack an endpoint nobody knows the VPC: read the account."
    yield from dict.fromkeys(one for measure in measures for one in _said(measure))
    yield from (f"Not read: {one}" for one in report.unread)


def _said(measure: Measure) -> Iterator[str]:
    """What of several accounts is the same is said once."""
    whose = f" in {measure.account}" if measure.account else ""
    yield f"{measure.step.value}{whose}: {measure.text}."
    yield from (f"{measure.step.value}: {one}" for one in measure.notes)
