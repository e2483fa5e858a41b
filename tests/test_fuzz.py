"""Ten thousand broken files: none raises, and none hides the theft beside it."""

import json
import random
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
import zstandard
from rich.console import Console

from straykey import pipeline
from straykey.formats import finding_json, finding_table
from straykey.sources.compression import Limit
from straykey.sources.files import Files, find
from tests.records import allocation_record, compact, gz, issuance_record, lines, trail, use_record

SHARDS = 8
FILES_PER_SHARD = 1250

Mutation = Callable[[random.Random, bytes], bytes]

# Neither instances, accounts nor addresses of the theft: a mutated record may say anything about its own.
_OTHERS = [
    issuance_record(instance="i-0aaaaaaaaaaaaaaaa", account="444455556666", key="ASIAEXAMPLEKEY000002"),
    use_record(instance="i-0aaaaaaaaaaaaaaaa", account="444455556666", address="192.0.2.7", key="ASIAEXAMPLEKEY000002"),
    use_record(
        instance="i-0bbbbbbbbbbbbbbbb", account="444455556666", address="192.0.2.8", agent='a "quoted" agent \\'
    ),
    allocation_record(account="444455556666", address="192.0.2.7"),
]
_LOOKED_UP = {"Events": [{"EventId": "1", "CloudTrailEvent": json.dumps(record)} for record in _OTHERS]}
_EVENT_BRIDGE = [{"version": "0", "detail-type": "AWS API Call via CloudTrail", "detail": record} for record in _OTHERS]
SEEDS = [
    trail(*_OTHERS),
    lines(*_OTHERS),
    compact(_OTHERS),
    compact(_LOOKED_UP),
    lines(*_EVENT_BRIDGE),
    json.dumps({"Records": _OTHERS[:2]}, indent=1).encode(),
    trail(_OTHERS[1]).decode().encode("utf-16"),
]
TOKENS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"\\",
    b"\n",
    b"null",
    b"\0",
    b"\xff",
    b'{"eventVersion":',
    b"\\ud800",
]
VALUES = [
    b"null",
    b"7",
    b"[]",
    b"{}",
    b"NaN",
    b"1e999",
    b"9" * 5000,
    b'"\\ud800"',
    b'"\xff"',
    b"[" * 3000,
    b"tru",
    b'"',
]
VALUES += [
    b"[" * 3000 + b"]" * 3000,
    b'"999.1.1.1"',
    b'"2026-13-45"',
    b'"9999-12-31T23:59:59Z"',
    b'"\x1b[31m"',
    b'{"a":1}',
]


def _flip(rng: random.Random, data: bytes) -> bytes:
    flipped = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(flipped)


def _delete(rng: random.Random, data: bytes) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randint(1, 40) :]


def _insert(rng: random.Random, data: bytes) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + rng.randbytes(rng.randint(1, 20)) + data[start:]


def _repeat(rng: random.Random, data: bytes) -> bytes:
    start = rng.randrange(len(data))
    end = start + rng.randint(1, 400)
    return data[:end] + data[start:]


def _cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data))]


def _put_token(rng: random.Random, data: bytes) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + rng.choice(TOKENS) + data[start + rng.randint(0, 2) :]


def _swap_tokens(rng: random.Random, data: bytes) -> bytes:
    one, other = rng.sample(TOKENS[:7], 2)
    return data.replace(one, b"\1").replace(other, one).replace(b"\1", other)


def _replace_value(rng: random.Random, data: bytes) -> bytes:
    """Put an odd value in the place of one member's, or, in lists and texts, of whatever stands there."""
    colons = [place for place, byte in enumerate(data) if byte == ord(":")]
    start = rng.choice(colons or [0]) + 1
    end = min(filter(lambda place: place > start, (data.find(mark, start + 1) for mark in b",}")), default=start)
    return data[:start] + rng.choice(VALUES) + data[end:]


MUTATIONS: list[Mutation] = [_flip, _delete, _insert, _repeat, _cut, _put_token, _swap_tokens, _replace_value]


def mutated(rng: random.Random) -> bytes:
    """A small file, broken before it was packed or after, or both."""
    data = rng.choice(SEEDS)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        data = rng.choice(MUTATIONS)(rng, data) or b"{"
    packing = rng.random()
    if packing < 0.5:
        return data
    data = zstandard.compress(data) if packing > 0.9 else gz(data) + (gz(data[:300]) if packing > 0.8 else b"")
    return rng.choice(MUTATIONS[:5])(rng, data) if rng.random() < 0.5 else data


@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_broken_file_raises_or_hides_the_theft_beside_it(shard: int, tmp_path: Path) -> None:
    theft = [issuance_record(), use_record(), use_record(time="2026-05-04T10:09:00Z")]
    theft.append(use_record(address="203.0.113.66", time="2026-05-04T10:05:00Z"))
    (tmp_path / "theft.json").write_bytes(trail(*theft))
    planted = {finding.id for finding in _scan(tmp_path).findings}
    assert len(planted) == 1
    for number in range(FILES_PER_SHARD):
        seed = shard * FILES_PER_SHARD + number
        (tmp_path / "broken.json").write_bytes(mutated(random.Random(seed)))
        scanned = _scan(tmp_path)
        assert planted <= {finding.id for finding in scanned.findings}, f"seed {seed}"
        assert not any("theft" in name for name in scanned.tally.losses), f"seed {seed}"


def _scan(folder: Path) -> pipeline.Scanned:
    scanned = pipeline.scan(Files(find([str(folder)]), limit=Limit(floor=1 << 20)), pipeline.Request())
    finding_json.to_document(scanned.findings, {})
    Console(file=StringIO()).print(finding_table.render(scanned.findings, instances=scanned.instances, most=1_000))
    return scanned
