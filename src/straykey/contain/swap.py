"""A copy of the role for the instance, and the old role denied.

The order is what matters: first the copy is whole, then the instance gets it, then the old role is denied.  Undone
the other way round, the old role works before the instance gets it back.
"""

from straykey.contain.account import Instance, Role
from straykey.contain.broad import shared
from straykey.contain.ground import Draft, Ground, cannot, iam
from straykey.contain.needs import step_of
from straykey.contain.placing import attach, placed_everything
from straykey.contain.plan import Call, Lookup, Option, Sought, Step, Value
from straykey.contain.wording import DENY_ALL

_OPTION = Option.SWAP_ROLE
_LOCKS = ("straykey-deny-all-", "straykey-swap-role-", "straykey-revoke-", "straykey-vpc-endpoint-")
_DENIES_ALL = "/AWSDenyAll"
_OF_AWS = "aws:"  # tags that begin so are AWS's own: nobody else may set them


def swap_role(ground: Ground) -> Draft:
    """Copy the role, give the copy to the instance, deny the old one."""
    role, instance = ground.role, ground.instance
    if role is None or instance is None:
        what = "role" if role is None else "instance"
        text = f"The {what} was not read, so it cannot be copied or put back"
        return cannot(text, "read the account", ground.denies(_OPTION, DENY_ALL))
    if instance.state not in ("running", "stopped"):
        text = f"The instance is {instance.state}: its profile can be changed when it is running or stopped"
        return cannot(text, "", ground.denies(_OPTION, DENY_ALL))
    placing = placed_everything(ground, _OPTION)
    steps = (*_copy(ground, role), *_profile(ground, role), *_handing(ground, instance), *placing.steps)
    return Draft((placing.deny,), steps, (), (*_notes(ground, role), *placing.notes), (), placing.troubles)


def _copy(ground: Ground, role: Role) -> list[Step]:
    name = ground.name(_OPTION)
    steps = [_role(name, role)]
    steps += [
        step_of(
            f"copy policy {one.name} to role {name}",
            iam("PutRolePolicy", RoleName=name, PolicyName=one.name, PolicyDocument=one.document),
            iam("DeleteRolePolicy", RoleName=name, PolicyName=one.name),
        )
        for one in role.inline
        if not _is_lock(one.name)
    ]
    return steps + [attach(name, arn) for arn in role.attached if not arn.endswith(_DENIES_ALL)]


def _is_lock(policy: str) -> bool:
    """A Deny of ours from before, which would lock the workload out of the copy, too; a pin goes with it."""
    return policy.startswith(_LOCKS)


def _role(name: str, role: Role) -> Step:
    said: dict[str, Value] = {
        "RoleName": name,
        "Path": role.path,
        "AssumeRolePolicyDocument": role.trust,
        "MaxSessionDuration": role.max_session_seconds,
    }
    if role.description:
        said["Description"] = role.description
    if role.boundary and not role.boundary.endswith(_DENIES_ALL):
        said["PermissionsBoundary"] = role.boundary
    tags = tuple({"Key": tag.key, "Value": tag.value} for tag in role.tags if not tag.key.lower().startswith(_OF_AWS))
    if tags:
        said["Tags"] = tags
    call = Call("iam", "CreateRole", said)
    return step_of(f"make role {name}, a copy of {role.name}", call, iam("DeleteRole", RoleName=name))


def _profile(ground: Ground, role: Role) -> list[Step]:
    name = ground.name(_OPTION)
    return [
        step_of(
            f"make instance profile {name}",
            iam("CreateInstanceProfile", InstanceProfileName=name, Path=role.path),
            iam("DeleteInstanceProfile", InstanceProfileName=name),
        ),
        step_of(
            f"put role {name} into its profile",
            iam("AddRoleToInstanceProfile", InstanceProfileName=name, RoleName=name),
            iam("RemoveRoleFromInstanceProfile", InstanceProfileName=name, RoleName=name),
        ),
    ]


def _handing(ground: Ground, instance: Instance) -> list[Step]:
    """Give the instance the new profile: at one go where it runs, else by taking the old one off first."""
    new: Value = {"Name": ground.name(_OPTION)}
    old: Value = {"Arn": instance.profile}
    association = Lookup(Sought.ASSOCIATION, instance.id)  # each has another id
    take = ground.ec2("DisassociateIamInstanceProfile", AssociationId=association)

    def give(profile: Value) -> Call:
        return ground.ec2("AssociateIamInstanceProfile", InstanceId=instance.id, IamInstanceProfile=profile)

    def swap(profile: Value) -> Call:
        return ground.ec2("ReplaceIamInstanceProfileAssociation", AssociationId=association, IamInstanceProfile=profile)

    name = f"give instance {instance.id} the new profile"
    if instance.profile and instance.state == "running":
        return [step_of(name, swap(new), swap(old))]
    given = step_of(name, give(new), take)
    if not instance.profile:
        return [given]
    return [step_of(f"take its profile off instance {instance.id}", take, give(old)), given]


def _notes(ground: Ground, role: Role) -> tuple[str, ...]:
    arn = ground.iam_arn(f"role{role.path}{ground.name(_OPTION)}")
    said = [
        f"The new role is {arn}. Policies of buckets, keys and other roles that name {role.arn} do not know it yet.",
        *shared(ground),
    ]
    left = [tag.key for tag in role.tags if tag.key.lower().startswith(_OF_AWS)]
    if left:
        said.append(f"Tags that AWS set cannot be copied: {', '.join(sorted(left))}.")
    return tuple(said)
