"""How the records reach the bucket: many small files, late, unsorted, some records twice.

A record goes into the file of the first five-minute mark after CloudTrail has processed it, so
the time in a file name lies up to ten minutes after the events in it (measured on a real trail:
median 3.4 minutes, 95th percentile 7.1, at most 9.9); the few that a scenario calls late come hours
after that.  A second copy always comes in a later file.
"""

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from straykey.sim import identifier
from straykey.sim.digest import Digests, Logged
from straykey.sim.record import Document
from straykey.sim.scenario import Scenario

TRUTH_SCHEMA = "straykey/simulation-truth/1"
ORGANIZATION = "o-exampleorg1"

Trail: TypeAlias = tuple[str, str]  # account, region

_MARK_SECONDS = 300
_MOST_PROCESSING_SECONDS = 295.0
_LATE_SECONDS = 3 * 3600
_COPY_SHARE = 0.025
_SHUFFLED_SHARE = 0.65
_LARGEST_FILE = 400
_MEDIAN_FILE = 30
_COMPRESSION = 4


@dataclass(frozen=True, slots=True)
class Delivered:
    """What was written; `records` counts second copies too."""

    files: int
    records: int
    copies: int
    digests: int
    logs: Path
    truth: Path
    ip_ranges: Path


def write(scenario: Scenario, directory: Path) -> Delivered:
    """Write the trail, the truth and the ranges under `directory`.

    FileExistsError if it holds a trail already: the truth would be about half of the logs.
    """
    logs, truth, ranges = directory / "AWSLogs", directory / "truth.json", directory / "ip-ranges.json"
    logs.mkdir(parents=True)
    rng = Random(f"{scenario.seed}/delivery")
    marks, copies = _delivered(rng, scenario)
    digests = Digests(logs / ORGANIZATION)
    files = 0
    for (trail, mark), records in sorted(marks.items(), key=lambda entry: (entry[0][1], entry[0][0])):
        for batch in _files(rng, records):
            digests.add(_write_log(rng, logs / ORGANIZATION, trail, mark, batch))
            files += 1
    truth.write_text(_pretty(_truth(scenario)), encoding="utf-8")
    ranges.write_text(_pretty(scenario.ip_ranges), encoding="utf-8")
    total = len(scenario.records) + copies
    return Delivered(files, total, copies, digests.write(), logs, truth, ranges)


def _delivered(rng: Random, scenario: Scenario) -> tuple[dict[tuple[Trail, int], list[Document]], int]:
    """Which records come at which mark of which trail, and how many of them for the second time."""
    marks: dict[tuple[Trail, int], list[Document]] = defaultdict(list)
    copies = 0
    for record in scenario.records:
        trail = (record["recipientAccountId"], record["awsRegion"])
        mark = _mark(rng, record["eventTime"])
        if record["eventID"] in scenario.late_event_ids:
            mark += _LATE_SECONDS
        marks[trail, mark].append(record)
        if rng.random() < _COPY_SHARE:
            marks[trail, mark + _MARK_SECONDS].append(record)
            copies += 1
    return marks, copies


def _mark(rng: Random, event_time: str) -> int:
    """The five-minute mark, in epoch seconds, whose file a record goes into."""
    processed = datetime.fromisoformat(event_time).timestamp() + _processing_seconds(rng)
    return int(-(-processed // _MARK_SECONDS)) * _MARK_SECONDS


def _processing_seconds(rng: Random) -> float:
    # Mostly well under a minute; the rest makes the long tail of the measured delays.
    if rng.random() < 0.8:
        return min(_MOST_PROCESSING_SECONDS, rng.expovariate(1 / 30))
    return rng.uniform(30, _MOST_PROCESSING_SECONDS)


def _files(rng: Random, records: list[Document]) -> Iterator[list[Document]]:
    """The records of one mark, dealt to files; most files are not in order of time."""
    rest = list(records)
    rng.shuffle(rest)
    while rest:
        size = min(_LARGEST_FILE, max(5, int(_MEDIAN_FILE * rng.lognormvariate(0, 0.7))))
        batch, rest = rest[-size:], rest[:-size]
        if rng.random() >= _SHUFFLED_SHARE:
            batch.sort(key=lambda record: str(record["eventTime"]))
        yield batch


def _write_log(rng: Random, root: Path, trail: Trail, mark: int, records: list[Document]) -> Logged:
    account, region = trail
    at = datetime.fromtimestamp(mark, UTC)
    name = f"{account}_CloudTrail_{region}_{at:%Y%m%dT%H%MZ}_{identifier.alphanumeric(rng, 16)}.json.gz"
    path = root / account / "CloudTrail" / region / f"{at:%Y/%m/%d}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    body = json.dumps({"Records": records}, separators=(",", ":"), ensure_ascii=False).encode()
    path.write_bytes(gzip.compress(body, _COMPRESSION, mtime=0))
    times = [record["eventTime"] for record in records]
    return Logged(account, region, at, path, hashlib.sha256(body).hexdigest(), min(times), max(times))


def _truth(scenario: Scenario) -> dict[str, Any]:
    return {
        "$schema": TRUTH_SCHEMA,
        "seed": scenario.seed,
        "start": scenario.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "hours": scenario.hours,
        "instances": scenario.instances,
        "accounts": scenario.accounts,
        "attacker_accounts": scenario.attacker_accounts,
        "changes": [asdict(change) for change in scenario.changes],
        "late_event_ids": sorted(scenario.late_event_ids),
        "thefts": [asdict(theft) for theft in scenario.thefts],
        "sessions": [asdict(session) for session in scenario.sessions],
    }


def _pretty(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1) + "\n"
