"""Evidence packed away: sorted runs of sessions, merged when they are looked at.

An external merge sort.  What was folded goes into a run, sorted by ARN and packed in blocks; several runs may hold
parts of one session, which are brought together by reading all runs side by side.  So memory holds but one block of
each run in the open, and readers in other processes hand over their runs as they are.

Of many runs of about one size one larger run is made, in which each session has one part again: a session that lives
through all of the logs is kept once, not once in each run.  (O'Neil et al., "The log-structured merge-tree", 1996.)
"""

from bisect import bisect_right
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, ValuesView
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Protocol

import msgspec

from straykey.core.calls import Calls, thinned
from straykey.core.evidence import Bounds, Evidence

_BLOCK = 1 << 16  # bytes before packing, about
# Times the events that are kept of a network.  So many calls are thinned: of fewer hardly any would go.
_THINNED = 2
_MANY = 16  # and so many of a session become evidence, where they cannot be thinned
_MOST_RUNS = 16  # of one size


class Part(msgspec.Struct, gc=False, array_like=True):
    """What one run holds of a session: few calls as they are, everything else as evidence."""

    calls: list[Calls]
    evidence: Evidence | None


class Blocks(Protocol):
    """Where packed blocks are put: a list, or a place that holds more than memory does."""

    def append(self, block: bytes, /) -> None: ...

    def __getitem__(self, at: int, /) -> bytes: ...

    def __setitem__(self, at: int, block: bytes, /) -> None: ...

    def __len__(self) -> int: ...


class Packing(msgspec.Struct, frozen=True):
    """How blocks are made small, and read again, and where those of a run are put."""

    pack: Callable[[bytes], bytes] = bytes
    unpack: Callable[[bytes], bytes] = bytes
    shelf: Callable[[], Blocks] = list[bytes]


_Entry = tuple[str, msgspec.Raw]

_encoder = msgspec.msgpack.Encoder()
_entries = msgspec.msgpack.Decoder(list[_Entry])
_part = msgspec.msgpack.Decoder(Part)


class Run(msgspec.Struct, frozen=True):
    """Parts in order of their sessions' ARNs, in packed blocks; `starts` holds the first ARN of each."""

    blocks: Blocks
    starts: list[str]

    def entries(self, packing: Packing) -> Iterator[_Entry]:
        for at in range(len(self.blocks)):
            yield from _entries.decode(packing.unpack(self.blocks[at]))

    def drained(self, packing: Packing) -> Iterator[_Entry]:
        """As `entries`, letting go of each block: for a run that another one takes the place of."""
        for at in range(len(self.blocks)):
            block, self.blocks[at] = self.blocks[at], b""
            yield from _entries.decode(packing.unpack(block))

    def block_of(self, arn: str) -> int:
        """The place of the block that holds this session, if the run does; -1 if it does not."""
        return bisect_right(self.starts, arn) - 1

    def block(self, at: int, packing: Packing) -> dict[str, msgspec.Raw]:
        return dict(_entries.decode(packing.unpack(self.blocks[at])))


def run_of(entries: Iterable[tuple[str, bytes]], packing: Packing) -> Run:
    """Pack what is sorted already."""
    run = Run(packing.shelf(), [])
    block: list[tuple[str, msgspec.Raw]] = []
    size = 0
    for arn, part in entries:
        block.append((arn, msgspec.Raw(part)))
        size += len(part)
        if size >= _BLOCK:
            _append(run, block, packing)
            block, size = [], 0
    if block:
        _append(run, block, packing)
    return run


def _append(run: Run, block: list[_Entry], packing: Packing) -> None:
    run.starts.append(block[0][0])
    run.blocks.append(packing.pack(_encoder.encode(block)))


class Runs(Mapping[str, Evidence]):
    """The settled evidence of all sessions in these runs, by ARN; unpacked anew each time it is looked at."""

    def __init__(self, bounds: Bounds, packing: Packing) -> None:
        self._bounds = bounds
        self._packing = packing
        self._tiers: list[list[Run]] = []
        self._length: int | None = None
        self._open: dict[int, tuple[int, dict[str, msgspec.Raw]]] = {}  # by run: the block that was looked into last

    def add(self, run: Run, tier: int = 0) -> None:
        """Take in one more run."""
        self._length = None
        self._open.clear()
        while len(self._tiers) <= tier:
            self._tiers.append([])
        runs = self._tiers[tier]
        runs.append(run)
        if len(runs) == _MOST_RUNS:
            self._tiers[tier] = []
            self.add(self._joined(runs), tier + 1)

    def adopt(self, run: Run) -> None:
        """Take in a run from elsewhere, which is used up, block by block."""
        blocks = self._packing.shelf()
        for at in range(len(run.blocks)):
            block, run.blocks[at] = run.blocks[at], b""
            blocks.append(block)
        self.add(Run(blocks, run.starts))

    @property
    def runs(self) -> list[Run]:
        return [run for tier in self._tiers for run in tier]

    def __len__(self) -> int:
        if self._length is None:
            self._length = sum(1 for _ in self)
        return self._length

    def __iter__(self) -> Iterator[str]:
        return (arn for arn, _ in _gathered([run.entries(self._packing) for run in self.runs]))

    def __getitem__(self, arn: str) -> Evidence:
        """Looking up sessions in order of their ARNs unpacks each block but once."""
        parts = [part for place, run in enumerate(self.runs) if (part := self._find(place, run, arn)) is not None]
        if not parts:
            raise KeyError(arn)
        return _evidence_of(parts, self._bounds)

    def _find(self, place: int, run: Run, arn: str) -> msgspec.Raw | None:
        at = run.block_of(arn)
        if at < 0:
            return None
        known = self._open.get(place)
        if known is None or known[0] != at:
            known = self._open[place] = (at, run.block(at, self._packing))
        return known[1].get(arn)

    def items(self) -> ItemsView[str, Evidence]:
        return _Items(self)

    def values(self) -> ValuesView[Evidence]:
        return _Values(self)

    def unpacked(self) -> Iterator[tuple[str, Evidence]]:
        """All sessions in order of their ARNs."""
        for arn, parts in _gathered([run.entries(self._packing) for run in self.runs]):
            yield arn, _evidence_of(parts, self._bounds)

    def _joined(self, runs: list[Run]) -> Run:
        """One run of several, which are used up."""
        gathered = _gathered([run.drained(self._packing) for run in runs])
        entries = ((arn, bytes(parts[0]) if len(parts) == 1 else _join(parts, self._bounds)) for arn, parts in gathered)
        return run_of(entries, self._packing)


