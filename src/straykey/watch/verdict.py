"""What judging the store anew changes in its findings, and what sinks are to be told of that."""

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Connection

from straykey.core import lifecycle
from straykey.core.finding import Finding, Severity, Status, finding_id, wanted
from straykey.core.home import Standing, weigh
from straykey.core.lifecycle import Tracked
from straykey.ports import Notification
from straykey.stores import findings, outbox
from straykey.watch.mirror import Mirror


class Audience(msgspec.Struct, frozen=True):
    """The sinks, by name, each with the least severity it is told of."""

    least: Mapping[str, Severity] = {}

    def for_whom(self, tracked: Tracked) -> list[str]:
        """Those who are to hear of this: whoever heard of it when it was worse hears of all that follows."""
        return [
            name
            for name, least in self.least.items()
            if wanted(tracked.finding, least, was_told=tracked.worst >= least.score)
        ]


class Verdicts(msgspec.Struct, frozen=True):
    """What changed: findings that are new, changed their status, or have grown, as they are now."""

    opened: list[Finding]
    over: list[Finding]
    changed: list[Tracked]
    found: list[Finding]  # all that the evidence leads to, as a scan would list them


def judge_anew(mirror: Mirror, now: str) -> Verdicts:
    """Judge, and follow what becomes of each finding.  The mirror knows the outcome afterwards; the store does not."""
    found = mirror.docket.judged().findings
    changed: list[Tracked] = []
    for finding in found:
        known = mirror.findings.get(finding.id)
        tracked = lifecycle.judged(known, finding, mirror.rules, now)
        if tracked != known:
            changed.append(tracked)
    ids = {finding.id for finding in found}
    for name, known in mirror.findings.items():
        if name in ids or known.is_over:
            continue
        if _is_there(mirror, known.finding):
            changed.append(lifecycle.explained(known, _why(mirror, known.finding), now))
        elif (still := lifecycle.judged(known, known.finding, mirror.rules, now)) != known:
            changed.append(still)  # nobody can say more of it, but a rule may hide it, or no more
    opened = [one.finding for one in changed if one.status is Status.OPEN and _is_fresh(mirror, one)]
    over = [one.finding for one in changed if one.is_over]
    return Verdicts(opened, over, changed, found)


def _is_fresh(mirror: Mirror, tracked: Tracked) -> bool:
    known = mirror.findings.get(tracked.finding.id)
    return known is None or known.status is not Status.OPEN


def _is_there(mirror: Mirror, finding: Finding) -> bool:
    """False if every session it is about has left: then nobody can say more of it, and it stays as it is.

    What only informs is of many sessions, and counts them: to miss one is enough to miss it.
    """
    whole = all if finding.severity is Severity.INFORMATIONAL else any
    return whole(map(mirror.has, finding.sessions))


def _why(mirror: Mirror, finding: Finding) -> str:
    """The explanation that now holds of the network it was about."""
    for arn in filter(mirror.has, finding.sessions):
        for verdict in weigh(mirror.evidence_of(arn), mirror.docket.context):
            is_it = finding_id(arn, verdict.sighting.network.key) == finding.id
            if is_it and verdict.standing is not Standing.STRAY:
                return f"{verdict.code or verdict.standing.value}: {verdict.text}"
    return "the evidence, now that more of it is known, does not lead to this any more"


def publish(connection: Connection, changed: Iterable[Tracked], audience: Audience, now: str) -> list[Tracked]:
    """Post what of this is news; gives all of it, with what is noted as told."""
    return [tell(connection, one, audience, now) if lifecycle.is_news(one) else one for one in changed]


def tell(connection: Connection, tracked: Tracked, audience: Audience, now: str) -> Tracked:
    """Post it to all who are to hear of it."""
    told, at = lifecycle.telling(tracked, now)
    # With when it was opened: another store, which begins anew, would count from one again.
    opened = told.opened.replace("-", "").replace(":", "")
    notification = Notification(
        f"{told.finding.id}:{opened}:{told.tellings}", told.shown(), at, tracked.told is not None
    )
    outbox.post(connection, audience.for_whom(tracked), notification, now)
    return told


def keep(mirror: Mirror, connection: Connection, written: list[Tracked], revision: int) -> None:
    findings.put_findings(connection, written, revision)
    findings.note_hidden(connection, written)
    mirror.findings |= {one.finding.id: one for one in written}
