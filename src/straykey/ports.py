"""The plug points, and the types that everything passed through them speaks."""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from straykey.core.envelope import Decoded


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
