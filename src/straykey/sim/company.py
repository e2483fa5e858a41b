"""Who there is: accounts, roles, VPCs, and instances with the networks they rightly call from.

The company is dealt from a fixed pattern, so that even a small one has every way an instance
can reach AWS; chance only chooses ids and addresses.  No instance ever changes its address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal, TypeAlias

from straykey.sim import identifier
from straykey.sim.address import AddressPlan, Network

ACCOUNTS = ("111122223333", "444455556666", "123456789012")
CHINA_ACCOUNT = "210987654321"
ATTACKERS = ("999988887777", "888877776666")

Style: TypeAlias = Literal["public", "nat", "endpoint", "gateway", "dual-stack"]

INTERFACE_SERVICES = (
    "autoscaling", "dynamodb", "ec2", "kms", "logs", "monitoring", "secretsmanager", "sqs", "ssm", "sts",
)  # fmt: skip
GATEWAY_SERVICES = ("s3", "dynamodb")
DUAL_STACK_SERVICES = frozenset({"s3", "ec2", "logs"})


@dataclass(frozen=True, slots=True)
class Window:
    """The time the simulated logs are about."""

    start: datetime
    end: datetime

    def at(self, share: float) -> datetime:
        """The second that lies `share` of the way through."""
        return self.start + timedelta(seconds=int(share * (self.end - self.start).total_seconds()))


def partition(account: str) -> str:
    return "aws-cn" if account == CHINA_ACCOUNT else "aws"


@dataclass(frozen=True, slots=True)
class Role:
    account: str
    name: str
    path: str
    id: str

    @property
    def arn(self) -> str:
        return f"arn:{partition(self.account)}:iam::{self.account}:role{self.path}{self.name}"

    def session_arn(self, session: str) -> str:
        """The path is dropped here, as STS drops it."""
        return f"arn:{partition(self.account)}:sts::{self.account}:assumed-role/{self.name}/{session}"


@dataclass(frozen=True, slots=True)
class Vpc:
    id: str
    subnet: str
    account: str
    region: str
    style: Style
    prefix: str
    endpoints: Mapping[str, str]
    nat_address: str | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class Instance:
    """One EC2 instance; `delivery` is the IMDS version its programs take their keys by."""

    id: str
    role: Role
    vpc: Vpc
    private_address: str
    public_address: str | None
    v6_address: str | None
    has_elastic_ip: bool
    launched: datetime
    launch_request: str
    is_token_required: bool
    delivery: Literal["1.0", "2.0"]

    @property
    def arn(self) -> str:
        account = self.vpc.account
        return f"arn:{partition(account)}:ec2:{self.vpc.region}:{account}:instance/{self.id}"

    @property
    def session_arn(self) -> str:
        return self.role.session_arn(self.id)

    def network(self, service: str) -> Network:
        """From where this instance calls `service`."""
        if service in self.vpc.endpoints:
            return Network(self.private_address, "endpoint", self.vpc.endpoints[service], self.vpc.account)
        if self.v6_address is not None and service in DUAL_STACK_SERVICES:
            return Network(self.v6_address)
        if self.public_address is None:
            raise ValueError(f"{self.id} has no way to reach {service}")
        return Network(self.public_address)


@dataclass(frozen=True, slots=True)
class Company:
    window: Window
    plan: AddressPlan
    premises: str
    offices: tuple[str, ...]
    vpcs: tuple[Vpc, ...]
    instances: tuple[Instance, ...]


# Account (by place in ACCOUNTS), region, style, and whether it is built while the logs run.
_SITES: tuple[tuple[int, str, Style, bool], ...] = (
    (0, "eu-west-1", "public", False),
    (0, "eu-west-1", "nat", True),
    (1, "us-east-1", "public", False),
    (0, "eu-west-1", "endpoint", False),
    (0, "us-east-1", "gateway", False),
    (1, "us-east-1", "nat", False),
    (2, "eu-central-1", "dual-stack", False),
)
_DEAL = (0, 1, 2, 1, 3, 4, 5, 1, 3, 6, 5, 0)  # site of the first instance, the second, …
_ROLES = (("web", "/app/"), ("worker", "/"), ("batch", "/app/batch/"))
_NEW_SITE_LAUNCHES = (180, 480)  # seconds after the start
_OLDEST_DAYS = 40
_OFFICES = 4


def found(rng: Random, window: Window, instances: int) -> Company:
    """A company of `instances` instances."""
    plan = AddressPlan(rng)
    vpcs = tuple(_vpc(rng, plan, place) for place in range(len(_SITES)))
    roles = {(a, n): Role(a, f"{n}-role", path, identifier.role_id(rng)) for a in ACCOUNTS for n, path in _ROLES}
    hired = []
    for place in range(instances):
        vpc = vpcs[_DEAL[place % len(_DEAL)]]
        role = roles[vpc.account, _ROLES[place % len(_ROLES)][0]]
        hired.append(_instance(rng, plan, window, place, vpc, role))
    offices = tuple(plan.office() for _ in range(_OFFICES))
    return Company(window, plan, plan.premises(), offices, vpcs, tuple(hired))


def _vpc(rng: Random, plan: AddressPlan, place: int) -> Vpc:
    account, region, style, is_new = _SITES[place]
    services = {"endpoint": (*INTERFACE_SERVICES, "s3"), "gateway": GATEWAY_SERVICES}.get(style, ())
    return Vpc(
        id=identifier.resource_id(rng, "vpc"),
        subnet=identifier.resource_id(rng, "subnet"),
        account=ACCOUNTS[account],
        region=region,
        style=style,
        prefix=f"10.{20 + place}",
        endpoints={service: identifier.resource_id(rng, "vpce") for service in services},
        nat_address=plan.tenant(region) if style == "nat" else None,
        is_new=is_new,
    )


def _instance(rng: Random, plan: AddressPlan, window: Window, place: int, vpc: Vpc, role: Role) -> Instance:
    is_token_required = place % 3 == 2
    return Instance(
        id=_instance_id(rng, place),
        role=role,
        vpc=vpc,
        private_address=plan.private(vpc.prefix),
        public_address=_public_address(plan, vpc),
        v6_address=plan.tenant_v6(vpc.region) if vpc.style == "dual-stack" else None,
        has_elastic_ip=vpc.style in ("public", "gateway") and place % 2 == 1,
        launched=_launched(rng, window, place, vpc),
        launch_request=identifier.guid(rng),
        is_token_required=is_token_required,
        delivery="1.0" if not is_token_required and place % 10 == 9 else "2.0",
    )


def _instance_id(rng: Random, place: int) -> str:
    # Ids of eight digits are from before 2016; a few such instances still run somewhere.
    return f"i-{identifier.hexadecimal(rng, 8)}" if place % 40 == 6 else identifier.resource_id(rng, "i")


def _public_address(plan: AddressPlan, vpc: Vpc) -> str | None:
    if vpc.style == "endpoint":
        return None
    return vpc.nat_address or plan.tenant(vpc.region)


def _launched(rng: Random, window: Window, place: int, vpc: Vpc) -> datetime:
    if vpc.is_new:
        return window.start + timedelta(seconds=rng.randint(*_NEW_SITE_LAUNCHES))
    if place % 12 in (4, 11):
        return window.at(rng.uniform(0.02, 0.2))
    return window.start - timedelta(seconds=rng.randint(3700, _OLDEST_DAYS * 86400))
