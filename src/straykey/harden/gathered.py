"""AWS's answers, as values: what is left out of an answer is empty here."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from straykey.contain.account import Endpoint
from straykey.harden.posture import (
    BasicSelector,
    DataResource,
    Defaults,
    Field,
    Gate,
    Held,
    Machine,
    Selector,
    Trail,
)

_Said = Mapping[str, Any]


def gate_of(said: _Said) -> Gate:
    endpoint = Endpoint(
        said["VpcEndpointId"],
        said.get("VpcId", ""),
        said["ServiceName"],
        said.get("VpcEndpointType", "Gateway"),
        said.get("State", "").lower(),
    )
    document = said.get("PolicyDocument", "")
    return Gate(endpoint, not _allows_all(document) if document else None)


def _allows_all(document: str) -> bool:
    """Whether it is the policy that an endpoint has of itself; what cannot be read is somebody's own."""
    try:
        statements = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    (said,) = statements if isinstance(statements, list) and len(statements) == 1 else (statements,)
    if not isinstance(said, dict) or said.keys() - {"Sid", "Effect", "Principal", "Action", "Resource"}:
        return False
    return said.get("Effect") == "Allow" and all(
        said.get(element) in ("*", ["*"], {"AWS": "*"}) for element in ("Principal", "Action", "Resource")
    )


def machine_of(said: _Said, region: str) -> Machine:
    options = said.get("MetadataOptions", {})
    interfaces = said.get("NetworkInterfaces", [])
    private = [one for interface in interfaces for one in interface.get("PrivateIpAddresses", [])]
    v4 = {said.get("PrivateIpAddress", ""), *(one.get("PrivateIpAddress", "") for one in private)}
    v6 = {one["Ipv6Address"] for interface in interfaces for one in interface.get("Ipv6Addresses", [])}
    public = {said.get("PublicIpAddress", ""), *(one.get("Association", {}).get("PublicIp", "") for one in private)}
    return Machine(
        id=said["InstanceId"],
        region=region,
        state=said["State"]["Name"],
        vpc=said.get("VpcId", ""),
        address=said.get("PrivateIpAddress", ""),
        addresses=tuple(sorted((v4 | v6) - {""})),
        public_addresses=tuple(sorted(public - {""})),
        profile=said.get("IamInstanceProfile", {}).get("Arn", ""),
        http_tokens=options.get("HttpTokens", ""),
        http_endpoint=options.get("HttpEndpoint", ""),
        hop_limit=options.get("HttpPutResponseHopLimit", 0),
    )


def defaults_of(said: _Said) -> Defaults:
    return Defaults(
        http_tokens=said.get("HttpTokens", ""),
        http_endpoint=said.get("HttpEndpoint", ""),
        hop_limit=said.get("HttpPutResponseHopLimit", 0),
        http_tokens_enforced=said.get("HttpTokensEnforced", ""),
        managed_by=said.get("ManagedBy", ""),
    )


def profiles_of(said: Iterable[_Said]) -> tuple[Held, ...]:
    """A profile holds one role at most."""
    return tuple(sorted(Held(one["Arn"], role["Arn"]) for one in said for role in one.get("Roles", [])))


def trail_of(said: _Said, region: str) -> Trail:
    """What DescribeTrails says of it in this region."""
    return Trail(
        name=said["Name"],
        arn=said["TrailARN"],
        home_region=said.get("HomeRegion", region),
        is_multi_region=said.get("IsMultiRegionTrail", False),
        has_global_events=said.get("IncludeGlobalServiceEvents", False),
        is_organization=said.get("IsOrganizationTrail", False),
    )


def with_status(trail: Trail, said: _Said) -> Trail:
    return replace(trail, is_logging=said.get("IsLogging", False), delivery_error=said.get("LatestDeliveryError") or "")


def with_selectors(trail: Trail, said: _Said) -> Trail:
    return replace(
        trail,
        basic=tuple(map(_basic, said.get("EventSelectors") or ())),
        advanced=tuple(map(_advanced, said.get("AdvancedEventSelectors") or ())),
    )


def _basic(said: _Said) -> BasicSelector:
    resources = said.get("DataResources", ())
    return BasicSelector(
        read_write=said.get("ReadWriteType", "All"),
        has_management=said.get("IncludeManagementEvents", True),
        data=tuple(DataResource(one["Type"], tuple(one.get("Values", ()))) for one in resources),
        excluded=tuple(said.get("ExcludeManagementEventSources", ())),
    )


def _advanced(said: _Said) -> Selector:
    return Selector(said.get("Name", ""), tuple(map(_field, said["FieldSelectors"])))


def _field(said: _Said) -> Field:
    return Field(
        said["Field"],
        equals=tuple(said.get("Equals", ())),
        starts=tuple(said.get("StartsWith", ())),
        ends=tuple(said.get("EndsWith", ())),
        not_equals=tuple(said.get("NotEquals", ())),
        not_starts=tuple(said.get("NotStartsWith", ())),
        not_ends=tuple(said.get("NotEndsWith", ())),
    )
