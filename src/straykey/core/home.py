"""Which networks of a session are home or explained, and why; what no explanation covers is stray.

First comes the choice: in each lane one network opens it, by default the one used first, which is the lock of 2018.
Where evidence speaks against the first, the choice is turned round.  Then each network, those chosen before the others,
is put before `EXPLANATIONS` (`core.explanation`) in turn; the first that holds names the verdict.

Will Bengtson, "Detecting Credential Compromise in AWS" (2018), is where the lock comes from.
"""

from enum import IntEnum, StrEnum

import msgspec

from straykey.core.case import Case, Context, subject_of
from straykey.core.evidence import Evidence, Sighting, seen_once
from straykey.core.explanation import EXPLANATIONS
from straykey.core.moment import seconds
from straykey.core.network import LOCKABLE, PUBLIC_LANES, Lane
from straykey.core.observation import Event
from straykey.core.residence import is_settled
from straykey.core.workload import Home

_DWELLING_SECONDS = 3600


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
    sightings = sightings_of(evidence, require_issuance=context.settings.require_issuance)
    subject = subject_of(evidence)
    verdicts: list[Verdict] = []
    homes: tuple[Sighting, ...] = ()
    for case in _chosen_first([Case(one, subject, context) for one in sightings]):
        verdict = _verdict(msgspec.structs.replace(case, homes=homes))
        verdicts.append(verdict)
        if verdict.standing is Standing.HOME:
            homes = (*homes, case.sighting)
    return sorted(verdicts, key=lambda one: (one.sighting.first, one.sighting.network))


def sightings_of(evidence: Evidence, *, require_issuance: bool) -> list[Sighting]:
    """What was seen of a session, by first use: also the first of a lane that fell out of the bounds."""
    known = dict(evidence.sightings)
    for event, network in evidence.earliest.values():
        if network.key not in known:
            known[network.key] = seen_once(network, event)
    return sorted(
        (one for one in known.values() if not require_issuance or any(map(evidence.was_issued, one.keys.times))),
        key=lambda one: (one.first, one.network),
    )


def _chosen_first(cases: list[Case]) -> list[Case]:
    """The network that opens each lane, the anchor before the other lanes' choices, then the rest by first use."""
    candidates = [case for case in cases if case.sighting.network.lane in LOCKABLE and not case.is_spoofed]
    if not candidates:
        return cases
    chosen = [_choice(lane) for lane in _by_lane(candidates) if lane]
    anchor = min(chosen, key=_anchor_order)

    def order(case: Case) -> tuple[bool, bool, bool]:
        # A private address without an endpoint waits for the endpoints, unless it is the anchor.
        return case is not anchor, case.sighting.network.lane is Lane.PRIVATE, not any(case is one for one in chosen)

    earliest = min(candidates, key=lambda case: case.is_at_strange_endpoint)
    return [msgspec.structs.replace(case, is_earliest=case is earliest) for case in sorted(cases, key=order)]


def _by_lane(candidates: list[Case]) -> list[list[Case]]:
    return [[case for case in candidates if case.sighting.network.lane is lane] for lane in Lane if lane in LOCKABLE]


def _anchor_order(case: Case) -> tuple[bool, bool, Event]:
    """The first of what opens the lanes; what lies outside AWS, or in a stranger's account, gives way to what does not.

    Unless it is known to be home: trusted, granted, or where others of the account live.
    """
    return case.is_at_strange_endpoint, case.is_outside_aws and not _is_known(case), case.sighting.first


class _Rank(IntEnum):
    """How well a network of one lane is known to be home; the order of DESIGN 4.2."""

    TRUSTED = 0
    GRANTED = 1
    SHARED = 2
    OWN_REGION = 3
    FIRST = 4
    STRANGE = 5


def _choice(lane: list[Case]) -> Case:
    """The network that opens a lane: the one used first, unless another is better known to be home."""
    first = lane[0]
    return min(lane, key=lambda case: (_rank(case, first), case.sighting.first))


def _rank(case: Case, first: Case) -> _Rank:
    if case.is_trusted and first.is_outside_aws:
        return _Rank.TRUSTED
    if case.granted(at=first.sighting.first.time) is not None:
        return _Rank.GRANTED
    if case.is_shared and (case is first or _replaces(case, first)):
        return _Rank.SHARED
    if case.is_in_own_region and (first.is_outside_aws or first.is_in_other_region) and not _is_known(first):
        return _Rank.OWN_REGION
    return _Rank.STRANGE if case.is_at_strange_endpoint else _Rank.FIRST


def _is_known(case: Case) -> bool:
    return case.is_trusted or case.is_shared or case.granted(at=case.sighting.first.time) is not None


def _replaces(case: Case, first: Case) -> bool:
    """True for where the session is settled, unless the first is of one pool with it.

    Or it lived at the first before: that would be a move, no theft.
    """
    before, mine = first.sighting, case.sighting
    if case.context.fleet.shares_pool(mine.network.address, before.network.address, case.account, case.subject.who):
        return False
    lived_there = seconds(before.last.time) - seconds(before.first.time) >= _DWELLING_SECONDS
    has_moved = lived_there and before.last.time <= mine.first.time
    is_more = len(mine.hours.times) > len(before.hours.times)
    return (is_more or is_settled([mine], case.subject.life)) and not has_moved


def _verdict(case: Case) -> Verdict:
    sighting = case.sighting
    if case.is_spoofed and sighting.network.lane in LOCKABLE:
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
