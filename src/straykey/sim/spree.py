"""A session at work for a while: the calls of one program, from one way out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from straykey.sim.record import Call, Document, Fault, Scene, Sender, written
from straykey.sim.workload import ACCESS_DENIED, Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Spree:
    """`who` is the caller's identity, as a record of a version shows it."""

    who: Callable[[str], Document]
    route: Route
    agent: str
    scene: Scene
    calls: Sequence[Call]
    refused: frozenset[str] = frozenset()


def as_ever(who: Document) -> Callable[[str], Document]:
    """An identity that is the same in all versions."""
    return lambda _version: who


def made(rng: Random, spree: Spree, moments: Sequence[datetime]) -> list[Document]:
    """A record for each moment: every call once in order, then any of them."""
    calls = [*spree.calls, *rng.choices(spree.calls, k=len(moments))][: len(moments)]
    return [_record(rng, spree, at, call) for at, call in zip(moments, calls, strict=True)]


def _record(rng: Random, spree: Spree, at: datetime, call: Call) -> Document:
    sender = Sender(spree.who(call.version), spree.route(at, call.service), spree.agent)
    return written(rng, at, sender, call, spree.scene, _fault(spree, call))


def _fault(spree: Spree, call: Call) -> Fault | None:
    return ACCESS_DENIED if call.name in spree.refused else None


def within(rng: Random, begin: datetime, end: datetime, count: int) -> list[datetime]:
    """`count` seconds, in order; the first is `begin` itself."""
    length = max(1, int((end - begin).total_seconds()))
    rest = sorted(rng.randrange(length) for _ in range(count - 1))
    return [begin, *(begin + timedelta(seconds=seconds) for seconds in rest)]
