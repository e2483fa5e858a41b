"""Which networks of a session are home or explained, and why; what no explanation covers is stray.

First comes the choice: in each lane one network opens it, by default the one used first, which is the lock of 2018.
Where evidence speaks against the first, the choice is turned round.  Then each network, those chosen before the others,
is put before `EXPLANATIONS` (`core.explanation`) in turn; the first that holds names the verdict.

Will Bengtson, "Detecting Credential Compromise in AWS" (2018), is where the lock comes from.
"""

from enum import IntEnum, StrEnum

import msgspec

from straykey.core.case import Case, Context, Scene, Subject, subject_of
from straykey.core.evidence import Evidence, Sighting, seen_once
from straykey.core.explanation import EXPLANATIONS
from straykey.core.moment import seconds
from straykey.core.network import LOCKABLE, PUBLIC_LANES, Lane
from straykey.core.observation import Event
from straykey.core.residence import is_settled
from straykey.core.workload import Home

_DWELLING_SECONDS = 3600
_LANES = tuple(lane for lane in Lane if lane in LOCKABLE)


class Standing(StrEnum):
    HOME = "home"
    EXPLAINED = "explained"
    STRAY = "stray"
    SPOOFED = "spoofed"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"


class Verdict(msgspec.Struct, frozen=True):
    """What a network is to its session; `code` is that of its explanation, empty for a stray; `text` says why."""

    sighting: Sighting
    standing: Standing
    code: str
    text: str


def weigh(evidence: Evidence, context: Context) -> list[Verdict]:
    """A verdict on every network of a session, in the order of their first use."""
    return weigh_subject(subject_of(evidence, context))


def weigh_subject(subject: Subject) -> list[Verdict]:
    require_issuance = subject.context.settings.require_issuance
    scenes = [subject.scene_of(one) for one in sightings_of(subject.evidence, require_issuance=require_issuance)]
    verdicts: list[Verdict] = []
    homes: list[Sighting] = []
    candidates = [one for one in scenes if one.sighting.network.lane in LOCKABLE and not one.is_spoofed]
    # Used first is what stands first; a stranger's endpoint only where there is nothing else.
    earliest = min(candidates, key=lambda one: one.is_at_strange_endpoint, default=None)
    for scene in _chosen_first(scenes, candidates):
        verdict = _verdict(Case(scene, tuple(homes), scene is earliest))
        verdicts.append(verdict)
        if verdict.standing is Standing.HOME:
            homes.append(scene.sighting)
    return sorted(verdicts, key=lambda one: (one.sighting.first, one.sighting.network))


def sightings_of(evidence: Evidence, *, require_issuance: bool) -> list[Sighting]:
    """What was seen of a session, by first use: also a first of a lane, or a beacon, that fell out of the bounds."""
    known = dict(evidence.sightings)
    apart = (*evidence.earliest.values(), *((one.event, one.network) for one in evidence.beacons.values()))
    for event, network in apart:
        if network.key not in known:
            known[network.key] = seen_once(network, event)
    return sorted(
        (one for one in known.values() if not require_issuance or any(map(evidence.was_issued, one.keys.times))),
        key=lambda one: (one.first, one.network),
    )


def _chosen_first(scenes: list[Scene], candidates: list[Scene]) -> list[Scene]:
    """The network that opens each lane, the anchor before the other lanes' choices, then the rest by first use.

    `candidates` are those that may be home.
    """
    if not candidates:
        return scenes
    chosen = [_choice(lane) for lane in _by_lane(candidates) if lane]
    anchor = min(chosen, key=_anchor_order) if len(chosen) > 1 else chosen[0]

    def order(one: Scene) -> tuple[bool, bool, bool]:
        # A private address without an endpoint waits for the endpoints, unless it is the anchor.
        is_chosen = any(one is other for other in chosen)
        return one is not anchor, one.sighting.network.lane is Lane.PRIVATE, not is_chosen

    return sorted(scenes, key=order)


