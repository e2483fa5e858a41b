"""`straykey scan` beside a plain gzip and json loop over the same files: whole processes, in turn, medians.

    python benchmarks/scan.py [--records N] [--runs N]

Ratios of one run are what counts: absolute times belong to the machine they were taken on.
"""

import argparse
import gzip
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from itertools import count, islice
from operator import itemgetter
from pathlib import Path
from random import Random

import msgspec

from straykey.sim import person, service
from straykey.sim.company import Window, found
from straykey.sim.record import Document
from straykey.sim.scenario import simulate

RECORDS_A_FILE = 2_000
INSTANCES_SHARE = 0.4  # of all records; the others are people's, services' and functions'
RECORDS_AN_INSTANCE_HOUR = 160  # about
HOURS = 8


class Run(msgspec.Struct, frozen=True):
    """One process from start to end."""

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float


def make(folder: Path, records: int) -> tuple[int, int]:
    """Write a simulated trail in files of 2,000 records; returns how many records and how many bytes unpacked."""
    instances = max(12, int(records * INSTANCES_SHARE) // (HOURS * RECORDS_AN_INSTANCE_HOUR))
    world = simulate(seed=1, hours=HOURS, instances=instances, thefts=2)
    everything = [*world.records, *islice(bystanders(world.start), max(0, records - len(world.records)))]
    everything.sort(key=itemgetter("eventTime", "eventID"))
    size = 0
    for number, start in enumerate(range(0, len(everything), RECORDS_A_FILE)):
        body = json.dumps({"Records": everything[start : start + RECORDS_A_FILE]}, separators=(",", ":")).encode()
        (folder / f"{number:05d}.json.gz").write_bytes(gzip.compress(body, 6))
        size += len(body)
    return len(everything), size


def bystanders(start: datetime) -> Iterator[Document]:
    """Without end: people, services and functions of one company after another."""
    window = Window(start, start + timedelta(hours=HOURS))
    for seed in count():
        rng = Random(f"bystanders {seed}")
        yield from person.records(rng, found(rng, window, 1))
        yield from service.records(rng, window)


def run(command: list[str]) -> Run:
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"failed: {' '.join(command)}")
    return Run(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(runs: list[Run], figure: str) -> float:
    return float(statistics.median(getattr(one, figure) for one in runs))


def rows(title: str, runs: list[Run], records: int) -> str:
    wall, cpu, peak = (median(runs, figure) for figure in ("wall_seconds", "cpu_seconds", "peak_mb"))
    return f"{title:18}{wall:10.2f}{cpu:10.2f}{cpu / records * 1e6:12.2f}{peak:10.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        # In a process of its own: a child's peak memory starts at its parent's.
        with ProcessPoolExecutor(1) as pool:
            records, size = pool.submit(make, Path(name), asked.records).result()
        ours = [sys.executable, "-m", "straykey", "scan", name, "--offline", "--format", "jsonl"]
        plain = [sys.executable, str(Path(__file__).with_name("plain.py")), name]
        run(ours)  # once unmeasured: files into the cache, bytecode written
        run(plain)
        pairs = [(run(ours), run(plain)) for _ in range(asked.runs)]
    print(f"{records:,} records, {size / records:,.0f} bytes each; {asked.runs} runs of each in turn, medians")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    print(f"\n{'':18}{'wall s':>10}{'CPU s':>10}{'µs/record':>12}{'peak MB':>10}")
    print(rows("straykey scan", [ours for ours, _ in pairs], records))
    print(rows("gzip+json+dict", [plain for _, plain in pairs], records))
    for figure in ("wall_seconds", "cpu_seconds"):
        ratios = [getattr(plain, figure) / getattr(ours, figure) for ours, plain in pairs]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(f"{figure.split('_')[0]}: plain / straykey = {statistics.median(ratios):.2f} ({spread})")


if __name__ == "__main__":
    main()
