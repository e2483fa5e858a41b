"""Why a network is fine for a session: each explanation is one function and its line in `EXPLANATIONS`.

They are tried in that order, and the first that holds names the verdict.  A function returns the reason in words, or
None; what it says must name its evidence.
"""

from collections.abc import Callable

import msgspec

from straykey.core.agent import family
from straykey.core.beacon import issue_time
from straykey.core.case import Case
from straykey.core.evidence import Evidence, Sighting, instance_of
from straykey.core.fleet import services_of
from straykey.core.grant import Grant
from straykey.core.moment import seconds
from straykey.core.move import has_left
from straykey.core.network import PUBLIC_LANES, Lane
from straykey.core.ranges import AwsRanges
from straykey.core.workload import Home


class Explanation(msgspec.Struct, frozen=True):
    """`holds` returns the reason in words, or None.  With `is_home`, what it covers is home and counts as such."""

    code: str
    is_home: bool
    holds: Callable[[Case], str | None]


def _service_call(case: Case) -> str | None:
    if case.sighting.network.lane is not Lane.SERVICE:
        return None
    return f"{case.sighting.network.address} acted for the session"


def _trusted_network(case: Case) -> str | None:
    trusted = case.scene.trusted
    return f"in {trusted}, which you trust (--trusted-network)" if trusted is not None else None


def _endpoint_pair(case: Case) -> str | None:
    """The session's first private address, over an endpoint that is ours; a function may show any."""
    network = case.sighting.network
    if case.subject.home is Home.REGION and network.lane is Lane.ENDPOINT:
        return _why_endpoint_is_ours(case)
    if not case.homes:
        return None
    if network.lane is Lane.ENDPOINT and network.address in case.addresses_in(*PUBLIC_LANES):
        return f"its public home address, through {network.endpoint}"
    settled = case.addresses_in(Lane.ENDPOINT, Lane.PRIVATE)
    if network.lane is Lane.PRIVATE and network.address in settled:
        return "the private address it also uses through its endpoint"
    if network.lane is not Lane.ENDPOINT or (settled and network.address not in settled):
        return None
    return _why_endpoint_is_ours(case)


def _why_endpoint_is_ours(case: Case) -> str | None:
    network = case.sighting.network
    owner = case.context.fleet.endpoint_owner(network)
    if owner == case.account:
        return f"private address {network.address}, through {network.endpoint} of its own account"
    if owner:
        ours = f"private address {network.address}, through {network.endpoint} of our account {owner}"
        return ours if case.scene.is_ours(owner) else None
    if case.context.fleet.lives_behind(case.account, network):
        where = f"private address {network.address}, through {network.endpoint}"
        return f"{where}, where others of the account live: {_neighbours(case, network.endpoint)}"
    return _why_endpoint_goes_with_home(case)


def _why_endpoint_goes_with_home(case: Case) -> str | None:
    """Services that do not record the endpoint's owner yet, in a fleet so small that nobody else calls them.

    A thief who rents an endpoint and picks the victim's private address stays visible: by a service that does name
    owners, as the rival of the endpoint the account has for that service, by another key, or by another program.
    """
    network = case.sighting.network
    alike = [one for one in case.evidence.sightings.values() if one.network.address == network.address]
    vouching = [one for one in alike if one.network.endpoint_owner and case.scene.is_ours(one.network.endpoint_owner)]
    fleet, services = case.context.fleet, services_of(case.sighting)
    if (
        not vouching
        or fleet.names_owners(services)
        or not fleet.is_only_endpoint(network.endpoint, services, case.account)
    ):
        return None
    keys = {key for one in (*vouching, *case.homes) for key in one.keys.times}
    families = {family(agent) for one in (*vouching, *case.homes) for agent in one.agents.events}
    if case.sighting.keys.times.keys() <= keys and {family(agent) for agent in case.sighting.agents.events} <= families:
        return f"address, key and programs of its home, through {network.endpoint}, the account's only one for this"
    return None


def _dual_stack(case: Case) -> str | None:
    if case.sighting.network.lane is not Lane.PUBLIC_V6 or not case.homes or case.home_in(Lane.PUBLIC_V6):
        return None
    return _why_own_region(case, "first IPv6 address")


def _address_grant(case: Case) -> str | None:
    """A record before first use names this address for this instance, and nothing has taken it away since."""
    grant = None if case.is_default else case.scene.granted(at=case.sighting.first.time)
    if grant is None or (case.sighting.network.lane is Lane.ENDPOINT and _why_endpoint_is_ours(case) is None):
        return None
    return f"{_told(grant)} gave this address to the instance"


def _network_change(case: Case) -> str | None:
    """A record gave the instance an address without naming it; it covers one AWS address, the earliest after it."""
    if case.is_default or not case.is_in_own_region or not case.is_public or case.scene.is_others:
        return None
    holdings, instance = case.context.fleet.holdings, case.subject.instance
    if not holdings.knows(instance):
        return None
    # What an earlier new address may have come of is spent.
    since = case.subject.last_new_before(case.sighting)
    for grant in holdings.unnamed(instance, case.sighting.first.time, after=since):
        if not _kept_address(grant, case):
            return f"{_told(grant)} gave the instance an address; this is the first new one after it"
    return None


def _kept_address(grant: Grant, case: Case) -> bool:
    """A restart takes the old address away; where a home from before is used after it, it has changed nothing."""
    return grant.api == "StartInstances" and any(
        home.network.lane is case.sighting.network.lane and home.first.time < grant.time < home.last.time
        for home in case.homes
    )


