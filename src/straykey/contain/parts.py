"""What the languages of `emit` have in common: remarks, lookups, the order of undoing."""

import re
from collections.abc import Iterator

from straykey.contain.plan import Call, Lookup, Plan, Sought, Value
from straykey.formats.text import printable

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


def is_only_where_v6(call: Call) -> bool:
    """Whether it takes a rule away that is there only where the VPC has IPv6: elsewhere AWS answers with an error."""
    rules = call.parameters.get("IpPermissions")
    is_v6 = isinstance(rules, tuple) and any(isinstance(one, dict) and "Ipv6Ranges" in one for one in rules)
    return call.operation == "RevokeSecurityGroupEgress" and is_v6
