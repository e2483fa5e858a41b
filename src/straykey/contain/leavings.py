"""What somebody put on a role of ours since it was made: IAM deletes no role that still has something on it."""

import shlex
from collections.abc import Mapping

import msgspec

from straykey.contain.execute import Hands, NotDoneError
from straykey.contain.ground import iam
from straykey.contain.plan import Call
from straykey.contain.room import attached_policies, inline_policies
from straykey.formats.text import printable

_IN_USE = "DeleteConflict"


_PROFILE = "an instance profile that holds it"


class Leavings(msgspec.Struct, frozen=True):
    """Inline policies by name, and ARNs of attached ones."""

    role: str
    inline: Mapping[str, str]
    attached: tuple[str, ...]

    @property
    def calls(self) -> tuple[Call, ...]:
        """They take all of it off."""
        return (
            *(iam("DeleteRolePolicy", RoleName=self.role, PolicyName=name) for name in self.inline),
            *(iam("DetachRolePolicy", RoleName=self.role, PolicyArn=arn) for arn in self.attached),
        )

    @property
    def told(self) -> tuple[str, ...]:
        """Each for who may have to put it back elsewhere."""
        return (
            *(f"inline policy {name} of role {self.role}: {text}" for name, text in self.inline.items()),
            *(f"attached policy {arn} of role {self.role}" for arn in self.attached),
        )


def leavings_of(role: str, hands: Hands) -> Leavings:
    """What is on the role; of one that is not there, nothing."""
    inline = hands.ask(lambda at: inline_policies(at, role), ("iam:ListRolePolicies", "iam:GetRolePolicy"))
    attached = hands.ask(lambda at: attached_policies(at, role), ("iam:ListAttachedRolePolicies",))
    return Leavings(role, inline, tuple(sorted(attached)))


def explained(error: NotDoneError, call: Call, hands: Hands) -> NotDoneError:
    """What is in the way of deleting a role, and how to mend it; any other error as it is."""
    if call.operation != "DeleteRole" or error.code != _IN_USE:
        return error
    role = str(call.parameters["RoleName"])
    try:
        there = leavings_of(role, hands)
    except NotDoneError:
        return error  # what may not be read cannot be told
    named = [f"inline policy {name}" for name in there.inline]
    named += [f"attached policy {arn}" for arn in there.attached]
    # Which profiles hold it is for whoever mends it to ask: it would take one more permission.
    reason = f"role {role} is not deleted while somebody else's things are on it: {', '.join(named) or _PROFILE}"
    mend = ", ".join(f"`{one}`" for one in _commands(there))
    told = NotDoneError(printable(reason), code=error.code, is_in_doubt=error.is_in_doubt)
    by_force = " (--force takes the policies off)" if there.calls else ""
    told.hint = f"{printable(mend)}, then --rollback again{by_force}"
    return told


def _commands(there: Leavings) -> list[str]:
    role = ["--role-name", there.role]
    said = [["delete-role-policy", *role, "--policy-name", name] for name in there.inline]
    said += [["detach-role-policy", *role, "--policy-arn", arn] for arn in there.attached]
    said += [] if said else [["list-instance-profiles-for-role", *role], ["remove-role-from-instance-profile", *role]]
    return [shlex.join(["aws", "iam", *one]) for one in said]
