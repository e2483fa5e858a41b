"""A fleet that notes what it is asked, so that an answer stands until something it came of has changed.

Each question is noted with its answer, and with the keys that were looked up for it in the parts of the fleet.  Where
one of those is not as it was, the question is asked again; only where it is answered otherwise, more has to be done.
So a session that is asked about with ten thousand others is not weighed again because one more came.
"""

from collections.abc import Container, Hashable, Iterator, Mapping, Set
from typing import TypeVar, cast

import msgspec
from msgspec.structs import asdict

from straykey.core.fleet import Ask, Fleet
from straykey.core.grant import Grant
from straykey.core.holding import EVER, Holds
from straykey.core.network import Network

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
# The name of a method of `Fleet` or `Holdings`, and its arguments.
_Question = tuple[str, tuple[Hashable, ...], tuple[tuple[str, Hashable], ...]]


class _Answer(msgspec.Struct, frozen=True, gc=False):
    given: object
    keys: frozenset[Ask]


class Asked:
    """What was asked for one thing that was found out.  Keys of `spoofed` are not noted: whose they are is known."""

    def __init__(self) -> None:
        self._of_fleet: dict[_Question, _Answer] = {}
        self._of_grants: dict[_Question, object] = {}
        self._besides: set[Ask] = set()  # looked up, and for no question

    def of(self, fleet: Fleet) -> Fleet:
        """The fleet as it is now, noting here what is asked of it."""
        besides = _noting(fleet, self._besides, self._of_grants)
        return _AskedFleet(**asdict(besides), fleet=fleet, noted=self._of_fleet, asker=_Asker(fleet, self._of_grants))

    @property
    def keys(self) -> set[Ask]:
        """All that was looked up."""
        return self._besides.union(*(answer.keys for answer in self._of_fleet.values()))

    def stands(self, fleet: Fleet, changed: Set[Ask]) -> bool:
        """True if all is answered as before by a fleet in which these keys changed; notes what it looked up for it."""
        if not changed.isdisjoint(self._besides):
            return False
        asker = _Asker(fleet, self._of_grants)
        for question, answer in self._of_fleet.items():
            if not changed.isdisjoint(answer.keys):
                again = asker.answered(question)
                if again.given != answer.given:
                    return False
                self._of_fleet[question] = again
        return True

    def stands_by(self, holdings: Holds) -> bool:
        """True if these grants answer all that was asked of others as those did."""
        return all(_ask(holdings, question) == answer for question, answer in self._of_grants.items())


class _Asker:
    """Asks a fleet, and tells what was looked up for each answer."""

    def __init__(self, fleet: Fleet, of_grants: dict[_Question, object]) -> None:
        self._keys: set[Ask] = set()
        self._fleet = _noting(fleet, self._keys, of_grants)

    def answered(self, question: _Question) -> _Answer:
        self._keys.clear()
        given = _ask(self._fleet, question)
        return _Answer(given, frozenset(self._keys))


def _ask(whom: Fleet | Holds, question: _Question) -> object:
    name, arguments, named = question
    answer: object = getattr(whom, name)(*arguments, **dict(named))
    return answer


def _noting(fleet: Fleet, keys: set[Ask], of_grants: dict[_Question, object]) -> Fleet:
    """The fleet as it is now, noting what is looked up in it."""
    return Fleet(
        affiliated=_Members("affiliated", fleet.affiliated, keys),
        endpoint_owners=_Part("endpoint_owners", fleet.endpoint_owners, keys),
        endpoints=_Part("endpoints", fleet.endpoints, keys),
        naming=_Members("naming", fleet.naming, keys),
        residents=_Part("residents", fleet.residents, keys),
        populations=_Part("populations", fleet.populations, keys),
        pools=_Part("pools", fleet.pools, keys),
        moves=_Part("moves", fleet.moves, keys),
        holdings=_AskedHoldings(fleet.holdings, of_grants),
        makings=fleet.makings,
        masquerades=fleet.masquerades,
        spoofed=fleet.spoofed,
    )


