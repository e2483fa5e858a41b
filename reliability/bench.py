"""Where troubles are tried: AWS on this machine, databases, and a trail for each run."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from random import Random

import msgspec
from tests.aws import Aws
from tests.databases import PostgresServer

from reliability import world
from reliability.results import Outcome
from reliability.site import Site, site
from reliability.world import Expected, Trail

SQLITE, POSTGRES = "SQLite", "PostgreSQL"
_databases = count()


class Size(msgspec.Struct, frozen=True):
    """Of the trail of one run: so many simulated worlds in about so many objects."""

    worlds: int = 2
    objects: int = 240


class Bench:
    """`postgres` is None where it is not installed."""

    def __init__(self, aws: Aws, postgres: PostgresServer | None, scratch: Path, size: Size, seed: int) -> None:
        self.aws, self.postgres, self.scratch = aws, postgres, scratch
        self.seed = seed
        self._size = size
        self._known: dict[int, tuple[Trail, Expected]] = {}

    def random(self, what: str) -> Random:
        return Random(f"{self.seed}/{what}")

    def trail(self, number: int) -> tuple[Trail, Expected]:
        """A trail, and what a scan finds in it."""
        if number not in self._known:
            made = world.trail(self.seed + number, self._size.worlds, self._size.objects)
            self._known[number] = made, world.expected(made, self.scratch / f"logs{number}")
        return self._known[number]

    @contextmanager
    def run(self, outcome: Outcome, *, folder: Path | None = None, processes: int = 1) -> Iterator[Site]:
        """A new site; once all was done to it, it is brought to its end and compared."""
        name = f"run{next(_databases)}"
        home = self.scratch / name
        began = time.monotonic()
        trail, expected = self.trail(outcome.runs)
        with site(self.aws, trail, expected, home, self._store(outcome.store, name, folder or home)) as made:
            yield made
            outcome.add(made, made.finish(processes), time.monotonic() - began)

    def _store(self, kind: str, name: str, folder: Path) -> str:
        if kind == SQLITE:
            return str(folder / "store.db")
        assert self.postgres is not None
        return self.postgres.database(name)
