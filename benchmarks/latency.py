"""How long it takes from the notice of an object to what it shows being stored, while records come at a steady rate.

    python -m benchmarks.latency prepare TRAIL OBJECTS MOST [MINUTES]
    python -m benchmarks.latency run OBJECTS STORE RECORDS_A_SECOND SECONDS

TRAIL is of `benchmarks.growth`; its records are put into objects of some hundred, as a trail delivers them: each holds
all records of some sessions that were made in the same five minutes, or in as many as are asked.  With 0 minutes
every object holds two or three records of each of its sessions.  Findings are told to no sink, and no addresses are
looked up in AWS's ranges.

Each is due at its time; who fetches it reads a file, so that what is measured is straykey, and the store on its disk.
All of it runs on one processor.  Sessions leave an hour after their last key expired.  Prints one line of JSON.
"""

import gzip
import json
import logging
import os
import resource
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from zlib import crc32

import msgspec
import structlog
from isal import isal_zlib

from straykey.core.envelope import Decoded
from straykey.core.evidence import Bounds
from straykey.core.reading import decode
from straykey.core.settings import Settings
from straykey.sources.notice import ObjectRef
from straykey.stores import findings
from straykey.stores.database import Database
from straykey.stores.sql import SqlStore
from straykey.watch.feed import Parcel
from straykey.watch.intake import Intake
from straykey.watch.loop import Limits, Parts, Watch
from straykey.watch.mirror import Judging, Mirror
from straykey.watch.pace import Clock

RECORDS_AN_OBJECT = 200
# An hour of log time goes by in minutes, or less: so sessions leave sooner, and are looked for more often.
_LIMITS = Limits(ttl_seconds=3_600, leaving_seconds=30.0, window_seconds=30.0)
_MINUTES = 5  # CloudTrail delivers "about every five minutes"
_GZIP = 31  # zlib's name for it
_GIVEN_AT_ONCE = 10  # as a queue does


class Objects:
    """Files, each an object."""

    def __init__(self, folder: Path, most: int) -> None:
        self.files = sorted(folder.iterdir())[:most]

    def fetch_all(self, refs: Iterable[ObjectRef]) -> Iterator[tuple[ObjectRef, int, Iterator[Decoded]]]:
        for ref in refs:
            packed = self.files[int(ref.key)].read_bytes()
            yield ref, len(packed), iter([decode(isal_zlib.decompress(packed, _GZIP))])


def prepare(trail: Path, folder: Path, most: int, minutes: int) -> None:
    folder.mkdir(parents=True)
    number = 0
    for delivered in _deliveries(trail, minutes):
        for part in _parts(delivered):
            body = msgspec.json.encode({"Records": part})
            (folder / f"{number:07d}.json.gz").write_bytes(gzip.compress(body, 1))
            number += 1
        if number >= most:
            return


def _deliveries(trail: Path, minutes: int) -> Iterator[list[msgspec.Raw]]:
    """All records of each so many minutes; those of a file hardly ever lie further apart than its first and next."""
    together: list[msgspec.Raw] = []
    until: datetime | None = None
    for file in sorted(trail.glob("*.json.gz")):
        records = msgspec.json.decode(gzip.decompress(file.read_bytes()), type=dict[str, list[msgspec.Raw]])["Records"]
        began = msgspec.json.decode(records[0], type=_Timed).time
        if until is not None and began >= until:
            yield together
            together, until = [], None
        until = until or began + timedelta(minutes=minutes)
        together += records
    yield together


class _Timed(msgspec.Struct):
    time: datetime = msgspec.field(name="eventTime")


def _parts(records: list[msgspec.Raw]) -> Iterator[list[msgspec.Raw]]:
    """By who called: an object is of one account and region, and holds some minutes of some sessions."""
    shares = max(1, len(records) // RECORDS_AN_OBJECT)
    parts: list[list[msgspec.Raw]] = [[] for _ in range(shares)]
    for record in records:
        text = bytes(record)
        at = text.find(b'"arn":"')
        parts[crc32(text if at < 0 else text[at : text.find(b'"', at + 7)]) % shares].append(record)
    return filter(None, parts)


class Steady:
    """A feed that gives each object when it is due, and notes when it is acknowledged."""

    name = "steady"
    hold_seconds = 3600
    gives_up_after: int | None = None

    def __init__(self, objects: int, seconds_between: float) -> None:
        self.took: dict[str, float] = {}
        self._count = objects
        self._between = seconds_between
        self._given = 0
        self._began = time.monotonic() + 1

    def due(self, number: int) -> float:
        return self._began + number * self._between

    def receive(self, wait_seconds: float) -> list[Parcel]:
        wait = self.due(self._given) - time.monotonic()
        if self._given >= self._count or wait > 0:
            time.sleep(min(wait_seconds, max(wait, 0.001)) if self._given < self._count else 0.05)
            if self._given >= self._count:
                return []
        now = time.monotonic()
        due = min(self._count, self._given + _GIVEN_AT_ONCE, int((now - self._began) / self._between) + 1)
        numbers, self._given = range(self._given, max(due, self._given)), max(due, self._given)
        return [Parcel(f"{n}", objects=(ObjectRef("logs", f"{n}", 1),)) for n in numbers]

    def acknowledge(self, parcels: Sequence[Parcel]) -> None:
        now = time.monotonic()
        for one in parcels:
            self.took[one.name] = now - self.due(int(one.name))

    def release(self, parcels: Sequence[Parcel], seconds: int) -> None:
        """Nothing comes back here."""

    def extend(self, parcels: Sequence[Parcel]) -> None:
        """Nobody else is given them."""

    def backlog(self) -> int | None:
        return None

    def is_behind(self) -> bool:
        return False

    @property
    def is_done(self) -> bool:
        return len(self.took) >= self._count


def measure(trail: Objects, store_url: str, rate: int, memory: list[float]) -> dict[str, object]:
    feed = Steady(len(trail.files), RECORDS_AN_OBJECT / rate)
    store = SqlStore(Database(store_url))
    mirror, limits = Mirror(Judging(Settings(), None)), _LIMITS
    parts = Parts([feed], Intake(trail, Bounds()), store, mirror, limits=limits)
    clock = Clock(lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), time.monotonic)
    watch = Watch(parts, clock, "bench")
    thread = Thread(target=watch.run)
    began = time.process_time()
    thread.start()
    while not feed.is_done:
        time.sleep(1)
        memory.append(_memory_mb())
    cpu = time.process_time() - began
    watch.stop()
    thread.join()
    with store.reading() as connection:
        found = len(findings.findings_since(connection, -1))
    return {
        "objects": len(trail.files),
        "findings": found,
        "cpu_seconds": round(cpu, 1),
        "seconds": quantiles(list(feed.took.values())),
        "sessions": parts.mirror.sessions,
    }


def quantiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) if ordered else 0.0
        for name, share in (("p50", 0.5), ("p99", 0.99), ("most", 1.0))
    }


def _memory_mb() -> float:
    text = Path("/proc/self/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


def run(folder: Path, store: str, rate: int, seconds: float) -> None:
    trail = Objects(folder, int(rate * seconds / RECORDS_AN_OBJECT))
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    memory: list[float] = []
    outcome = measure(trail, store, rate, memory)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    outcome["memory_mb"] = [round(one) for one in memory[:: max(1, len(memory) // 24)]]
    print(json.dumps({**outcome, "peak_mb": round(peak)}))


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int([*sys.argv, f"{_MINUTES}"][5]))
    else:
        run(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
