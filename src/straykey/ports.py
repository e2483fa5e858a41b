"""The plug points, and the types that everything passed through them speaks."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from straykey.core.envelope import Decoded
from straykey.core.finding import Finding


class Batch(msgspec.Struct, frozen=True):
    """What one file, object or message held, in portions that are read as they are asked for, once.

    `size` is what it weighed before unpacking, in bytes.
    """

    name: str
    size: int
    portions: Iterator[Decoded]


class Source(Protocol):
    """Where CloudTrail records come from."""

    def batches(self) -> Iterator[Batch]:
        """Yield until exhausted.  A batch may come again; callers must not mind."""

    def shares(self, jobs: int) -> "list[Source]":
        """Sources that hold all of it together, cut for so many processes; one where it is not worth more."""

    @property
    def is_bound(self) -> bool:
        """True for what only this process can read."""

    @property
    def contents(self) -> list[tuple[str, int]]:
        """The name and size of each batch."""


class Notification(msgspec.Struct, frozen=True):
    """One change of one finding, to be told to one sink or to several.

    `key` names the change and stays the same whenever it is told, so that who receives it twice may drop the second.
    `at` is when it changed, in the form of `core.moment`.  It must grow from change to change of one finding: Security
    Hub takes a change only with a later time.  `is_known`: the finding was told before.
    """

    key: str
    finding: Finding
    at: str
    is_known: bool = False


class Refusal(msgspec.Struct, frozen=True):
    """Which notification was not taken, and why, in a line that may be shown: no secret, nothing a terminal acts on.

    `is_final`: the notification itself is to blame, and no later try will fare better.  All else may be mended, by time
    or by a person.  `retry_after`: not before so many seconds have passed.
    """

    key: str
    reason: str
    is_final: bool = False
    retry_after: float | None = None


class Sink(Protocol):
    """Where findings are told.  Several threads must not deliver to one sink at once."""

    def deliver(self, notifications: Sequence[Notification]) -> list[Refusal]:
        """Hand over all, in this order; returns those that were not taken.  It takes bounded time, and never raises
        for what the other side does.

        What is not returned was taken for good.  After a crash, or after an answer that was lost, a notification may
        be delivered again.
        """


class StepState(StrEnum):
    """How far a step is.  `begun` may have changed something; `failed` has not, for AWS refused it."""

    PLANNED = "planned"
    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"


class Phase(StrEnum):
    """How far a containment is; of one that crashed, how far it was."""

    APPLYING = "applying"
    APPLIED = "applied"
    STOPPED = "stopped"  # at a step that failed, or was not seen to work
    ROLLING_BACK = "rolling-back"
    ROLLED_BACK = "rolled-back"


class Entry(msgspec.Struct, frozen=True):
    """A step as it is journaled: `undo` is what takes it back, and `found` what was there before it, both JSON."""

    number: int
    name: str
    state: StepState
    undo: bytes
    found: bytes = b"null"


class Containment(msgspec.Struct, frozen=True):
    """A plan that was begun, as it is journaled; `plan` is JSON, and `begun` a time in the form of `core.moment`."""

    finding: str
    option: str
    account: str
    region: str
    begun: str
    plan: bytes
    phase: Phase
    entries: tuple[Entry, ...]
    id: str = ""


class Journal(Protocol):
    """What was begun in an account, so that it can be taken back: what is written is kept once a method returns."""

    def open(self, containment: Containment) -> Containment:
        """As it is kept, with its id; `ContainError` while another of this finding and option is unfinished.

        What was applied may be applied again: the later one is then rolled back first.
        """

    def read(self, identity: str) -> Containment:
        """The one of this id; `ContainError` if there is none."""

    def note(self, identity: str, phase: Phase, entry: Entry) -> None:
        """Write one step anew; `ContainError` if it is in another phase, for then somebody else is at it."""

    def move(self, identity: str, into: Phase, *, out_of: Sequence[Phase]) -> None:
        """On to another phase; `ContainError` if it is in none of those named.

        It is not rolled back either while one of its finding and option that was opened later is not.
        """
