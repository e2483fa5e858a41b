"""What the logs say of a theft: a finding and the ledger it was judged from, in the words of a containment."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from straykey.contain.called import issue_times, short
from straykey.contain.theft import Called, Caller, Created, Key, Theft
from straykey.contain.whose import Group, Grouped, Hands, Homes, Whose, grouped, homes_of
from straykey.core.evidence import Evidence, instance_of
from straykey.core.finding import Finding, FindingType, PivotUse
from straykey.core.home import sightings_of
from straykey.core.ledger import Settled
from straykey.core.making import Made
from straykey.core.masquerade import strange_issuances
from straykey.core.network import Lane, Network
from straykey.core.pivot import Makings, follow, taints, user_key
from straykey.core.session import IDENTITY_ROLE, Session
from straykey.core.workload import INSTANCE, by_issuer, by_scope
from straykey.errors import UsageError

THEFTS = frozenset(
    {
        FindingType.OUTSIDE_AWS,
        FindingType.INSIDE_AWS,
        FindingType.UNKNOWN,
        FindingType.RESOURCE_OUTSIDE_AWS,
        FindingType.RESOURCE_INSIDE_AWS,
        FindingType.RESOURCE_UNKNOWN,
    }
)
_MOST_SISTERS = 1000
_MOST_MADE = 1000
_WORKLOAD = Group(Hands.OWN, is_thiefs=False)
_THIEF = Group(Hands.OWN, is_thiefs=True)


class _Known(msgspec.Struct, frozen=True):
    """The robbed session."""

    finding: Finding
    evidence: Evidence
    whose: Whose
    workload: Caller
    thief: Caller


class _Others(msgspec.Struct, frozen=True):
    """All who call besides the workload and the thief with the stolen keys."""

    sisters: tuple[Caller, ...]
    heirs: tuple[Caller, ...]
    left_out: int


def theft_of(finding: Finding, ledger: Settled) -> Theft:
    """All that the ledger knows of a theft; equal for equal ledgers, however they came about.

    Raises UsageError for a finding that is about no stolen key, or whose session the ledger does not know.
    """
    evidence = _robbed(finding, ledger)
    homes = homes_of(finding, evidence, ledger)
    makings = Makings(ledger.makings)
    made = _made(finding, evidence, homes, makings)
    apis = {one.access_key: one.api for one in sorted(makings) if one.access_key}
    whose = Whose(evidence.session.arn, homes, apis, taints(made))
    own = grouped(evidence, whose)
    workload, thief = (_caller(evidence, group, own.get(group, [])) for group in (_WORKLOAD, _THIEF))
    # A finding knows the region also where only the home tells it.
    region = finding.session.region or workload.region
    known = _Known(finding, evidence, whose, replace(workload, region=region), replace(thief, region=region))
    return _theft(known, made, _others(known, own, made, ledger))


def with_role_id(theft: Theft, role_id: str) -> Theft:
    """The same, once it is known that the role's unique id is `role_id`: then `aws:userid` is known of its sessions."""

    def known(caller: Caller) -> Caller:
        if (caller.account, caller.role) != (theft.workload.account, theft.workload.role):
            return caller
        return replace(caller, user_id=f"{role_id}:{caller.arn.split('/', 2)[2]}")

    return replace(
        theft,
        workload=known(theft.workload),
        thief=known(theft.thief),
        sisters=tuple(map(known, theft.sisters)),
        heirs=tuple(map(known, theft.heirs)),
    )


def _robbed(finding: Finding, ledger: Settled) -> Evidence:
    if finding.type not in THEFTS:
        raise UsageError(
            f"finding {finding.id}: {finding.type.value} is about no stolen key",
            hint="contain findings of type InstanceCredentialExfiltration or ResourceCredentialExfiltration",
        )
    evidence = ledger.sessions.get(finding.session.arn)
    if evidence is None or not evidence.sightings:
        raise UsageError(
            f"finding {finding.id}: nothing is known of {finding.session.arn}",
            hint="give the logs, or the store, that the finding came of",
        )
    return evidence


def _made(finding: Finding, evidence: Evidence, homes: Homes, makings: Makings) -> list[Made]:
    """What came of the stolen keys, to any depth: as the ledger has it, and what only the finding tells."""
    arn = evidence.session.arn
    networks = {one.network.key: one.network for one in sightings_of(evidence, require_issuance=False)}
    seeds = (made for key in sorted(networks) for made in makings.from_network(arn, key))
    stolen = [one for one in seeds if homes.is_stray(networks[one.maker_network], one.time)]
    found = [pivot.made for pivot in follow(stolen, makings, most=_MOST_MADE)]
    known = {made.event_id for made in found}
    return found + [_made_of(pivot) for pivot in finding.pivots if pivot.event_id not in known]


def _made_of(pivot: PivotUse) -> Made:
    return Made(
        time=pivot.time,
        event_id=pivot.event_id,
        identity=pivot.event_id,
        call=pivot.call,
        region=pivot.region or "",
        account=pivot.account or "",
        made=pivot.made or "",
        access_key=pivot.access_key or "",
    )


