"""By which version of the metadata service each key of a session was handed out, as far as the records prove it.

Evidence keeps, of each network of a session, the keys used there and the deliveries recorded there, but not which goes
with which.  A key is handed out once, by one version, so much of it follows; what does not follow is unknown, never
guessed.
"""

import re
from collections.abc import Collection, Mapping, Sequence

import msgspec

from straykey.core.evidence import Evidence, Sighting
from straykey.core.home import sightings_of
from straykey.core.masquerade import strange_issuances

V1, V2 = "1.0", "2.0"
_VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}")
_Candidates = dict[str, frozenset[str]]


class Deliveries(msgspec.Struct, frozen=True):
    """What is known: versions as `ec2:RoleDelivery` has them, by key, and by key of the network."""

    keys: Mapping[str, str]
    networks: Mapping[str, str]

    def of(self, access_key: str, network_key: str) -> str:
        """The version of one call; empty if the records do not prove it."""
        return self.keys.get(access_key, "") if access_key else self.networks.get(network_key, "")


def delivery_of(evidence: Evidence, strange: Collection[str] = ()) -> Deliveries:
    """What the evidence of one session proves.

    `strange` are keys known to be none of the instance's: somebody took the session's name for them.  Those that the
    evidence itself tells of need not be named.  Of such a key nothing is said, for its calls carry no delivery.
    """
    foreign = {*strange, *(one.access_key for one in strange_issuances(evidence))}
    sightings = [one for one in sightings_of(evidence, require_issuance=False) if one.deliveries.times]
    candidates = _candidates(sightings, foreign)
    while _narrowed(candidates, sightings, foreign):
        pass
    keys = {key: next(iter(versions)) for key, versions in candidates.items() if len(versions) == 1}
    networks = {
        one.network.key: next(iter(one.deliveries.times))
        for one in sightings
        if len(one.deliveries.times) == 1 and foreign.isdisjoint(one.keys.times) and not one.keys.overflowed
    }
    known = {key: version for key, version in sorted(keys.items()) if _is_version(version)}
    return Deliveries(known, {key: version for key, version in sorted(networks.items()) if _is_version(version)})


def _is_version(text: str) -> bool:
    return _VERSION.fullmatch(text) is not None


def _candidates(sightings: Sequence[Sighting], foreign: Collection[str]) -> _Candidates:
    """Of each key, the deliveries recorded wherever it was used; of one that fits nowhere, none."""
    found: _Candidates = {}
    for one in sightings:
        versions = frozenset(one.deliveries.times)
        for key in one.keys.times.keys() - {""}:
            if key not in foreign and not one.deliveries.overflowed:
                found[key] = found.get(key, versions) & versions
    return found


def _narrowed(candidates: _Candidates, sightings: Sequence[Sighting], foreign: Collection[str]) -> bool:
    """Whether a delivery was found that only one key of its network can account for."""
    for one in sightings:
        # A call without a key, or with one that fell out of the bound, may account for any.
        if one.keys.overflowed or "" in one.keys.times:
            continue
        for version in one.deliveries.times:
            able = [key for key in one.keys.times if key not in foreign and version in candidates.get(key, ())]
            if len(able) == 1 and len(candidates[able[0]]) > 1:
                candidates[able[0]] = frozenset({version})
                return True
    return False
