"""The keys EC2 issues to an instance, and which of them a program holds.

Where an instance still answers IMDSv1, EC2 issues two keys in the same second: one is only
ever handed out over IMDSv1, the other over IMDSv2.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from straykey.sim import identifier
from straykey.sim.company import Instance, Window

LIFETIME = timedelta(hours=6, minutes=35)
_RENEWAL_SECONDS = (3300, 3900)


@dataclass(frozen=True, slots=True)
class Key:
    access_key: str
    delivery: str
    issued: datetime

    @property
    def expires(self) -> datetime:
        return self.issued + LIFETIME


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys of one instance that live in the window, oldest first, by IMDS version."""

    times: tuple[datetime, ...]
    keys: dict[str, tuple[Key, ...]]

    def newest(self, delivery: str, at: datetime) -> Key:
        """The key IMDS hands out at `at`."""
        return self.keys[delivery][max(0, bisect_right(self.times, at) - 1)]


def keyring(rng: Random, instance: Instance, window: Window) -> Keyring:
    times = tuple(_issue_times(rng, instance, window))
    deliveries = ("2.0",) if instance.is_token_required else ("1.0", "2.0")
    keys = {d: tuple(Key(identifier.access_key(rng), d, at) for at in times) for d in deliveries}
    return Keyring(times, keys)


def _issue_times(rng: Random, instance: Instance, window: Window) -> list[datetime]:
    at = instance.launched + timedelta(seconds=rng.randint(1, 3))
    earliest = window.start - LIFETIME
    if at < earliest:
        at = earliest + timedelta(seconds=rng.randrange(_RENEWAL_SECONDS[0]))
    times = []
    while at < window.end:
        times.append(at)
        at += timedelta(seconds=rng.randint(*_RENEWAL_SECONDS))
    return times
