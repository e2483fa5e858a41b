"""Thieves: how each kind steals, where it hides, and what a detector should say.

`KINDS` is the one place to add a kind.  A theft is cast so that nothing honest explains it: the
victim has an established network of the lane the thief uses, and the thief's network is never
one of the victim's own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle, islice
from random import Random

from straykey.sim import identifier, identity, operation, storage
from straykey.sim.address import Network
from straykey.sim.company import ATTACKERS, Company, Instance
from straykey.sim.keyring import Keyring
from straykey.sim.record import Call, Document, Fault, Sender, written
from straykey.sim.truth import Theft
from straykey.sim.workload import ACCESS_DENIED, scene_of

TYPE = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration"
_KALI = "6.6.9-amd64"
CLI = f"aws-cli/2.15.10 md/awscrt#0.19.19 ua/2.0 os/linux#{_KALI} md/distrib#kali.2024 lang/python#3.11.8"
_REQUESTS = "python-requests/2.31.0"
BOTO3 = "Boto3/1.28.40 md/Botocore#1.31.40 ua/2.0 os/linux#5.15.0-1041-aws lang/python#3.10.12 Botocore/1.31.40"


@dataclass(frozen=True, slots=True)
class Stage:
    """What a thief may use: the company, and who has been robbed already."""

    rng: Random
    company: Company
    robbed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to steal.  `hideout` is None where the company is too small for it."""

    name: str
    expected: str
    severity: str
    delivery: str
    agents: tuple[str, ...]
    calls: tuple[Call, ...]
    refused: frozenset[str]
    suits: Callable[[Instance], bool]
    hideout: Callable[[Stage, Instance], Network | None]


def has_public_home(instance: Instance) -> bool:
    return instance.public_address is not None


def has_own_address(instance: Instance) -> bool:
    return has_public_home(instance) and instance.vpc.nat_address is None


def has_idle_v1_key(instance: Instance) -> bool:
    """EC2 issues it a key over IMDSv1 that none of its own programs takes."""
    return has_public_home(instance) and not instance.is_token_required and instance.delivery == "2.0"


def _outside(stage: Stage, _victim: Instance) -> Network:
    return Network(stage.company.plan.outside())


def _stranger(stage: Stage, victim: Instance) -> Network:
    return Network(stage.company.plan.stranger(victim.vpc.region))


def _foreign_endpoint(stage: Stage, _victim: Instance) -> Network:
    endpoint = identifier.resource_id(stage.rng, "vpce")
    return Network(stage.company.plan.private("172.31"), "endpoint", endpoint, stage.rng.choice(ATTACKERS))


def _other_account(stage: Stage, victim: Instance) -> Network | None:
    return _neighbour(stage, victim, lambda it: it.vpc.account != victim.vpc.account)


def _same_account(stage: Stage, victim: Instance) -> Network | None:
    return _neighbour(stage, victim, lambda it: it.vpc.account == victim.vpc.account)


def _neighbour(stage: Stage, victim: Instance, is_fit: Callable[[Instance], bool]) -> Network | None:
    """The address of one other instance that no third one shares."""
    fit = [it for it in stage.company.instances if has_own_address(it) and it.id != victim.id and is_fit(it)]
    fit = [it for it in fit if it.id not in stage.robbed] or fit
    return Network(str(stage.rng.choice(fit).public_address)) if fit else None


LOOK_AROUND = (
    operation.GET_CALLER_IDENTITY,
    storage.LIST_BUCKETS,
    operation.LIST_ATTACHED_ROLE_POLICIES,
    operation.LIST_ROLES,
    storage.LIST_SECRETS,
)
TAKE = (storage.LIST_OBJECTS, storage.GET_OBJECT, storage.GET_OBJECT, storage.GET_OBJECT)
REFUSED = frozenset({"ListRoles", "ListUsers", "ListAttachedRolePolicies", "ListSecrets", "GetBucketPolicy"})

