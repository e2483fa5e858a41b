"""A session with where it lives and goes, in so few values that a fleet of them may be kept.

Only sessions that share an address with another have neighbours, and only neighbours have anything to tell.  So of a
session with addresses of its own nothing is kept but that it has them.
"""

from collections.abc import Iterable

import msgspec

from straykey.core.evidence import Evidence, Sighting
from straykey.core.move import Visit
from straykey.core.network import PUBLIC_LANES
from straykey.core.residence import Life, Residence, is_settled, is_used_throughout, life_of, span_of
from straykey.core.tenant import Tenant, only_sighting

_HOUR_SECONDS = 3600


class Household(msgspec.Struct, frozen=True, gc=False):
    """`residences`: where it lives by first use.  `used`: public addresses it uses throughout its life.

    `dwellings`: public addresses where it is settled, and was for an hour at least.
    """

    who: str
    arn: str
    account: str
    region: str
    residences: tuple[Residence, ...]
    visits: tuple[Visit, ...]
    used: tuple[str, ...]
    dwellings: tuple[str, ...]


def household_of(evidence: Evidence, tenant: Tenant, residences: tuple[Residence, ...]) -> Household:
    public = [one for one in evidence.sightings.values() if one.network.lane in PUBLIC_LANES]
    life = life_of(public)
    return Household(
        who=tenant.who,
        arn=evidence.session.arn,
        account=evidence.session.account,
        region=tenant.region,
        residences=tuple(one for one in residences if one.is_public),
        visits=tuple(sorted(Visit(one.first.time, one.last.time, one.network.address) for one in public)),
        used=tuple(one.network.address for one in _used(public, life)),
        dwellings=tuple(one.network.address for one in public if _is_dwelling(one, life)),
    )


def _used(public: list[Sighting], life: Life) -> list[Sighting]:
    """What a session merely touches tells nothing."""
    return public if len(public) == 1 else [one for one in public if is_used_throughout([one], life)]


def _is_dwelling(sighting: Sighting, life: Life) -> bool:
    return span_of([sighting]) >= _HOUR_SECONDS and is_settled([sighting], life)


def addresses_of(evidence: Evidence) -> set[str]:
    """All public addresses a session is known from, also the first of a lane that fell out of the bounds."""
    only = only_sighting(evidence)
    if only is not None:
        return {only.network.address} if only.network.lane in PUBLIC_LANES else set()
    seen = {one.network.address for one in evidence.sightings.values() if one.network.lane in PUBLIC_LANES}
    return seen.union(at.address for _, at in evidence.earliest.values() if at.lane in PUBLIC_LANES)


class Sharing:
    """Which addresses more than one session was used from."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}  # by address: the one session seen there, or nothing, once there are several

    def note(self, arn: str, addresses: Iterable[str]) -> list[str]:
        """The sessions that are now known to share one of these addresses, this one among them."""
        sharing: set[str] = set()
        for address in addresses:
            known = self._first.setdefault(address, arn)
            if known != arn:
                sharing |= {known, arn}
                self._first[address] = ""
        return sorted(sharing - {""})

    def is_shared(self, address: str) -> bool:
        return self._first.get(address) == ""
