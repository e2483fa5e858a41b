"""Which networks of a session are home or explained, and why; what no explanation covers is stray.

A session's networks are taken in the order of their first use, and each is put before `EXPLANATIONS` in turn; the
first that holds names the verdict.  The lock of 2018 is one of them: the first network used is home.  To add an
explanation, write one function and its line in `EXPLANATIONS`.

Will Bengtson, "Detecting Credential Compromise in AWS" (2018), is where the lock comes from.
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from straykey.core.agent import family
from straykey.core.evidence import Evidence, Sighting, instance_of
from straykey.core.fleet import Fleet
from straykey.core.network import LOCKABLE, PUBLIC_LANES, Lane, Network, parse_address
from straykey.core.ranges import AwsRanges
from straykey.core.record import Event
from straykey.core.sample import Events, Firsts
from straykey.core.settings import Settings


class Standing(StrEnum):
    HOME = "home"
    EXPLAINED = "explained"
    STRAY = "stray"
    UNREADABLE = "unreadable"


class Verdict(msgspec.Struct, frozen=True):
    """What a network is to its session; `code` is that of its explanation, empty for a stray; `text` says why."""

    sighting: Sighting
    standing: Standing
    code: str
    text: str


class Context(msgspec.Struct, frozen=True):
    """All that judging one session may look at besides its own evidence."""

    settings: Settings
    fleet: Fleet
    ranges: AwsRanges | None


class Case(msgspec.Struct, frozen=True):
    """One network of a session, and what was decided about those used before it."""

    sighting: Sighting
    evidence: Evidence
    homes: tuple[Sighting, ...]
    context: Context

    @property
    def account(self) -> str:
        return self.evidence.session.account

    def addresses_in(self, *lanes: Lane) -> set[str]:
        """The home addresses in these lanes, of the same IP version as this network's."""
        is_v6 = ":" in self.sighting.network.address
        addresses = (home.network.address for home in self.homes if home.network.lane in lanes)
        return {address for address in addresses if (":" in address) is is_v6}

    def home_in(self, *lanes: Lane) -> Sighting | None:
        return next((home for home in self.homes if home.network.lane in lanes), None)


class Explanation(msgspec.Struct, frozen=True):
    """`holds` returns the reason in words, or None.  With `is_home`, what it covers is home and counts as such."""

    code: str
    is_home: bool
    holds: Callable[[Case], str | None]


def weigh(evidence: Evidence, context: Context) -> list[Verdict]:
    """A verdict on every network of a session, in the order of their first use."""
    verdicts: list[Verdict] = []
    homes: tuple[Sighting, ...] = ()
    for sighting in sightings_of(evidence, require_issuance=context.settings.require_issuance):
        verdict, is_home = _verdict(Case(sighting, evidence, homes, context))
        verdicts.append(verdict)
        if is_home:
            homes = (*homes, sighting)
    return verdicts


def sightings_of(evidence: Evidence, *, require_issuance: bool) -> list[Sighting]:
    """What was seen of a session, by first use: also the first of a lane that fell out of the bounds."""
    known = dict(evidence.sightings)
    lone = [(trace.network, trace.first, trace.last) for trace in evidence.traces.values()]
    lone += [(network, event, event.time) for event, network in evidence.earliest.values()]
    for network, first, last in lone:
        known[network.key] = _with(known.get(network.key), network, first, last)
    counted = sorted(known.values(), key=lambda one: (one.first, one.network))
    if require_issuance:
        counted = [one for one in counted if _is_issued(one, evidence)]
    # A private address without an endpoint waits for the endpoints, unless it came first of all.
    return sorted(counted, key=lambda one: one.network.lane is Lane.PRIVATE and one is not counted[0])


def _is_issued(sighting: Sighting, evidence: Evidence) -> bool:
    """True if a key was used there whose issuance was read; of a trace not all keys are known."""
    is_trace = sighting.network.key not in evidence.sightings and bool(evidence.issuances)
    return is_trace or any(evidence.was_issued(key) for key in sighting.keys.times)


def _with(sighting: Sighting | None, network: Network, first: Event, last: str) -> Sighting:
    """The sighting, seen from `first` to `last` as well; of a network that has none, all that is known."""
    if sighting is not None:
        place = max(sighting.network, network)
        return msgspec.structs.replace(
            sighting, network=place, first=min(sighting.first, first), last=max(sighting.last, last)
        )
    events = Events({first.event_id: first})
    hours, keys = Firsts({first.time[:13]: first.time[:13]}), Firsts({first.access_key: first.time})
    agents, calls = Firsts({first.agent: first.time}), Firsts({first.call: first.time})
    return Sighting(network, first, last, events, hours, keys, agents, calls)


def _verdict(case: Case) -> tuple[Verdict, bool]:
    for explanation in EXPLANATIONS:
        text = explanation.holds(case)
        if text is not None:
            standing = Standing.HOME if explanation.is_home else Standing.EXPLAINED
            return Verdict(case.sighting, standing, explanation.code, text), explanation.is_home
    if case.sighting.network.lane is Lane.OTHER:
        return Verdict(case.sighting, Standing.UNREADABLE, "", "the log names no readable address"), False
    return Verdict(case.sighting, Standing.STRAY, "", "nothing explains this network"), False


