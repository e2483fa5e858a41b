"""`make latency`: from notice to stored finding on one processor, at several rates; and an hour's soak.

    python -m benchmarks.notices [--seconds N] [--soak SECONDS] [--data FOLDER]

Writes benchmarks/latency.json, of which docs/latency.md is made.
"""

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.latency import RECORDS_AN_OBJECT

_SOAK_RATE = 1_500
# Of each run: its name, records a second, and of how many minutes an object holds what some sessions called.
_RUNS = (("steady", 10_000, 5), ("a fifth less", 8_000, 5), ("scattered", 10_000, 0))
_RESULTS = Path(__file__).parent / "latency.json"
_OTHERS = 0.4  # share of records that are no instance's
_RECORDS_A_SESSION = 540


class Quantiles(msgspec.Struct):
    p50: float
    p99: float
    most: float


class Measured(msgspec.Struct):
    """`memory_mb` is taken at even times."""

    name: str
    rate: int
    objects: int
    findings: int
    sessions: int
    cpu_seconds: float
    peak_mb: int
    memory_mb: list[int]
    seconds: Quantiles


class Results(msgspec.Struct):
    date: str
    machine: str
    runs: list[Measured]
    soak: Measured | None = None


def measured(place: Path | None, name: str, rate: int, seconds: int, minutes: int = 5) -> Measured:
    """One run, on data of its own, which is let go of afterwards."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        told = _run(Path(folder), rate, seconds, minutes)
    return msgspec.convert({"name": name, "rate": rate, **json.loads(told.splitlines()[-1])}, Measured)


def _run(folder: Path, rate: int, seconds: int, minutes: int) -> str:
    records = rate * seconds
    trail, objects, store = folder / "trail", folder / "objects", folder / "store.db"
    sessions = max(1_000, records // _RECORDS_A_SESSION)
    _python("benchmarks.growth", str(trail), str(records), str(sessions), str(_OTHERS))
    most = str(records // RECORDS_AN_OBJECT)
    _python("benchmarks.latency", "prepare", str(trail), str(objects), most, str(minutes))
    shutil.rmtree(trail)
    return _python("benchmarks.latency", "run", str(objects), str(store), str(rate), str(seconds))


def _python(module: str, *arguments: str) -> str:
    print(f"{module} {' '.join(arguments)}", file=sys.stderr)
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def known() -> Results | None:
    return msgspec.json.decode(_RESULTS.read_bytes(), type=Results) if _RESULTS.exists() else None


def main() -> None:
    parser = argparse.ArgumentParser(description="Time from notice to stored finding.")
    parser.add_argument("--seconds", type=int, default=60, help="how long records come at each rate")
    parser.add_argument("--soak", type=int, default=0, help="then so many seconds at 1,500 a second: 3600")
    parser.add_argument("--data", type=Path, default=None, help="where data goes; default: a temporary folder")
    chosen = parser.parse_args()
    before = known()  # first: what cannot be read must not be told after an hour
    runs = [measured(chosen.data, name, rate, chosen.seconds, minutes) for name, rate, minutes in _RUNS]
    results = Results(
        f"{datetime.now(UTC):%Y-%m-%d}", f"{platform.machine()}, Python {platform.python_version()}", runs
    )
    results.soak = before.soak if before else None
    write(results)
    if chosen.soak:
        results.soak = measured(chosen.data, "soak", _SOAK_RATE, chosen.soak)
    write(results)


def write(results: Results) -> None:
    _RESULTS.write_text(json.dumps(msgspec.to_builtins(results), indent=1) + "\n")


_HEAD = """\
# From notice to finding

How long it takes from the moment an object's notice may be received until all that the object shows is stored,
findings too. CloudTrail itself takes minutes; this is what straykey adds. Not in it: the queue's and the bucket's own
time, sinks, and AWS's address ranges. Objects of 200 records on average come at a steady rate; they are read from disk,
unpacked, decoded, folded, committed (SQLite, `synchronous = FULL`) and judged, all on one processor. As CloudTrail
delivers "about every five minutes", an object holds all that some sessions called in five minutes, ten records of each
or so; scattered objects hold two or three of each, so that sessions change four times as often. A thousand sessions are
alive at a time: all of them are kept in memory.

A process that has nothing to wait for takes in each object by itself; under load it takes in many at once, which
costs less for each. So its processor looks busy long before it is full. The processor was shared with other work on the
machine, and so was the disk: where the wait grows at less than a whole processor, it was for one of them.
"""


def page(results: Results) -> str:
    """docs/latency.md."""
    soak = results.soak
    told = [
        _HEAD,
        f'Written by `make latency`, with an hour\'s soak by `ARGS="--soak 3600"`. {results.date}, {results.machine}.',
        "",
        "| | records a second | for | sessions at the end | p50 | p99 | most | CPU | peak memory |",
        "|---|---|---|---|---|---|---|---|---|",
        *map(_row, [*results.runs, *([soak] if soak else [])]),
    ]
    if soak:
        told += ["", "Memory of the soak, at even times, MB: " + ", ".join(map(str, soak.memory_mb)) + "."]
        told += ["Sessions left an hour of log time after their last key expired (`--ttl 1h`)."]
    return "\n".join(told) + "\n"


def _row(one: Measured) -> str:
    seconds = one.objects * RECORDS_AN_OBJECT / one.rate
    share = one.cpu_seconds / seconds
    took = f"{one.seconds.p50:.2f} s | {one.seconds.p99:.2f} s | {one.seconds.most:.2f} s"
    cost = f"{share:.0%} of one processor | {one.peak_mb} MB"
    return f"| {one.name} | {one.rate:,} | {seconds:.0f} s | {one.sessions:,} | {took} | {cost} |"


if __name__ == "__main__":
    main()
