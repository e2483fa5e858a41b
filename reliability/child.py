"""A process that watches: the real loop, with a real queue, bucket, store and sinks; only its clock may be set forward.

What it does is noted in memory shared with whoever started it, so that it is known however it ends.
"""

import os
import signal
import sys
import time
from collections import Counter
from ctypes import Array, c_longlong
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TypeAlias

import boto3  # noqa: F401 - once for all processes, before any of them begins
import msgspec
import psycopg  # noqa: F401
import structlog

from reliability.receiver import Posting
from reliability.world import BUCKET
from straykey.core.evidence import Bounds
from straykey.core.finding import Severity
from straykey.core.ranges import parse_ranges
from straykey.core.settings import Settings
from straykey.errors import StraykeyError
from straykey.sources.delivery import Objects
from straykey.sources.queue import Queue
from straykey.stores.database import Database
from straykey.stores.sql import SqlStore
from straykey.watch.commit import Terms
from straykey.watch.courier import Courier
from straykey.watch.feed import Parcel, QueueFeed
from straykey.watch.intake import Intake
from straykey.watch.loop import Parts, Watch
from straykey.watch.mirror import Judging, Mirror
from straykey.watch.pace import Clock
from straykey.watch.verdict import Audience

LOOP = ("fetch", "fold", "absorb", "mark", "judge", "publish", "commit", "acknowledge", "acknowledged")
COURIER = ("claim", "deliver", "note", "noted")
STEPS = LOOP + COURIER
SINKS = {"all": Severity.INFORMATIONAL, "high": Severity.HIGH}
START = datetime(2026, 5, 4, 15, tzinfo=UTC)
# Where on the board something is noted; each step has a place of its own behind these.
READY, RECEIVED, AGAIN, LAST = range(4)
BOARD_SIZE = 4 + len(STEPS)

Board: TypeAlias = Array[c_longlong]


class Order(msgspec.Struct, frozen=True):
    """`dies_before`: which step, and the how-manieth of its kind.  `skipped` is on the board of the clock: seconds."""

    name: str
    environment: dict[str, str]
    queue: str
    store: str
    port: int
    ranges: bytes
    began: float
    log: str
    dies_before: tuple[str, int] | None = None


def now(began: float, skipped: int) -> str:
    """What the clock says, in the form of `core.moment`; `began` is when the time was `START`."""
    at = START.timestamp() + time.monotonic() - began + skipped
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def run(order: Order, board: Board, skipped: Board) -> None:
    """Watch until told to stop by SIGTERM; then exit with 0."""
    os.environ.update(order.environment)
    with Path(order.log).open("a", buffering=1) as log:
        structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=log))
        structlog.get_logger("reliability").info("begins", name=order.name, pid=os.getpid())
        try:
            watch = _watch(order, board, skipped)
            signal.signal(signal.SIGTERM, lambda *_: watch.stop())
            board[READY] = 1
            watch.run()
        except StraykeyError as error:
            structlog.get_logger("reliability").error("ends", problem=str(error))
            sys.exit(2)


def _watch(order: Order, board: Board, skipped: Board) -> Watch:
    clock = Clock(lambda: now(order.began, skipped[0]), lambda: time.monotonic() + skipped[0])
    store = SqlStore(Database(order.store))
    step = _Steps(board, order.dies_before).step
    couriers = [Courier(name, Posting(order.port, name), store, clock.now, step=step) for name in SINKS]
    feed = _Counting(Queue(order.queue, patience_seconds=5.0), frozenset({BUCKET}), board)
    mirror = Mirror(Judging(Settings(), parse_ranges(order.ranges)))
    terms = Terms(Audience(SINKS), step)
    parts = Parts([feed], Intake(Objects(), Bounds()), store, mirror, couriers, terms)
    return Watch(parts, clock, order.name)


class _Steps:
    """Notes each step, and dies before the one it was told."""

    def __init__(self, board: Board, dies_before: tuple[str, int] | None) -> None:
        self._board, self._dies_before = board, dies_before
        self._taken: Counter[str] = Counter()
        self._lock = Lock()

    def step(self, name: str) -> None:
        with self._lock:
            self._taken[name] += 1
            if (name, self._taken[name]) == self._dies_before:
                os.kill(os.getpid(), signal.SIGKILL)
            if name in LOOP:
                self._board[LAST] = 1 + STEPS.index(name)
            self._board[4 + STEPS.index(name)] += 1


class _Counting(QueueFeed):
    """Notes how many messages came, and how many of them not for the first time."""

    def __init__(self, queue: Queue, buckets: frozenset[str], board: Board) -> None:
        super().__init__(queue, buckets)
        self._board = board

    def receive(self, wait_seconds: float) -> list[Parcel]:
        parcels = super().receive(wait_seconds)
        self._board[RECEIVED] += len(parcels)
        self._board[AGAIN] += sum(one.tries > 1 for one in parcels)
        return parcels
