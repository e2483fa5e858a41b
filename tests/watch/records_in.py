"""Parcels made of records, as a feed gives them, and processes that take them in."""

from collections.abc import Iterable, Iterator, Sequence

from straykey.core.envelope import Decoded
from straykey.core.evidence import Bounds
from straykey.core.finding import Severity
from straykey.core.reading import decode
from straykey.core.settings import Settings
from straykey.sources.notice import ObjectRef
from straykey.stores.database import Database
from straykey.stores.progress import Worker
from straykey.stores.sql import SqlStore
from straykey.watch.commit import Committed, Terms, commit
from straykey.watch.feed import Parcel
from straykey.watch.intake import Intake, object_of
from straykey.watch.mirror import Judging, Mirror
from straykey.watch.verdict import Audience
from tests.records import RawRecord, trail
from tests.seen import RANGES

NOW = "2026-05-04T12:00:00Z"


class Shelf:
    """Objects that lie in memory."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def put(self, key: str, records: Sequence[RawRecord]) -> ObjectRef:
        self.contents[key] = trail(*records)
        return ObjectRef("logs", key, len(self.contents[key]))

    def fetch_all(self, refs: Iterable[ObjectRef]) -> Iterator[tuple[ObjectRef, int, Iterator[Decoded]]]:
        for ref in refs:
            data = self.contents[ref.key]
            yield ref, len(data), iter([decode(data)])


class Process:
    """What one process that watches does at each turn, step by step."""

    def __init__(self, database: Database, shelf: Shelf, name: str = "one", *, judging: Judging | None = None) -> None:
        self.store = SqlStore(database)
        self.mirror = Mirror(judging or Judging(Settings(), RANGES))
        self.intake = Intake(shelf, Bounds())
        self.name = name

    def take(self, parcels: Sequence[Parcel], now: str = NOW, sinks: dict[str, Severity] | None = None) -> Committed:
        known = self.store.folded([object_of(ref) for parcel in parcels for ref in parcel.objects])
        batch = self.intake.fold(parcels, known).batch
        return commit(self.store, self.mirror, batch, Worker(self.name, now, now), Terms(Audience(sinks or {})))
