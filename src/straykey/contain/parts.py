"""What the languages of `emit` have in common: remarks, lookups, the order of undoing."""

import re
from collections.abc import Iterable, Iterator

from straykey.contain.plan import Call, Lookup, Plan, Sought, Value
from straykey.contain.refusal import NOT_THERE, passing
from straykey.formats.text import printable

MISSING = "Missing"  # our own word for what a lookup does not find
# By the words of EC2's own API: the operation, its filters, where in the answer the id is.
LOOKUPS: dict[Sought, tuple[str, tuple[str, ...], str, str]] = {
    Sought.ASSOCIATION: (
        "DescribeIamInstanceProfileAssociations",
        ("instance-id",),
        "IamInstanceProfileAssociations",
        "AssociationId",
    ),
    Sought.ENDPOINT: ("DescribeVpcEndpoints", ("tag:straykey",), "VpcEndpoints", "VpcEndpointId"),
    Sought.SECURITY_GROUP: ("DescribeSecurityGroups", ("group-name", "vpc-id"), "SecurityGroups", "GroupId"),
}


def remarks(plan: Plan) -> Iterator[str]:
    """What a reader must know, in lines that hold no character that could end them."""
    yield f"straykey: {plan.option.value}"
    for title, said in (("Limit", plan.limits), ("Note", plan.notes), ("By hand", plan.manual)):
        for one in said:
            yield f"{title}: {printable(one)}"


def undoing(plan: Plan) -> list[Call]:
    """All calls that undo the plan, the last step's first."""
    return [call for step in reversed(plan.steps) for call in step.undo]


def lookups(call: Call) -> list[Lookup]:
    """What must be looked up before the call, each once."""
    return list(dict.fromkeys(_within(dict(call.parameters))))


def _within(value: Value) -> Iterator[Lookup]:
    if isinstance(value, Lookup):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _within(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _within(one)


def filters(lookup: Lookup) -> list[tuple[str, str]]:
    """Name and value of each filter that finds it."""
    names = LOOKUPS[lookup.sought][1]
    found = list(zip(names, lookup.of.split(" ", len(names) - 1), strict=True))
    # The one before is listed for a while.
    return [*found, ("state", "associated")] if lookup.sought is Sought.ASSOCIATION else found


def words(name: str, between: str) -> str:
    """`PutRolePolicy` as `put-role-policy`, or with `_` as `put_role_policy`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", between, name).lower()


def passes(call: Call, before: Iterable[Call]) -> tuple[str, ...]:
    """Codes of refusals that pass with time, `MISSING` for a lookup: `before` may just have made what is sought."""
    of_profile = "IamInstanceProfile" in call.operation  # IAM's; and one association replaces another for a while
    is_new = any(one.operation.startswith("Create") and (one.service == call.service or of_profile) for one in before)
    missing = {MISSING} if lookups(call) and (is_new or of_profile) else set()
    return tuple(sorted(passing(call.operation, is_new=is_new) | missing))


def is_done_by(call: Call) -> tuple[str, ...]:
    """Codes that say of a step's own call that it is done: the rule to take away is not there."""
    return ("InvalidPermission.NotFound",) if call.operation == "RevokeSecurityGroupEgress" else ()


# Of the calls that undo: what is not there any more need not be taken away, or given anything back.
GONE = tuple(sorted({*NOT_THERE, MISSING}))


def mark_of(value: Value) -> str:
    """The value of the one tag that all of ours have."""
    first = value[0] if isinstance(value, tuple) else None
    tags = first["Tags"] if isinstance(first, dict) else None
    tag = tags[0] if isinstance(tags, tuple) else None
    return str(tag["Value"]) if isinstance(tag, dict) else ""