def _nat_address(case: Case) -> str | None:
    if case.is_default or not case.is_public:
        return None
    holdings = case.context.fleet.holdings
    vpc = holdings.vpc_of(case.subject.instance) if case.subject.instance else ""
    grant = holdings.nat(case.sighting.network.address, vpc, case.account, case.sighting.first.time)
    if grant is None:
        return None
    return f"{_told(grant)} gave this address to {grant.nat}, a NAT gateway of its {'VPC' if vpc else 'account'}"


def _shared_egress(case: Case) -> str | None:
    if case.is_default or not case.is_public:
        return None
    if case.scene.is_shared:
        return (
            f"other instances of the account live at this address: {_neighbours(case, case.sighting.network.address)}"
        )
    fleet, address = case.context.fleet, case.sighting.network.address
    for other in _pool(case):
        if fleet.shares_pool(address, other.network.address, case.account, case.subject.who):
            return f"another instance that lives at this address also uses {other.network.address}: they share a pool"
    return None


def _neighbours(case: Case, place: str) -> str:
    """A few others of the account that live at a place, by name."""
    return case.context.fleet.neighbours_in_words(place, case.account, case.evidence.session.arn)


def _pool(case: Case) -> tuple[Sighting, ...]:
    """The session's public homes; before it has one, where else it is settled: an egress beside its endpoints."""
    if case.home_in(*PUBLIC_LANES) is not None:
        return case.homes
    return tuple(one for one in case.subject.settled if one.network.key != case.sighting.network.key)


def _egress_moved(case: Case) -> str | None:
    if not case.is_public:
        return None
    fleet, new = case.context.fleet, case.sighting.network.address
    for home in case.homes:
        old = home.network.address
        if has_left(home.last.time, case.sighting.first.time) and fleet.has_moved(old, new):
            return fleet.move_in_words(old, new)
    return None


def _beacon(case: Case) -> str | None:
    """What opens a lane with the call that an instance makes at boot; `core.home` says when it may."""
    beacon = case.subject.beacon
    if beacon is None or not case.scene.has_beacon or case.homes:
        return None
    taken = seconds(beacon.event.time) - seconds(issue_time(beacon, case.evidence))
    return f"made the beacon's call (event {beacon.event.event_id}), {taken} s after the session's first key was issued"


def _own_region(case: Case) -> str | None:
    """Where AWS in its region is home; or what is home because the network that called first lies outside AWS."""
    if case.is_default or not case.is_in_own_region:
        return None
    where = case.prefix.region if case.prefix else case.sighting.network.endpoint
    if case.subject.home is Home.REGION and case.is_public:
        return f"in AWS {where}, the function's region"
    if case.homes or case.subject.home is Home.REGION:
        return None
    return f"in AWS {where} like the instance, while the network that called first is not"


def _issued_here(case: Case) -> str | None:
    """A pod asked for every key used there from there, in AWS in its cluster's region."""
    keys = case.sighting.keys.times.keys()
    asked = {key for key, one in case.evidence.issuances.items() if one.network == case.sighting.network.key}
    if not keys or not keys <= asked or not case.is_in_own_region:
        return None
    return "the pod asked for its key from here, in AWS in its cluster's region"


def _first_use(case: Case) -> str | None:
    """The lock: what is used first is home; a public IPv4 lane may also open beside another home, in own region."""
    lane = case.sighting.network.lane
    if lane in (Lane.SERVICE, Lane.OTHER) or case.subject.home is Home.REGION:
        return None
    if not case.homes:
        return "the network it was used from first" if case.is_earliest else "the first network that can be its home"
    if lane is Lane.PUBLIC and not case.home_in(Lane.PUBLIC):
        return _why_own_region(case, "first public IPv4 address")
    return None


def _why_own_region(case: Case, what: str) -> str | None:
    """A public lane that opens beside a home must be AWS's, in the instance's region, and not another account's."""
    if case.prefix is None or case.prefix.region != region_beside(case.subject.region, case.homes, case.context.ranges):
        return None
    return None if case.scene.is_others else f"{what}, in AWS {case.prefix.region} like the instance"


def _told(grant: Grant) -> str:
    return f"{grant.api} at {grant.time} (event {grant.event_id})"


def region_of(evidence: Evidence, homes: tuple[Sighting, ...], ranges: AwsRanges | None) -> str:
    """The workload's region: as its records name it, else its endpoint's or its public home's; else empty."""
    return region_beside(instance_of(evidence)[1], homes, ranges)


def region_beside(known: str, homes: tuple[Sighting, ...], ranges: AwsRanges | None) -> str:
    """The region as records name it, if they do, else that of its homes.

    A call through an endpoint is made in the endpoint's own region, one from a private address most likely too.
    """
    endpoint = next((home.first.region for home in homes if home.network.lane in (Lane.ENDPOINT, Lane.PRIVATE)), "")
    region = known or endpoint
    if region or ranges is None:
        return region
    prefixes = (ranges.lookup(home.network.address) for home in homes if home.network.lane in PUBLIC_LANES)
    return next((prefix.region for prefix in prefixes if prefix), "")


EXPLANATIONS = (
    Explanation("service-call", is_home=False, holds=_service_call),
    Explanation("trusted-network", is_home=True, holds=_trusted_network),
    Explanation("endpoint-pair", is_home=True, holds=_endpoint_pair),
    Explanation("dual-stack", is_home=True, holds=_dual_stack),
    Explanation("address-grant", is_home=True, holds=_address_grant),
    Explanation("network-change", is_home=True, holds=_network_change),
    Explanation("nat-address", is_home=True, holds=_nat_address),
    Explanation("shared-egress", is_home=True, holds=_shared_egress),
    Explanation("egress-moved", is_home=True, holds=_egress_moved),
    Explanation("beacon", is_home=True, holds=_beacon),
    Explanation("own-region", is_home=True, holds=_own_region),
    Explanation("issued-here", is_home=True, holds=_issued_here),
    Explanation("first-use", is_home=True, holds=_first_use),
)