def _others(known: _Known, own: Grouped, made: list[Made], ledger: Settled) -> _Others:
    """`own` are the calls of the robbed session itself: with other keys others called under its name."""
    alike, bearers = _alike(known.evidence.session, made, ledger)
    besides = {group: calls for group, calls in own.items() if group.hands is not Hands.OWN}
    sisters = _callers(known.evidence, besides, is_thiefs=False)
    heirs = _callers(known.evidence, besides, is_thiefs=True)
    for arn in sorted({*alike[:_MOST_SISTERS], *bearers}):
        evidence = ledger.sessions.get(arn)
        if evidence is None:
            continue
        calls = grouped(evidence, known.whose)
        heirs += _callers(evidence, calls, is_thiefs=True)
        if arn in alike[:_MOST_SISTERS]:
            # A session that was never seen to call shares the role all the same.
            sisters += _callers(evidence, calls or {_WORKLOAD: []}, is_thiefs=False)
    return _Others(tuple(sisters), tuple(heirs), len(alike[_MOST_SISTERS:]))


def _alike(robbed: Session, made: list[Made], ledger: Settled) -> tuple[list[str], set[str]]:
    """Other sessions of the role, in order; and who may bear what was made."""
    of_role = f"arn:{robbed.partition}:sts::{robbed.account}:assumed-role/{robbed.role}/"
    users = {user_key(one.made) for one in made if ":user/" in one.made}
    bearers = {one.made for one in made}
    alike = []
    for arn in ledger.sessions:
        if arn.startswith(of_role):
            alike.append(arn)
        elif users and ":user/" in arn and user_key(arn) in users:
            bearers.add(arn)
    return sorted(arn for arn in alike if arn != robbed.arn), bearers - {robbed.arn}


def _callers(evidence: Evidence, calls: Grouped, *, is_thiefs: bool) -> list[Caller]:
    return [
        _caller(evidence, group, calls[group])
        for group in sorted(calls, key=lambda one: one.hands.value)
        if group.is_thiefs is is_thiefs
    ]


def _caller(evidence: Evidence, group: Group, calls: list[Called]) -> Caller:
    session = evidence.session
    instance, region = instance_of(evidence)
    return Caller(
        arn=session.arn,
        account=session.account,
        role=session.role,
        instance="" if group.hands is Hands.MADE else instance,
        region=region,
        is_delivered_by_ec2=group.hands is Hands.OWN and is_delivered_by_ec2(evidence),
        calls=tuple(calls),
        role_arn=min(evidence.role_arns.times, default=""),
        is_from_console=group.hands is Hands.CONSOLE,
    )


def is_delivered_by_ec2(evidence: Evidence) -> bool:
    """A name alone does not count: host management, too, names its sessions after instances."""
    if evidence.session.role == IDENTITY_ROLE:
        return False
    return (
        any(one.deliveries.times for one in evidence.sightings.values())
        or any(by_scope(scope) is INSTANCE for scope in evidence.scopes.times)
        or any(by_issuer(one.issuer) is INSTANCE for one in evidence.issuances.values())
    )


def _theft(known: _Known, made: list[Made], others: _Others) -> Theft:
    session, workload = known.evidence.session, known.workload
    strays = _strays(known)
    everybody = (workload, known.thief, *others.sisters, *others.heirs)
    latest = [caller.calls[-1].time for caller in everybody if caller.calls]
    issued = [one.time for one in known.evidence.issuances.values()]
    return Theft(
        finding=known.finding.id,
        title=known.finding.title,
        partition=session.partition,
        role_arn=workload.role_arn or f"arn:{session.partition}:iam::{session.account}:role/{session.role}",
        is_role_arn_known=bool(workload.role_arn),
        homes=tuple(one for one in _homes(known) if one.key not in {stray.key for stray in strays}),
        strays=strays,
        workload=workload,
        thief=known.thief,
        sisters=others.sisters,
        heirs=others.heirs,
        keys=_keys(known),
        created=tuple(sorted(map(_created, made))),
        as_of=max((*latest, *issued, known.finding.stray.last_seen)),
        sisters_left_out=others.left_out,
        gone_since=known.whose.homes.gone,
    )


def _homes(known: _Known) -> Sequence[Network]:
    homes = known.finding.home
    return sorted({_network(known.evidence, home.lane, home.vpc_endpoint or "", home.address) for home in homes})


def _strays(known: _Known) -> tuple[Network, ...]:
    told = known.finding.stray
    named = _network(known.evidence, told.lane or "", told.vpc_endpoint or "", told.address or "")
    return tuple(sorted({named, *(called.network for called in known.thief.calls)}))


def _network(evidence: Evidence, lane: str, endpoint: str, address: str) -> Network:
    """As the evidence has it, with its endpoint's owner, or as the finding does."""
    key = f"{lane} {endpoint} {address}"
    seen = (one.network for one in sightings_of(evidence, require_issuance=False))
    return next((one for one in seen if one.key == key), Network(Lane(lane), address, endpoint, "", key))


def _keys(known: _Known) -> tuple[Key, ...]:
    """The session's own keys: those it was given, and those it was seen to use."""
    evidence = known.evidence
    strange = {one.access_key for one in strange_issuances(evidence)}
    used = {called.access_key for caller in (known.workload, known.thief) for called in caller.calls}
    issued = issue_times(evidence)
    expiries = {key: one.expires for key, one in evidence.issuances.items()}
    own = (used | expiries.keys()) - strange - {""}
    return tuple(sorted(Key(key, issued.get(key, ""), expiries.get(key, "")) for key in own))


def _created(made: Made) -> Created:
    return Created(
        time=made.time,
        call=short(made.call),
        made=made.made,
        access_key=made.access_key,
        account=made.account,
        region=made.region,
        event_id=made.event_id,
    )
