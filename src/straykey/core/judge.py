"""Evidence, context and settings in, findings out; nothing else is looked at, not even the clock."""

from collections import defaultdict

import msgspec

from straykey.core import exfiltration, impostor, notice, program
from straykey.core.case import Context
from straykey.core.evidence import Evidence, workload_of
from straykey.core.exfiltration import Strayed
from straykey.core.finding import Confidence, Finding
from straykey.core.home import Standing, Verdict, weigh
from straykey.core.ledger import Settled
from straykey.core.move import Move
from straykey.core.program import AtHome
from straykey.core.ranges import AwsRanges
from straykey.core.settings import Settings
from straykey.core.survey import survey
from straykey.core.trail import Trails
from straykey.core.workload import INSTANCE

_SURENESS = {confidence: place for place, confidence in enumerate(Confidence)}


def judge(ledger: Settled, settings: Settings, ranges: AwsRanges | None) -> list[Finding]:
    """All findings of a settled ledger, the worst first.  Without `ranges`, public strays are of type Unknown."""
    context = Context(settings, survey(ledger, settings, ranges), ranges)
    weighed = _weigh_all(ledger, context)
    findings = [*_thefts(weighed, ledger, context)]
    findings += program.unrecognized(weighed.at_home, context, ledger.bounds)
    instances = [one.evidence for one in weighed.at_home]
    findings += notice.v1_deliveries(instances, context)
    findings += notice.egress_moves(weighed.moves, context)
    findings += notice.service_calls(weighed.served, context, ledger.bounds)
    return sorted(findings, key=_order)


def _order(finding: Finding) -> tuple[float, int, str, str]:
    return -finding.severity_score, _SURENESS[finding.confidence], finding.stray.first_seen, finding.id


def is_judged(evidence: Evidence) -> bool:
    """True for a session of a workload.  EC2's own infrastructure role never gets into a ledger."""
    return workload_of(evidence)[0] is not None


class _Weighed(msgspec.Struct):
    """What the verdicts on all sessions come to."""

    strays: list[Strayed] = []
    at_home: list[AtHome] = []  # of instances
    moves: dict[Move, dict[str, Evidence]] = msgspec.field(default_factory=lambda: defaultdict(dict))
    served: list[tuple[Evidence, list[Verdict]]] = []


def _weigh_all(ledger: Settled, context: Context) -> _Weighed:
    weighed = _Weighed()
    for evidence in ledger.sessions.values():
        workload, _ = workload_of(evidence)
        if workload is None:
            continue
        verdicts = weigh(evidence, context)
        weighed.strays += exfiltration.strayed(evidence, verdicts, context)
        for move in _moves(verdicts, context):
            weighed.moves[move][evidence.session.arn] = evidence
        if workload is INSTANCE:
            weighed.at_home.append(program.at_home(evidence, verdicts, context))
            if context.settings.report_service_calls:
                weighed.served.append((evidence, verdicts))
    return weighed


def _moves(verdicts: list[Verdict], context: Context) -> list[Move]:
    """The moves that explained a network."""
    homes = [one.sighting.network.address for one in verdicts if one.standing is Standing.HOME]
    moved = [one.sighting.network.address for one in verdicts if one.code == "egress-moved"]
    moves = (context.fleet.moves.get((old, new)) for new in moved for old in homes)
    return [move for move in moves if move is not None]


def _thefts(weighed: _Weighed, ledger: Settled, context: Context) -> list[Finding]:
    """Strays and taken names, each with what was made from there."""
    taken = context.fleet.masquerades
    if not weighed.strays and not taken:
        return []
    bounds = ledger.bounds
    trails = Trails(context.fleet.makings, ledger.sessions.values(), bounds)
    findings = []
    for stray in weighed.strays:
        seeds = trails.made_from(*stray.key, since=stray.gone_since if stray.whole else "")
        findings.append(exfiltration.finding_of(stray, context, bounds, trails.follow(seeds)))
    for masquerade in taken:
        pivots = trails.follow(masquerade.makings)
        known = ledger.sessions.get(masquerade.session.arn)
        findings.append(impostor.finding_of(masquerade, known, context, pivots))
    return findings
