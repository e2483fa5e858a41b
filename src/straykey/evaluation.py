"""Joins simulated worlds, the detector, the method of 2018 and the score; `pipeline` does the scanning.

Both detectors get the same files: straykey in its own way in, the method of 2018 record by record, in the order the
files were delivered.
"""

import gzip
import json
import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import reduce
from multiprocessing import get_context
from operator import add
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from straykey import pipeline
from straykey.core.finding import Finding
from straykey.core.ranges import parse_ranges
from straykey.formats.score_json import ChangeRow, Evaluated, TheftRow, Totals
from straykey.sim import delivery, lock2018, trial
from straykey.sim.record import Document
from straykey.sim.scenario import Scenario
from straykey.sim.score import QUIET, Claim, Score, score
from straykey.sources.files import Files, find


class Scores(msgspec.Struct, frozen=True):
    """How straykey and the method of 2018 fared in the same worlds."""

    straykey: Score = Score()
    lock2018: Score = Score()
    worlds: int = 0
    records: int = 0

    def __add__(self, other: "Scores") -> "Scores":
        return Scores(*map(add, msgspec.structs.astuple(self), msgspec.structs.astuple(other)))


def trials(seeds: Sequence[int], *, jobs: int) -> Iterator[Scores]:
    """The scores of each seed's world, in the order of the seeds, made by so many processes."""
    if jobs == 1:
        yield from map(_trial, seeds)
        return
    # Not forked: a progress bar's thread would be half copied.
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_leave_interrupts)
    try:
        yield from pool.map(_trial, seeds)
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts() -> None:
    """Ctrl-C is for the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _trial(seed: int) -> Scores:
    return scored(trial.world(seed))


def scored(scenario: Scenario) -> Scores:
    """Deliver one world's records, let both detectors read them, and score what they say."""
    with TemporaryDirectory(prefix="straykey-") as name:
        delivered = delivery.write(scenario, Path(name))
        ranges = parse_ranges(delivered.ip_ranges.read_bytes())
        scanned = pipeline.scan(Files(find([str(delivered.logs)])), pipeline.Request(ranges=ranges))
        alarms = list(lock2018.alarms(_records(delivered.logs)))
    return Scores(
        straykey=_score(scenario, map(_claim, scanned.findings)),
        lock2018=_score(scenario, (Claim(alarm.session_arn, alarm.address, "", "") for alarm in alarms)),
        worlds=1,
        records=delivered.records,
    )


def _records(logs: Path) -> Iterator[Document]:
    """All records in the order of the marks in the names of their files."""
    for path in sorted(logs.rglob("*_CloudTrail_*.json.gz"), key=lambda path: (path.name.split("_")[3], path.name)):
        yield from json.loads(gzip.decompress(path.read_bytes()))["Records"]


def _score(scenario: Scenario, claims: Iterable[Claim]) -> Score:
    return score(scenario.thefts, scenario.changes, _sessions(scenario), claims)


def _sessions(scenario: Scenario) -> set[str]:
    """All role sessions in the records but those that a thief made."""
    made = {key for theft in scenario.thefts for key in theft.made_keys}
    callers = [record["userIdentity"] for record in scenario.records]
    arns = {caller["arn"] for caller in callers if "arn" in caller and caller.get("accessKeyId") not in made}
    return {arn for arn in arns if ":assumed-role/" in arn}


def _claim(finding: Finding) -> Claim:
    made = (pivot.access_key for pivot in finding.pivots)
    return Claim(
        session_arn=finding.session.arn,
        address=finding.stray.address or "",
        type=finding.type.value,
        severity=finding.severity.value,
        user_agents=tuple(finding.stray.user_agents),
        keys=(*finding.access_keys, *filter(None, made)),
    )


def evaluated(scores: Iterable[Scores]) -> Evaluated:
    """All worlds as one, in rows by kind."""
    sums = reduce(add, scores, Scores())
    ours = sums.straykey
    thefts = [_theft_row(kind, sums) for kind in sorted(ours.outcomes)]
    changes = [_change_row(kind, sums) for kind in (*sorted(ours.changes), QUIET)]
    return Evaluated(
        worlds=sums.worlds,
        records=sums.records,
        thefts=thefts,
        changes=changes,
        notices=dict(sorted(ours.notices.items())),
        egress_moves=ours.moves,
        egress_moves_told=ours.moves_told,
        totals=_totals(sums, thefts, changes),
    )


def _theft_row(kind: tuple[str, str], sums: Scores) -> TheftRow:
    name, excluded = kind
    ours, theirs = sums.straykey.outcomes[kind], sums.lock2018.outcomes[kind]
    return TheftRow(
        kind=name,
        excluded=excluded or None,
        stolen=ours.stolen,
        found=ours.found,
        type_right=ours.type_right,
        severity_right=ours.severity_right,
        pivots=ours.pivots,
        pivots_right=ours.pivots_right,
        turned=ours.turned,
        turned_right=ours.turned_right,
        blamed=ours.blamed,
        lock2018_found=theirs.found,
        lock2018_blamed=theirs.blamed,
    )


def _change_row(kind: str, sums: Scores) -> ChangeRow:
    ours, theirs = sums.straykey, sums.lock2018
    return ChangeRow(kind, ours.changes[kind], ours.touched[kind], ours.false_alarms[kind], theirs.false_alarms[kind])


def _totals(sums: Scores, thefts: Sequence[TheftRow], changes: Sequence[ChangeRow]) -> Totals:
    expected = [row for row in thefts if row.excluded is None]
    return Totals(
        stolen=sum(row.stolen for row in expected),
        found=sum(row.found for row in expected),
        lock2018_found=sum(row.lock2018_found for row in expected),
        false_alarms=sum(row.blamed for row in thefts) + sum(row.false_alarms for row in changes),
        lock2018_false_alarms=sum(row.lock2018_blamed for row in thefts)
        + sum(row.lock2018_false_alarms for row in changes),
        innocent_sessions=sums.straykey.innocent,
        accused_sessions=sums.straykey.accused,
        lock2018_accused_sessions=sums.lock2018.accused,
    )
