"""Sessions that were silent for long leave; what they told of others must not go with them.

A session may be what makes a network of another one fine: as a neighbour in a pool, or the one that lived there first.
So the latest of each shared address stay while others are there, and none leaves if any finding would change by it.
"""

from collections import defaultdict
from collections.abc import Iterable

from straykey.core.finding import Severity
from straykey.core.moment import later
from straykey.stores.sql import SqlStore
from straykey.watch.mirror import Mirror

_WITNESSES = 16  # of each address


def let_go(store: SqlStore, mirror: Mirror, now: str, ttl_seconds: int, most: int) -> int | None:
    """Let sessions leave whose last key expired so long ago; says how many did, or None where that changes a finding.

    Then nothing is done.  `most` at once, the longest silent first.
    """
    gone: list[str] | None
    try:
        with store.writing() as writing:
            mirror.catch_up(writing)
            gone = _gone(mirror, silent(mirror, later(now, -ttl_seconds))[:most])
            if gone:
                writing.let_go(gone)
    except BaseException:
        mirror.forget()
        raise
    if gone is None:
        mirror.forget()  # it knows of nobody who left
        return None
    mirror.committed()
    return len(gone)


def _gone(mirror: Mirror, leaving: list[str]) -> list[str] | None:
    """Let them leave the mirror; None if a finding changes by it."""
    if not leaving:
        return []
    before = _told(mirror)
    mirror.let_go(leaving)
    return leaving if _told(mirror) == before else None


def _told(mirror: Mirror) -> dict[str, object]:
    """What the findings say that are more than information; those count sessions, and are of those still here."""
    found = mirror.docket.judged().findings
    return {one.id: one for one in found if one.severity is not Severity.INFORMATIONAL}


def silent(mirror: Mirror, before: str) -> list[str]:
    """The sessions that may leave, the longest silent first.

    Who is named by a finding stays, and of each address that somebody else still uses the latest few.
    """
    named = {arn for one in mirror.findings.values() if _is_kept(one.finding.severity) for arn in one.finding.sessions}
    stays = _witnesses(mirror, before)
    leaving = [(stay.ends, arn) for arn, stay in mirror.stays.items() if stay.ends < before]
    return [arn for _, arn in sorted(leaving) if arn not in named and arn not in stays]


def _is_kept(severity: Severity) -> bool:
    return severity is not Severity.INFORMATIONAL


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
