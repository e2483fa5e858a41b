"""One place where something is watched: a bucket, a queue, a store and sinks, and the processes that live there."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from signal import SIGTERM

import boto3
import msgspec
from tests.aws import Aws

from reliability import check
from reliability.check import Found
from reliability.child import SINKS, Order, now
from reliability.life import Life, board
from reliability.receiver import Receiver
from reliability.world import BUCKET, Expected, Trail, message
from straykey.errors import StoreError
from straykey.sources.queue import Queue
from straykey.stores.database import Database
from straykey.stores.sql import SqlStore

VISIBILITY_SECONDS = 3
AT_ONCE = 10  # messages that the queue gives out, and takes, in one call
_LEAP_SECONDS = 400  # of the clock, while nothing is left to read
_AT_LAST_SECONDS = 300.0
_END_SECONDS = 30.0
_COMPLAINED = 2  # exit code of who says what is wrong
_numbers = count()


class Tally(msgspec.Struct):
    """What was done to processes, and what they did."""

    lives: int = 0
    kills: int = 0
    ended: Counter[str] = msgspec.field(default_factory=Counter)  # by what they were about when they were killed
    failed: int = 0  # processes that ended by themselves, as they may where nothing answers
    crashed: list[str] = []  # what no process may do
    received: int = 0
    again: int = 0


class Site:
    """`untold` are the messages that are not sent yet."""

    def __init__(
        self, aws: Aws, trail: Trail, expected: Expected, folder: Path, store: str, receiver: Receiver
    ) -> None:
        self.aws, self.trail, self.receiver, self.folder = aws, trail, receiver, folder
        self.tally = Tally()
        self.lives: list[Life] = []
        self.store = store
        self._expected = expected
        self._began, self._skipped = time.monotonic(), board(1)
        self._sqs = boto3.client("sqs")
        self._refs = {ref.key: ref for ref in trail.refs}
        self.untold = list(trail.told)
        made = self._sqs.create_queue(
            QueueName=f"logs{next(_numbers)}", Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
        )
        self.queue = made["QueueUrl"]
        self._queue = Queue(self.queue)
        self._fill_bucket()

    def _fill_bucket(self) -> None:
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for key, body in self.trail.contents.items():
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def tell(self, most: int) -> None:
        """Send so many of the messages that are left."""
        some, self.untold = self.untold[:most], self.untold[most:]
        for at in range(0, len(some), AT_ONCE):
            self._sqs.send_message_batch(
                QueueUrl=self.queue,
                Entries=[
                    {"Id": str(n), "MessageBody": message(self._refs[key])}
                    for n, key in enumerate(some[at : at + AT_ONCE])
                ],
            )

    def skip(self, seconds: int) -> None:
        """Set the clock forward."""
        self._skipped[0] += seconds

    @property
    def now(self) -> str:
        return now(self._began, self._skipped[0])

    def live(self, dies_before: tuple[str, int] | None = None) -> Life:
        """Begin a process."""
        self.tally.lives += 1
        order = Order(
            name=f"p{self.tally.lives}",
            environment=self.aws.environment,
            queue=self.queue,
            store=self.store,
            port=self.receiver.port,
            ranges=self.trail.ranges,
            began=self._began,
            log=str(self.folder / f"log{self.tally.lives}"),
            dies_before=dies_before,
        )
        life = Life(order, self._skipped)
        self.lives.append(life)
        return life

    def kill(self, life: Life) -> None:
        """Kill it wherever it is."""
        life.kill()
        self.bury(life)

    def bury(self, life: Life) -> None:
        """Take down how it ended."""
        assert life.is_over
        self.lives.remove(life)
        self.tally.received += life.received
        self.tally.again += life.again
        if life.code == -9:
            self.tally.kills += 1
            self.tally.ended[_about(life)] += 1
        elif life.code == _COMPLAINED:
            self.tally.failed += 1
        elif life.code:
            self.tally.crashed.append(f"a process ended with {life.code}")

    def bring_back(self) -> None:
        """Have the queue give out again what dead processes had in hand."""
        while self.messages()[1]:
            time.sleep(0.2)

    def messages(self) -> tuple[int, int]:
        """How many wait, and how many are in hand or put off."""
        status = self._queue.status()
        return status.visible, status.in_flight + status.delayed

    def finish(self, processes: int = 1) -> Found:
        """Let all that is left be done, stop, and compare."""
        self.tell(len(self.untold))
        until = time.monotonic() + _AT_LAST_SECONDS
        while not self._is_done():
            assert time.monotonic() < until, f"it does not come to an end: {self.messages()}, see {self.folder}"
            self.raise_up(processes)
            time.sleep(0.2)
        self.stop()
        with self.opened() as store:
            return check.compare(
                store, self._expected, self.trail.refs, {one: self.receiver.took(one) for one in SINKS}
            )

    def raise_up(self, processes: int) -> None:
        """Begin new ones for those that ended."""
        for life in [one for one in self.lives if one.is_over]:
            self.bury(life)
        while len(self.lives) < processes:
            self.live()

    def _is_done(self) -> bool:
        if self.messages() != (0, 0) or not self.lives:
            return False
        try:
            with self.opened() as store:
                if check.is_settled(store, self.now):
                    return True
        except StoreError:
            return False  # not now
        self.skip(_LEAP_SECONDS)
        return False

    def stop(self) -> None:
        """Stop all, as a supervisor does; they must end by themselves, with 0."""
        for life in list(self.lives):
            life.is_ready()
            life.signal(SIGTERM)
        for life in list(self.lives):
            assert life.ends_within(_END_SECONDS), "a process does not stop"
            assert life.code == 0, f"a process ended with {life.code}, see {self.folder}"
            self.bury(life)

    def abandon(self) -> None:
        for life in self.lives:
            life.kill()

    @contextmanager
    def opened(self) -> Iterator[SqlStore]:
        database = Database(self.store)
        try:
            yield SqlStore(database)
        finally:
            database.close()


def _about(life: Life) -> str:
    """What it was about: after the last step that was told."""
    if not life.received:
        return "before anything came"
    step = life.last_step
    return f"after {step}" if step and step != "acknowledged" else "between rounds"


@contextmanager
def site(aws: Aws, trail: Trail, expected: Expected, folder: Path, store: str) -> Iterator[Site]:
    """Where nothing was ever watched."""
    with ExitStack() as stack:
        aws.reset()
        os.environ.update(aws.environment)
        folder.mkdir(parents=True, exist_ok=True)
        made = Site(aws, trail, expected, folder, store, stack.enter_context(Receiver.started()))
        stack.callback(made.abandon)
        yield made
