"""Which VPC endpoints the workloads need: what they use, what leads there already, what could, and what never will."""

import re
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from straykey.contain.action import service_of
from straykey.contain.services import GLOBAL, doorways
from straykey.contain.theft import Called
from straykey.core.network import PUBLIC_LANES, Lane
from straykey.harden.posture import Posture, Region
from straykey.harden.worker import Worker

_SERVICE = re.compile(r"[a-z0-9-]+")


class State(StrEnum):
    """Whether a service is reached through an endpoint."""

    THERE = "there"  # the VPC has one, or uses one of another VPC
    MISSING = "missing"  # one is to be had
    NONE = "none"  # there is none to be had
    ELSEWHERE = "elsewhere"  # the call goes to another region: an endpoint leads to its own only


class Need(msgspec.Struct, frozen=True, order=True):
    """One service, as CloudTrail names it, as the workloads of one VPC use it.

    `vpc` is empty where neither a record nor the account tells.  `public` and `inside` are calls on a public way and
    through endpoints; `endpoints` are the names of the endpoint services that lead there, `through` the ids in use.
    `is_certain`: the account says what is there and what is to be had; else it is what the records and AWS's list tell.
    """

    account: str
    region: str  # of the workloads
    vpc: str
    service: str
    state: State
    public: int
    inside: int
    endpoints: tuple[str, ...]
    through: tuple[str, ...]
    roles: tuple[str, ...]
    is_certain: bool


class _Way(msgspec.Struct, frozen=True, order=True):
    account: str
    region: str
    vpc: str
    service: str
    is_near: bool


class Needs:
    """Gathers what one role after the other uses."""

    def __init__(self) -> None:
        self._public: Counter[_Way] = Counter()
        self._inside: Counter[_Way] = Counter()
        self._through: dict[_Way, set[str]] = {}
        self._roles: dict[_Way, set[str]] = {}

    def take(self, workers: Iterable[Worker]) -> None:
        for worker in workers:
            for called in worker.home.calls:
                if called.network.lane in (*PUBLIC_LANES, Lane.ENDPOINT, Lane.PRIVATE):
                    self._note(worker, called)

    def _note(self, worker: Worker, called: Called) -> None:
        home, is_public = worker.home, called.network.lane in PUBLIC_LANES
        source = called.call.partition(":")[0].partition(".")[0]
        # What comes through an endpoint is near: it leads to its own region.  Of some calls none is kept.
        is_near = not is_public or called.region in ("", home.region)
        way = _Way(home.account, home.region, home.vpc, source, is_near)
        (self._public if is_public else self._inside)[way] += 1
        self._through.setdefault(way, set()).update({called.network.endpoint} - {""})
        self._roles.setdefault(way, set()).add(home.role)

    def found(self, postures: Iterable[Posture]) -> list[Need]:
        by_account = {one.account: one for one in postures}
        return sorted(self._need(way, by_account.get(way.account)) for way in self._roles)

    def _need(self, way: _Way, posture: Posture | None) -> Need:
        region = posture.region(way.region) if posture else Region(way.region)
        through = tuple(sorted(self._through[way]))
        wanted = [one.suffix for one in doorways(way.service)]
        names = _offered(region, wanted) if region.services is not None else tuple(wanted)
        is_certain = region.services is not None and region.gates is not None and bool(way.vpc)
        return Need(
            account=way.account,
            region=way.region,
            vpc=way.vpc,
            service=way.service,
            state=_state(way, names, is_there=bool(through) or _has(region, way.vpc, wanted)),
            public=self._public[way],
            inside=self._inside[way],
            endpoints=names,
            through=through,
            roles=tuple(sorted(self._roles[way])),
            is_certain=is_certain,
        )


def _state(way: _Way, names: tuple[str, ...], *, is_there: bool) -> State:
    if is_there and way.is_near:
        return State.THERE
    if way.service in GLOBAL or not names:
        return State.NONE
    return State.MISSING if way.is_near else State.ELSEWHERE


def _offered(region: Region, wanted: Iterable[str]) -> tuple[str, ...]:
    """The names, in full, of those endpoint services that the region has."""
    there = {suffix_of(name): name for name in sorted(region.services or (), reverse=True)}
    return tuple(there[one] for one in wanted if one in there)


def _has(region: Region, vpc: str, wanted: list[str]) -> bool:
    """Whether the VPC has an endpoint for each."""
    had = {suffix_of(gate.endpoint.service) for gate in region.gates or () if gate.endpoint.vpc == vpc}
    return bool(wanted) and set(wanted) <= had


def suffix_of(service: str) -> str:
    """`ecr.api` of `com.amazonaws.eu-west-1.ecr.api`, and of `cn.com.amazonaws.cn-north-1.ecr.api`."""
    return service.removeprefix("cn.").split(".", 3)[-1]


def spared(needs: Iterable[Need]) -> tuple[str, ...]:
    """Services, by IAM's name, that no perimeter without public addresses may deny: no endpoint leads to them.

    What is no name of a service, as records may have it, stays denied: in a policy it would name more, or be an error.
    """
    found = {service_of(f"{one.service}:") for one in needs if one.state is State.NONE}
    return tuple(sorted(one for one in found if _SERVICE.fullmatch(one)))
