"""`make bench`: measure, keep the results, write the page and the picture.

python -m benchmarks [--full] [--scale SHARE] [--only STEP] [--data FOLDER] [--results FILE]
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from benchmarks import page, picture, steps
from benchmarks.growth import Plan
from benchmarks.results import Machine, Results
from benchmarks.steps import Bench

_HERE = Path(__file__).parent
_RESULTS = _HERE / "results.json"
_TRAIL = 300_000
_BY_RECORDS = (100_000, 1_000_000, 10_000_000)
_RECORDS_A_SESSION = 100
_BY_SESSIONS = (100, 1_000, 10_000, 100_000)
_BY_SESSIONS_FULL = (100, 10_000, 1_000_000)
_SESSIONS_AMONG = 1_000_000
_SESSIONS_AMONG_FULL = 10_000_000
_LARGE = Plan(6_200_000, 6_200)  # 10 GB
_HUGEST = 100_000_000
_STEPS = ("compare", "records", "sessions", "large", "corners", "stages")


def main() -> None:
    asked = _asked()
    results = _known(asked.results)
    results.machine = Machine(platform.python_version(), os.cpu_count() or 1, platform.machine())
    with tempfile.TemporaryDirectory(prefix="straykey-bench-") as scratch:
        bench = Bench(asked.data or Path(scratch), asked.runs, keep=asked.data is not None)
        bench.data.mkdir(parents=True, exist_ok=True)
        results.start = steps.start(bench)
        for step in asked.only or _STEPS:
            _DO[step](bench, results, asked)
            asked.results.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")
    if asked.results == _RESULTS:
        _publish(results)
    else:
        print(page.render(results))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure straykey and its rivals.")
    parser.add_argument("--runs", type=int, default=5, help="runs of each program in the comparison")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual sizes, to try it out")
    parser.add_argument("--full", action="store_true", help="the curve over sessions to 1,000,000, more runs of each")
    parser.add_argument("--huge", action="store_true", help="also 100,000,000 records: hours, and 30 GB of disk")
    parser.add_argument("--only", action="append", choices=_STEPS, help="this part only; may be given again")
    parser.add_argument("--data", type=Path, help="folder to leave the data in; what is there already is used")
    parser.add_argument("--results", type=Path, default=_RESULTS, help="file to keep the results in")
    asked = parser.parse_args()
    if asked.scale != 1 and asked.results == _RESULTS:
        parser.error("with --scale, name a file of its own by --results: the page shows the usual sizes")
    return asked


def _known(file: Path) -> Results:
    """What was measured before stays where not measured anew."""
    if file.exists():
        return msgspec.json.decode(file.read_bytes(), type=Results)
    return Results(Machine("", 0, ""))


def _compare(bench: Bench, results: Results, asked: argparse.Namespace) -> None:
    records = int(_TRAIL * asked.scale)
    results.comparisons = [steps.comparison(bench, records, shape) for shape in steps.SHAPES]


def _by_records(bench: Bench, results: Results, asked: argparse.Namespace) -> None:
    sizes = (*_BY_RECORDS, *((_HUGEST,) if asked.huge else ()))
    plans = [Plan(size, size // _RECORDS_A_SESSION) for size in _scaled(sizes, asked.scale)]
    results.by_records = [steps.point(bench, plan, _runs(plan, asked)) for plan in plans]


def _by_sessions(bench: Bench, results: Results, asked: argparse.Namespace) -> None:
    counts = _BY_SESSIONS_FULL if asked.full else _BY_SESSIONS
    (records,) = _scaled((_SESSIONS_AMONG_FULL if asked.full else _SESSIONS_AMONG,), asked.scale)
    plans = [Plan(records, max(10, int(count * min(1.0, asked.scale)))) for count in counts]
    results.by_sessions = [steps.point(bench, plan, _runs(plan, asked)) for plan in plans]


def _large(bench: Bench, results: Results, asked: argparse.Namespace) -> None:
    (records,) = _scaled((_LARGE.records,), asked.scale)
    results.large = steps.point(bench, Plan(records, max(10, int(_LARGE.sessions * asked.scale))), 1)


def _corners(_: Bench, results: Results, asked: argparse.Namespace) -> None:
    results.corners = steps.corners(asked.scale)


def _stages(bench: Bench, results: Results, asked: argparse.Namespace) -> None:
    results.stages = steps.stages(bench, int(_TRAIL * asked.scale), results.start)


_DO: dict[str, Callable[[Bench, Results, argparse.Namespace], None]] = {
    "compare": _compare,
    "records": _by_records,
    "sessions": _by_sessions,
    "large": _large,
    "corners": _corners,
    "stages": _stages,
}


def _scaled(sizes: tuple[int, ...], scale: float) -> list[int]:
    return [max(1_000, int(size * scale)) for size in sizes]


def _runs(plan: Plan, asked: argparse.Namespace) -> int:
    """The larger, the fewer: a long run is its own average."""
    usual = 5 if plan.records <= 100_000 else 3 if plan.records <= 1_000_000 else 1
    return usual + 2 * int(asked.full and usual > 1)


def _publish(results: Results) -> None:
    picture.write(results, _HERE.parent / "docs/benchmarks.svg")
    file = _HERE.parent / "docs/benchmarks.md"
    file.write_text(page.published(file.read_text(), results))
    print(f"wrote {file.name}, {file.stem}.svg and {_RESULTS.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
