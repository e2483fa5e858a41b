"""What is watched: simulated trails with thefts in them, as objects and as the messages that tell of them."""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import msgspec

from straykey.core.finding import Finding
from straykey.core.ledger import PackedLedger
from straykey.core.ranges import parse_ranges
from straykey.pipeline import Request, scan
from straykey.sim import trial
from straykey.sim.record import Document
from straykey.sources.files import Files, find
from straykey.sources.notice import ObjectRef

BUCKET = "example-trail-bucket"
_TWICE_SHARE = 0.025  # of records that are in two objects
_TOLD_AGAIN_SHARE = 0.25  # of objects of which two messages tell
_MOST = 160  # records in an object


class Trail(msgspec.Struct, frozen=True):
    """`contents` is by key; `told` are keys in the order in which messages tell of them, some of them twice."""

    contents: dict[str, bytes]
    told: list[str]
    ranges: bytes
    records: int

    @property
    def request(self) -> Request:
        return Request(ranges=parse_ranges(self.ranges))

    @property
    def refs(self) -> list[ObjectRef]:
        return [ObjectRef(BUCKET, key, len(body)) for key, body in sorted(self.contents.items())]


class Expected(msgspec.Struct, frozen=True):
    """What a scan of all objects comes to."""

    findings: list[Finding]
    ledger: PackedLedger


def trail(seed: int, worlds: int, objects: int) -> Trail:
    """So many worlds of their own thefts in about so many objects; equal arguments give equal bytes."""
    rng = Random(f"{seed}/reliability")
    scenarios = [trial.world(worlds * seed + number) for number in range(worlds)]
    records: list[Document] = [record for scenario in scenarios for record in scenario.records]
    records += rng.sample(records, int(len(records) * _TWICE_SHARE))
    size = min(_MOST, max(1, len(records) // objects))
    contents = {
        _key(place, number): _packed(some)
        for place, there in sorted(_by_place(records).items())
        for number, some in enumerate(_cut(rng.sample(there, len(there)), size))
    }
    told = [*contents, *rng.sample(list(contents), int(len(contents) * _TOLD_AGAIN_SHARE))]
    rng.shuffle(told)
    return Trail(contents, told, msgspec.json.encode(scenarios[0].ip_ranges), len(records))


def _by_place(records: Sequence[Document]) -> dict[tuple[str, str], list[Document]]:
    found: dict[tuple[str, str], list[Document]] = defaultdict(list)
    for record in records:
        found[str(record["recipientAccountId"]), str(record["awsRegion"])].append(record)
    return found


def _cut(records: list[Document], size: int) -> Iterator[list[Document]]:
    return (records[at : at + size] for at in range(0, len(records), size))


def _key(place: tuple[str, str], number: int) -> str:
    account, region = place
    name = f"{account}_CloudTrail_{region}_20260504T1400Z_{number:016}.json.gz"
    return f"AWSLogs/o-exampleorg1/{account}/CloudTrail/{region}/2026/05/04/{name}"


def _packed(records: list[Document]) -> bytes:
    return gzip.compress(json.dumps({"Records": records}).encode(), mtime=0)


def message(ref: ObjectRef) -> str:
    """What S3 sends of a new object."""
    there = {"key": ref.key.replace("+", "%2B"), "size": ref.size, "eTag": "0" * 32, "sequencer": "0" * 16}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-05-04T14:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": ref.bucket}, "object": there},
    }
    return json.dumps({"Records": [record]})


def expected(of: Trail, folder: Path) -> Expected:
    """Scan it from files in `folder`."""
    for key, body in of.contents.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    scanned = scan(Files(find([str(folder)])), of.request)
    assert not scanned.tally.losses, scanned.tally.losses
    return Expected(scanned.findings, scanned.ledger)
