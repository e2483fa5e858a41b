"""One life of a process that watches: begun, watched, and ended."""

import signal
import time
from ctypes import c_longlong
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext, ForkServerProcess
from os import kill

from reliability.child import AGAIN, BOARD_SIZE, LAST, READY, RECEIVED, STEPS, Board, Order, run

_BEGIN_SECONDS = 60.0


def _context() -> ForkServerContext:
    context = get_context("forkserver")
    context.set_forkserver_preload(["reliability.child"])
    return context


_CONTEXT = _context()


def board(size: int) -> Board:
    """Numbers that several processes see."""
    made: Board = _CONTEXT.RawArray(c_longlong, size)
    return made


class Life:
    def __init__(self, order: Order, skipped: Board) -> None:
        self._board = board(BOARD_SIZE)
        self._process: ForkServerProcess = _CONTEXT.Process(target=run, args=(order, self._board, skipped))
        self._process.start()

    @property
    def is_over(self) -> bool:
        return not self._process.is_alive()

    @property
    def code(self) -> int | None:
        """How it ended; below 0, by which signal."""
        return self._process.exitcode

    def is_ready(self) -> bool:
        """False if it ended before it began to watch."""
        until = time.monotonic() + _BEGIN_SECONDS
        while not self._board[READY] and not self.is_over:
            assert time.monotonic() < until, "the process does not begin"
            time.sleep(0.005)
        return bool(self._board[READY])

    def signal(self, number: signal.Signals) -> None:
        """Nothing to one that is over."""
        pid = self._process.pid
        if pid is not None and not self.is_over:
            kill(pid, number)

    def ends_within(self, seconds: float) -> bool:
        self._process.join(seconds)
        return self.is_over

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        assert self.ends_within(_BEGIN_SECONDS)

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def received(self) -> int:
        return self._board[RECEIVED]

    @property
    def again(self) -> int:
        """How many of these had come before, to it or to another."""
        return self._board[AGAIN]

    @property
    def last_step(self) -> str:
        """The step of the loop that it took last; empty if none."""
        last = self._board[LAST]
        return STEPS[last - 1] if last else ""

    def times(self, step: str) -> int:
        return self._board[4 + STEPS.index(step)]
