"""A fleet that leaves one egress for another: three or more that shared a home take a new one, and none goes back.

A thief inside a move does not become part of it: each member takes the earliest network that enough of the others take
with it, and a network that anyone left for the old home again is no new home.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec

_FEW = 3
_MOST_MOVES = 16  # of one fleet, one after the other


class Visit(msgspec.Struct, frozen=True, order=True, gc=False):
    """A public address a session was used from, and when."""

    first: str
    last: str
    address: str


class Dweller(msgspec.Struct, frozen=True):
    """A session with the home it had first, and all public addresses it was used from."""

    who: str
    arn: str
    home: Visit
    visits: tuple[Visit, ...]


class Move(msgspec.Struct, frozen=True, order=True):
    """From which address to which, when the first and the last of them called from there first, and who moved."""

    since: str
    until: str
    old: str
    new: str
    arns: tuple[str, ...]


def moves_of(dwellers: Iterable[Dweller]) -> dict[tuple[str, str], Move]:
    """All moves, by old and new address."""
    found: dict[tuple[str, str], Move] = {}
    abodes = [(dweller, dweller.home) for dweller in dwellers if len(dweller.visits) > 1]
    for _ in range(_MOST_MOVES):
        moved = _step(abodes)
        fresh = {move: members for move, members in moved.items() if move not in found}
        if not fresh:
            break
        for (old, new), members in fresh.items():
            firsts = sorted(visit.first for _, visit in members)
            arns = tuple(sorted(dweller.arn for dweller, _ in members))
            found[old, new] = Move(firsts[0], firsts[-1], old, new, arns)
        abodes = [member for members in fresh.values() for member in members]
    return found


_Abode = tuple[Dweller, Visit]


def _step(abodes: list[_Abode]) -> dict[tuple[str, str], list[_Abode]]:
    """The moves out of where everyone is: the earliest each can make together with enough others."""
    whos: dict[tuple[str, str], set[str]] = defaultdict(set)
    returned: Counter[tuple[str, str]] = Counter()
    for dweller, abode in abodes:
        for visit in dweller.visits:
            if visit.address == abode.address or visit.first < abode.first:
                continue
            if visit.first >= abode.last:
                whos[abode.address, visit.address].add(dweller.who)
            else:
                returned[abode.address, visit.address] += 1
    chosen: dict[tuple[str, str], list[_Abode]] = defaultdict(list)
    for dweller, abode in abodes:
        together = [
            visit
            for visit in dweller.visits
            if visit.first >= abode.last
            and len(whos.get((abode.address, visit.address), ())) >= _FEW
            and not returned[abode.address, visit.address]
        ]
        if together:
            chosen[abode.address, min(together).address].append((dweller, min(together)))
    return {move: members for move, members in chosen.items() if len({one.who for one, _ in members}) >= _FEW}
