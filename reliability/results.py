"""What one `make reliability` came to: kept as `results.json`, from which the page is made."""

from collections import Counter

import msgspec

from reliability.check import Found
from reliability.site import Site


class Outcome(msgspec.Struct):
    """A kind of trouble, over all its runs.  `wrong` is what was lost, came twice, or differs from a scan.

    `ended` counts processes that were killed, by what they were about.  `received` are messages, `again` those of them
    that had been given out before.  `repeats` are notifications that a sink was handed more than once.
    """

    name: str
    store: str
    runs: int = 0
    seconds: float = 0.0
    lives: int = 0
    kills: int = 0
    failed: int = 0
    ended: dict[str, int] = {}
    objects: int = 0
    records: int = 0
    messages: int = 0
    received: int = 0
    again: int = 0
    findings: int = 0
    sessions: int = 0
    notifications: int = 0
    repeats: int = 0
    wrong: list[str] = []
    notes: list[str] = []

    def add(self, site: Site, found: Found, seconds: float) -> None:
        """One more run, at its end."""
        self.runs += 1
        self.seconds += seconds
        self.lives += site.tally.lives
        self.kills += site.tally.kills
        self.failed += site.tally.failed
        self.ended = dict(Counter(self.ended) + site.tally.ended)
        self.objects += len(site.trail.contents)
        self.records += site.trail.records
        self.messages += len(site.trail.told)
        self.received += site.tally.received
        self.again += site.tally.again
        self.findings += found.findings
        self.sessions += found.sessions
        self.notifications += found.notifications
        self.repeats += found.repeats
        self.wrong += found.wrong + site.tally.crashed

    @property
    def holds(self) -> bool:
        return not self.wrong and self.runs > 0


class Machine(msgspec.Struct, frozen=True):
    python: str
    cores: int
    system: str


class Results(msgspec.Struct):
    machine: Machine
    outcomes: dict[str, Outcome] = {}  # by the name that the command line has for it
    absent: dict[str, str] = {}  # what could not be tried, and why
