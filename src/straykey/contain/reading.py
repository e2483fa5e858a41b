"""Reads of an account what a containment is planned from: the role, the instance, and what they share with others.

Reading changes nothing.  What may not be read is named, and the rest is read all the same.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from straykey import aws
from straykey.contain.account import Account, Endpoint, InlinePolicy, Instance, Interface, Role, Tag
from straykey.contain.clients import Clients, ec2_pages, equals, iam_pages
from straykey.contain.lookup import association_of, associations
from straykey.contain.patience import Clock, patiently
from straykey.contain.room import inline_policies, minified
from straykey.errors import SourceError
from straykey.formats.text import printable

_T = TypeVar("_T")
_Listed = list[Mapping[str, Any]]

_REGION = re.compile(r"[a-z]{2,8}(-[a-z]{2,16}){1,3}-[0-9]{1,2}")  # what a log calls one may be anything
_NOT_THERE = frozenset({"InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound", "NoSuchEntity"})


def read_account(
    clients: Clients,
    account: str,
    role: str,
    instance: str = "",
    region: str = "",
    clock: Clock = Clock(),  # noqa: B008 - frozen
    elsewhere: Iterable[str] = (),
) -> Account:
    """What can be read of this role and this instance; without an instance, of the role alone.

    `elsewhere`: further regions to look for instances of the role in, as logs name them.  A profile is of no region, so
    that others were not looked at is told.

    `ContainError` if the credentials are of another account, `SourceError` if AWS cannot be reached at all.
    """
    clients.check_account(account)
    here = region or clients.region
    regions = dict.fromkeys([here, *sorted(one for one in elsewhere if _REGION.fullmatch(one))])
    return _Reading(clients, here, tuple(regions), clock).account(account, role, instance)


class _Reading:
    """One account being read; `unread` grows."""

    def __init__(self, clients: Clients, here: str, regions: tuple[str, ...], clock: Clock) -> None:
        self._clients = clients
        self._at = clients.at(here)
        self._regions = regions
        self._clock = clock
        self._unread: list[str] = []

    def account(self, account: str, role_name: str, instance_id: str) -> Account:
        role = self._role(role_name)
        instance = self._instance(instance_id) if instance_id else None
        vpc = instance.vpc if instance else ""
        others = self._others(role, instance_id) if role else ()
        return Account(
            id=account,
            role=role,
            instance=instance,
            others=others,
            endpoints=self._endpoints(vpc) if vpc else (),
            services=self._services() if instance else (),
            route_tables=self._route_tables(vpc) if vpc else (),
            neighbours=self._neighbours(others, vpc) if vpc else None,
            unread=tuple(dict.fromkeys(self._unread)),
        )

    def _asked(self, what: str, permission: str, ask: Callable[[], _T], otherwise: _T) -> _T:
        """`otherwise` if it is not there, or if it may not be read, which is noted."""
        try:
            return patiently(self._clock, ask)
        except aws.failures() as error:
            if aws.code_of(error) in _NOT_THERE:
                self._unread.append(f"{printable(what)}: it is not there")
                return otherwise
            if not aws.is_denial(error):
                raise aws.refusal(error, printable(what), permission) from error
            self._unread.append(f"{printable(what)}: access denied; it needs {permission}")
            return otherwise

    def _role(self, name: str) -> Role | None:
        iam = self._at.iam
        where = f"role {name}"
        found: Mapping[str, Any] = self._asked(where, "iam:GetRole", lambda: iam.get_role(RoleName=name)["Role"], {})
        if not found:
            return None
        inline: dict[str, str] = self._asked(
            f"inline policies of {where}",
            "iam:ListRolePolicies and iam:GetRolePolicy",
            lambda: inline_policies(self._at, name),
            {},
        )
        attached: _Listed = self._asked(
            f"attached policies of {where}",
            "iam:ListAttachedRolePolicies",
            lambda: list(iam_pages(iam.list_attached_role_policies, "AttachedPolicies", RoleName=name)),
            [],
        )
        profiles: _Listed = self._asked(
            f"instance profiles of {where}",
            "iam:ListInstanceProfilesForRole",
            lambda: list(iam_pages(iam.list_instance_profiles_for_role, "InstanceProfiles", RoleName=name)),
            [],
        )
        return Role(
            name=found["RoleName"],
            arn=found["Arn"],
            path=found["Path"],
            id=found["RoleId"],
            trust=minified(found["AssumeRolePolicyDocument"]),
            inline=tuple(sorted(InlinePolicy(policy, document) for policy, document in inline.items())),
            attached=tuple(sorted(one["PolicyArn"] for one in attached)),
            boundary=found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
            tags=tuple(sorted(Tag(tag["Key"], tag["Value"]) for tag in found.get("Tags", []))),
            description=found.get("Description", ""),
            max_session_seconds=found.get("MaxSessionDuration", 3600),
            profiles=tuple(sorted(one["Arn"] for one in profiles)),
        )

    def _instance(self, identity: str) -> Instance | None:
        ec2 = self._at.ec2
        asked = {"InstanceIds": [identity]}
        found: _Listed = self._asked(
            f"instance {identity}",
            "ec2:DescribeInstances",
            lambda: list(_instances(ec2_pages(ec2.describe_instances, "Reservations", **asked))),
            [],
        )
        if not found:
            return None
        association = self._asked(
            f"profile of instance {identity}",
            "ec2:DescribeIamInstanceProfileAssociations",
            lambda: association_of(self._at, identity),
            None,
        )
        return _instance_of(found[0], association, ec2.meta.region_name, self._has_store(found[0]))

    def _has_store(self, found: Mapping[str, Any]) -> bool:
        """Whether it has disks that lose what is on them when it stops; of a type that is not told, no."""
        ec2 = self._at.ec2
        kind = found.get("InstanceType", "")
        asked = {"InstanceTypes": [kind]}
        types: _Listed = self._asked(
            f"instance type {kind}",
            "ec2:DescribeInstanceTypes",
            lambda: list(ec2_pages(ec2.describe_instance_types, "InstanceTypes", **asked)),
            [],
        )
        return any(one.get("InstanceStorageSupported", False) for one in types)

    def _others(self, role: Role, instance: str) -> tuple[str, ...]:
        if not role.profiles:
            return ()
        found = [one for region in self._regions for one in self._associated(role, region)]
        self._unread.append(
            f"instances of role {printable(role.name)} outside {', '.join(self._regions)}: not looked for"
        )
        held = {one["InstanceId"] for one in found if one["IamInstanceProfile"]["Arn"] in role.profiles}
        return tuple(sorted(held - {instance}))

    def _associated(self, role: Role, region: str) -> _Listed:
        what = f"other instances of role {role.name} in {region}"
        at, permission = self._clients.at(region), "ec2:DescribeIamInstanceProfileAssociations"
        try:
            return self._asked(what, permission, lambda: list(associations(at)), [])
        except SourceError as error:
            if at is self._at:
                raise
            self._unread.append(str(error))  # a region that is switched off, say
            return []

    def _endpoints(self, vpc: str) -> tuple[Endpoint, ...]:
        ec2 = self._at.ec2
        filters = [equals("vpc-id", vpc)]
        found: _Listed = self._asked(
            f"endpoints of {vpc}",
            "ec2:DescribeVpcEndpoints",
            lambda: list(ec2_pages(ec2.describe_vpc_endpoints, "VpcEndpoints", Filters=filters)),
            [],
        )
        endpoints = (
            Endpoint(
                one["VpcEndpointId"],
                vpc,
                one["ServiceName"],
                one.get("VpcEndpointType", "Gateway"),
                one["State"].lower(),
            )
            for one in found
        )
        return tuple(sorted(endpoints))

    def _services(self) -> tuple[str, ...]:
        ec2 = self._at.ec2
        found: list[str] = self._asked(
            "endpoint services",
            "ec2:DescribeVpcEndpointServices",
            lambda: list(ec2_pages(ec2.describe_vpc_endpoint_services, "ServiceNames")),
            [],
        )
        return tuple(sorted(found))

    def _route_tables(self, vpc: str) -> tuple[str, ...]:
        ec2 = self._at.ec2
        filters = [equals("vpc-id", vpc)]
        found: _Listed = self._asked(
            f"route tables of {vpc}",
            "ec2:DescribeRouteTables",
            lambda: list(ec2_pages(ec2.describe_route_tables, "RouteTables", Filters=filters)),
            [],
        )
        return tuple(sorted(one["RouteTableId"] for one in found))

    def _neighbours(self, others: tuple[str, ...], vpc: str) -> tuple[str, ...] | None:
        if not others:
            return ()
        ec2 = self._at.ec2
        filters = [equals("vpc-id", vpc)]
        found: list[str] | None = self._asked(
            f"other instances in {vpc}",
            "ec2:DescribeInstances",
            # All of the VPC: one that is gone meanwhile, asked for by its id, would be an error.
            lambda: [
                one["InstanceId"]
                for one in _instances(ec2_pages(ec2.describe_instances, "Reservations", Filters=filters))
            ],
            None,
        )
        return None if found is None else tuple(sorted({*found} & {*others}))


def _instances(reservations: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (one for reservation in reservations for one in reservation["Instances"])


def _instance_of(
    found: Mapping[str, Any], association: Mapping[str, Any] | None, region: str, has_store: bool
) -> Instance:
    options = found.get("MetadataOptions", {})
    interfaces = (
        Interface(one["NetworkInterfaceId"], tuple(group["GroupId"] for group in one["Groups"]))
        for one in found.get("NetworkInterfaces", [])
    )
    return Instance(
        id=found["InstanceId"],
        region=region,
        state=found["State"]["Name"],
        vpc=found.get("VpcId", ""),
        subnet=found.get("SubnetId", ""),
        association=association["AssociationId"] if association else "",
        profile=association["IamInstanceProfile"]["Arn"] if association else "",
        interfaces=tuple(sorted(interfaces)),
        http_tokens=options.get("HttpTokens", ""),
        http_endpoint=options.get("HttpEndpoint", ""),
        hop_limit=options.get("HttpPutResponseHopLimit", 0),
        has_instance_store=has_store,
        is_spot=found.get("InstanceLifecycle", "") == "spot",
    )
