"""Finds what can only be named once it is there: the ids of what an earlier step made."""

from collections.abc import Iterator, Mapping
from typing import Any

from straykey.contain.clients import Reach, ec2_pages, equals, iam_pages
from straykey.contain.plan import Lookup, Sought, Value
from straykey.formats.text import printable

_ASSOCIATED = ("associating", "associated")
_GONE = frozenset({"deleting", "deleted", "rejected", "failed", "expired"})  # of endpoints


class AbsentError(Exception):
    """What is looked up is not there, or not yet."""


def found(reach: Reach, lookup: Lookup) -> str | None:
    """The id of what is looked up; None if it is not there."""
    match lookup.sought:
        case Sought.ASSOCIATION:
            association = association_of(reach, lookup.of)
            return str(association["AssociationId"]) if association else None
        case Sought.ENDPOINT:
            return next((str(one["VpcEndpointId"]) for one in endpoints_of(reach, lookup.of)), None)
        case Sought.SECURITY_GROUP:
            name, _, vpc = lookup.of.rpartition(" ")
            group = group_of(reach, name, vpc)
            return str(group["GroupId"]) if group else None
        case Sought.MANAGED_POLICY:
            policy = policy_of(reach, lookup.of)
            return str(policy["Arn"]) if policy else None


def association_of(reach: Reach, instance: str) -> Mapping[str, Any] | None:
    """The association of an instance with its profile; while one replaces another, that which still holds."""
    there = associations(reach, equals("instance-id", instance))
    return min(there, key=lambda one: _ASSOCIATED.index(one["State"]), default=None)


def associations(reach: Reach, *filters: Mapping[str, object]) -> Iterator[Mapping[str, Any]]:
    """Which instance has which profile, but for what is being taken off."""
    asked = [*filters, equals("state", *_ASSOCIATED)]
    listed = ec2_pages(
        reach.ec2.describe_iam_instance_profile_associations, "IamInstanceProfileAssociations", Filters=asked
    )
    return (one for one in listed if one["State"] in _ASSOCIATED)


def endpoints_of(reach: Reach, tag: str) -> list[Mapping[str, Any]]:
    """Endpoints that have this value of the tag `straykey`, but for those that are gone or going."""
    listed = ec2_pages(reach.ec2.describe_vpc_endpoints, "VpcEndpoints", Filters=[equals("tag:straykey", tag)])
    return [one for one in listed if str(one["State"]).lower() not in _GONE]


def group_of(reach: Reach, name: str, vpc: str) -> Mapping[str, Any] | None:
    filters = [equals("group-name", name), equals("vpc-id", vpc)]
    return next(ec2_pages(reach.ec2.describe_security_groups, "SecurityGroups", Filters=filters), None)


def policy_of(reach: Reach, name: str) -> Mapping[str, Any] | None:
    """A managed policy of the account's own."""
    listed = iam_pages(reach.iam.list_policies, "Policies", Scope="Local")
    return next((one for one in listed if one["PolicyName"] == name), None)


def resolved(reach: Reach, parameters: Mapping[str, Value]) -> dict[str, Any]:
    """Parameters as boto3 takes them; `AbsentError` if something in them is not there."""
    return {name: _resolved(reach, value) for name, value in parameters.items()}


def _resolved(reach: Reach, value: Value) -> object:
    if isinstance(value, Lookup):
        identity = found(reach, value)
        if identity is None:
            raise AbsentError(f"there is no {value.sought} {printable(value.of)}")
        return identity
    if isinstance(value, Mapping):
        return {name: _resolved(reach, one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [_resolved(reach, one) for one in value]
    return value
