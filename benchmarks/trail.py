"""The simulated trail in two shapes: `large`, files of 2,000 records, and `delivered`, about 30 a file.

python -m benchmarks.trail FOLDER RECORDS
"""

import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count, islice
from operator import itemgetter
from pathlib import Path
from random import Random

from straykey.sim import person, service
from straykey.sim.company import Window, found
from straykey.sim.record import Document
from straykey.sim.scenario import simulate

RECORDS_A_FILE = 2_000
_DELIVERED_A_FILE = 30  # the median
_INSTANCES_SHARE = 0.4  # of all records; the others are people's, services' and functions'
_RECORDS_AN_INSTANCE_HOUR = 160  # about
_HOURS = 8


def make(folder: Path, records: int) -> None:
    """Write a simulated trail in both shapes: the same records, in `large` and `delivered`."""
    everything = simulated(records)
    large = [everything[start : start + RECORDS_A_FILE] for start in range(0, len(everything), RECORDS_A_FILE)]
    _write(folder / "large", large)
    _write(folder / "delivered", sorted(_deliveries(everything), key=lambda file: str(file[-1]["eventTime"])))


def simulated(records: int) -> list[Document]:
    """At least so many records, by time."""
    instances = max(12, int(records * _INSTANCES_SHARE) // (_HOURS * _RECORDS_AN_INSTANCE_HOUR))
    world = simulate(seed=1, hours=_HOURS, instances=instances, thefts=2)
    others = islice(_bystanders(world.start), max(0, records - len(world.records)))
    return sorted([*world.records, *others], key=itemgetter("eventTime", "eventID"))


def _bystanders(start: datetime) -> Iterator[Document]:
    """Without end: people, services and functions of one company after another."""
    window = Window(start, start + timedelta(hours=_HOURS))
    for seed in count():
        rng = Random(f"bystanders {seed}")
        yield from person.records(rng, found(rng, window, 1))
        yield from service.records(rng, window)


def _deliveries(everything: list[Document]) -> Iterator[list[Document]]:
    """Small files, each of one account and region."""
    rng = Random("deliveries")
    trails: dict[tuple[str, str], list[Document]] = defaultdict(list)
    for record in everything:
        trails[record["recipientAccountId"], record["awsRegion"]].append(record)
    for records in trails.values():
        rest = iter(records)
        while file := list(islice(rest, max(5, int(_DELIVERED_A_FILE * rng.lognormvariate(0, 0.5))))):
            yield file


def _write(folder: Path, files: list[list[Document]]) -> None:
    folder.mkdir()
    for number, records in enumerate(files):
        body = json.dumps({"Records": records}, separators=(",", ":")).encode()
        (folder / f"{number:06d}.json.gz").write_bytes(gzip.compress(body, 6, mtime=0))


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
