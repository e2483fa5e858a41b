"""Workloads that are no instances: containers and functions, each with keys of its own.

What a service issues is renewed every hour under the same session name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from straykey.sim import identifier, identity, operation, spree, storage
from straykey.sim.address import Network, function_address
from straykey.sim.company import Role
from straykey.sim.record import Document, Issuance, Scene, issued
from straykey.sim.spree import Spree
from straykey.sim.stage import Stage
from straykey.sim.workload import BOTO3, Route

_LIFETIME = timedelta(hours=6)
_RENEWAL = timedelta(minutes=55)
_PER_RENEWAL = 24
_CALLS = (storage.GET_ITEM, storage.PUT_ITEM, storage.SEND_MESSAGE, storage.GET_OBJECT, operation.GET_PARAMETER)

Issue = Callable[["Resident", str, datetime], list[Document]]


@dataclass(frozen=True, slots=True)
class Resident:
    """A session that a service keeps in keys; `issue` writes how it gets one."""

    stage: Stage
    role: Role
    session: str
    route: Route
    issue: Issue
    provider: str = ""
    scope: Document | None = None

    @property
    def arn(self) -> str:
        return self.role.session_arn(self.session)

    @property
    def scene(self) -> Scene:
        return Scene(self.role.account, self.stage.region, self.role.name.removesuffix("-role"))

    def identity(self, access_key: str, at: datetime) -> Document:
        who = identity.session(self.role, self.session, access_key, at)
        if self.provider:
            context = who["sessionContext"]
            context["webIdFederationData"] = {"federatedProvider": self.provider, "attributes": {}}
        if self.scope is not None:
            who["inScopeOf"] = self.scope
        return who


@dataclass(frozen=True, slots=True)
class Held:
    """A key that a resident holds from `at` on."""

    at: datetime
    who: Document


def live(resident: Resident, begin: datetime) -> list[Held]:
    """Let it work till the end of the window; the keys it had."""
    stage, held, at = resident.stage, [], begin
    while at < stage.window.end:
        key, until = identifier.access_key(stage.rng), min(stage.window.end, at + _RENEWAL)
        stage.records += resident.issue(resident, key, at)
        who = resident.identity(key, at)
        work = Spree(who=spree.as_ever(who), route=resident.route, agent=BOTO3, scene=resident.scene, calls=_CALLS)
        count = max(2, int(_PER_RENEWAL * ((until - at) / _RENEWAL)))
        stage.records += spree.made(stage.rng, work, spree.within(stage.rng, at + timedelta(seconds=2), until, count))
        held.append(Held(at, who))
        at = until
    return held


def task(stage: Stage, route: Route) -> Resident:
    """A container of ECS: its session is named after the task."""
    role = stage.world.role(stage.account, "orders-task-role", "/ecs/")
    return Resident(stage, role, identifier.hexadecimal(stage.rng, 32), route, by_service("ecs-tasks.amazonaws.com"))


def function(stage: Stage, name: str, route: Route) -> Resident:
    role = stage.world.role(stage.account, f"{name}-role", "/service-role/")
    arn = f"arn:aws:lambda:{stage.region}:{stage.account}:function:{name}"
    scope = identity.in_scope_of("AWS::Lambda::Function", arn)
    return Resident(stage, role, name, route, by_service("lambda.amazonaws.com"), scope=scope)


def by_service(service: str) -> Issue:
    """The service assumes the role, as EC2 does."""

    def issue(resident: Resident, access_key: str, at: datetime) -> list[Document]:
        region = resident.stage.region
        issuance = Issuance(service, resident.role, resident.session, region, access_key, lifetime=_LIFETIME)
        return [issued(resident.stage.rng, at, issuance)]

    return issue


def wandering(stage: Stage) -> Route:
    """The addresses of a function: always another one, always in its region."""
    return lambda _at, _service: Network(function_address(stage.rng, stage.region))
