"""Joins source, ledger and judge; the only place that knows them all."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

import msgspec

from straykey.core.case import Context
from straykey.core.envelope import Decoded
from straykey.core.evidence import instance_of, workload_of
from straykey.core.finding import Finding
from straykey.core.folding import Folding
from straykey.core.home import weigh
from straykey.core.inventory import Inventory, inventory_of
from straykey.core.judge import judged
from straykey.core.ledger import Ledger
from straykey.core.moment import moment
from straykey.core.ranges import AwsRanges
from straykey.core.record import Record, Skipped
from straykey.core.settings import Settings
from straykey.core.survey import survey
from straykey.core.tally import Tally
from straykey.core.workload import INSTANCE
from straykey.formats.explanation import Explained
from straykey.ports import Batch, Source


class Period(msgspec.Struct, frozen=True):
    """Which records count: from `since` on and before `until`, both in the form of `moment`; empty for no bound."""

    since: str = ""
    until: str = ""

    def holds(self, time: str | None) -> bool:
        """A time that cannot be read is let through, to be counted as what it is."""
        if not (self.since or self.until):
            return True
        at = moment(time)
        return at is None or (self.since <= at and (not self.until or at < self.until))


class Request(msgspec.Struct, frozen=True):
    """What a user asked of a scan."""

    settings: Settings = Settings()
    ranges: AwsRanges | None = None
    period: Period = Period()


class Scanned(msgspec.Struct):
    """The outcome of a scan."""

    ledger: Ledger
    tally: Tally
    findings: list[Finding]
    instances: int  # sessions of workloads


def scan(source: Source, request: Request, progress: Callable[[Batch], None] = lambda _: None) -> Scanned:
    """Read all of `source`, then judge once."""
    ledger = Ledger()
    tally = read(source, ledger, request.period, progress)
    outcome = judged(ledger, request.settings, request.ranges)
    return Scanned(ledger, tally, outcome.findings, outcome.workloads)


def explain(name: str, scanned: Scanned, request: Request) -> list[Explained]:
    """The verdicts on every network of each session that has this ARN, name or instance id."""
    context = _context(scanned, request)
    findings = {finding.id: finding for finding in scanned.findings}
    return [
        Explained(
            evidence,
            weigh(evidence, context),
            findings,
            scanned.ledger.bounds,
            context.fleet.holdings.history(instance_of(evidence)[0]),
        )
        for _, evidence in sorted(scanned.ledger.sessions.items())
        if name
        and name.lower()
        in (evidence.session.arn.lower(), evidence.session.name.lower(), instance_of(evidence)[0].lower())
    ]


def agents(scanned: Scanned, request: Request) -> Inventory:
    """The programs that the instances of each role use from their own networks."""
    context = _context(scanned, request)
    instances = (one for one in scanned.ledger.sessions.values() if workload_of(one)[0] is INSTANCE)
    return inventory_of(((one, weigh(one, context)) for one in instances), context, scanned.ledger.bounds)


def _context(scanned: Scanned, request: Request) -> Context:
    return Context(request.settings, survey(scanned.ledger, request.settings, request.ranges), request.ranges)


def read(source: Source, ledger: Ledger, period: Period, progress: Callable[[Batch], None]) -> Tally:
    """Fold all of `source` into `ledger`, which is left settled.  `progress` hears of each batch once it is folded."""
    tally = Tally()
    folding = Folding(ledger)
    for batch in source.batches():
        folded = fold(batch.portions, folding, period)
        tally.add(batch.name, batch.size, folded.records, folded.skipped, folded.mended)
        progress(batch)
    ledger.settle()
    return tally


class Folded(msgspec.Struct):
    """What the portions of one file held: records, and by reason what gave nothing and what had to be mended."""

    records: int = 0
    skipped: Counter[Skipped] = msgspec.field(default_factory=Counter)
    mended: Counter[Skipped] = msgspec.field(default_factory=Counter)


def fold(portions: Iterable[Decoded], folding: Folding, period: Period) -> Folded:
    """Fold all portions of one file."""
    folded = Folded()
    take = folding.take if period == Period() else partial(_take, folding, period)
    for portion in portions:
        folded.records += len(portion.records) + len(portion.mended)
        folded.skipped.update(portion.skipped)
        for record in portion.records:
            outcome = take(record)
            if outcome is not None:
                folded.skipped[outcome] += 1
        for record, reason in portion.mended:
            outcome = take(record)
            if outcome is not None and outcome.is_loss:
                folded.skipped[outcome] += 1
            else:
                folded.mended[reason] += 1
    return folded


def _take(folding: Folding, period: Period, record: Record) -> Skipped | None:
    return folding.take(record) if period.holds(record.time) else Skipped.OTHER_TIME
