"""The stage of one episode: a corner of the company, with instances of its own and all that is written of them.

Episodes share accounts, roles and the address plan, never a VPC or an instance: what one of them does is the
explanation of nothing in another.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from straykey.sim import identifier, identity, launch, operation, truth, workload
from straykey.sim.address import AddressPlan, Network
from straykey.sim.company import Instance, Role, Style, Vpc, Window
from straykey.sim.keyring import Keyring, keyring
from straykey.sim.launch import Builder
from straykey.sim.record import Document, Sender, stamp, written
from straykey.sim.workload import Life

_ROLES = ("web", "worker", "batch")
_PATHS = {"web": "/app/", "batch": "/app/batch/"}
_DAYS = 40


@dataclass(slots=True)
class World:
    """What all episodes share; `pace` is that of instances, 1 being a busy one."""

    seed: int
    window: Window
    plan: AddressPlan
    premises: str
    pace: float
    vpcs: list[Vpc] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    _roles: dict[tuple[str, str], Role] = field(default_factory=dict)

    def role(self, account: str, name: str, path: str = "/") -> Role:
        """The role of that name, the same for all who ask."""
        made = Role(account, name, path, identifier.role_id(Random(f"{self.seed}/role/{account}/{name}")))
        return self._roles.setdefault((account, name), made)


class Stage:
    """Where one episode of `kind` is played; it ends with its records and the truth about them."""

    def __init__(self, world: World, kind: str, number: int, place: tuple[str, str]) -> None:
        self.world = world
        self.kind = kind
        self.account, self.region = place
        self.rng = Random(f"{world.seed}/episode/{number}/{kind}")
        self.builder = Builder(self.rng, Network(world.premises), f"AKIAEXAMPLE{identifier.base32(self.rng, 9)}")
        self.records: list[Document] = []
        self.changes: list[truth.Change] = []
        self.thefts: list[truth.Theft] = []
        self.late: set[str] = set()
        self._lived: dict[str, tuple[Instance, list[Document]]] = {}
        self._rings: dict[tuple[str, datetime], Keyring] = {}

    @property
    def window(self) -> Window:
        return self.world.window

    @property
    def plan(self) -> AddressPlan:
        return self.world.plan

    def coin(self) -> bool:
        return self.rng.random() < 0.5

    def moment(self, low: float = 0.35, high: float = 0.5) -> datetime:
        """A second between two shares of the window: late enough to know the home, early enough to see what follows."""
        return self.window.at(self.rng.uniform(low, high))

    def tenant(self) -> Network:
        """A fresh AWS address of the company, in the region of the episode."""
        return Network(self.plan.tenant(self.region))

    def vpc(self, style: Style, services: Iterable[str] = (), account: str = "") -> Vpc:
        made = Vpc(
            id=identifier.resource_id(self.rng, "vpc"),
            subnet=identifier.resource_id(self.rng, "subnet"),
            account=account or self.account,
            region=self.region,
            style=style,
            prefix=f"10.{20 + len(self.world.vpcs)}",
            endpoints={service: identifier.resource_id(self.rng, "vpce") for service in services},
            nat_address=self.plan.tenant(self.region) if style == "nat" else None,
            is_new=False,
        )
        self.world.vpcs.append(made)
        return made

    def instance(
        self, vpc: Vpc, *, launched: datetime | None = None, role: str = "", v6: str | None = None
    ) -> Instance:
        """An instance that has run for days, or is launched in the window; its keys come over IMDSv2."""
        name = role or self.rng.choice(_ROLES)
        address = None if vpc.style == "endpoint" else vpc.nat_address or self.plan.tenant(vpc.region)
        made = Instance(
            id=identifier.resource_id(self.rng, "i"),
            role=self.world.role(vpc.account, f"{name}-role", _PATHS.get(name, "/")),
            vpc=vpc,
            private_address=self.plan.private(vpc.prefix),
            public_address=address,
            v6_address=v6,
            has_elastic_ip=False,
            launched=launched or self.window.start - timedelta(seconds=self.rng.randint(7200, _DAYS * 86400)),
            launch_request=identifier.guid(self.rng),
            is_token_required=False,
            delivery="2.0",
        )
        self.world.instances.append(made)
        return made

    def fleet(self, vpc: Vpc, size: int, role: str = "") -> list[Instance]:
        return [self.instance(vpc, role=role) for _ in range(size)]

    def launch(self, it: Instance) -> str:
        """Write the launch; the id of the instance's interface."""
        interface = identifier.resource_id(self.rng, "eni")
        self.records.append(launch.launched(self.builder, it, interface))
        return interface

    def keys(self, it: Instance) -> Keyring:
        """All its keys in the window; an instance that was started again has others."""
        known = (it.id, it.launched)
        if known not in self._rings:
            self._rings[known] = keyring(self.rng, it, self.window)
        return self._rings[known]

    def live(self, it: Instance, life: Life | None = None) -> list[Document]:
        """Let the instance work, by default all the time and from its own networks; its calls."""
        life = life or Life()
        own = replace(life, pace=life.pace * self.world.pace)
        keys, end = self.keys(it), life.end or self.window.end
        self.records += workload.issuances(self.rng, it, keys, Window(self.window.start, end))
        made = [*workload.calls(self.rng, it, keys, self.window, own), *self._checks(it, own)]
        self.worked(it, it.session_arn, made)
        return made

    def _checks(self, it: Instance, life: Life) -> Iterator[Document]:
        """Hourly calls to services whose records never name an endpoint's owner.

        That other instances of the account use such an endpoint is all that tells whose it is; they must be seen to.
        """
        begin = max(life.begin or self.window.start, it.launched) + timedelta(seconds=self.rng.randint(90, 240))
        while begin < (life.end or self.window.end):
            for place, call in enumerate((operation.LIST_METRICS, operation.DESCRIBE_SCALING_INSTANCES)):
                at = begin + timedelta(seconds=place)
                network = life.route(at, call.service) if life.route else it.network(call.service)
                if network.lane == "endpoint":
                    who = identity.instance_session(it, self.keys(it).newest(it.delivery, at), call.version)
                    yield written(self.rng, at, Sender(who, network, workload.CLI), call, workload.scene_of(it))
            begin += timedelta(hours=1)

    def worked(self, it: Instance, arn: str, records: Sequence[Document]) -> None:
        """Add honest calls of a session of `it`."""
        self.records += records
        self._lived.setdefault(arn, (it, []))[1].extend(records)

    def changed(self, arns: Iterable[str], addresses: Iterable[str], at: datetime, kind: str = "") -> None:
        """Say which sessions' networks changed."""
        self.changes.append(truth.Change(kind or self.kind, tuple(arns), tuple(addresses), stamp(at)))

    def sessions(self) -> list[truth.Session]:
        return [truth.session(self.window, it, arn, made) for arn, (it, made) in self._lived.items()]
