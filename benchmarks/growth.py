"""Trails of any size: records of as many instances' sessions as asked, a thousand of them alive at a time.

    python -m benchmarks.growth FOLDER RECORDS SESSIONS OTHERS

Each session has one home network or two, a handful of kinds of calls, and keys that are renewed every hour.  A few are
stolen.  Equal arguments give equal files, however many processes write them.
"""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from random import Random

import msgspec
from isal import isal_zlib

from benchmarks.template import Kind, templates

RECORDS_A_FILE = 2_000
_ALIVE = 1_000
_A_VPC = 20  # sessions
_VPCS = 4_096
_PER_HOUR = 160  # records of one session
_SHORTEST_LIFE = 7_200.0  # seconds
_RENEWAL = 3_600
_THEFTS = 5
_LOOT = 12  # records of one theft
_START = int(datetime(2026, 5, 4, 10, tzinfo=UTC).timestamp())
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class Plan(msgspec.Struct, frozen=True):
    """How many records of how many sessions; all times are seconds since the start."""

    records: int
    sessions: int
    others: float = 0.1  # share of the records that are people's, services' and functions'

    @property
    def life(self) -> float:
        return max(_SHORTEST_LIFE, (1 - self.others) * self.records / self.sessions / _PER_HOUR * 3600)

    @property
    def gap(self) -> float:
        """Between the starts of two sessions; none where all live at a time."""
        return self.life / _ALIVE if self.sessions > _ALIVE else 0.0

    @property
    def files(self) -> int:
        return -(-self.records // RECORDS_A_FILE)

    @property
    def stolen(self) -> range:
        """Every so many sessions one is stolen from."""
        step = max(1, self.sessions // (_THEFTS + 1))
        return range(step, min(self.sessions, step * _THEFTS + 1), step)


class Clone:
    """A session: what tells it from others of its kind, which all sessions of one VPC are of."""

    def __init__(self, ordinal: int, start: float) -> None:
        kinds = templates().kinds
        vpc = ordinal // _A_VPC % _VPCS
        self.start = int(start)
        self.kind: Kind = kinds[_mixed(vpc, 16) % len(kinds)]
        self._ordinal = ordinal
        self._renewals = -1
        number = ordinal % (1 << 24)
        dotted = f"{number >> 16}.{number >> 8 & 255}.{number & 255}"
        self._values = {
            b"instance": f"i-0{_mixed(ordinal, 64):016x}".encode(),
            b"public": f"240.{dotted}".encode(),  # reserved addresses: nobody's
            b"nat": f"241.0.{vpc >> 8}.{vpc & 255}".encode(),
            b"private": f"10.{dotted}".encode(),
            b"vpc": f"{vpc:03x}".encode(),
        }

    def values(self, at: int) -> dict[bytes, bytes]:
        """What fills a template at a time, but for the record's own ids."""
        renewals = (at - self.start) // _RENEWAL
        values = self._values
        if renewals != self._renewals:
            self._renewals = renewals
            number = _mixed(self._ordinal << 12 | renewals, 45)
            key = "".join([_BASE32[number >> shift & 31] for shift in range(0, 45, 5)])
            values[b"key"] = f"ASIAEXAMPLE{key}".encode()
            values[b"issued"] = _stamp(self.start + renewals * _RENEWAL)
        values[b"time"] = _stamp(at)
        return values


class LogFile:
    """What one file holds: the records between two times."""

    def __init__(self, plan: Plan, number: int) -> None:
        self._plan = plan
        self._gap = plan.gap
        span = plan.life + self._gap * (plan.sessions - 1)
        self._rng = Random(number)
        self._begin, self._end = (span * part / plan.files for part in (number, number + 1))
        self._room = min(RECORDS_A_FILE, plan.records - number * RECORDS_A_FILE)

    def records(self) -> list[bytes]:
        """By time."""
        random, begin, length = self._rng.random, self._begin, self._end - self._begin
        found = [*self._issuances(), *self._thefts()]
        found += [self._usual(begin + length * random()) for _ in range(self._room - len(found))]
        found.sort()
        return [record for _, record in found[: self._room]]

    def _usual(self, at: float) -> tuple[int, bytes]:
        if self._rng.random() < self._plan.others:
            others = templates().others
            values = {b"time": _stamp(int(at)), b"vpc": b"000"}
            return int(at), others[int(self._rng.random() * len(others))] % self._with_ids(values)
        alive = self._alive(at, at)
        clone = _clone(self._plan, alive[int(self._rng.random() * len(alive))])
        return self._filled(clone, clone.kind.uses, max(int(at), clone.start + 1))

    def _alive(self, begin: float, end: float) -> range:
        """The sessions that live at some time between."""
        gap, sessions = self._gap, self._plan.sessions
        if not gap:
            return range(sessions)
        first = max(0, int(begin / gap) - _ALIVE + 1)
        return range(min(first, sessions - 1), min(sessions, int(end / gap) + 1))

    def _issuances(self) -> Iterator[tuple[int, bytes]]:
        """A session's first key, and a new one every hour."""
        for ordinal in self._alive(self._begin, self._end):
            clone = _clone(self._plan, ordinal)
            last = min(self._end, clone.start + self._plan.life)
            at = clone.start + max(0, -int((clone.start - self._begin) // _RENEWAL)) * _RENEWAL
            while at < last:
                yield self._filled(clone, [clone.kind.issuance], at)
                at += _RENEWAL

    def _thefts(self) -> Iterator[tuple[int, bytes]]:
        """In the middle of a session's life somebody uses its key from elsewhere."""
        for place, ordinal in enumerate(self._plan.stolen):
            clone = _clone(self._plan, ordinal)
            middle = clone.start + self._plan.life / 2
            if self._begin <= middle < self._end and clone.kind.open_uses:
                thief = f"203.0.113.{place + 1}".encode()
                for step in range(_LOOT):
                    yield self._filled(clone, clone.kind.open_uses, int(middle) + step, thief)

    def _filled(self, clone: Clone, among: list[bytes], at: int, thief: bytes = b"") -> tuple[int, bytes]:
        values = clone.values(at)
        if thief:
            values = values | {b"public": thief, b"nat": thief}
        return at, among[int(self._rng.random() * len(among))] % self._with_ids(values)

    def _with_ids(self, values: dict[bytes, bytes]) -> dict[bytes, bytes]:
        text = f"{self._rng.getrandbits(256):064x}"
        values[b"event"] = f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}".encode()
        values[b"request"] = f"{text[32:40]}-{text[40:44]}-4{text[45:48]}-a{text[49:52]}-{text[52:]}".encode()
        return values


def make(folder: Path, plan: Plan, processes: int) -> int:
    """Write the trail; returns its size unpacked."""
    folder.mkdir(parents=True)
    chunk = max(1, plan.files // (8 * processes))
    with ProcessPoolExecutor(processes) as pool:
        return sum(pool.map(partial(_write, folder, plan), range(plan.files), chunksize=chunk))


def _write(folder: Path, plan: Plan, number: int) -> int:
    body = b'{"Records":[' + b",".join(LogFile(plan, number).records()) + b"]}"
    packing = isal_zlib.compressobj(level=2, wbits=31)
    packed = packing.compress(body) + packing.flush()
    (folder / f"{number:06d}.json.gz").write_bytes(packed)
    return len(body)


@lru_cache(maxsize=4 * _ALIVE)
def _clone(plan: Plan, ordinal: int) -> Clone:
    return Clone(ordinal, ordinal * plan.gap)


@lru_cache(maxsize=1 << 14)
def _stamp(seconds: int) -> bytes:
    return datetime.fromtimestamp(_START + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()


def _mixed(number: int, bits: int) -> int:
    """Another number for each below 2**bits, spread over all of them."""
    mask = (1 << bits) - 1
    number = (number + 1) * 0x9E3779B97F4A7C15 & mask
    number ^= number >> bits // 2
    return number * 0xD6E8FEB86659FD93 & mask


if __name__ == "__main__":
    made = make(Path(sys.argv[1]), Plan(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])), os.cpu_count() or 1)
    print(made)
