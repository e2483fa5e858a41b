"""Joins source, ledger and judge; the only place that knows them all."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

import msgspec

from straykey.core.case import Context
from straykey.core.envelope import Decoded, Detour
from straykey.core.evidence import Bounds, instance_of, workload_of
from straykey.core.finding import Finding
from straykey.core.folding import Folding
from straykey.core.home import weigh
from straykey.core.inventory import Inventory, inventory_of
from straykey.core.judge import judged
from straykey.core.ledger import PackedLedger
from straykey.core.moment import moment
from straykey.core.ranges import AwsRanges
from straykey.core.record import Record, Skipped
from straykey.core.run import Packing
from straykey.core.settings import Settings
from straykey.core.survey import survey
from straykey.core.tally import Tally
from straykey.core.workload import INSTANCE
from straykey.engines.local import Workers
from straykey.engines.shelf import Room
from straykey.formats.explanation import Explained
from straykey.ports import Source
from straykey.sources import history, s3
from straykey.sources.compression import PACKING
from straykey.sources.files import Files, find
from straykey.sources.layout import days_of
from straykey.sources.several import Several


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


def source_of(paths: Iterable[str], period: Period, tell: Callable[[str], None]) -> Source:
    """What the paths of a command line name; `tell` is given lines for the user while it is read."""
    texts = list(paths)
    looked_up = [text for text in texts if text.startswith(history.NAME)]
    buckets = [text for text in texts if text.startswith(s3.SCHEME)]
    # First what may be refused: better in the first second than after all files.
    sources: list[Source] = [history.history(looked_up, _window(period), tell)] if looked_up else []
    sources += s3.find(buckets, days_of(period.since, period.until))
    files = [text for text in texts if text not in looked_up and text not in buckets]
    if files or not sources:
        sources.append(Files(find(files)))
    return Several(sources) if len(sources) > 1 else sources[0]


def _window(period: Period) -> history.Window:
    return history.Window(*(datetime.fromisoformat(text) if text else None for text in (period.since, period.until)))


class Request(msgspec.Struct, frozen=True):
    """What a user asked of a scan."""

    settings: Settings = Settings()
    ranges: AwsRanges | None = None
    period: Period = Period()


class Scanned(msgspec.Struct):
    """The outcome of a scan."""

    ledger: PackedLedger
    tally: Tally
    findings: list[Finding]
    instances: int  # sessions of workloads


def scan(
    source: Source, request: Request, *, jobs: int = 1, progress: Callable[[int], None] = lambda _: None
) -> Scanned:
    """Read all of `source`, in so many processes, then judge once."""
    found = read(source, request.period, jobs, progress)
    outcome = judged(found.ledger, request.settings, request.ranges)
    return Scanned(found.ledger, found.tally, outcome.findings, outcome.workloads)


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
        for _, evidence in scanned.ledger.sessions.items()
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


class Read(msgspec.Struct):
    """What was folded of a source, and what there was."""

    ledger: PackedLedger
    tally: Tally


_IN_MEMORY = 16 << 20  # bytes of packed evidence; the rest goes to disk


def read(source: Source, period: Period, jobs: int, progress: Callable[[int], None]) -> Read:
    """Fold all of `source`.  `progress` hears how many bytes more were read."""
    packing = msgspec.structs.replace(PACKING, shelf=Room(_IN_MEMORY).shelf)
    shares = source.shares(jobs) if jobs > 1 else []
    if len(shares) < 2:
        return fold_all(source, period, progress, packing)
    whole = Read(PackedLedger.empty(Bounds(), packing), Tally())
    for share in shares:
        if share.is_bound:
            _join(whole, fold_all(share, period, progress, packing))
    elsewhere = [share for share in shares if not share.is_bound]
    work = partial(fold_all, period=period, progress=lambda _: None)
    for share, done in Workers(work, elsewhere, jobs).results():
        _join(whole, done or _unread(share))
        progress(sum(size for _, size in share.contents))
    whole.ledger.settle()
    losses = whole.tally.losses
    whole.tally.losses = {name: losses[name] for name, _ in source.contents if name in losses}
    return whole


def fold_all(source: Source, period: Period, progress: Callable[[int], None], packing: Packing = PACKING) -> Read:
    """Fold all of `source` here, one batch after the other."""
    tally = Tally()
    folding = Folding(Bounds(), packing)
    for batch in source.batches():
        folded = fold(batch.portions, folding, period)
        tally.add(batch.name, batch.size, folded.records, folded.skipped, folded.mended)
        tally.detours.update(folded.detours)
        progress(batch.size)
    return Read(folding.ledger(), tally)


def _join(whole: Read, part: Read) -> None:
    whole.ledger.absorb(part.ledger)
    whole.tally.absorb(part.tally)


def _unread(share: Source) -> Read:
    """What there is of a share that no process lived to tell of."""
    tally = Tally()
    for name, size in share.contents:
        tally.add(name, size, 0, Counter({Skipped.WORKER_DIED: 1}), Counter())
    return Read(PackedLedger.empty(Bounds(), PACKING), tally)


class Folded(msgspec.Struct):
    """What the portions of one file held: records; by reason what gave nothing and what had to be mended; detours."""

    records: int = 0
    skipped: Counter[Skipped] = msgspec.field(default_factory=Counter)
    mended: Counter[Skipped] = msgspec.field(default_factory=Counter)
    detours: Counter[Detour] = msgspec.field(default_factory=Counter)


def fold(portions: Iterable[Decoded], folding: Folding, period: Period) -> Folded:
    """Fold all portions of one file."""
    folded = Folded()
    for portion in portions:
        folded.records += len(portion.records) + len(portion.mended)
        # Most often there is nothing to add, and to add that would cost more than all else here.
        for skipped in (portion.skipped, _take(folding, period, portion.records)):
            if skipped:
                folded.skipped.update(skipped)
        if portion.detours:
            folded.detours.update(portion.detours)
        for record, reason in portion.mended:
            lost = [outcome for outcome in _take(folding, period, [record]).elements() if outcome.is_loss]
            folded.skipped.update(lost)
            if not lost:
                folded.mended[reason] += 1
    if not folded.records and not any(reason.is_loss for reason in folded.skipped.elements()):
        folded.detours.clear()  # a digest, say: there was nothing to read, fast or slowly
    return folded


def _take(folding: Folding, period: Period, records: list[Record]) -> Counter[Skipped]:
    if period == Period():
        return folding.take(records)
    within = [record for record in records if period.holds(record.time)]
    skipped = folding.take(within)
    if len(within) < len(records):
        skipped[Skipped.OTHER_TIME] += len(records) - len(within)
    return skipped
