"""What was read, and what was not and why; nothing that was lost goes unnamed."""

from collections import Counter

import msgspec

from straykey.core.envelope import Detour
from straykey.core.record import Skipped


class Tally(msgspec.Struct):
    """Sums over all batches; `losses` names those where something was lost, and what.

    `mended` counts records that were read though something in them was broken; they count as losses too.
    """

    files: int = 0
    bytes: int = 0
    records: int = 0
    skipped: Counter[Skipped] = msgspec.field(default_factory=Counter)
    mended: Counter[Skipped] = msgspec.field(default_factory=Counter)
    losses: dict[str, Counter[Skipped]] = {}
    detours: Counter[Detour] = msgspec.field(default_factory=Counter)

    def absorb(self, other: "Tally") -> None:
        """Add what other files held."""
        self.files += other.files
        self.bytes += other.bytes
        self.records += other.records
        self.skipped += other.skipped
        self.mended += other.mended
        self.detours += other.detours
        for name, lost in other.losses.items():
            self.losses[name] = self.losses.get(name, Counter()) + lost

    def add(self, name: str, size: int, records: int, skipped: Counter[Skipped], mended: Counter[Skipped]) -> None:
        """Add what one file held."""
        self.files += 1
        self.bytes += size
        self.records += records
        self.skipped += skipped
        self.mended += mended
        lost = Counter({reason: count for reason, count in (skipped + mended).items() if reason.is_loss})
        if lost:
            self.losses[name] = self.losses.get(name, Counter()) + lost
