"""What was fetched and folded since the last commit, and is to be committed at once."""

from collections import Counter

import msgspec

from straykey.core.coverage import Covered, Seen, joined
from straykey.core.evidence import Bounds
from straykey.core.ledger import PackedLedger, Settled
from straykey.core.record import Skipped
from straykey.sources.compression import PACKING
from straykey.stores.sql import ObjectName
from straykey.stores.troubles import Trouble


class Batch(msgspec.Struct):
    """`losses` are by name what was lost of it; `mended` are names of what was in trouble and is no more."""

    ledger: Settled
    objects: list[ObjectName] = []
    positions: dict[str, str] = {}
    coverage: dict[Covered, Seen] = {}
    troubles: dict[str, Trouble] = {}
    losses: dict[str, Counter[Skipped]] = {}
    mended: set[str] = set()
    records: int = 0
    bytes: int = 0
    skipped: Counter[Skipped] = msgspec.field(default_factory=Counter)
    newest: str = ""
    last: str = ""  # the name of what was folded last

    @classmethod
    def empty(cls, bounds: Bounds) -> "Batch":
        return cls(PackedLedger.empty(bounds, PACKING))

    def cover(self, seen: dict[Covered, Seen]) -> None:
        for what, when in seen.items():
            self.coverage[what] = joined(self.coverage.get(what), when)
            self.newest = max(self.newest, when.last)

    @property
    def is_empty(self) -> bool:
        return not (self.objects or self.records or self.troubles or self.positions or self.losses or self.mended)