KINDS: tuple[Kind, ...] = (
    Kind(
        name="outside-aws",
        expected=f"{TYPE}.OutsideAWS",
        severity="HIGH",
        delivery="1.0",
        agents=(CLI, _REQUESTS),
        calls=(*LOOK_AROUND, *TAKE, operation.LIST_USERS),
        refused=REFUSED,
        suits=has_idle_v1_key,
        hideout=_outside,
    ),
    Kind(
        name="inside-aws",
        expected=f"{TYPE}.InsideAWS",
        severity="HIGH",
        delivery="2.0",
        agents=(BOTO3,),
        calls=(*LOOK_AROUND, operation.DESCRIBE_INSTANCES, *TAKE),
        refused=REFUSED,
        suits=has_public_home,
        hideout=_stranger,
    ),
    Kind(
        # One gateway endpoint carries S3 only, so this thief does nothing else.
        name="foreign-endpoint",
        expected=f"{TYPE}.InsideAWS",
        severity="HIGH",
        delivery="2.0",
        agents=(CLI, BOTO3),
        calls=(storage.LIST_BUCKETS, storage.GET_BUCKET_POLICY, *TAKE),
        refused=REFUSED,
        suits=lambda instance: bool(instance.vpc.endpoints),
        hideout=_foreign_endpoint,
    ),
    Kind(
        name="affiliated",
        expected=f"{TYPE}.InsideAWS",
        severity="MEDIUM",
        delivery="2.0",
        agents=(BOTO3,),
        calls=(*LOOK_AROUND, *TAKE),
        refused=REFUSED,
        suits=has_public_home,
        hideout=_other_account,
    ),
    Kind(
        name="same-account",
        expected=f"{TYPE}.InsideAWS",
        severity="LOW",
        delivery="2.0",
        agents=(BOTO3, CLI),
        calls=(operation.GET_CALLER_IDENTITY, storage.LIST_BUCKETS, *TAKE),
        refused=REFUSED,
        suits=has_public_home,
        hideout=_same_account,
    ),
)
_EARLIEST, _LATEST = 0.35, 0.6  # share of the window in which a theft begins
_LONGEST_SHARE = 0.25
_MINUTES = (4.0, 14.0)
_CALLS = (12, 45)
_DEALS = 50


@dataclass(frozen=True, slots=True)
class _Part:
    """Who steals from whom, and from where."""

    kind: Kind
    victim: Instance
    network: Network


def robberies(
    rng: Random, company: Company, keyrings: Mapping[str, Keyring], count: int
) -> Iterator[tuple[Theft, list[Document]]]:
    """`count` thefts of the kinds in turn, each with its records, each from another instance."""
    for part in _cast(rng, company, list(islice(cycle(KINDS), count))):
        records = list(_records(rng, part, keyrings[part.victim.id], company))
        yield _truth(part, records), records


def _cast(rng: Random, company: Company, kinds: list[Kind]) -> list[_Part]:
    # An early thief may take the only instance that would have done for a later one: deal again.
    for _ in range(_DEALS):
        parts = _dealt(rng, company, kinds)
        if len(parts) == len(kinds):
            return parts
    raise ValueError(f"{len(company.instances)} instances are too few for {len(kinds)} thefts: simulate more instances")


def _dealt(rng: Random, company: Company, kinds: list[Kind]) -> list[_Part]:
    """One part per kind, up to the first that finds no victim."""
    parts: list[_Part] = []
    for kind in kinds:
        stage = Stage(rng, company, frozenset(part.victim.id for part in parts))
        part = next(_possible(kind, stage), None)
        if part is None:
            break
        parts.append(part)
    return parts


def _possible(kind: Kind, stage: Stage) -> Iterator[_Part]:
    fit = [it for it in stage.company.instances if it.id not in stage.robbed and kind.suits(it)]
    for victim in stage.rng.sample(fit, len(fit)):
        network = kind.hideout(stage, victim)
        if network is not None:
            yield _Part(kind, victim, network)


def _records(rng: Random, part: _Part, keys: Keyring, company: Company) -> Iterator[Document]:
    kind, victim, window = part.kind, part.victim, company.window
    begin, agent = window.at(rng.uniform(_EARLIEST, _LATEST)), rng.choice(kind.agents)
    key = keys.newest(kind.delivery, begin)
    for at, call in _plan(rng, kind, begin, window.at(_LONGEST_SHARE) - window.start):
        who = identity.instance_session(victim, key, call.version)
        yield written(rng, at, Sender(who, part.network, agent), call, scene_of(victim), _fault(rng, kind, call))


def _plan(rng: Random, kind: Kind, begin: datetime, longest: timedelta) -> Iterator[tuple[datetime, Call]]:
    """Every call once in order, to look around; then over and over what brings the loot."""
    number = rng.randint(*_CALLS)
    calls = [*kind.calls, *rng.choices(TAKE, k=number)][:number]
    spread = min(longest, timedelta(minutes=rng.uniform(*_MINUTES))).total_seconds()
    for seconds, call in zip(sorted(rng.uniform(0, spread) for _ in calls), calls, strict=True):
        yield begin + timedelta(seconds=int(seconds)), call


def _fault(rng: Random, kind: Kind, call: Call) -> Fault | None:
    is_refused = call.name in kind.refused or (call is storage.GET_OBJECT and rng.random() < 0.1)
    return ACCESS_DENIED if is_refused else None


def _truth(part: _Part, records: list[Document]) -> Theft:
    kind, victim, network = part.kind, part.victim, part.network
    times = [record["eventTime"] for record in records]
    return Theft(
        kind=kind.name,
        session_arn=victim.session_arn,
        account=victim.vpc.account,
        instance_id=victim.id,
        access_keys=tuple(sorted({record["userIdentity"]["accessKeyId"] for record in records})),
        address=network.address,
        vpc_endpoint=network.endpoint,
        vpc_endpoint_account=network.endpoint_account,
        expected_type=kind.expected,
        expected_severity=kind.severity,
        first_seen=min(times),
        last_seen=max(times),
        event_ids=tuple(record["eventID"] for record in records),
    )
