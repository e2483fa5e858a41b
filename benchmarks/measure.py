"""Runs a program and tells what it cost, with all processes it starts."""

import os
import subprocess
import tempfile
import time
from pathlib import Path
from threading import Event, Thread

import msgspec

from benchmarks.results import Measured, Run

_POLL_SECONDS = 0.05


class Program(msgspec.Struct, frozen=True):
    """A command to be measured; `environment` goes on top of ours."""

    name: str
    command: list[str]
    environment: dict[str, str] = {}


class Outcome(msgspec.Struct, frozen=True):
    """A run, the last line it printed and what it said on stderr."""

    run: Run
    last_line: str
    said: str


def run(program: Program) -> Outcome:
    """CPU is user and system time of all processes; the peak that of one process, or of the sum of several.

    SystemExit if the program fails.
    """
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        environment = {**os.environ, **program.environment}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody's programs are compiled anew each time they start
        process = subprocess.Popen(program.command, stdout=printed, stderr=said, env=environment)
        watch = _Watch(process.pid)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        watch.end()
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        told = said.read().decode(errors="replace")
        if process.returncode:
            raise SystemExit(f"{program.name} failed with {process.returncode}:\n{told[-2000:]}")
        peak = watch.peak_mb or usage.ru_maxrss / 1024
        return Outcome(Run(wall, usage.ru_utime + usage.ru_stime, peak), _last_line(printed.fileno()), told)


def in_turn(programs: list[Program], runs: int) -> tuple[list[Measured], dict[str, Outcome]]:
    """Each once unmeasured, whose outcome is given back, then round after round."""
    outcomes = {program.name: run(program) for program in programs}
    rounds = [[run(program).run for program in programs] for _ in range(runs)]
    return [Measured(program.name, [one[place] for one in rounds]) for place, program in enumerate(programs)], outcomes


def _last_line(descriptor: int) -> str:
    size = os.lseek(descriptor, 0, os.SEEK_END)
    tail = os.pread(descriptor, 4096, max(0, size - 4096)).decode(errors="replace")
    return tail.strip().rpartition("\n")[2]


class _Watch(Thread):
    """Asks from time to time how much memory a process and its children hold."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_mb = 0.0
        self._pid = pid
        self._over = Event()

    def run(self) -> None:
        while not self._over.wait(_POLL_SECONDS):
            self.peak_mb = max(self.peak_mb, _memory_mb(self._pid))

    def end(self) -> None:
        self._over.set()
        self.join()


def _memory_mb(pid: int) -> float:
    """Of one process the highest it held so far; of several what they hold now, shared pages counted once."""
    pids = _tree(pid)
    if len(pids) == 1:
        return _field_mb(pid, "status", "VmHWM:")
    return sum(_field_mb(one, "smaps_rollup", "Pss:") for one in pids)


def _tree(pid: int) -> list[int]:
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return [pid]  # it has ended
    return [pid, *(one for text in lists for child in text.split() for one in _tree(int(child)))]


def _field_mb(pid: int, file: str, field: str) -> float:
    try:
        text = Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return 0.0
    line = next((line for line in text.splitlines() if line.startswith(field)), "0 0")
    return int(line.split()[1]) / 1024
