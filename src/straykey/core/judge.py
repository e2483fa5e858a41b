"""Evidence, context and settings in, findings out; nothing else is looked at, not even the clock."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

import msgspec

from straykey.core import exfiltration, impostor, notice
from straykey.core.case import Context
from straykey.core.custom import role_of
from straykey.core.evidence import Bounds, Evidence, workload_of
from straykey.core.exfiltration import Strayed
from straykey.core.finding import Confidence, Finding
from straykey.core.ledger import Settled
from straykey.core.masquerade import Masquerade
from straykey.core.move import Move
from straykey.core.outcome import Outcome, outcome_of, unrecognized
from straykey.core.ranges import AwsRanges
from straykey.core.settings import Settings
from straykey.core.survey import Surveyed, looked_over
from straykey.core.tenant import tenant_of
from straykey.core.trail import Followed, Trails, told_once
from straykey.core.v1 import V1Role
from straykey.core.whereabouts import Whereabouts

_SURENESS = {confidence: place for place, confidence in enumerate(Confidence)}
_T = TypeVar("_T")


class Judged(msgspec.Struct, frozen=True):
    """All findings, the worst first, and how many sessions of workloads there were to judge."""

    findings: list[Finding]
    workloads: int


class Bench(Protocol):
    """All that is to be judged, looked over."""

    bounds: Bounds

    @property
    def context(self) -> Context: ...

    @property
    def whereabouts(self) -> Whereabouts: ...

    @property
    def workloads(self) -> int: ...

    def evidence_of(self, arn: str) -> Evidence: ...

    def known(self, arn: str) -> Evidence | None:
        """None for a session that nothing was seen of."""

    def outcomes(self) -> Iterator[tuple[str, Outcome]]:
        """What comes of the sessions that must be weighed, by ARN; of no note may be left out."""

    def strange(self) -> Iterable[tuple[str, frozenset[str]]]:
        """Asked after `outcomes`: sessions that use strange programs, and which are fine."""

    def deliveries(self) -> Iterable[tuple[str, V1Role]]: ...

    def found(self, arn: str, about: tuple[str, ...], given: object, find: Callable[[Context], _T]) -> _T:
        """What `find` makes of this session's evidence, of the context and of `given`, and of nothing else.

        `about` names the question: to each there is one `find`.
        """


def judge(ledger: Settled, settings: Settings, ranges: AwsRanges | None) -> list[Finding]:
    """All findings of a settled ledger, the worst first.  Without `ranges`, public strays are of type Unknown."""
    return judged(ledger, settings, ranges).findings


def judged(ledger: Settled, settings: Settings, ranges: AwsRanges | None) -> Judged:
    """Evidence of a session is looked at when its turn comes, and not kept: it may have to be unpacked each time."""
    surveyed = looked_over(ledger, settings, ranges)
    return concluded(_Once(ledger, surveyed, Context(settings, surveyed.fleet, ranges)))


def is_judged(evidence: Evidence) -> bool:
    """True for a session of a workload.  EC2's own infrastructure role never gets into a ledger."""
    return workload_of(evidence)[0] is not None


def concluded(bench: Bench) -> Judged:
    """The findings of all sessions."""
    trails = Trails(bench.context.fleet.makings, bench.whereabouts, bench.evidence_of, bench.bounds)
    findings: list[Finding] = []
    moves: dict[tuple[str, str], list[str]] = defaultdict(list)  # by old and new address
    for arn, outcome in bench.outcomes():
        findings += _thefts(bench, arn, outcome.strays, trails)
        findings += outcome.services
        for way in outcome.moves:
            moves[way].append(arn)
    findings += _programs(bench)
    findings += _taken_names(bench, trails)
    findings += _deliveries(bench)
    findings += _egress_moves(bench, moves)
    return Judged(list(told_once(sorted(findings, key=order))), bench.workloads)


def order(finding: Finding) -> tuple[float, int, str, str]:
    """The worst first; of equals the surest, then the earliest."""
    return -finding.severity_score, _SURENESS[finding.confidence], finding.stray.first_seen, finding.id


def _thefts(bench: Bench, arn: str, strays: Iterable[Strayed], trails: Trails) -> Iterator[Finding]:
    """Strays of one session, each with what was made from there."""
    for stray in strays:
        seeds = trails.made_from(*stray.key, since=stray.gone_since if stray.whole else "")
        followed = trails.follow(seeds)

        def find(context: Context, stray: Strayed = stray, followed: Followed = followed) -> Finding:
            return exfiltration.finding_of(stray, context, bench.bounds, followed)

        yield bench.found(arn, ("theft", stray.key[1]), followed, find)


def _programs(bench: Bench) -> Iterator[Finding]:
    for arn, fine in bench.strange():

        def find(context: Context, arn: str = arn, fine: frozenset[str] = fine) -> list[Finding]:
            return unrecognized(bench.evidence_of(arn), fine, context, bench.bounds)

        yield from bench.found(arn, ("programs",), fine, find)


def _taken_names(bench: Bench, trails: Trails) -> Iterator[Finding]:
    for masquerade in bench.context.fleet.masquerades:
        arn, followed = masquerade.session.arn, trails.follow(masquerade.makings)

        def find(context: Context, taken: Masquerade = masquerade, followed: Followed = followed) -> Finding:
            return impostor.finding_of(taken, bench.known(taken.session.arn), context, followed)

        yield bench.found(arn, ("taken", masquerade.by), (masquerade, followed), find)


def _deliveries(bench: Bench) -> Iterator[Finding]:
    for role, told in bench.deliveries():
        arn = told.arns[0]

        def find(context: Context, role: str = role, told: V1Role = told) -> Finding:
            return notice.v1_delivery(role, told, bench.evidence_of(told.arns[0]), context)

        yield bench.found(arn, ("delivery", role), told, find)


def _egress_moves(bench: Bench, moves: dict[tuple[str, str], list[str]]) -> Iterator[Finding]:
    for way, arns in sorted(moves.items()):
        move, arn = bench.context.fleet.moves[way], min(arns)

        def find(context: Context, move: Move = move, arns: list[str] = arns) -> Finding:
            return notice.egress_move(move, arns, bench.evidence_of(min(arns)), context)

        yield bench.found(arn, ("moved", *way), (move, arns), find)


class _Once:
    """Judges a ledger once, and keeps nothing of what it found."""

    def __init__(self, ledger: Settled, surveyed: Surveyed, context: Context) -> None:
        self.bounds = ledger.bounds
        self.context = context
        self.workloads = surveyed.workloads
        self.whereabouts = surveyed.whereabouts
        self._ledger = ledger
        self._surveyed = surveyed

    def evidence_of(self, arn: str) -> Evidence:
        return self._ledger.sessions[arn]

    def known(self, arn: str) -> Evidence | None:
        return self._ledger.sessions.get(arn)

    def outcomes(self) -> Iterator[tuple[str, Outcome]]:
        for arn in sorted(self._surveyed.restless):  # so that nothing depends on the order of reading
            evidence = self.evidence_of(arn)
            outcome = outcome_of(evidence, self.context, self.bounds)
            if outcome.kit is not None:
                self._surveyed.customs.note(role_of(evidence), tenant_of(evidence).who, arn, outcome.kit)
            yield arn, outcome

    def strange(self) -> Iterable[tuple[str, frozenset[str]]]:
        return self._surveyed.customs.strange()

    def deliveries(self) -> Iterable[tuple[str, V1Role]]:
        return self._surveyed.deliveries.by_role()

    def found(self, arn: str, about: tuple[str, ...], given: object, find: Callable[[Context], _T]) -> _T:
        return find(self.context)
