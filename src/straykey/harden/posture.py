"""How an account is set up, as far as it could be read: where its instances run, what they may, what its trails record.

All of it is optional.  `None` is what was not read, and `Posture.unread` says why; an empty tuple is what was read and
is empty.  Never take the one for the other: of what was not read nobody knows that it is not there.
"""

import msgspec

from straykey.contain.account import Endpoint


class Gate(msgspec.Struct, frozen=True, order=True):
    """A VPC endpoint, and whether it has a policy of its own: None where AWS does not say."""

    endpoint: Endpoint
    has_own_policy: bool | None


class Machine(msgspec.Struct, frozen=True, order=True):
    """An instance.  `address` is its primary private IPv4 address: `aws:Ec2InstanceSourcePrivateIPv4`.

    `addresses` are all private IPv4 addresses and all IPv6 addresses of all its interfaces; `public_addresses` the
    public IPv4 addresses.  What it has not is empty, and 0 for the hop limit.
    """

    id: str
    region: str
    state: str  # as EC2 says it: running, stopped …
    vpc: str
    address: str
    addresses: tuple[str, ...]
    public_addresses: tuple[str, ...]
    profile: str  # ARN
    http_tokens: str  # optional, required
    http_endpoint: str  # enabled, disabled
    hop_limit: int


class Defaults(msgspec.Struct, frozen=True):
    """What the account says of instances that are launched; empty, and 0, where it says nothing."""

    http_tokens: str = ""
    http_endpoint: str = ""
    hop_limit: int = 0
    http_tokens_enforced: str = ""
    managed_by: str = ""  # account, declarative-policy


class Region(msgspec.Struct, frozen=True):
    """`services` are the endpoint services to be had there, as `com.amazonaws.eu-west-1.s3`."""

    name: str
    gates: tuple[Gate, ...] | None = None
    services: tuple[str, ...] | None = None
    machines: tuple[Machine, ...] | None = None
    defaults: Defaults | None = None


class Held(msgspec.Struct, frozen=True, order=True):
    """An instance profile and the role in it, both by ARN."""

    profile: str
    role: str


class DataResource(msgspec.Struct, frozen=True):
    """What a basic selector takes data events of: a type, and the beginnings of ARNs."""

    type: str
    values: tuple[str, ...] = ()


class BasicSelector(msgspec.Struct, frozen=True):
    """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html"""

    read_write: str = "All"  # ReadOnly, WriteOnly
    has_management: bool = True
    data: tuple[DataResource, ...] = ()
    excluded: tuple[str, ...] = ()  # sources of management events


class Field(msgspec.Struct, frozen=True):
    """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html"""

    name: str
    equals: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    not_equals: tuple[str, ...] = ()
    not_starts: tuple[str, ...] = ()
    not_ends: tuple[str, ...] = ()


class Selector(msgspec.Struct, frozen=True):
    """An advanced selector: it takes what all of its fields hold of."""

    name: str
    fields: tuple[Field, ...]


class Trail(msgspec.Struct, frozen=True):
    """A trail that records events of this account; `selectors` of a kind it does not use are empty.

    A trail that names no selectors records all management events and no others.
    """

    name: str
    arn: str
    home_region: str
    is_multi_region: bool
    has_global_events: bool
    is_organization: bool
    is_logging: bool | None = None
    delivery_error: str = ""
    basic: tuple[BasicSelector, ...] | None = None
    advanced: tuple[Selector, ...] | None = None


class Organization(msgspec.Struct, frozen=True):
    """Empty for an account that is in none."""

    id: str = ""
    management_account: str = ""


class Posture(msgspec.Struct, frozen=True):
    """One account.  `unread` says what could not be read, and why, in words."""

    account: str
    partition: str = "aws"
    organization: Organization | None = None
    regions: tuple[Region, ...] = ()
    profiles: tuple[Held, ...] | None = None
    trails: tuple[Trail, ...] | None = None
    unread: tuple[str, ...] = ()

    def region(self, name: str) -> Region:
        """That region; one that was not asked for is empty."""
        return next((one for one in self.regions if one.name == name), Region(name))

    def machines(self) -> tuple[Machine, ...]:
        """All instances that were read, of all regions."""
        return tuple(one for region in self.regions for one in region.machines or ())

    def role_of(self, machine: Machine) -> str:
        """The ARN of the role that an instance's profile holds; empty if it has none, or nobody knows."""
        held = {one.profile: one.role for one in self.profiles or ()}
        return held.get(machine.profile, "")
