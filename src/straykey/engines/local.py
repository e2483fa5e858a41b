"""Work shared by processes of this machine.

Each process is given one item at a time.  One that dies over its item, killed by somebody or for want of memory, is
replaced and the item given out once more; where that one dies too, the item is given up.

Processes are forked, so that nothing is imported again; the program must have but one thread when it forks.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

import msgspec

from straykey.errors import StraykeyError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_MOST_DEATHS = 2
_EXIT_NO_MEMORY = 1

_context = get_context("fork")


def processors() -> int:
    """How many processors this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class WorkError(Exception):
    """Work raised an error: a bug."""


class _Task(msgspec.Struct, Generic[_Item]):
    item: _Item
    deaths: int = 0


class _Failure(msgspec.Struct):
    """What work raised, as text: not every error can be sent from one process to another."""

    told: str


class _Worker(msgspec.Struct, Generic[_Item]):
    process: BaseProcess
    pipe: Connection
    task: _Task[_Item] | None = None


class Workers(Generic[_Item, _Result]):
    """Up to `jobs` processes that do `work`."""

    def __init__(self, work: Callable[[_Item], _Result], items: Sequence[_Item], jobs: int) -> None:
        self._work = work
        self._jobs = min(jobs, len(items))
        self._waiting = deque(_Task(item) for item in items)
        self._workers: list[_Worker[_Item]] = []

    def results(self) -> Generator[tuple[_Item, _Result | None], None, None]:
        """Each item with its result, as they are done; with None where the process died over it, twice.

        Closing this iterator, or an error, ends all processes at once.
        """
        try:
            while self._give_out():
                busy = {worker.pipe: worker for worker in self._workers if worker.task}
                for pipe in wait(list(busy)):
                    yield from self._taken_from(busy[pipe])  # type: ignore[index]  # only pipes were waited for
        finally:
            for worker in self._workers:
                worker.process.kill()
                worker.process.join()
                worker.pipe.close()

    def _give_out(self) -> bool:
        """Let no process stand idle; False once there is nothing left to do or to wait for."""
        idle = [worker for worker in self._workers if not worker.task]
        while self._waiting and (idle or len(self._workers) < self._jobs):
            worker = idle.pop() if idle else self._started()
            if worker is None:
                break
            worker.task = self._waiting.popleft()
            with suppress(OSError):  # a process that died idle: seen when it is waited for
                worker.pipe.send(worker.task.item)
        return any(worker.task for worker in self._workers)

    def _started(self) -> _Worker[_Item] | None:
        """One more process; None where the system gives no more, and those that are there must do."""
        ours, theirs = Pipe()
        inherited = [*(worker.pipe for worker in self._workers), ours]
        process = _context.Process(target=_serve, args=(theirs, self._work, inherited), daemon=True)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # until the process is deaf to it
        try:
            process.start()
        except OSError as error:
            ours.close()
            if not self._workers:
                raise StraykeyError(f"no process can be started: {error.strerror}", hint="try --jobs 1") from error
            self._jobs = len(self._workers)
            return None
        finally:
            theirs.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        worker = _Worker[_Item](process, ours)
        self._workers.append(worker)
        return worker

    def _taken_from(self, worker: _Worker[_Item]) -> Iterator[tuple[_Item, _Result | None]]:
        """What became of a worker's task, unless it is to be tried again."""
        task, worker.task = worker.task, None
        if task is None:
            return
        try:
            outcome = worker.pipe.recv()
        except (EOFError, OSError):
            self._workers.remove(worker)
            worker.process.join()
            worker.pipe.close()
            task.deaths += 1
            if task.deaths < _MOST_DEATHS:
                self._waiting.appendleft(task)
            else:
                yield task.item, None
            return
        if isinstance(outcome, _Failure):
            raise WorkError(outcome.told)
        yield task.item, outcome


def _serve(pipe: Connection, work: Callable[[_Item], object], inherited: list[Connection]) -> None:
    """Work until the other end of the pipe is closed, or the process that holds it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first process's to handle, which then ends this one
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    for other in inherited:
        other.close()
    with suppress(EOFError, OSError):
        while True:
            _answer(pipe, work)


def _answer(pipe: Connection, work: Callable[[_Item], object]) -> None:
    try:
        pipe.send(_outcome(work, pipe.recv()))
    except MemoryError:
        os._exit(_EXIT_NO_MEMORY)


def _outcome(work: Callable[[_Item], object], item: _Item) -> object:
    try:
        return work(item)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - told where it can be shown
        return _Failure(f"{type(error).__name__}: {error}")
