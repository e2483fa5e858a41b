"""A fleet that notes what it is asked, so that an answer stands until something it came of has changed.

Of the parts of a fleet it is noted which key was looked up in which; of grants, each question with its answer.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TypeVar, cast

from straykey.core.evidence import Sighting
from straykey.core.fleet import Ask, Fleet
from straykey.core.grant import Grant
from straykey.core.holding import EVER, Holds

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T")
_Question = Callable[[Holds], object]


class Asked:
    """What was asked for one answer.  Keys of `spoofed` are not noted: whose they are is known."""

    def __init__(self) -> None:
        self.keys: set[Ask] = set()
        self.grants: dict[tuple[str, ...], tuple[_Question, object]] = {}

    def is_answered_alike(self, holdings: Holds) -> bool:
        """True if these grants answer all that was asked of others as those did."""
        return all(question(holdings) == answer for question, answer in self.grants.values())


class _AskedFleet(Fleet):
    asked: Asked

    def is_ours(self, account: str, session_account: str) -> bool:
        self.asked.keys.add(("affiliated", ""))
        return super().is_ours(account, session_account)

    def names_owners(self, sighting: Sighting) -> bool:
        self.asked.keys.add(("naming", ""))
        return super().names_owners(sighting)


def asked_of(fleet: Fleet, asked: Asked) -> Fleet:
    """The fleet as it is now, noting what is asked of it."""
    return _AskedFleet(
        affiliated=fleet.affiliated,
        endpoint_owners=_Part("endpoint_owners", fleet.endpoint_owners, asked.keys),
        endpoints=_Part("endpoints", fleet.endpoints, asked.keys),
        naming=fleet.naming,
        residents=_Part("residents", fleet.residents, asked.keys),
        populations=_Part("populations", fleet.populations, asked.keys),
        pools=_Part("pools", fleet.pools, asked.keys),
        moves=_Part("moves", fleet.moves, asked.keys),
        holdings=_AskedHoldings(fleet.holdings, asked),
        makings=fleet.makings,
        masquerades=fleet.masquerades,
        spoofed=fleet.spoofed,
        asked=asked,
    )


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


class _AskedHoldings:
    """`Holdings` of which every question is noted with its answer, and answered once."""

    def __init__(self, holdings: Holds, asked: Asked) -> None:
        self._holdings = holdings
        self._asked = asked.grants

    def named(self, instance: str, address: str, time: str) -> Grant | None:
        return self._ask(("named", instance, address, time), lambda held: held.named(instance, address, time))

    def knows(self, instance: str) -> bool:
        return self._ask(("knows", instance), lambda held: held.knows(instance))

    def unnamed(self, instance: str, time: str = EVER, *, after: str = "") -> list[Grant]:
        return self._ask(("unnamed", instance, time, after), lambda held: held.unnamed(instance, time, after=after))

    def nat(self, address: str, vpc: str, account: str, time: str) -> Grant | None:
        return self._ask(("nat", address, vpc, account, time), lambda held: held.nat(address, vpc, account, time))

    def vpc_of(self, instance: str) -> str:
        return self._ask(("vpc_of", instance), lambda held: held.vpc_of(instance))

    def owner_of(self, address: str, time: str) -> str:
        return self._ask(("owner_of", address, time), lambda held: held.owner_of(address, time))

    def terminated(self, instance: str) -> Grant | None:
        return self._ask(("terminated", instance), lambda held: held.terminated(instance))

    def history(self, instance: str) -> list[Grant]:
        return self._ask(("history", instance), lambda held: held.history(instance))

    def _ask(self, about: tuple[str, ...], question: Callable[[Holds], T]) -> T:
        known = self._asked.get(about)
        if known is not None:
            return cast(T, known[1])
        answer = question(self._holdings)
        self._asked[about] = (question, answer)
        return answer