def _by_lane(candidates: list[Scene]) -> list[list[Scene]]:
    return [[one for one in candidates if one.sighting.network.lane is lane] for lane in _LANES]


def _anchor_order(scene: Scene) -> tuple[bool, bool, Event]:
    """The first of what opens the lanes; what lies outside AWS, or in a stranger's account, gives way to what does not.

    Unless it is known to be home: trusted, granted, or where others of the account live.
    """
    return scene.is_at_strange_endpoint, scene.is_outside_aws and not _is_known(scene), scene.sighting.first


class _Rank(IntEnum):
    """How well a network of one lane is known to be home; the order of DESIGN 4.2."""

    TRUSTED = 0
    GRANTED = 1
    SHARED = 2
    OWN_REGION = 3
    BEACON = 4
    FIRST = 5
    STRANGE = 6


def _choice(lane: list[Scene]) -> Scene:
    """The network that opens a lane: the one used first, unless another is better known to be home."""
    first = lane[0]
    return min(lane, key=lambda one: (_rank(one, first), one.sighting.first)) if len(lane) > 1 else first


def _rank(scene: Scene, first: Scene) -> _Rank:
    if scene.is_trusted and first.is_outside_aws:
        return _Rank.TRUSTED
    if scene.granted(at=first.sighting.first.time) is not None:
        return _Rank.GRANTED
    if scene.is_shared and (scene is first or _replaces(scene, first)):
        return _Rank.SHARED
    if scene.is_in_own_region and (first.is_outside_aws or first.is_in_other_region) and not _is_known(first):
        return _Rank.OWN_REGION
    if scene.has_beacon and _may_outrun(scene, first):
        return _Rank.BEACON
    return _Rank.STRANGE if scene.is_at_strange_endpoint else _Rank.FIRST


def _may_outrun(scene: Scene, first: Scene) -> bool:
    """True for a beacon's network against which nothing speaks but that another was used first."""
    if _is_known(first) or scene.is_at_strange_endpoint or scene.is_others:
        return False
    return _remoteness(scene) <= _remoteness(first)


def _remoteness(scene: Scene) -> int:
    """How far from the workload's region: there, elsewhere in AWS or nobody knows, outside AWS."""
    return 2 if scene.is_outside_aws else 0 if scene.is_in_own_region else 1


def _is_known(scene: Scene) -> bool:
    return scene.is_trusted or scene.is_shared or scene.granted(at=scene.sighting.first.time) is not None


def _replaces(scene: Scene, first: Scene) -> bool:
    """True for where the session is settled, unless the first is of one pool with it.

    Or it lived at the first before: that would be a move, no theft.
    """
    before, mine = first.sighting, scene.sighting
    if scene.context.fleet.shares_pool(mine.network.address, before.network.address, scene.account, scene.subject.who):
        return False
    lived_there = seconds(before.last.time) - seconds(before.first.time) >= _DWELLING_SECONDS
    has_moved = lived_there and before.last.time <= mine.first.time
    is_more = len(mine.hours.times) > len(before.hours.times)
    return (is_more or is_settled([mine], scene.subject.life)) and not has_moved


def _verdict(case: Case) -> Verdict:
    sighting = case.sighting
    if case.scene.is_spoofed and sighting.network.lane in LOCKABLE:
        return Verdict(sighting, Standing.SPOOFED, "", "used with a key that was never the workload's")
    for explanation in EXPLANATIONS:
        text = explanation.holds(case)
        if text is not None:
            standing = Standing.HOME if explanation.is_home else Standing.EXPLAINED
            return Verdict(sighting, standing, explanation.code, text)
    if sighting.network.lane is Lane.OTHER:
        return Verdict(sighting, Standing.UNREADABLE, "", "the log names no readable address")
    is_blind = (
        case.subject.home is Home.REGION and case.context.ranges is None and sighting.network.lane in PUBLIC_LANES
    )
    if is_blind:
        return Verdict(sighting, Standing.UNKNOWN, "", "without AWS's ranges nobody can say whether this is AWS")
    return Verdict(sighting, Standing.STRAY, "", "nothing explains this network")