class _AskedFleet(Fleet):
    """A fleet of which every question is noted with its answer, and answered once; what is merely looked up, too.

    But what is told in words only is not: no finding holds the words of an explanation.
    """

    fleet: Fleet
    noted: dict[_Question, _Answer]
    asker: _Asker

    def is_ours(self, account: str, session_account: str) -> bool:
        return cast(bool, self._ask("is_ours", account, session_account))

    def endpoint_owner(self, network: Network) -> str:
        return cast(str, self._ask("endpoint_owner", network))

    def is_only_endpoint(self, endpoint: str, services: frozenset[str], account: str) -> bool:
        return cast(bool, self._ask("is_only_endpoint", endpoint, services, account))

    def names_owners(self, services: frozenset[str]) -> bool:
        return cast(bool, self._ask("names_owners", services))

    def lives_behind(self, account: str, network: Network) -> bool:
        return cast(bool, self._ask("lives_behind", account, network))

    def is_home_of_others(self, address: str, account: str, who: str, *, is_usual: bool) -> bool:
        return cast(bool, self._ask("is_home_of_others", address, account, who, is_usual=is_usual))

    def shares_pool(self, address: str, home: str, account: str, who: str) -> bool:
        return cast(bool, self._ask("shares_pool", address, home, account, who))

    def has_moved(self, old: str, new: str) -> bool:
        return cast(bool, self._ask("has_moved", old, new))

    def owner_of(self, network: Network, since: str, arn: str) -> str:
        return cast(str, self._ask("owner_of", network, since, arn))

    def neighbours_in_words(self, place: str, account: str, arn: str) -> str:
        return self.fleet.neighbours_in_words(place, account, arn)

    def move_in_words(self, old: str, new: str) -> str:
        return self.fleet.move_in_words(old, new)

    def _ask(self, name: str, *arguments: Hashable, **named: Hashable) -> object:
        question = (name, arguments, tuple(named.items()))
        answer = self.noted.get(question)
        if answer is None:
            answer = self.noted[question] = self.asker.answered(question)
        return answer.given


class _Part(Mapping[K, V]):
    """One part of a fleet, looked up by key."""

    def __init__(self, name: str, there: Mapping[K, V], keys: set[Ask]) -> None:
        self._name = name
        self._there = there
        self._keys = keys

    def __getitem__(self, key: K) -> V:
        self._keys.add((self._name, key))
        return self._there[key]

    def __iter__(self) -> Iterator[K]:
        raise TypeError(f"whoever goes through all of {self._name} asks for more than is noted")

    def __len__(self) -> int:
        raise TypeError(f"whoever counts {self._name} asks for more than is noted")


class _Members(Container[str]):
    """One part of a fleet of which it is but asked who is in it."""

    def __init__(self, name: str, there: Container[str], keys: set[Ask]) -> None:
        self._name = name
        self._there = there
        self._keys = keys

    def __contains__(self, member: object) -> bool:
        self._keys.add((self._name, member))
        return member in self._there


class _AskedHoldings:
    """`Holdings` of which every question is noted with its answer, and answered once."""

    def __init__(self, holdings: Holds, noted: dict[_Question, object]) -> None:
        self._holdings = holdings
        self._noted = noted

    def named(self, instance: str, address: str, time: str) -> Grant | None:
        return cast(Grant | None, self._ask("named", instance, address, time))

    def knows(self, instance: str) -> bool:
        return cast(bool, self._ask("knows", instance))

    def unnamed(self, instance: str, time: str = EVER, *, after: str = "") -> list[Grant]:
        return cast(list[Grant], self._ask("unnamed", instance, time, after=after))

    def nat(self, address: str, vpc: str, account: str, time: str) -> Grant | None:
        return cast(Grant | None, self._ask("nat", address, vpc, account, time))

    def vpc_of(self, instance: str) -> str:
        return cast(str, self._ask("vpc_of", instance))

    def owner_of(self, address: str, time: str) -> str:
        return cast(str, self._ask("owner_of", address, time))

    def terminated(self, instance: str) -> Grant | None:
        return cast(Grant | None, self._ask("terminated", instance))

    def history(self, instance: str) -> list[Grant]:
        return cast(list[Grant], self._ask("history", instance))

    def _ask(self, name: str, *arguments: Hashable, **named: Hashable) -> object:
        question = (name, arguments, tuple(named.items()))
        if question not in self._noted:
            self._noted[question] = _ask(self._holdings, question)
        return self._noted[question]
