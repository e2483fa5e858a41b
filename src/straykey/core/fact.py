"""Facts of the ledger that are no session's: a bounded set for each subject.

A flood about one subject cannot push out the witness of another.  What is kept of one subject is the lowest by a fixed
order (`core.sample`), whatever was read first.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Generic, TypeVar

import msgspec

from straykey.core.sample import trim

F = TypeVar("F", bound=msgspec.Struct)


_encoder = msgspec.msgpack.Encoder()


def key_of(fact: msgspec.Struct) -> str:
    """Text that is equal exactly for equal facts: a digest, for in full it would take more memory than the fact."""
    return blake2b(_encoder.encode(fact), digest_size=16).hexdigest()


class Facts(msgspec.Struct, Generic[F]):
    """Facts by subject, each by a key that is equal exactly for equal facts."""

    by_subject: dict[str, dict[str, F]] = {}

    def __iter__(self) -> Iterator[F]:
        """All facts, in no order that counts."""
        return (fact for facts in self.by_subject.values() for fact in facts.values())

    def note(self, subject: str, key: str, fact: F, keep: int) -> None:
        facts = self.by_subject.setdefault(subject, {})
        facts[key] = fact
        if len(facts) > 2 * keep:
            trim(facts, keep)

    def absorb(self, other: "Facts[F]", keep: int) -> None:
        for subject, facts in other.by_subject.items():
            for key, fact in facts.items():
                self.note(subject, key, fact, keep)

    def settle(self, keep: int) -> None:
        """Bring to the one form that any order of reading leads to."""
        for facts in self.by_subject.values():
            trim(facts, keep)
