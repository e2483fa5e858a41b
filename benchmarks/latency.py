"""How long it takes from the notice of an object to what it shows being stored, while records come at a steady rate.

    python -m benchmarks.latency FOLDER STORE RECORDS_A_SECOND SECONDS

FOLDER holds a trail of `benchmarks.growth`.  Its records come in objects of some hundred, each due at its time; who
fetches them has them at hand, so that what is measured is straykey, and the store on its disk.  Everything runs on one
processor.  Prints one line of JSON.
"""

import gzip
import json
import os
import resource
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import msgspec

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
from straykey.watch.loop import Parts, Watch
from straykey.watch.mirror import Judging, Mirror
from straykey.watch.pace import Clock

RECORDS_AN_OBJECT = 200
_GIVEN_AT_ONCE = 10  # as a queue does
_THIEF = b'"203.0.113.'


class Trail:
    """Objects in memory, packed; the same trail again and again, if it is too short."""

    def __init__(self, folder: Path, most: int) -> None:
        self.objects: list[tuple[bytes, bool]] = []  # and whether a thief is in it
        for file in sorted(folder.glob("*.json.gz")):
            records = msgspec.json.decode(gzip.decompress(file.read_bytes()), type=dict[str, list[msgspec.Raw]])
            self.objects += map(_object, _parts(records["Records"]))
            if len(self.objects) >= most:
                break
        del self.objects[most:]

    def fetch_all(self, refs: Iterable[ObjectRef]) -> Iterator[tuple[ObjectRef, int, Iterator[Decoded]]]:
        for ref in refs:
            packed, _ = self.objects[int(ref.key)]
            yield ref, len(packed), iter([decode(gzip.decompress(packed))])


def _parts(records: list[msgspec.Raw]) -> Iterator[list[msgspec.Raw]]:
    """By who called: an object is of one account and region, and holds some minutes of some sessions."""
    shares = max(1, len(records) // RECORDS_AN_OBJECT)
    parts: list[list[msgspec.Raw]] = [[] for _ in range(shares)]
    for record in records:
        text = bytes(record)
        at = text.find(b'"arn":"')
        parts[hash(text[at : text.find(b'"', at + 7)]) % shares].append(record)
    return filter(None, parts)


def _object(records: list[msgspec.Raw]) -> tuple[bytes, bool]:
    body = msgspec.json.encode({"Records": records})
    return gzip.compress(body, 1), _THIEF in body


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

    @property
    def is_done(self) -> bool:
        return len(self.took) >= self._count


def measure(trail: Trail, store_url: str, rate: int, minutes: list[float]) -> dict[str, object]:
    feed = Steady(len(trail.objects), RECORDS_AN_OBJECT / rate)
    store = SqlStore(Database(store_url))
    parts = Parts([feed], Intake(trail, Bounds()), store, Mirror(Judging(Settings(), None)))
    clock = Clock(lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), time.monotonic)
    watch = Watch(parts, clock, "bench")
    thread = Thread(target=watch.run)
    began = time.process_time()
    thread.start()
    while not feed.is_done:
        time.sleep(1)
        minutes.append(_memory_mb())
    cpu = time.process_time() - began
    watch.stop()
    thread.join()
    with store.reading() as connection:
        found = len(findings.findings_since(connection, -1))
    thefts = [feed.took[f"{n}"] for n, (_, is_theft) in enumerate(trail.objects) if is_theft]
    return {
        "objects": len(trail.objects),
        "findings": found,
        "cpu_seconds": round(cpu, 1),
        "seconds": quantiles(list(feed.took.values())),
        "of_thefts": quantiles(thefts),
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


def main() -> None:
    folder, store, rate, seconds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    trail = Trail(folder, int(rate * seconds / RECORDS_AN_OBJECT))
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    memory: list[float] = []
    outcome = measure(trail, store, rate, memory)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                **outcome,
                "memory_mb": [round(one) for one in memory[:: max(1, len(memory) // 12)]],
                "peak_mb": round(peak),
            }
        )
    )


if __name__ == "__main__":
    main()
