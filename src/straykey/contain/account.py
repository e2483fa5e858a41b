"""What the account says of the role and the instance, as read before anything is planned.

All of it is optional: without credentials a plan is made from the logs alone, and says what it could not check.
"""

import msgspec


class InlinePolicy(msgspec.Struct, frozen=True, order=True):
    """`document` as IAM gives it, decoded; what counts towards the limit is its letters but for white space."""

    name: str
    document: str


class Tag(msgspec.Struct, frozen=True, order=True):
    key: str
    value: str


class Role(msgspec.Struct, frozen=True):
    """`id` is its unique id, `AROA…`, the first part of `aws:userid`."""

    name: str
    arn: str
    path: str
    id: str
    trust: str
    inline: tuple[InlinePolicy, ...]
    attached: tuple[str, ...]  # ARNs
    boundary: str  # ARN; empty if it has none
    tags: tuple[Tag, ...]
    description: str
    max_session_seconds: int
    profiles: tuple[str, ...]  # ARNs of instance profiles that hold it


class Interface(msgspec.Struct, frozen=True, order=True):
    id: str
    groups: tuple[str, ...]  # security groups


class Instance(msgspec.Struct, frozen=True):
    """`state` as EC2 says it: running, stopped …"""

    id: str
    region: str
    state: str
    vpc: str
    subnet: str
    association: str  # of its profile; empty if it has none
    profile: str  # ARN
    interfaces: tuple[Interface, ...]
    http_tokens: str
    http_endpoint: str
    hop_limit: int
    has_instance_store: bool
    is_spot: bool


class Endpoint(msgspec.Struct, frozen=True, order=True):
    """A VPC endpoint that is there; `service` as `com.amazonaws.eu-west-1.s3`."""

    id: str
    vpc: str
    service: str
    kind: str  # Gateway, Interface
    state: str


class Account(msgspec.Struct, frozen=True):
    """`others` are instances, of any state but terminated, whose profile holds the role; `neighbours` those of them
    that are in the instance's VPC, or None where that could not be read.

    `unread` says what could not be read, and why, in words: a permission that is missing, say.
    """

    id: str
    role: Role | None
    instance: Instance | None
    others: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]
    services: tuple[str, ...]  # endpoint services to be had in the region
    route_tables: tuple[str, ...]  # of the instance's VPC
    neighbours: tuple[str, ...] | None = None
    unread: tuple[str, ...] = ()
