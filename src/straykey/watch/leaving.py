"""Sessions that were silent for long leave; what they told of others must not go with them.

A session may be what makes a network of another one fine: as a neighbour in a pool, or the one that lived there first.
So the latest of each shared address stay while others are there, and none leaves if any finding would change by it.
"""

from collections import defaultdict
from collections.abc import Iterable

from straykey.core.finding import Finding, Severity
from straykey.core.lifecycle import Tracked
from straykey.core.moment import later
from straykey.stores.sql import SqlStore
from straykey.watch.mirror import Mirror

_WITNESSES = 16  # of each address
_MOST_LEAVING = 20_000  # in one transaction
_MOST_TRIES = 16  # to judge without some, in one transaction: nobody else writes meanwhile

_Told = dict[str, Finding]


class Leaving:
    """Lets sessions of a mirror and its store leave, `ttl_seconds` after their last key expired."""

    def __init__(self, store: SqlStore, mirror: Mirror, ttl_seconds: int) -> None:
        self._store = store
        self._mirror = mirror
        self._ttl_seconds = ttl_seconds
        self._told: _Told = {}
        self._needed: set[str] = set()  # without whom one of those findings would be another

    def let_go(self, now: str) -> int:
        """Let those leave whose time is over, the longest silent first; says how many did."""
        mirror = self._mirror
        try:
            with self._store.writing() as writing:
                mirror.catch_up(writing)
                gone = self._gone(silent(mirror, later(now, -self._ttl_seconds)))
                if gone:
                    writing.let_go(gone)
        except BaseException:
            mirror.forget()
            raise
        mirror.committed()
        return len(gone)

    def _gone(self, silent_ones: list[str]) -> list[str]:
        """Let them leave the mirror, but for those by whose leaving a finding would change."""
        if not silent_ones:
            return []
        told = _told(self._mirror)
        if told != self._told:
            self._told, self._needed = told, set()
        others = [arn for arn in silent_ones if arn not in self._needed]
        if not others:  # those for whom they were needed may have left
            others, self._needed = silent_ones, set()
        groups = [others[:_MOST_LEAVING]]
        gone: list[str] = []
        for _ in range(_MOST_TRIES):
            group = groups.pop() if groups else []
            if not group:
                break
            if self._may_go(group):
                gone += group
            elif len(group) == 1:
                self._needed.update(group)
            else:
                half = len(group) // 2
                groups += [group[half:], group[:half]]
        return gone

    def _may_go(self, group: list[str]) -> bool:
        """True, and they have left the mirror; or false, and they have not."""
        self._mirror.let_go(group)
        if _told(self._mirror) == self._told:
            return True
        self._mirror.bring_back(group)
        return False


def _told(mirror: Mirror) -> _Told:
    """What the findings say that are more than information; those count sessions, and are of those still here."""
    found = mirror.docket.judged().findings
    return {one.id: one for one in found if one.severity is not Severity.INFORMATIONAL}


def silent(mirror: Mirror, before: str) -> list[str]:
    """The sessions that may leave, the longest silent first.

    Who is named by a finding that is not over stays, and of each address that somebody else still uses the latest few.
    """
    named = {arn for one in mirror.findings.values() if _keeps(one) for arn in one.finding.sessions}
    stays = _witnesses(mirror, before)
    leaving = [(stay.ends, arn) for arn, stay in mirror.stays.items() if stay.ends < before]
    return [arn for _, arn in sorted(leaving) if arn not in named and arn not in stays]


def _keeps(tracked: Tracked) -> bool:
    return not tracked.is_over and tracked.finding.severity is not Severity.INFORMATIONAL


def _witnesses(mirror: Mirror, before: str) -> set[str]:
    """The latest few silent ones of each address where somebody is not silent."""
    there: dict[str, list[tuple[str, str]]] = defaultdict(list)
    alive: set[str] = set()
    for arn, stay in mirror.stays.items():
        if stay.ends >= before:
            alive.update(stay.addresses)
        else:
            for address in stay.addresses:
                there[address].append((stay.ends, arn))
    return {arn for address, silent_ones in there.items() if address in alive for arn in _latest(silent_ones)}


def _latest(silent_ones: Iterable[tuple[str, str]]) -> list[str]:
    return [arn for _, arn in sorted(silent_ones, reverse=True)[:_WITNESSES]]
