"""Reads of an account how it is set up.

Reading changes nothing.  What cannot be read, for whatever reason, is named in `Posture.unread`, and the rest is read
all the same: of twenty regions one is not enabled, and who may read trails need not be who may list instances.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from straykey import aws
from straykey.contain.clients import Client, ec2_pages, iam_pages
from straykey.contain.patience import Clock, patiently
from straykey.errors import StraykeyError
from straykey.formats.text import printable
from straykey.harden.clients import Clients
from straykey.harden.gathered import (
    defaults_of,
    gate_of,
    machine_of,
    profiles_of,
    trail_of,
    with_selectors,
    with_status,
)
from straykey.harden.posture import Gate, Machine, Organization, Posture, Region, Trail

_T = TypeVar("_T")
_IN_NO_ORGANIZATION = "AWSOrganizationsNotInUseException"

PERMISSIONS = (
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetEventSelectors",
    "cloudtrail:GetTrailStatus",
    "ec2:DescribeInstances",
    "ec2:DescribeVpcEndpointServices",
    "ec2:DescribeVpcEndpoints",
    "ec2:GetInstanceMetadataDefaults",
    "iam:ListInstanceProfiles",
    "organizations:DescribeOrganization",
    "sts:GetCallerIdentity",
)


def read_posture(
    clients: Clients,
    regions: Sequence[str],
    clock: Clock = Clock(),  # noqa: B008 - frozen
) -> Posture:
    """What can be read of the account that the credentials are of, in these regions.

    `SourceError` only if nobody says whose account it is: then nothing at all can be read.
    """
    account, arn = clients.identity()
    return _Reading(clients, clock).posture(account, arn.split(":")[1], tuple(dict.fromkeys(regions)))


class _Reading:
    """One account being read; `unread` grows."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock
        self._unread: list[str] = []

    def posture(self, account: str, partition: str, regions: Sequence[str]) -> Posture:
        return Posture(
            account=account,
            partition=partition,
            organization=self._organization(),
            regions=tuple(self._region(name) for name in regions),
            profiles=self._asked(
                "instance profiles", "iam:ListInstanceProfiles", lambda: profiles_of(self._profiles())
            ),
            trails=self._trails(regions),
            unread=tuple(dict.fromkeys(self._unread)),
        )

    def _asked(self, what: str, permission: str, ask: Callable[[], _T]) -> _T | None:
        """None if it cannot be read, which is noted."""
        try:
            return patiently(self._clock, ask)
        except StraykeyError as error:
            self._unread.append(str(error))  # a client that cannot be made
        except aws.failures() as error:
            denied = f"{printable(what)}: access denied; it needs {permission}"
            refused = aws.refusal(error, printable(what), permission)
            self._unread.append(denied if aws.is_denial(error) else str(refused))
        return None

    def _organization(self) -> Organization | None:
        def ask() -> Organization:
            try:
                found = self._clients.organizations().describe_organization()["Organization"]
            except aws.failures() as error:
                if aws.code_of(error) != _IN_NO_ORGANIZATION:
                    raise
                return Organization()
            return Organization(found["Id"], found.get("MasterAccountId", ""))

        return self._asked("the organization", "organizations:DescribeOrganization", ask)

    def _profiles(self) -> Iterator[Mapping[str, Any]]:
        return iam_pages(self._clients.at().iam.list_instance_profiles, "InstanceProfiles")

    def _region(self, name: str) -> Region:
        return Region(
            name=name,
            gates=self._asked(f"endpoints in {name}", "ec2:DescribeVpcEndpoints", lambda: self._gates(name)),
            services=self._asked(
                f"endpoint services in {name}", "ec2:DescribeVpcEndpointServices", lambda: self._services(name)
            ),
            machines=self._asked(f"instances in {name}", "ec2:DescribeInstances", lambda: self._machines(name)),
            defaults=self._asked(
                f"metadata defaults in {name}",
                "ec2:GetInstanceMetadataDefaults",
                lambda: defaults_of(self._ec2(name).get_instance_metadata_defaults().get("AccountLevel") or {}),
            ),
        )

    def _ec2(self, region: str) -> Client:
        return self._clients.at(region).ec2

    def _gates(self, region: str) -> tuple[Gate, ...]:
        found = ec2_pages(self._ec2(region).describe_vpc_endpoints, "VpcEndpoints")
        return tuple(sorted(map(gate_of, found)))

    def _services(self, region: str) -> tuple[str, ...]:
        return tuple(sorted(ec2_pages(self._ec2(region).describe_vpc_endpoint_services, "ServiceNames")))

    def _machines(self, region: str) -> tuple[Machine, ...]:
        reservations = ec2_pages(self._ec2(region).describe_instances, "Reservations")
        found = (one for reservation in reservations for one in reservation["Instances"])
        return tuple(sorted(machine_of(one, region) for one in found if one["State"]["Name"] != "terminated"))

    def _trails(self, regions: Sequence[str]) -> tuple[Trail, ...] | None:
        """Those that any of the regions knows, each read at home; None if no region told of any."""
        said = [self._trails_in(region) for region in regions or (self._clients.region,)]
        known = [one for one in said if one is not None]
        trails = {trail.arn: trail for found in known for trail in found}
        return tuple(self._completed(trails[arn]) for arn in sorted(trails)) if known else None

    def _trails_in(self, region: str) -> tuple[Trail, ...] | None:
        def ask() -> tuple[Trail, ...]:
            answer = self._clients.cloudtrail(region).describe_trails(includeShadowTrails=True)
            return tuple(trail_of(one, region) for one in answer["trailList"])

        return self._asked(f"trails in {region}", "cloudtrail:DescribeTrails", ask)

    def _completed(self, trail: Trail) -> Trail:
        # By ARN: of an organization's trail a member account must say whose it is.
        home, where = trail.home_region, f"trail {trail.name}"
        status = self._asked(
            f"status of {where}",
            "cloudtrail:GetTrailStatus",
            lambda: self._clients.cloudtrail(home).get_trail_status(Name=trail.arn),
        )
        selectors = self._asked(
            f"selectors of {where}",
            "cloudtrail:GetEventSelectors",
            lambda: self._clients.cloudtrail(home).get_event_selectors(TrailName=trail.arn),
        )
        told = with_status(trail, status) if status is not None else trail
        return with_selectors(told, selectors) if selectors is not None else told
