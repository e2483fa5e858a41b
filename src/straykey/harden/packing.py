"""SCPs and RCPs for many accounts: as few documents as hold them, none longer than Organizations takes."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from straykey.harden.perimeter import (
    ROOM,
    Artifact,
    Kind,
    Level,
    Statement,
    Ways,
    controlling,
    document_of,
    scopes,
    ways_of,
)
from straykey.harden.worker import Footprint


class Packed(msgspec.Struct, frozen=True):
    """Documents, and the roles, as account and name, that are in none of them: too many addresses are their home."""

    artifacts: tuple[Artifact, ...]
    left_out: tuple[tuple[str, str], ...]


class _Told(msgspec.Struct, frozen=True):
    """Statements that belong together, and the accounts they are about, or the one role, as account and name."""

    statements: tuple[Statement, ...]
    accounts: tuple[str, ...]
    role: tuple[str, str] | None = None


def control_policies(kind: Kind, footprints: Iterable[Footprint], level: Level, spared: Sequence[str]) -> Packed:
    """One statement for all accounts that have every way home in common, or as few as have room for them.

    An account whose addresses fit into no document is split by role; a role that does not fit either is left out.
    Other partitions are other organizations, and have documents of their own.
    """
    by_account: dict[tuple[str, str], list[Footprint]] = {}
    for one in footprints:
        by_account.setdefault((one.partition, one.account), []).append(one)
    artifacts: list[Artifact] = []
    left_out: list[tuple[str, str]] = []
    for partition in sorted({partition for partition, _ in by_account}):
        theirs = {account: some for (where, account), some in sorted(by_account.items()) if where == partition}
        told = list(_told(kind, theirs, level, spared))
        fitting = [one for one in told if isinstance(one, _Told)]
        left_out += [one for one in told if not isinstance(one, _Told)]
        artifacts += _packed(kind, fitting, "" if partition == "aws" else f"-{partition}")
    return Packed(tuple(artifacts), tuple(sorted(left_out)))


def _told(
    kind: Kind, by_account: dict[str, list[Footprint]], level: Level, spared: Sequence[str]
) -> Iterator[_Told | tuple[str, str]]:
    alike: dict[tuple[Ways, ...], list[str]] = {}
    for account, some in by_account.items():
        ways = tuple(ways_of(some, bound) for _, bound in scopes(kind, level, spared))
        alike.setdefault(ways, []).append(account)
    for accounts in alike.values():
        told = list(_by_accounts(kind, accounts, by_account[accounts[0]], level, spared))
        theirs = (one for account in accounts for one in by_account[account])
        yield from told or _by_role(kind, theirs, level, spared)


def _by_accounts(
    kind: Kind, accounts: Sequence[str], footprints: Sequence[Footprint], level: Level, spared: Sequence[str]
) -> Iterator[_Told]:
    """As few statements as hold all of them; none if their ways home leave no room for one."""

    def about(some: Sequence[str]) -> _Told:
        return _Told(tuple(controlling(kind, some, footprints, level, spared)), tuple(some))

    left = accounts
    while most := _fitting(kind, about, left):
        yield about(left[:most])
        left = left[most:]


def _fitting(kind: Kind, about: Callable[[Sequence[str]], _Told], accounts: Sequence[str]) -> int:
    """Of so many accounts a statement fits into a document."""
    counts = range(1, len(accounts) + 1)
    return bisect_left(counts, True, key=lambda count: not _fit(kind, [about(accounts[:count])]))


def _by_role(
    kind: Kind, footprints: Iterable[Footprint], level: Level, spared: Sequence[str]
) -> Iterator[_Told | tuple[str, str]]:
    for one in footprints:
        told = _Told(tuple(controlling(kind, one, [one], level, spared)), (one.account,), (one.account, one.role))
        yield told if _fit(kind, [told]) else (one.account, one.role)


def _packed(kind: Kind, statements: Iterable[_Told], suffix: str) -> Iterator[Artifact]:
    piles: list[list[_Told]] = []
    for told in sorted(statements, key=lambda one: (-len(_document([one])), one.accounts)):
        pile = next((one for one in piles if _fit(kind, [*one, told])), None)
        if pile is None:
            piles.append([told])
        else:
            pile.append(told)
    for number, pile in enumerate(piles, start=1):
        name = f"straykey-perimeter{suffix}-{number}" if len(piles) > 1 else f"straykey-perimeter{suffix}"
        accounts = tuple(sorted({account for told in pile for account in told.accounts}))
        roles = tuple(sorted(told.role for told in pile if told.role))
        yield Artifact(kind, name, _document(pile), accounts, roles=roles)


def _fit(kind: Kind, pile: list[_Told]) -> bool:
    return len(_document(pile)) <= ROOM[kind]


def _document(pile: list[_Told]) -> str:
    return document_of([statement for told in pile for statement in told.statements])
