"""Whose keys still come by IMDSv1, and what would fail if such keys were denied.

The records tell of keys alone: a program that asks the metadata service for an instance's name, and for no keys, leaves
none.  So nobody is said to do without IMDSv1, only not to have used a key of it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

import msgspec

from straykey.contain.called import short
from straykey.core.agent import family
from straykey.core.evidence import Bounds, Evidence, Sighting, instance_of, workload_of
from straykey.core.finding import Finding
from straykey.core.home import sightings_of
from straykey.core.ledger import Settled
from straykey.core.network import LOCKABLE
from straykey.core.observation import Event
from straykey.core.portrait import scaled
from straykey.core.session import IDENTITY_ROLE
from straykey.core.workload import INSTANCE, by_issuer
from straykey.harden.container import container_signs
from straykey.harden.delivery import V1, V2, Deliveries, delivery_of
from straykey.harden.posture import Machine, Posture
from straykey.harden.sdk import asks_for_tokens

_NEVER_DENIED = "sts:GetCallerIdentity"
_THEFT = "CredentialExfiltration"
_ARN = "arn:{partition}:iam::{account}:role/{role}"


class Allows(StrEnum):
    """Whether an instance hands out keys without a token."""

    YES = "yes"
    NO = "no"
    LIKELY = "likely"  # EC2 gave it two keys at once, or a key came so: it did then
    UNKNOWN = "unknown"


class Agent(msgspec.Struct, frozen=True, order=True):
    """A program, and one user agent of it.  `asks_for_tokens` is None where its SDK does not tell."""

    family: str
    user_agent: str
    asks_for_tokens: bool | None


class Used(msgspec.Struct, frozen=True):
    """Calls with keys of one version.  `last` and `agents` are what is known: there may have been later, and more."""

    calls: int
    is_estimate: bool
    first: str
    last: str
    agents: tuple[Agent, ...]


class Host(msgspec.Struct, frozen=True):
    """An instance under one role.  `v1` and `v2` are its own calls; None if there were none.

    `stray_v1_calls` are those of thieves, `unknown_calls` those of which the records do not say how the key came.
    `hop_limit` is 0 where nobody says; `is_gone` if the account no longer has it.
    """

    id: str
    region: str
    v1: Used | None = None
    v2: Used | None = None
    stray_v1_calls: int = 0
    unknown_calls: int = 0
    allows_v1: Allows = Allows.UNKNOWN
    hop_limit: int = 0
    is_metadata_on: bool | None = None
    is_gone: bool = False
    container_signs: tuple[str, ...] = ()


class Denial(msgspec.Struct, frozen=True, order=True):
    """Calls of one API that a Deny on keys of IMDSv1 would have denied, `failed` of which had failed already."""

    call: str
    calls: int
    failed: int
    first: str


class V1Role(msgspec.Struct, frozen=True):
    """A role and its instances.  `denials` are its own calls; of EC2's identity role no policy denies any."""

    account: str
    partition: str
    role: str
    role_arn: str
    hosts: tuple[Host, ...]
    denials: tuple[Denial, ...]
    is_estimate: bool

    @property
    def denied_calls(self) -> int:
        return sum(one.calls for one in self.denials)

    @property
    def unknown_calls(self) -> int:
        return sum(one.unknown_calls for one in self.hosts)

    @property
    def is_deniable(self) -> bool:
        """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html#ec2-instance-identity-roles"""
        return self.role != IDENTITY_ROLE


class Survey(msgspec.Struct, frozen=True):
    """All roles of instances, between the first and the last of their calls that were read."""

    roles: tuple[V1Role, ...]
    since: str
    until: str


def survey(ledger: Settled, findings: Iterable[Finding] = (), postures: Iterable[Posture] = ()) -> Survey:
    """What the ledger tells of how keys came.  Networks that a finding calls stray are thieves', not the instance's."""
    strays = _strays(findings)
    by_account = {one.account: one for one in postures}
    settings = {account: _settings(one) for account, one in by_account.items()}
    gathered: dict[tuple[str, str, str], list[_Told]] = defaultdict(list)
    span: set[str] = set()
    for arn in sorted(ledger.sessions):
        evidence = ledger.sessions[arn]
        if workload_of(evidence)[0] is not INSTANCE:
            continue
        session = evidence.session
        place = (session.account, session.partition, session.role)
        set_up = settings.get(session.account, _Settings({}, frozenset()))
        gathered[place].append(_told(evidence, strays.get(arn, frozenset()), set_up, ledger.bounds))
        span |= _span(evidence)
    for place, told in _idle(by_account.values(), gathered):
        gathered[place].append(told)
    roles = tuple(_role(*place, told) for place, told in sorted(gathered.items(), key=lambda one: one[0]))
    return Survey(roles, min(span, default=""), max(span, default=""))


