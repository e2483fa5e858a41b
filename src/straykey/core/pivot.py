"""What a thief made with a stolen key, followed: what was made with that, and so on, to any depth.

A key taints all that is made with it.  A user the thief created is his, with all its keys.  A user whose password he
set is his only where no long-term key is used: those may be its owner's.  Users are his from the time he did that.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from straykey.core.making import Made, joined

_LONG_TERM = "AKIA"
_USER_ARN = re.compile(r"(arn:[^:]*:iam::[^:]*:user/)(?:.*/)?([^/]+)", re.DOTALL)
_PASSWORD_SET = frozenset({"CreateLoginProfile", "UpdateLoginProfile"})


class Pivot(msgspec.Struct, frozen=True, gc=False):
    """Something made by a thief; at depth 1 with the stray key itself, at depth 2 with what he made at depth 1."""

    made: Made
    depth: int


class Taints(msgspec.Struct, frozen=True):
    """What is the thief's: keys, and users since a time, by `user_key`; `passwords` without their long-term keys."""

    keys: frozenset[str]
    users: dict[str, str]
    passwords: dict[str, str]

    def covers(self, arn: str, access_key: str, time: str) -> bool:
        """True if a call by `arn` with this key at this time is the thief's."""
        if access_key in self.keys:
            return True
        user = user_key(arn)
        if user in self.users and self.users[user] <= time:
            return True
        return user in self.passwords and self.passwords[user] <= time and not _is_long_term(access_key)


def taints(makings: Iterable[Made]) -> Taints:
    """What these makings put into the hands of whoever made them."""
    keys: set[str] = set()
    users: dict[str, str] = {}
    passwords: dict[str, str] = {}
    for made in makings:
        keys.add(made.access_key)
        taken = _taken_user(made)
        if taken:
            user, by_password = taken
            since = passwords if by_password else users
            since[user] = min(since.get(user, made.time), made.time)
    return Taints(frozenset(keys - {""}), users, passwords)


def _taken_user(made: Made) -> tuple[str, bool] | None:
    """The user that is the thief's by this making, and whether by the password alone."""
    is_new = made.api == "CreateUser"
    return (user_key(made.made), not is_new) if made.made and (is_new or made.api in _PASSWORD_SET) else None


def taken_users(makings: Iterable[Made]) -> frozenset[str]:
    """All users that are the thief's by any of these makings, were it one of his."""
    return frozenset(taken[0] for taken in map(_taken_user, makings) if taken)


def user_key(arn: str) -> str:
    """Text that is equal for all ARNs of one IAM user: requests leave out its path, and IAM minds no capitals.

    Any other ARN stays as it is.
    """
    match = _USER_ARN.fullmatch(arn)
    return f"{match[1]}{match[2]}".lower() if match else arn


class Makings:
    """All makings at hand, copies of one action joined, to be looked up by who made them; built once."""

    def __init__(self, makings: Iterable[Made]) -> None:
        self._made = _by_identity(makings)
        self._by_network: defaultdict[tuple[str, str], list[Made]] = defaultdict(list)
        self._by_key: defaultdict[str, list[Made]] = defaultdict(list)
        self._by_user: defaultdict[str, list[Made]] = defaultdict(list)
        self._by_password: defaultdict[str, list[Made]] = defaultdict(list)
        for made in sorted(self._made.values(), key=_order):
            self._by_network[made.maker, made.maker_network].append(made)
            self._by_key[made.maker_key].append(made)
            user = user_key(made.maker)
            self._by_user[user].append(made)
            if not _is_long_term(made.maker_key):
                self._by_password[user].append(made)

    def __iter__(self) -> Iterator[Made]:
        """Each action once, in no order that counts."""
        return iter(self._made.values())

    def whole(self, made: Made) -> Made:
        """What all copies of this making tell together."""
        known = self._made.get(made.identity)
        return joined(known, made) if known else made

    def from_network(self, maker: str, network: str) -> list[Made]:
        """What a principal made from one network, by its key; in order of time, as all that follow."""
        return list(self._by_network.get((maker, network), ()))

    def with_key(self, access_key: str) -> Sequence[Made]:
        return self._by_key.get(access_key, ())

    def by_user(self, user: str, since: str, before: str | None, *, by_password: bool) -> list[Made]:
        """What a user made from `since` on, up to `before`; with `by_password`, not with its long-term keys."""
        made = (self._by_password if by_password else self._by_user).get(user, [])
        end = len(made) if before is None else bisect_left(made, before, key=_time)
        return made[bisect_left(made, since, key=_time) : end]


def follow(seeds: Iterable[Made], all_made: Makings, most: int | None = None) -> list[Pivot]:
    """Everything that came of `seeds`, each once and by the shortest way, ordered by depth, time and identity.

    With `most`, no more than so many of the nearest.
    """
    walk = _Walk(all_made)
    front = walk.unseen(islice(map(all_made.whole, _by_identity(seeds).values()), most))
    pivots: list[Pivot] = []
    depth = 1
    while front and (most is None or len(pivots) < most):
        pivots += [Pivot(made, depth) for made in front]
        front = walk.unseen(islice(walk.beyond(front), most))
        depth += 1
    return pivots[:most]


def _by_identity(makings: Iterable[Made]) -> dict[str, Made]:
    """Each action once, its copies joined."""
    found: dict[str, Made] = {}
    for one in makings:
        known = found.get(one.identity)
        found[one.identity] = joined(known, one) if known else one
    return found


class _Walk:
    """How far it has been looked, so that nothing is looked at twice however often the thief comes back to it."""

    def __init__(self, all_made: Makings) -> None:
        self._all_made = all_made
        self._seen: set[str] = set()
        self._keys: set[str] = set()
        self._looked: dict[tuple[str, bool], str] = {}  # by user: since when

    def unseen(self, makings: Iterable[Made]) -> list[Made]:
        fresh = {made.identity: made for made in makings if made.identity not in self._seen}
        self._seen.update(fresh)
        return sorted(fresh.values(), key=_order)

    def beyond(self, front: Iterable[Made]) -> Iterator[Made]:
        """What was made with all that, which is in order of time."""
        for made in front:
            if made.access_key and made.access_key not in self._keys:
                self._keys.add(made.access_key)
                yield from self._all_made.with_key(made.access_key)
            taken = _taken_user(made)
            if taken:
                yield from self._by_user(*taken, since=made.time)

    def _by_user(self, user: str, by_password: bool, since: str) -> list[Made]:
        looked = self._looked.get((user, by_password))
        if looked is not None and looked <= since:
            return []
        self._looked[user, by_password] = since
        return self._all_made.by_user(user, since, looked, by_password=by_password)


def _order(made: Made) -> tuple[str, str]:
    return made.time, made.identity


def _time(made: Made) -> str:
    return made.time


def _is_long_term(access_key: str) -> bool:
    return access_key.startswith(_LONG_TERM)
