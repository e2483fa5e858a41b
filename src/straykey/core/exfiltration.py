"""A key used where its workload does not live: the finding this tool is for."""

import msgspec

from straykey.core.case import Context
from straykey.core.evidence import Bounds, Evidence, Sighting, part_of, workload_of
from straykey.core.explanation import region_of
from straykey.core.finding import Finding, FindingSession, FindingType, Reason, Severity, finding_id
from straykey.core.home import Standing, Verdict
from straykey.core.network import LOCKABLE, PUBLIC_LANES, Lane
from straykey.core.portrait import (
    Origin,
    calls_in_words,
    home_of,
    session_of,
    stray_of,
    title_of,
    witnesses_of,
)
from straykey.core.quiet import gone_since
from straykey.core.reasons import Comparison, confidence_of, reasons_for
from straykey.core.session import IDENTITY_ROLE
from straykey.core.tenant import tenant_of
from straykey.core.trail import Followed
from straykey.core.workload import INSTANCE


class Strayed(msgspec.Struct, frozen=True):
    """Use of a session from a network it has no business in.

    `whole` is all use of a network that was home while the instance lived, of which `sighting` is what came after.
    """

    evidence: Evidence
    sighting: Sighting
    whole: Sighting | None
    homes: tuple[Verdict, ...]
    gone_since: str  # when the instance was terminated, and some grace; empty if it was not

    @property
    def key(self) -> tuple[str, str]:
        return self.evidence.session.arn, self.sighting.network.key


def strayed(evidence: Evidence, verdicts: list[Verdict], context: Context) -> list[Strayed]:
    """All strays of a session, and whatever went on after its instance was terminated."""
    gone_since = gone(evidence, context)
    homes = tuple(verdict for verdict in verdicts if verdict.standing is Standing.HOME)
    found: list[Strayed] = []
    for verdict in verdicts:
        sighting = verdict.sighting
        if verdict.standing is Standing.STRAY:
            found.append(Strayed(evidence, sighting, None, homes, gone_since))
        elif gone_since and sighting.network.lane in LOCKABLE and sighting.last.time > gone_since:
            events = [one for one in (*sighting.events.kept.values(), sighting.last) if one.time > gone_since]
            found.append(Strayed(evidence, part_of(sighting, events), sighting, homes, gone_since))
    return found


def gone(evidence: Evidence, context: Context) -> str:
    """When the session's instance was terminated for good, and 15 minutes; empty where no record tells."""
    return gone_since(tenant_of(evidence).instance, context.fleet.holdings)


def finding_of(stray: Strayed, context: Context, bounds: Bounds, followed: Followed) -> Finding:
    kind, severity, origin = _origin(stray, context)
    sighting, evidence = stray.sighting, stray.evidence
    homes = tuple(home.sighting for home in stray.homes if home.sighting is not stray.whole)
    reasons = reasons_for(Comparison(sighting, homes, evidence, stray.gone_since))
    region = region_of(evidence, tuple(home.sighting for home in stray.homes), context.ranges)
    session = session_of(evidence, set(sighting.keys.times), region, sighting.issued)
    return Finding(
        id=finding_id(*stray.key),
        type=kind,
        severity=severity,
        severity_score=severity.score,
        confidence=confidence_of(reasons),
        status="open",
        title=_title(stray, session, kind, origin),
        description=_description(stray, session, reasons, bounds, followed.count),
        session=session,
        access_keys=sorted(filter(None, sighting.keys.times)),
        home=[home_of(home, bounds) for home in stray.homes],
        stray=stray_of(sighting, origin, bounds, stray.whole),
        reasons=reasons,
        pivots=list(followed.pivots),
        pivots_count=followed.count,
        events=witnesses_of(sighting),
        sessions=[session.arn],
    )


_WHERE = {".OutsideAWS": "outside AWS", ".InsideAWS": "inside AWS", ".Unknown": "whose place is unknown"}


def _origin(stray: Strayed, context: Context) -> tuple[FindingType, Severity, Origin]:
    """Where a stray came from, and what that makes of it."""
    sighting, network = stray.sighting, stray.sighting.network
    own = stray.evidence.session.account
    prefix = context.ranges.lookup(network.address) if context.ranges and network.lane in PUBLIC_LANES else None
    where = _where(sighting, context, in_ranges=prefix is not None)
    # Who lives at an address outside AWS does not own it: that is somebody's office, or the thief's.
    account = "" if where == ".OutsideAWS" else context.fleet.owner_of(network, sighting.first.time, stray.key[0])
    is_ours = context.fleet.is_ours(account, own) if account else None
    severity = Severity.HIGH
    if where == ".InsideAWS" and is_ours and not _is_after_end(stray):
        severity = Severity.LOW if account == own else Severity.MEDIUM
    workload, _ = workload_of(stray.evidence)
    kind = FindingType(f"UnauthorizedAccess:IAMUser/{(workload or INSTANCE).finding}{where}")
    return kind, severity, Origin(account, is_ours, prefix.region if prefix else "")


def _where(sighting: Sighting, context: Context, *, in_ranges: bool) -> str:
    network = sighting.network
    allocated = context.fleet.holdings.owner_of(network.address, sighting.first.time)
    if network.lane is Lane.ENDPOINT or in_ranges or (allocated and network.lane in PUBLIC_LANES):
        return ".InsideAWS"
    return ".Unknown" if network.lane is Lane.PRIVATE or context.ranges is None else ".OutsideAWS"


def _is_after_end(stray: Strayed) -> bool:
    return bool(stray.gone_since) and stray.sighting.first.time > stray.gone_since


def _title(stray: Strayed, session: FindingSession, kind: FindingType, origin: Origin) -> str:
    owner = f", account {origin.account}" if origin.account else ""
    where = next(words for ending, words in _WHERE.items() if kind.value.endswith(ending))
    whose = session.instance_id or session.arn
    ended = " after the instance was terminated" if _is_after_end(stray) else ""
    return f"Keys of {whose} used from {title_of(stray.sighting)}, {where}{owner}{ended}"


def _description(stray: Strayed, session: FindingSession, reasons: list[Reason], bounds: Bounds, pivots: int) -> str:
    sighting = stray.sighting
    places = ", ".join(home.sighting.network.address for home in stray.homes) or "no network known"
    told = [
        f"The session of role {session.role} made {calls_in_words(sighting, bounds)} from {sighting.network.address} "
        f"between {sighting.first.time} and {sighting.last.time}. Its home is {places}.",
        *(f"{reason.text[:1].upper()}{reason.text[1:]}." for reason in reasons),
    ]
    if session.role == IDENTITY_ROLE:
        told.append("These are the instance's own identity keys: no policy denies them.")
    if pivots:
        made = f"{pivots} more session{'s' * (pivots != 1)}, keys or users"
        told.append(f"With these keys {made} were made: see pivots.")
    return " ".join(told)
