"""Fetches what parcels name and folds it, each object as a whole or not at all."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec
import structlog

from straykey import pipeline
from straykey.core.coverage import covered
from straykey.core.envelope import Decoded
from straykey.core.evidence import Bounds
from straykey.core.folding import Folding
from straykey.core.ledger import PackedLedger, Settled
from straykey.errors import SourceError
from straykey.pipeline import Period
from straykey.sources.compression import PACKING
from straykey.sources.delivery import Unavailable, UnavailableError, name_of
from straykey.sources.notice import ObjectRef
from straykey.stores.sql import ObjectName
from straykey.watch.batch import Batch
from straykey.watch.feed import Parcel

_SMALL = 1 << 20  # bytes before unpacking: what is no larger is decoded as a whole before it is folded

_log = structlog.get_logger("straykey.watch")


class Fetching(Protocol):
    """Where objects are had from; see `sources.delivery.Objects`."""

    def fetch_all(self, refs: Sequence[ObjectRef]) -> Iterator[tuple[ObjectRef, int, Iterator[Decoded]]]: ...


class Taken(msgspec.Struct, frozen=True):
    """What was folded, and by parcel what could not be had of it."""

    batch: Batch
    failed: dict[str, list[UnavailableError]]


def object_of(ref: ObjectRef) -> ObjectName:
    return ObjectName(ref.bucket, ref.key, ref.version or "")


class Intake:
    """Folds parcels."""

    def __init__(self, objects: Fetching, bounds: Bounds) -> None:
        self._objects = objects
        self._bounds = bounds

    def fold(self, parcels: Sequence[Parcel], known: set[ObjectName]) -> Taken:
        """Fold all that these parcels hold, but for objects that are `known` to be folded already."""
        batch = Batch.empty(self._bounds)
        work = _Work(Folding(self._bounds, PACKING), [])
        unavailable: dict[ObjectName, UnavailableError] = {}
        for ref, size, portions in self._objects.fetch_all(_to_fetch(parcels, known)):
            name = object_of(ref)
            try:
                self._fold_object(name_of(ref), size, portions, work, batch)
            except UnavailableError as error:
                unavailable[name] = error
            except SourceError as error:
                # Named like what AWS does not answer: else it would look as if nobody had lived to tell.
                _log.warning("fetch", problem=str(error), hint=error.hint)
                unavailable[name] = UnavailableError(ref, Unavailable.LOCKED_OUT, "")
            else:
                batch.objects.append(name)
                batch.mended.add(name_of(ref))
                batch.last = name_of(ref)
        for parcel in parcels:
            if parcel.records is not None:
                _note(batch, parcel.name, pipeline.fold(_watched([parcel.records], batch), work.together, Period()))
        batch.ledger = work.ledger()
        wanting = {one.name: [object_of(ref) for ref in one.objects] for one in parcels}
        failed = {name: [unavailable[one] for one in of if one in unavailable] for name, of in wanting.items()}
        return Taken(batch, {name: errors for name, errors in failed.items() if errors})

    def _fold_object(self, name: str, size: int, portions: Iterator[Decoded], work: "_Work", batch: Batch) -> None:
        """Into what is folded only once all of it was read; what is large goes by a folding of its own."""
        if 0 < size <= _SMALL:
            whole = list(portions)
            folded = pipeline.fold(_watched(whole, batch), work.together, Period())
        else:
            apart, seen = Folding(self._bounds, PACKING), Batch.empty(self._bounds)
            folded = pipeline.fold(_watched(portions, seen), apart, Period())
            work.large.append(apart.ledger())
            batch.cover(seen.coverage)
        batch.bytes += size
        _note(batch, name, folded)


class _Work(msgspec.Struct, frozen=True):
    """All small objects in one folding, and each large one by itself."""

    together: Folding
    large: list[PackedLedger]

    def ledger(self) -> Settled:
        """All that was folded, to be called once.  Most often nothing need be packed, only to be unpacked at once."""
        if not self.large:
            return self.together.ledger_in_the_open()
        whole, *others = self.large
        for one in (*others, self.together.ledger()):
            whole.absorb(one)
        whole.settle()
        return whole


def _to_fetch(parcels: Sequence[Parcel], known: set[ObjectName]) -> list[ObjectRef]:
    """Each object once."""
    refs = {object_of(ref): ref for parcel in parcels for ref in parcel.objects}
    return [ref for name, ref in refs.items() if name not in known]


def _watched(portions: Iterator[Decoded] | list[Decoded], batch: Batch) -> Iterator[Decoded]:
    """The portions, and in passing what they cover."""
    for portion in portions:
        batch.cover(covered(portion.records))
        if portion.mended:
            batch.cover(covered(record for record, _ in portion.mended))
        yield portion


def _note(batch: Batch, name: str, folded: pipeline.Folded) -> None:
    batch.records += folded.records
    batch.skipped.update(folded.skipped)
    lost = Counter({reason: n for reason, n in (folded.skipped + folded.mended).items() if reason.is_loss})
    if lost:
        batch.losses[name] = batch.losses.get(name, Counter()) + lost