def _service_call(case: Case) -> str | None:
    if case.sighting.network.lane is not Lane.SERVICE:
        return None
    return f"{case.sighting.network.address} acted for the session"


def _trusted_network(case: Case) -> str | None:
    network = case.sighting.network
    address = parse_address(network.address)
    owner = case.context.fleet.endpoint_owner(network) if network.lane is Lane.ENDPOINT else ""
    if address is None or (owner and not _ours(case, owner)):
        return None  # a private address says nothing in another account
    for net in case.context.settings.trusted:
        if address.version == net.version and address in net:
            return f"in {net}, which you trust (--trusted-network)"
    return None


def _endpoint_pair(case: Case) -> str | None:
    """The session's first private address, over an endpoint that is ours."""
    network = case.sighting.network
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
    fleet = case.context.fleet
    owner = fleet.endpoint_owner(network)
    if owner == case.account:
        return f"first private address, through {network.endpoint} of its own account"
    if owner:
        return (
            f"first private address, through {network.endpoint} of our account {owner}" if _ours(case, owner) else None
        )
    if fleet.lives_behind(case.account, network):
        return f"first private address, through {network.endpoint}, where other instances of the account live"
    return _why_endpoint_goes_with_home(case)


def _why_endpoint_goes_with_home(case: Case) -> str | None:
    """Services that do not record the endpoint's owner yet, in a fleet so small that nobody else calls them.

    A thief who rents an endpoint and picks the victim's private address stays visible: as the rival of the endpoint
    the account has for that service, by another key, or by another program.
    """
    network = case.sighting.network
    alike = [one for one in case.evidence.sightings.values() if one.network.address == network.address]
    vouching = [one for one in alike if one.network.endpoint_owner and _ours(case, one.network.endpoint_owner)]
    if not vouching or not case.context.fleet.is_only_endpoint(case.sighting, case.account):
        return None
    keys = {key for one in (*vouching, *case.homes) for key in one.keys.times}
    families = {family(agent) for one in (*vouching, *case.homes) for agent in one.agents.times}
    if case.sighting.keys.times.keys() <= keys and {family(agent) for agent in case.sighting.agents.times} <= families:
        return f"address, key and programs of its home, through {network.endpoint}, the account's only one for this"
    return None


def _dual_stack(case: Case) -> str | None:
    if case.sighting.network.lane is not Lane.PUBLIC_V6 or not case.homes or case.home_in(Lane.PUBLIC_V6):
        return None
    return _why_own_region(case, "first IPv6 address")


def _first_use(case: Case) -> str | None:
    """The lock: what is used first is home; a public IPv4 lane may also open beside another home, in own region."""
    lane = case.sighting.network.lane
    if lane in (Lane.SERVICE, Lane.OTHER):
        return None
    if not case.homes:
        return None if _is_strange_endpoint(case) else "the network it was used from first"
    if lane is Lane.PUBLIC and not case.home_in(Lane.PUBLIC):
        return _why_own_region(case, "first public IPv4 address")
    return None


def _is_strange_endpoint(case: Case) -> bool:
    """An endpoint of an account not ours cannot be home while the session has any other network that could."""
    if case.sighting.network.lane is not Lane.ENDPOINT:
        return False
    owner = case.context.fleet.endpoint_owner(case.sighting.network)
    if not owner or _ours(case, owner):
        return False
    others = (other.network for other in case.evidence.sightings.values())
    return any(other.lane in LOCKABLE and other.address != case.sighting.network.address for other in others)


def _why_own_region(case: Case, what: str) -> str | None:
    """A public lane that opens beside a home must be AWS's, in the instance's region, and not another account's."""
    if case.context.ranges is None:
        return None
    prefix = case.context.ranges.lookup(case.sighting.network.address)
    region = region_of(case.evidence, case.homes, case.context.ranges)
    if prefix is None or prefix.region != region:
        return None
    owner = case.context.fleet.owner_of(case.sighting, case.evidence)
    if owner and owner != case.account:
        return None
    return f"{what}, in AWS {prefix.region} like the instance"


def region_of(evidence: Evidence, homes: tuple[Sighting, ...], ranges: AwsRanges | None) -> str:
    """The instance's region: as its records name it, else its endpoint's or its public home's; else empty.

    A call through an endpoint is made in the endpoint's own region, one from a private address most likely too.
    """
    endpoint = next((home.first.region for home in homes if home.network.lane in (Lane.ENDPOINT, Lane.PRIVATE)), "")
    region = instance_of(evidence)[1] or endpoint
    if region or ranges is None:
        return region
    prefixes = (ranges.lookup(home.network.address) for home in homes if home.network.lane in PUBLIC_LANES)
    return next((prefix.region for prefix in prefixes if prefix), "")


def _ours(case: Case, owner: str) -> bool:
    return case.context.fleet.is_ours(owner, case.account)


EXPLANATIONS = (
    Explanation("service-call", is_home=False, holds=_service_call),
    Explanation("trusted-network", is_home=True, holds=_trusted_network),
    Explanation("endpoint-pair", is_home=True, holds=_endpoint_pair),
    Explanation("dual-stack", is_home=True, holds=_dual_stack),
    Explanation("first-use", is_home=True, holds=_first_use),
)
