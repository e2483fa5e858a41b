"""The call an instance makes at boot, so that the lock is its own: whether one counts, and which.

Its agent string is no secret, so it proves nothing by itself.  It counts only for roles whose instances all send it, as
the user says: there a thief's is a second one, and cancels, where it would else be the only one and make him home.  And
it counts where a thief could hardly have been: minutes after the key was issued, and only while the session had never
been used before.  Who steals the keys of an instance that lives somewhere, each hour anew if he likes, gains nothing.
"""

from straykey.core.agent import is_beacon
from straykey.core.evidence import Beacon, Evidence, Sighting
from straykey.core.moment import seconds
from straykey.core.network import LOCKABLE

# From the issue of a key to the call that bears it.  EC2 issues the first key as the instance starts; an image that
# takes longer until its network is up is locked as without a beacon.
WINDOW_SECONDS = 300

_CALL = "sts.amazonaws.com:GetCallerIdentity"


def beacon_of(evidence: Evidence, spoofed: frozenset[str]) -> Beacon | None:
    """The one beacon that counts; None also where two networks have one, for then nobody knows whose is whose."""
    counting = [one for one in evidence.beacons.values() if _counts(one, evidence, spoofed)]
    return counting[0] if len(counting) == 1 else None


def _counts(beacon: Beacon, evidence: Evidence, spoofed: frozenset[str]) -> bool:
    key, time = beacon.event.access_key, beacon.event.time
    issued = issue_time(beacon, evidence)
    if not issued or key in spoofed:
        return False
    first_use = min(event.time for event, network in evidence.earliest.values() if network.lane in LOCKABLE)
    is_first_key = issued <= first_use and not _has_older_key(beacon, evidence)
    return is_first_key and seconds(time) - seconds(issued) <= WINDOW_SECONDS


def _has_older_key(beacon: Beacon, evidence: Evidence) -> bool:
    """True where the session lived before the logs begin, as a key tells that it went on using."""
    lockable = (one for one in evidence.sightings.values() if one.network.lane in LOCKABLE)
    oldest = min((one.issued for one in lockable if one.issued), default="")
    return bool(oldest and beacon.issued) and seconds(beacon.issued) - seconds(oldest) > WINDOW_SECONDS


def issue_time(beacon: Beacon, evidence: Evidence) -> str:
    """When a beacon's key was issued; empty where no record of its issuance was read.

    An instance lives to see more issuances than are kept: of one that may have fallen out, its own word is taken,
    which AWS wrote.
    """
    known = evidence.issuances.get(beacon.event.access_key)
    if known is not None:
        return known.time
    return beacon.issued if evidence.was_issued(beacon.event.access_key) else ""


def own_agents(sighting: Sighting, *, sends_beacon: bool = True) -> list[str]:
    """The user agents of a network but for the beacon's, which is no program of a role that `sends_beacon`.

    One that bears the beacon's name and makes other calls is one.
    """
    agents = sighting.agents.events
    return [one for one in agents if not (sends_beacon and is_beacon(one) and _only_asks_who_it_is(sighting, one))]


def _only_asks_who_it_is(sighting: Sighting, agent: str) -> bool:
    events = (sighting.agents.events[agent], *sighting.events.kept.values())
    return all(one.call == _CALL for one in events if one.agent == agent)
