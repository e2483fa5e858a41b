"""`make reliability`: do to processes that watch whatever may be done to them, keep the results, write the page.

python -m reliability [--kills N] [--seed N] [--only TROUBLE] [--worlds N] [--objects N] [--results FILE]
"""

import argparse
import logging
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec
from tests.aws import Aws
from tests.databases import PostgresServer

from reliability import faults, page
from reliability.bench import POSTGRES, SQLITE, Bench, Size
from reliability.results import Machine, Outcome, Results

_HERE = Path(__file__).parent
_RESULTS = _HERE / "results.json"
_DISK_MEGABYTES = 16  # more than the store and its journal ever take here
_CRASHES = 20  # more than an object that nobody could read would be given out

Trouble = Callable[[Bench, argparse.Namespace], Outcome | None]


def main() -> None:
    asked = _asked()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto's server tells every request
    results = _known(asked.results)
    results.machine = Machine(platform.python_version(), os.cpu_count() or 1, platform.system())
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="straykey-reliability-")))
        aws = stack.enter_context(Aws.started())
        postgres = stack.enter_context(PostgresServer.started()) if PostgresServer.is_installed() else None
        bench = Bench(aws, postgres, scratch, Size(asked.worlds, asked.objects), asked.seed)
        for name in asked.only or _TROUBLES:
            _note(results, name, _tried(bench, name, asked))
            asked.results.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")
    if asked.results == _RESULTS:
        file = _HERE.parent / "docs/reliability.md"
        file.write_text(page.published(file.read_text(), results))
    sys.exit(any(not one.holds for one in results.outcomes.values()))


def _known(file: Path) -> Results:
    """What was tried before stays where it is not tried anew."""
    return msgspec.json.decode(file.read_bytes(), type=Results) if file.exists() else Results(Machine("", 0, ""))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m reliability", description="Break straykey watch.")
    parser.add_argument("--kills", type=int, default=200, help="so often is a process killed at a random moment")
    parser.add_argument("--seed", type=int, default=1, help="of the worlds, and of what is done")
    parser.add_argument("--only", action="append", choices=_TROUBLES, help="this trouble only; may be given again")
    parser.add_argument("--worlds", type=int, default=1, help="simulated worlds in the trail of one run")
    parser.add_argument("--objects", type=int, default=150, help="objects in the trail of one run, about")
    parser.add_argument("--results", type=Path, default=_RESULTS, help="file to keep the results in")
    return parser.parse_args()


def _tried(bench: Bench, name: str, asked: argparse.Namespace) -> Outcome | None:
    print(f"{name} … ", end="", flush=True)
    try:
        return _TROUBLES[name](bench, asked)
    except AssertionError as error:
        return Outcome(name, "", wrong=[str(error)])


def _note(results: Results, name: str, outcome: Outcome | None) -> None:
    results.outcomes.pop(name, None)
    results.absent.pop(name, None)
    if outcome is None:
        results.absent[name] = _WHY_ABSENT[name]
        print(_WHY_ABSENT[name])
        return
    results.outcomes[name] = outcome
    print(
        f"{outcome.kills} kills, {outcome.runs} runs, {outcome.seconds:.0f} s: {'holds' if outcome.holds else 'FAILS'}"
    )
    for wrong in outcome.wrong[:20]:
        print(f"    {wrong}")


def _where_postgres_is(trouble: Trouble) -> Trouble:
    return lambda bench, asked: trouble(bench, asked) if bench.postgres is not None else None


def _disk(bench: Bench, _: argparse.Namespace) -> Outcome | None:
    with faults.small_disk(bench.scratch / "disk", _DISK_MEGABYTES) as folder:
        return faults.disk_full(bench, folder) if folder else None


_TROUBLES: dict[str, Trouble] = {
    "kills": lambda bench, asked: faults.random_kills(bench, SQLITE, asked.kills // 2),
    "kills-postgres": _where_postgres_is(
        lambda bench, asked: faults.random_kills(bench, POSTGRES, asked.kills // 4),
    ),
    "four": _where_postgres_is(
        lambda bench, asked: faults.random_kills(bench, POSTGRES, asked.kills - 3 * (asked.kills // 4), processes=4),
    ),
    "steps": lambda bench, _: faults.each_step(bench, SQLITE, 3),
    "steps-postgres": _where_postgres_is(lambda bench, _: faults.each_step(bench, POSTGRES, 1)),
    "crash-loop": lambda bench, _: faults.crash_loop(bench, SQLITE, _CRASHES),
    "disk": _disk,
    "files": lambda bench, _: faults.disk_full(bench, None),
    "database": _where_postgres_is(lambda bench, _: faults.database_restarted(bench, POSTGRES, 6)),
    "sinks": lambda bench, _: faults.sink_down(bench, SQLITE),
    "aws": lambda bench, _: faults.aws_fails(bench, SQLITE),
    "frozen": _where_postgres_is(lambda bench, _: faults.frozen(bench, POSTGRES)),
    "stop": lambda bench, _: faults.stopped(bench, SQLITE, 5),
}
_NO_POSTGRES = "PostgreSQL is not installed"
_WHY_ABSENT = {
    "disk": "A disk that is full was not tried: this user may not mount a small one.",
    **{
        name: f"Not tried ({name}): {_NO_POSTGRES}."
        for name in ("kills-postgres", "four", "steps-postgres", "database", "frozen")
    },
}


if __name__ == "__main__":
    main()
