"""The programs that are run beside each other, and why one of them is not."""

import shlex
import shutil
import subprocess
import sys
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import msgspec

from benchmarks.measure import Program

HERE = Path(__file__).parent
ONE = "straykey scan, one process"
TWO = "straykey scan, two processes"
HALVES = "straykey scan, two of them side by side"
BEFORE = "straykey scan, before"
PLAIN = "gzip, json, dictionaries"
DUCKDB = "DuckDB"
POLARS = "Polars"
LIMIT = "the limit, C++"

_COMPILE = ["g++", "-std=c++17", "-O3", "-march=native", str(HERE / "limit.cpp")]
_LIBRARIES = (["-lsimdjson", "-ldeflate", "-lz"], ["-DNO_LIBDEFLATE", "-lsimdjson", "-lz"])


class Field(msgspec.Struct, frozen=True):
    """Those that take part, and why the others do not."""

    programs: list[Program]
    absent: list[str]


def scan(folder: Path, *, jobs: int = 1) -> Program:
    """A whole scan; of one process also where it cannot be told how many to take."""
    command = [sys.executable, "-m", "straykey", "scan", str(folder), "--offline", "--format", "jsonl"]
    return Program(ONE if jobs == 1 else TWO, [*command, *(["--jobs", str(jobs)] if has_jobs() else [])])


def halves(folder: Path, scratch: Path) -> Program:
    """Two scans at once, of half the files each, which have nothing to do with each other."""
    there = scratch / "halves" / folder.name
    shutil.rmtree(there, ignore_errors=True)
    for place, file in enumerate(sorted(folder.iterdir())):
        half = there / str(place % 2)
        half.mkdir(parents=True, exist_ok=True)
        (half / file.name).symlink_to(file.resolve())
    one, other = (shlex.join(scan(half).command) for half in sorted(there.iterdir()))
    return Program(HALVES, ["sh", "-c", f"{one} & {other} && wait $!"])


def older(folder: Path, source: Path) -> Program:
    """The same of another version, whose source lies there."""
    command = [sys.executable, "-m", "straykey", "scan", str(folder), "--offline", "--format", "jsonl"]
    return Program(BEFORE, command, {"PYTHONPATH": str(source)})


@lru_cache(maxsize=1)
def has_jobs() -> bool:
    shown = subprocess.run([sys.executable, "-m", "straykey", "scan", "--help"], capture_output=True, check=True)
    return b"--jobs" in shown.stdout


def field(folder: Path, scratch: Path, before: Path | None) -> Field:
    """All programs that can be run here, over `folder`; `before` holds the source of an older straykey."""
    programs, absent = [scan(folder)], []
    if has_jobs():
        programs += [scan(folder, jobs=2), halves(folder, scratch)]
    else:
        absent.append(f"{TWO}: this straykey has no --jobs")
    if before is not None:
        programs.append(older(folder, before))
    programs.append(_python(PLAIN, "plain.py", folder))
    for name, module, file in ((DUCKDB, "duckdb", "duckdb_sql.py"), (POLARS, "polars", "polars_lazy.py")):
        if find_spec(module) is None:
            absent.append(f"{name}: {module} is not installed")
        else:
            programs.append(_python(name, file, folder))
    limit = compiled(scratch)
    if limit is None:
        absent.append(f"{LIMIT}: needs g++, libsimdjson-dev, zlib1g-dev and, if it is there, libdeflate-dev")
    else:
        programs.append(Program(LIMIT, [str(limit), str(folder)]))
    return Field(programs, absent)


@lru_cache(maxsize=1)
def compiled(scratch: Path) -> Path | None:
    """The native program, built anew; None where it cannot be."""
    binary = scratch / "limit"
    if shutil.which("g++") is None:
        return None
    built = (
        subprocess.run([*_COMPILE, "-o", str(binary), *flags], capture_output=True, check=False).returncode == 0
        for flags in _LIBRARIES
    )
    return binary if any(built) else None


def _python(name: str, file: str, folder: Path) -> Program:
    return Program(name, [sys.executable, str(HERE / file), str(folder)])