def _gathered(entries: list[Iterator[_Entry]]) -> Iterator[tuple[str, list[msgspec.Raw]]]:
    """The parts of each session, in order of the sessions' ARNs."""
    for arn, same in groupby(merge(*entries, key=itemgetter(0)), itemgetter(0)):
        yield arn, [part for _, part in same]


class _Items(ItemsView[str, Evidence]):
    _mapping: Runs

    def __iter__(self) -> Iterator[tuple[str, Evidence]]:
        return self._mapping.unpacked()


class _Values(ValuesView[Evidence]):
    _mapping: Runs

    def __iter__(self) -> Iterator[Evidence]:
        return (evidence for _, evidence in self._mapping.unpacked())


class Open(Mapping[str, Evidence]):
    """The settled evidence of sessions that need not be packed away, by ARN; made anew each time it is looked at.

    Of most there are calls alone; the others lie as parts.
    """

    def __init__(self, calls: dict[str, list[Calls]], parts: dict[str, msgspec.Raw], bounds: Bounds) -> None:
        self._calls = calls
        self._parts = parts
        self._bounds = bounds

    def __len__(self) -> int:
        return len(self._calls.keys() | self._parts.keys())

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._calls.keys() | self._parts.keys()))

    def __getitem__(self, arn: str) -> Evidence:
        if arn in self._parts:
            return _evidence_of([self._parts[arn]], self._bounds)
        return _settled(self._calls[arn], None, self._bounds)


def encoded(calls: list[Calls], evidence: Evidence | None, bounds: Bounds) -> bytes:
    """A part.  Calls are thinned; where there are many all the same, by many keys or from many networks, evidence is
    made of them, so that it stays bounded.
    """
    if sum([one.count for one in calls]) > _THINNED * bounds.events:
        by_network: dict[str, list[Calls]] = {}
        for one in calls:
            by_network.setdefault(one.caller.network.key, []).append(one)
        calls = [one for there in by_network.values() for one in _few(there, bounds)]
        if len(by_network) > bounds.networks or sum([one.count for one in calls]) > _MANY * bounds.events:
            evidence = _observed(calls, evidence, bounds)
            calls = []
    if evidence is not None:
        evidence.settle(bounds)
    return _encoder.encode(Part(calls, evidence))


def _few(calls: list[Calls], bounds: Bounds) -> list[Calls]:
    is_many = sum([one.count for one in calls]) > _THINNED * bounds.events
    return thinned(calls, bounds.events) if is_many else calls


def _join(parts: list[msgspec.Raw], bounds: Bounds) -> bytes:
    calls, evidence = _opened(parts, bounds)
    return encoded(calls, evidence, bounds)


def _evidence_of(parts: list[msgspec.Raw], bounds: Bounds) -> Evidence:
    """What these parts of one session come to, settled."""
    return _settled(*_opened(parts, bounds), bounds)


def _settled(calls: list[Calls], evidence: Evidence | None, bounds: Bounds) -> Evidence:
    evidence = evidence or Evidence(calls[0].caller.session)
    evidence.observe_calls(calls, bounds)
    evidence.settle(bounds)
    return evidence


def _opened(parts: list[msgspec.Raw], bounds: Bounds) -> tuple[list[Calls], Evidence | None]:
    """All that parts of one session hold; one after the other, so that it stays bounded."""
    calls: list[Calls] = []
    evidence: Evidence | None = None
    for raw in parts:
        part = _part.decode(raw)
        calls += part.calls
        if evidence is None:
            evidence = part.evidence
        elif part.evidence is not None:
            evidence.absorb(part.evidence, bounds)
            evidence.settle(bounds)
        if len(parts) > 1 and sum([one.count for one in calls]) > _MANY * bounds.events:
            evidence = _observed(calls, evidence, bounds)
            calls = []
    return calls, evidence


def _observed(calls: list[Calls], evidence: Evidence | None, bounds: Bounds) -> Evidence:
    """Evidence of calls, too, with every sample drawn: what it was drawn from is let go."""
    evidence = evidence or Evidence(calls[0].caller.session)
    evidence.observe_calls(calls, bounds)
    for sighting in evidence.sightings.values():
        sighting.events.draw()
    return evidence
