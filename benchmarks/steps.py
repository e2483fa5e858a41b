"""The parts of `make bench`: each makes its data, measures, and takes the data away again."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from benchmarks import measure, rivals
from benchmarks.corners import WORST
from benchmarks.growth import Plan
from benchmarks.measure import Outcome
from benchmarks.results import Comparison, Corner, Point, Run, Stages, median

SHAPES = FLEET, LARGE, DELIVERED = "fleet", "large", "delivered"
_RECORDS_OF_FLEET = 600  # to a session, its own and the others'
_OTHERS_BESIDE_FLEET = 0.6
_STAGES = {"before": "benchmarks.stages_before"}
BEFORE = "1e24a56"  # the last commit before the work on speed
_ROOT = Path(__file__).parent.parent
_READ = re.compile(r"^read .* ([0-9,]+) records,", re.MULTILINE)
_SESSIONS = re.compile(r"^sessions +([0-9,]+) of", re.MULTILINE)


class Bench(msgspec.Struct):
    """Where data goes, and how much is asked."""

    data: Path
    runs: int
    keep: bool

    def trail(self, records: int) -> Path:
        """The simulated trail, in two shapes."""
        folder = self.data / f"trail-{records}"
        if not (folder / "delivered").exists():
            say(f"simulating {records:,} records")
            folder.mkdir(parents=True)
            _python("benchmarks.trail", str(folder), str(records))
        return folder

    def grown(self, plan: Plan) -> Path:
        """A trail of so many records and sessions."""
        folder = self.data / f"grown-{plan.records}-{plan.sessions}-{plan.others}"
        if not folder.exists():
            say(f"writing {plan.records:,} records of {plan.sessions:,} sessions")
            unfinished = folder.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            _python("benchmarks.growth", str(unfinished), str(plan.records), str(plan.sessions), str(plan.others))
            unfinished.rename(folder)
        return folder

    def done_with(self, folder: Path) -> None:
        if not self.keep:
            shutil.rmtree(folder)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def start(bench: Bench) -> list[Run]:
    """Scans of one record: what a scan costs before it reads."""
    folder = bench.grown(Plan(1, 1))
    (measured,), _ = measure.in_turn([rivals.scan(folder)], bench.runs)
    return measured.runs


def comparison(bench: Bench, records: int, shape: str) -> Comparison:
    """Every program over one shape of a trail."""
    fleet = Plan(records, max(10, records // _RECORDS_OF_FLEET), _OTHERS_BESIDE_FLEET)
    folder = bench.grown(fleet) if shape == FLEET else bench.trail(records) / shape
    before = older_source(bench.data) if shape in (FLEET, LARGE) else None
    field = rivals.field(folder, bench.data, before)
    say(f"{shape}: {', '.join(program.name for program in field.programs)}")
    programs, outcomes = measure.in_turn(field.programs, bench.runs)
    kept = json.loads(_python("benchmarks.agreement", str(folder)))
    read, _ = _told(outcomes[rivals.ONE])
    paths = list(folder.iterdir())
    packed = sum(path.stat().st_size for path in paths)
    void = [line for name, outcome in outcomes.items() for line in disagreements(name, outcome.last_line, kept)]
    void += _told_otherwise(outcomes)
    return Comparison(
        shape, read, kept["sessions"], len(paths), packed / 1e6, unpacked_mb(paths), programs, field.absent, void
    )


def disagreements(name: str, last_line: str, kept: dict[str, int]) -> list[str]:
    """What a rival saw otherwise than a scan: its sessions, and of the limit all that is kept."""
    if name.startswith("straykey"):
        return []
    seen = json.loads(last_line)
    compared = kept if name == rivals.LIMIT else ("sessions",)
    return [f"{name}: {seen[one]:,} {one}, not {kept[one]:,}" for one in compared if seen[one] != kept[one]]


def _told_otherwise(outcomes: dict[str, Outcome]) -> list[str]:
    """What two processes told otherwise than one."""
    one, two = outcomes[rivals.ONE], outcomes.get(rivals.TWO)
    is_same = two is None or (_told(one), one.last_line) == (_told(two), two.last_line)
    return [] if is_same else [f"{rivals.TWO}: told otherwise than one"]


def point(bench: Bench, plan: Plan, runs: int) -> Point:
    """Scans of a trail of so many records and sessions, in one process."""
    folder = bench.grown(plan)
    program = rivals.scan(folder)
    say(f"scanning {plan.records:,} records of {plan.sessions:,} sessions")
    outcomes = [measure.run(program) for _ in range(runs)]
    size = unpacked_mb(list(folder.iterdir()))
    bench.done_with(folder)
    return Point(*_told(outcomes[0]), size, [outcome.run for outcome in outcomes])


def corners(scale: float) -> list[Corner]:
    """Every corner at its worst and at a quarter of that."""
    found = []
    for name, worst in WORST.items():
        for size in (worst // 4, worst):
            say(f"judging {name}, {size:,}")
            told = _python("benchmarks.corners", "--of", name, str(max(100, int(size * scale))))
            found.append(msgspec.json.decode(told, type=Corner))
    return found


def stages(bench: Bench, records: int, cost: list[Run]) -> list[Stages]:
    """Before and now, in turn; the run with the median sum counts."""
    folder = bench.trail(records) / "large"
    one_record = bench.grown(Plan(1, 1))
    before = older_source(bench.data)
    surroundings: dict[str, dict[str, str]] = {"now": {}}
    starts = {"now": cost}
    if before is not None:
        surroundings = {"before": {"PYTHONPATH": str(before)}} | surroundings
        (measured,), _ = measure.in_turn([rivals.older(one_record, before)], bench.runs)
        starts["before"] = measured.runs
    found: dict[str, list[dict[str, float]]] = {name: [] for name in surroundings}
    for _ in range(bench.runs):
        for name, environment in surroundings.items():
            say(f"stages, {name}")
            found[name].append(json.loads(_python(_STAGES.get(name, "benchmarks.stages"), str(folder), **environment)))
    return [Stages(name, records, median(starts[name], "cpu_seconds"), **_middle(found[name])) for name in surroundings]


def _middle(found: list[dict[str, float]]) -> dict[str, float]:
    return sorted(found, key=lambda one: sum(one.values()))[len(found) // 2]


def older_source(scratch: Path) -> Path | None:
    """The source as it was before; None without git or its history."""
    folder = scratch / "before"
    if (folder / "src").exists():
        return folder / "src"
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "src.tar"
    command = ["git", "-C", str(_ROOT), "archive", "--output", str(archive), BEFORE, "src"]
    if shutil.which("git") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        return None
    shutil.unpack_archive(archive, folder)
    return folder / "src"


def unpacked_mb(paths: list[Path]) -> float:
    """By the sizes that gzip notes at the end of each file."""
    total = 0
    for path in paths:
        with path.open("rb") as file:
            file.seek(-4, os.SEEK_END)
            total += int.from_bytes(file.read(), "little")
    return total / 1e6


def _told(outcome: Outcome) -> tuple[int, int]:
    """How many records and sessions a scan says it has read."""
    read, sessions = _READ.search(outcome.said), _SESSIONS.search(outcome.said)
    if read is None or sessions is None:
        raise SystemExit(f"what was scanned is not told:\n{outcome.said}")
    return int(read[1].replace(",", "")), int(sessions[1].replace(",", ""))


def _python(module: str, *arguments: str, **environment: str) -> str:
    """In a process of its own, so that this one stays small."""
    command = [sys.executable, "-m", module, *arguments]
    surroundings = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=_ROOT, env=surroundings).stdout
