"""Where a policy finds room: among the role's inline policies, as a managed one, or as its boundary.

What was there before is what undoing restores: a policy of the same name, an older boundary.
"""

import msgspec

from straykey.contain.account import Role
from straykey.contain.ground import Ground, iam
from straykey.contain.needs import step_of
from straykey.contain.plan import Call, Deny, Option, Step, Trouble
from straykey.contain.wording import ATTACHMENTS, DENY_ALL, INLINE_ROOM, MANAGED_ROOM, length_of

_ALL = "AWSDenyAll"


class Placing(msgspec.Struct, frozen=True):
    """The steps that put one policy on a role; `deny` is what it then denies."""

    deny: Deny
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()


def placed(ground: Ground, option: Option, document: str) -> Placing:
    """Put `document` on the role: inline where it fits, else as a managed policy of the account."""
    deny, role = ground.denies(option, document), ground.role
    if role is None:
        return _unread(deny)
    if ground.iam_arn(f"policy/{deny.name}") in role.attached:  # beside it, another would not take its place
        return Placing(deny, troubles=(Trouble(f"Policy {deny.name} is on the role already", "roll it back first"),))
    before = _before(role, deny.name)
    if _used(role, deny.name) + length_of(document) <= INLINE_ROOM:
        return Placing(deny, (put_inline(deny, before),))
    if before:
        text = f"Policy {deny.name} is on the role already, and what would take its place does not fit"
        return Placing(deny, troubles=(Trouble(text, "roll it back first, or make room among the inline policies"),))
    return _managed(ground, deny, role)


def placed_everything(ground: Ground, option: Option) -> Placing:
    """Deny the role everything: inline, with AWS's own managed policy, or with that as its boundary."""
    deny, role = ground.denies(option, DENY_ALL), ground.role
    if role is None:
        return _unread(deny)
    if _used(role, deny.name) + length_of(DENY_ALL) <= INLINE_ROOM:
        return Placing(deny, (put_inline(deny, _before(role, deny.name)),))
    arn = ground.aws_policy(_ALL)
    if arn in role.attached or role.boundary == arn:
        return Placing(deny, notes=(f"{_ALL} is on the role already: there is nothing to do.",))
    if len(role.attached) < ATTACHMENTS:
        note = f"The role's inline policies leave no room, so {_ALL}, a managed policy of AWS's, is attached."
        return Placing(deny, (attach(role.name, arn),), (note,))
    return _bounded(role, arn, deny)


def put_inline(deny: Deny, before: str = "") -> Step:
    """One inline policy; `before` is what stood under its name."""
    role, name = deny.role, deny.name
    undo = _put(role, name, before) if before else iam("DeleteRolePolicy", RoleName=role, PolicyName=name)
    return step_of(f"put policy {name} on role {role}", _put(role, name, deny.document), undo)


def put_unread(deny: Deny) -> Step:
    """One inline policy on a role that was not read: what stands under its name is seen when it is done."""
    return msgspec.structs.replace(put_inline(deny), is_unread=True)


def _put(role: str, name: str, document: str) -> Call:
    return iam("PutRolePolicy", RoleName=role, PolicyName=name, PolicyDocument=document)


def _used(role: Role, name: str) -> int:
    """What the other inline policies take of the room."""
    return sum(length_of(one.document) for one in role.inline if one.name != name)


def _before(role: Role, name: str) -> str:
    return next((one.document for one in role.inline if one.name == name), "")


def _unread(deny: Deny) -> Placing:
    note = (
        f"The role was not read: whether its inline policies leave room for {length_of(deny.document)} more of "
        f"{INLINE_ROOM} characters, and whether one has this policy's name, is not known."
    )
    if length_of(deny.document) > INLINE_ROOM:
        return Placing(deny, troubles=(_too_long(deny.document),))
    return Placing(deny, (put_unread(deny),), (note,))


def attach(role: str, arn: str) -> Step:
    """One managed policy."""
    return step_of(
        f"attach policy {arn.rpartition('/')[2]} to role {role}",
        iam("AttachRolePolicy", RoleName=role, PolicyArn=arn),
        iam("DetachRolePolicy", RoleName=role, PolicyArn=arn),
    )


def _bounded(role: Role, arn: str, deny: Deny) -> Placing:
    note = f"The role has no room for another policy, inline or attached, so its boundary becomes {_ALL}."
    call = iam("PutRolePermissionsBoundary", RoleName=role.name, PermissionsBoundary=arn)
    undo = iam("DeleteRolePermissionsBoundary", RoleName=role.name)
    if role.boundary:
        undo = iam("PutRolePermissionsBoundary", RoleName=role.name, PermissionsBoundary=role.boundary)
    step = step_of(f"make {_ALL} the boundary of role {role.name}", call, undo)
    return Placing(msgspec.structs.replace(deny, is_boundary=True), (step,), (note,))


def _managed(ground: Ground, deny: Deny, role: Role) -> Placing:
    if length_of(deny.document) > MANAGED_ROOM:
        return Placing(deny, troubles=(_too_long(deny.document, INLINE_ROOM - _used(role, deny.name)),))
    arn = ground.iam_arn(f"policy/{deny.name}")
    if len(role.attached) >= ATTACHMENTS:
        text = f"Role {role.name} has no room: its inline policies are full and {len(role.attached)} are attached"
        return Placing(deny, troubles=(Trouble(text, "take a policy off the role, or use deny-all, which needs none"),))
    make = step_of(
        f"make policy {deny.name}",
        iam("CreatePolicy", PolicyName=deny.name, PolicyDocument=deny.document),
        iam("DeletePolicy", PolicyArn=arn),
    )
    note = "The role's inline policies leave no room, so this is made as a managed policy and attached."
    return Placing(deny, (make, attach(role.name, arn)), (note,))


def _too_long(document: str, room: int = INLINE_ROOM) -> Trouble:
    text = f"The policy takes {length_of(document)} characters; the role has room for {max(room, 0)} more inline"
    return Trouble(f"{text}, a managed policy for {MANAGED_ROOM}", "use revoke or deny-all, which are short")
