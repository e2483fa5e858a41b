"""What a containment does, as values: its policies, and its calls in order, each with what undoes it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import msgspec


class Option(StrEnum):
    """The ways to lock a thief out, and what goes with them."""

    PIN = "pin"
    PIN_EVERYWHERE = "pin-everywhere"
    VPC_ENDPOINT = "vpc-endpoint"
    REVOKE = "revoke"
    SWAP_ROLE = "swap-role"
    DENY_ALL = "deny-all"
    ISOLATE = "isolate"
    IMDSV2 = "imdsv2"
    STOP = "stop"

    @property
    def is_companion(self) -> bool:
        """True for what does not stop a key that is out already."""
        return self in (Option.ISOLATE, Option.IMDSV2, Option.STOP)


class Sought(StrEnum):
    """What can only be named once it is there."""

    ASSOCIATION = "association"  # of an instance with its profile; `of` is the instance's id
    ENDPOINT = "endpoint"  # `of` is the value of the tag `straykey`
    SECURITY_GROUP = "security-group"  # `of` is its name and the VPC's id, with a space between
    MANAGED_POLICY = "managed-policy"  # `of` is its name


class Lookup(msgspec.Struct, frozen=True, tag=True):
    """A parameter whose value is looked up right before the call: the id of what an earlier step made."""

    sought: Sought
    of: str


Value = None | bool | int | str | Lookup | tuple["Value", ...] | Mapping[str, "Value"]


class Call(msgspec.Struct, frozen=True):
    """One call of an AWS API, by boto3's names: service `iam`, operation `PutRolePolicy`.  IAM has no region."""

    service: str
    operation: str
    parameters: Mapping[str, Value]
    region: str = ""


class Step(msgspec.Struct, frozen=True):
    """One call that changes something, and the calls that undo it, in order.

    Doing it twice is as doing it once, and so is undoing it; undoing what was never done changes nothing.

    `is_optional`: where it cannot be done it is left out and told, and the others are done.  `is_unread`: it puts a
    policy where planning did not look; if one of its name is found there when it is done, undoing puts that back.
    """

    name: str  # what it does, in words: unique in its plan
    call: Call
    undo: tuple[Call, ...]
    permissions: tuple[str, ...]  # of the call and of the lookups it needs
    undo_permissions: tuple[str, ...] = ()
    is_optional: bool = False
    is_unread: bool = False


class Deny(msgspec.Struct, frozen=True):
    """A policy, and to whom it applies.

    `document` as it is sent: JSON without white space.  `role` and `account` are whose calls it is asked about.
    `is_boundary`: what it does not allow is denied.
    """

    document: str
    account: str
    role: str
    name: str
    is_boundary: bool = False


class Trouble(msgspec.Struct, frozen=True):
    """What stands in the way of applying a plan, and how to mend it; told before anything is touched."""

    text: str
    hint: str = ""


class Rerouted(msgspec.Struct, frozen=True):
    """Whose calls come through other networks once the steps are done: through endpoints of this VPC.

    `services` as calls name them (`s3`), asked for in `region`.  `inside` are instances known to be in the VPC,
    `outside` those known to be elsewhere; of any other nobody can say which way its calls will take.
    """

    vpc: str
    region: str
    services: tuple[str, ...]
    inside: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


class Changes(Protocol):
    """What can be applied, and taken back from the journal: steps, under a name, and what stands in their way."""

    @property
    def option(self) -> StrEnum: ...

    @property
    def steps(self) -> tuple[Step, ...]: ...

    @property
    def troubles(self) -> tuple[Trouble, ...]: ...


class Plan(msgspec.Struct, frozen=True):
    """One option for one theft.

    `limits` says what it does not stop, `notes` what else must be known, `manual` what only a person can do; all in
    full sentences.  With any `troubles` it cannot be applied.  `covers` are the calls, by event id, by which the thief
    made something that this plan denies, or tells how to take away.
    """

    option: Option
    denies: tuple[Deny, ...]
    steps: tuple[Step, ...]
    limits: tuple[str, ...]
    notes: tuple[str, ...] = ()
    manual: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    rerouted: Rerouted | None = None
    covers: tuple[str, ...] = ()

    @property
    def permissions(self) -> tuple[str, ...]:
        """Of all steps and of undoing them, sorted."""
        return tuple(sorted({one for step in self.steps for one in (*step.permissions, *step.undo_permissions)}))