def _strays(findings: Iterable[Finding]) -> dict[str, frozenset[str]]:
    """By session, the keys of its networks that are no home."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in findings:
        if _THEFT in one.type.value and one.stray.lane:
            found[one.session.arn].add(f"{one.stray.lane} {one.stray.vpc_endpoint or ''} {one.stray.address or ''}")
    return {arn: frozenset(keys) for arn, keys in found.items()}


def _span(evidence: Evidence) -> set[str]:
    return {time for one in evidence.sightings.values() for time in (one.first.time, one.last.time)}


class _Settings(msgspec.Struct, frozen=True):
    """The instances of an account by id, and the regions whose instances were read."""

    machines: Mapping[str, Machine]
    regions: frozenset[str]


def _settings(posture: Posture) -> _Settings:
    read = frozenset(one.name for one in posture.regions if one.machines is not None)
    return _Settings({one.id: one for one in posture.machines()}, read)


class _Told(msgspec.Struct, frozen=True):
    """What one session tells of its role."""

    host: Host
    role_arn: str = ""
    denials: tuple[Denial, ...] = ()
    is_estimate: bool = False


class _Part(msgspec.Struct, frozen=True):
    """Calls of one version from one network: those in the sample, and how many there were, about."""

    version: str
    sighting: Sighting
    sampled: tuple[Event, ...]
    events: tuple[Event, ...]  # and those kept for another reason
    calls: int


def _told(evidence: Evidence, strays: frozenset[str], settings: _Settings, bounds: Bounds) -> _Told:
    deliveries = delivery_of(evidence)
    sightings = sightings_of(evidence, require_issuance=False)
    own = [part for one in sightings if one.network.key not in strays for part in _parts(one, deliveries, bounds)]
    theirs = [part for one in sightings if one.network.key in strays for part in _parts(one, deliveries, bounds)]
    v1 = [one for one in own if one.version == V1]
    is_deniable = evidence.session.role != IDENTITY_ROLE
    return _Told(
        host=_host(evidence, own, theirs, settings),
        role_arn=min(evidence.role_arns.times, default=""),
        denials=tuple(_denials(v1, bounds)) if is_deniable else (),
        is_estimate=any(one.sighting.events.overflowed for one in v1),
    )


def _parts(sighting: Sighting, deliveries: Deliveries, bounds: Bounds) -> Iterator[_Part]:
    """What a network was used for, by version; of a version that was seen there is one call at least."""
    sample = set(sighting.events.kept.values())
    known = sample | {*sighting.agents.events.values(), sighting.first, sighting.last}
    by_version: dict[str, list[Event]] = defaultdict(list)
    for event in sorted(known):
        by_version[deliveries.of(event.access_key, sighting.network.key)].append(event)
    for version in sighting.deliveries.times:
        by_version.setdefault(version, [])
    for version, events in sorted(by_version.items()):
        sampled = tuple(one for one in events if one in sample)
        yield _Part(version, sighting, sampled, tuple(events), max(scaled(len(sampled), sighting, bounds), 1))


def _denials(parts: Iterable[_Part], bounds: Bounds) -> Iterator[Denial]:
    for part in parts:
        for call in sorted({one.call for one in part.events}):
            if short(call) == _NEVER_DENIED:
                continue
            sampled = [one for one in part.sampled if one.call == call]
            failed = sum(bool(one.error) for one in sampled)
            yield Denial(
                short(call),
                max(scaled(len(sampled), part.sighting, bounds), 1),
                scaled(failed, part.sighting, bounds),
                min(one.time for one in part.events if one.call == call),
            )


def _host(evidence: Evidence, own: list[_Part], theirs: list[_Part], settings: _Settings) -> Host:
    instance, region = instance_of(evidence)
    host = Host(
        id=instance or evidence.session.name,
        region=region,
        v1=_used([one for one in own if one.version == V1], V1),
        v2=_used([one for one in own if one.version == V2], V2),
        stray_v1_calls=sum(one.calls for one in theirs if one.version == V1),
        unknown_calls=sum(one.calls for one in own if not one.version),
        container_signs=tuple(sorted({sign for one in own for sign in container_signs(one.sighting)})),
    )
    return _as_set_up(host, evidence, settings)


def _used(parts: list[_Part], version: str) -> Used | None:
    if not parts:
        return None
    agents = {one.agent: one for part in parts if part.sighting.network.lane in LOCKABLE for one in part.events}
    firsts = [time for one in parts if (time := one.sighting.deliveries.times.get(version))]
    lasts = [event.time for part in parts for event in part.events]
    lasts += [one.sighting.last.time for one in parts if len(one.sighting.deliveries.times) == 1]
    return Used(
        calls=sum(one.calls for one in parts),
        is_estimate=any(one.sighting.events.overflowed or not one.sampled for one in parts),
        first=min(firsts + lasts, default=""),
        last=max(lasts + firsts, default=""),
        agents=tuple(sorted(_agents(filter(None, agents)))),
    )


def _agents(user_agents: Iterable[str]) -> Iterator[Agent]:
    """One of each family, the least able to ask for tokens first: that is the one to be mended."""
    rank = {False: 0, None: 1, True: 2}
    worst: dict[str, tuple[int, str]] = {}
    for agent in user_agents:
        entry = (rank[asks_for_tokens(agent)], agent)
        worst[family(agent)] = min(worst.get(family(agent), entry), entry)
    return (Agent(name, agent, asks_for_tokens(agent)) for name, (_, agent) in worst.items())


def _as_set_up(host: Host, evidence: Evidence, settings: _Settings) -> Host:
    machine = settings.machines.get(host.id)
    if machine is not None:
        return _as_machine(host, machine)
    likely = host.v1 is not None or host.stray_v1_calls > 0 or _has_twins(evidence)
    return msgspec.structs.replace(
        host, allows_v1=Allows.LIKELY if likely else Allows.UNKNOWN, is_gone=host.region in settings.regions
    )


def _as_machine(host: Host, machine: Machine) -> Host:
    is_on = machine.http_endpoint != "disabled" if machine.http_endpoint else None
    allows = {"required": Allows.NO, "optional": Allows.YES}.get(machine.http_tokens, Allows.UNKNOWN)
    return msgspec.structs.replace(
        host,
        region=machine.region,
        allows_v1=Allows.NO if is_on is False else allows,
        hop_limit=machine.hop_limit,
        is_metadata_on=is_on,
    )


def _has_twins(evidence: Evidence) -> bool:
    """Whether EC2 gave it two keys in one second, as it does where a token is not required."""
    times = Counter(one.time for one in evidence.issuances.values() if by_issuer(one.issuer) is INSTANCE)
    return any(count > 1 for count in times.values())


def _idle(
    postures: Iterable[Posture], seen: Mapping[tuple[str, str, str], list[_Told]]
) -> list[tuple[tuple[str, str, str], _Told]]:
    """Instances with a role that were not seen to call: they too may hand out keys."""
    known = {told.host.id for tolds in seen.values() for told in tolds}
    found = []
    for posture in postures:
        for machine in posture.machines():
            arn = posture.role_of(machine)
            if arn and machine.id not in known:
                host = _as_machine(Host(machine.id, machine.region), machine)
                found.append(((posture.account, posture.partition, arn.rpartition("/")[2]), _Told(host, arn)))
    return found


def _role(account: str, partition: str, role: str, told: list[_Told]) -> V1Role:
    denials: dict[str, Denial] = {}
    for one in sorted(denial for each in told for denial in each.denials):
        known = denials.get(one.call, Denial(one.call, 0, 0, one.first))
        denials[one.call] = Denial(
            one.call, known.calls + one.calls, known.failed + one.failed, min(known.first, one.first)
        )
    arns = sorted(one.role_arn for one in told if one.role_arn)
    return V1Role(
        account=account,
        partition=partition,
        role=role,
        role_arn=arns[0] if arns else _ARN.format(partition=partition, account=account, role=role),
        hosts=tuple(sorted((one.host for one in told), key=lambda one: (one.region, one.id))),
        denials=tuple(sorted(denials.values(), key=lambda one: (-one.calls, one.call))),
        is_estimate=any(one.is_estimate for one in told),
    )
