"""Evidence, context and settings in, findings out; nothing else is looked at, not even the clock."""

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from straykey.core import exfiltration, impostor, notice, program
from straykey.core.case import Context, subject_of
from straykey.core.custom import Customs
from straykey.core.evidence import Bounds, Evidence, workload_of
from straykey.core.finding import Confidence, Finding
from straykey.core.home import Standing, Verdict, weigh_subject
from straykey.core.ledger import Settled
from straykey.core.move import Move
from straykey.core.ranges import AwsRanges
from straykey.core.settings import Settings
from straykey.core.survey import looked_over
from straykey.core.trail import Trails, told_once
from straykey.core.workload import INSTANCE, Workload

_SURENESS = {confidence: place for place, confidence in enumerate(Confidence)}


class Judged(msgspec.Struct, frozen=True):
    """All findings, the worst first, and how many sessions of workloads there were to judge."""

    findings: list[Finding]
    workloads: int


def judge(ledger: Settled, settings: Settings, ranges: AwsRanges | None) -> list[Finding]:
    """All findings of a settled ledger, the worst first.  Without `ranges`, public strays are of type Unknown."""
    return judged(ledger, settings, ranges).findings


def judged(ledger: Settled, settings: Settings, ranges: AwsRanges | None) -> Judged:
    """Evidence of a session is looked at when its turn comes, and not kept: it may have to be unpacked each time."""
    surveyed = looked_over(ledger, settings, ranges)
    context, bounds, evidence_of = Context(settings, surveyed.fleet, ranges), ledger.bounds, ledger.sessions.__getitem__
    trails = Trails(context.fleet.makings, surveyed.whereabouts, evidence_of, bounds)
    findings: list[Finding] = []
    moves: dict[tuple[str, str], list[str]] = defaultdict(list)  # by old and new address
    for arn in sorted(surveyed.restless):  # so that nothing depends on the order of reading
        weighed = _weighed(evidence_of(arn), context)
        findings += _thefts(weighed, trails, context, bounds)
        for move in _moves(weighed.verdicts, context):
            moves[move.old, move.new].append(arn)
        if weighed.workload is INSTANCE:
            _note_programs(weighed, surveyed.customs, context)
            if settings.report_service_calls:
                findings += notice.service_calls(weighed.evidence, weighed.verdicts, context, bounds)
    for arn, fine in surveyed.customs.strange():
        weighed = _weighed(evidence_of(arn), context)
        at_home = program.at_home(weighed.evidence, weighed.verdicts, context)
        findings += program.unrecognized(at_home, fine, context, bounds)
    findings += _taken_names(ledger, trails, context)
    findings += notice.v1_deliveries(surveyed.deliveries, evidence_of, context)
    findings += notice.egress_moves(moves, evidence_of, context)
    return Judged(list(told_once(sorted(findings, key=_order))), surveyed.workloads)


def _order(finding: Finding) -> tuple[float, int, str, str]:
    return -finding.severity_score, _SURENESS[finding.confidence], finding.stray.first_seen, finding.id


def is_judged(evidence: Evidence) -> bool:
    """True for a session of a workload.  EC2's own infrastructure role never gets into a ledger."""
    return workload_of(evidence)[0] is not None


class _Weighed(msgspec.Struct, frozen=True):
    """A session with the verdicts on its networks."""

    evidence: Evidence
    workload: Workload | None
    who: str
    verdicts: list[Verdict]


def _weighed(evidence: Evidence, context: Context) -> _Weighed:
    subject = subject_of(evidence, context)
    return _Weighed(evidence, subject.workload, subject.who, weigh_subject(subject))


def _note_programs(weighed: _Weighed, customs: Customs, context: Context) -> None:
    session = program.at_home(weighed.evidence, weighed.verdicts, context)
    customs.note(session.role, weighed.who, weighed.evidence.session.arn, session.agents())


def _moves(verdicts: list[Verdict], context: Context) -> list[Move]:
    """The moves that explained a network."""
    homes = [one.sighting.network.address for one in verdicts if one.standing is Standing.HOME]
    moved = [one.sighting.network.address for one in verdicts if one.code == "egress-moved"]
    moves = (context.fleet.moves.get((old, new)) for new in moved for old in homes)
    return [move for move in moves if move is not None]


def _thefts(weighed: _Weighed, trails: Trails, context: Context, bounds: Bounds) -> Iterator[Finding]:
    """Strays of one session, each with what was made from there."""
    for stray in exfiltration.strayed(weighed.evidence, weighed.verdicts, context):
        seeds = trails.made_from(*stray.key, since=stray.gone_since if stray.whole else "")
        yield exfiltration.finding_of(stray, context, bounds, trails.follow(seeds))


def _taken_names(ledger: Settled, trails: Trails, context: Context) -> Iterator[Finding]:
    for masquerade in context.fleet.masquerades:
        known = ledger.sessions.get(masquerade.session.arn)
        yield impostor.finding_of(masquerade, known, context, trails.follow(masquerade.makings))
