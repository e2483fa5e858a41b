"""What `straykey harden` does itself: where one call does it, and the journal of `contain` can take it back.

All else is for the tools that an organization changes its policies with.
"""

from enum import StrEnum

import msgspec
from msgspec.structs import replace

from straykey.contain.needs import step_of
from straykey.contain.plan import Call, Step, Trouble, Value
from straykey.harden.imds_document import keys_policy
from straykey.harden.perimeter import ROOM, Artifact
from straykey.harden.posture import Machine

PREFIX = "harden:"  # of what the journal has in the place of a finding's id


class Doing(StrEnum):
    """The changes."""

    PERIMETER = "perimeter"  # the role policy
    V2_KEYS = "v2-keys"  # the Deny on keys that came by IMDSv1, on the role
    TOKENS = "tokens"  # of one instance's metadata service


class Change(msgspec.Struct, frozen=True):
    """One call on one role or instance of one account; with `troubles` it cannot be done."""

    option: Doing
    account: str
    region: str
    subject: str  # the role's name, or the instance's id
    steps: tuple[Step, ...]
    troubles: tuple[Trouble, ...] = ()

    @property
    def journaled_as(self) -> str:
        """What it is found by in the journal, where a containment has its finding's id."""
        return f"{PREFIX}{self.account}:{self.subject}"


def perimeter(artifact: Artifact) -> Change:
    """Put a role's perimeter on it."""
    length, room = len(artifact.document), ROOM[artifact.kind]
    troubles = [Trouble(f"The policy has {length} characters, and a role takes {room}", "see --level instance")]
    return Change(
        Doing.PERIMETER,
        artifact.accounts[0],
        "",
        artifact.role,
        (_put(artifact.role, artifact.name, artifact.document),),
        tuple(troubles if artifact.is_too_long else ()),
    )


def v2_keys(account: str, role: str) -> Change:
    """Deny the keys that came by IMDSv1, on one role."""
    document = keys_policy()
    return Change(Doing.V2_KEYS, account, "", role, (_put(role, document.name, document.text),))


def _put(role: str, name: str, document: str) -> Step:
    """A perimeter is put over the one that is there, and taken back to it: the role was not read."""
    step = step_of(
        f"put policy {name} on role {role}",
        Call("iam", "PutRolePolicy", {"RoleName": role, "PolicyName": name, "PolicyDocument": document}),
        Call("iam", "DeleteRolePolicy", {"RoleName": role, "PolicyName": name}),
    )
    return replace(step, is_unread=True)


def tokens(account: str, machine: Machine) -> Change:
    """Require tokens of one instance, and leave the rest of its metadata options as they are."""
    if machine.http_endpoint == "disabled":
        troubles = (Trouble("Its metadata service is off, and hands out no keys at all"),)
        return Change(Doing.TOKENS, account, machine.region, machine.id, (), troubles)
    step = step_of(
        f"require tokens of the metadata service of {machine.id}",
        _metadata(machine, "required"),
        _metadata(machine, machine.http_tokens or "optional"),
    )
    return Change(Doing.TOKENS, account, machine.region, machine.id, (step,))


def _metadata(machine: Machine, required: str) -> Call:
    said: dict[str, Value] = {
        "InstanceId": machine.id,
        "HttpTokens": required,
        "HttpPutResponseHopLimit": machine.hop_limit or 1,
        "HttpEndpoint": "enabled",
    }
    return Call("ec2", "ModifyInstanceMetadataOptions", said, machine.region)
