"""Households that come, change and go, asked in clans, tell what all of them together tell."""

from collections import Counter
from collections.abc import Hashable

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from straykey.core.clan import Clans
from straykey.core.household import Household
from straykey.core.index import Index
from straykey.core.move import Visit
from straykey.core.neighbour import Residents
from straykey.core.residence import Residence, Resident
from straykey.core.vicinity import vicinity_of
from tests.seen import RANGES

ADDRESSES = ["198.18.0.10", "198.18.0.11", "198.18.0.12", "203.0.113.66"]
ARNS = [f"session-{number}" for number in range(12)]
ACCOUNTS = ["111122223333", "111122223333", "444455556666"]
A, B, C, D = ADDRESSES
PATHS = [(A,), (A, B), (A, B), (A, B), (A, B, C), (B,), (C, D), (D,)]
Told = dict[tuple[str, Hashable], object]


def at(hour: int) -> str:
    return f"2026-05-04T{hour:02}:00:00Z"


@st.composite
def households(draw: st.DrawFn, arn: str) -> Household:
    """One that was at a few addresses, mostly as others were: one after the other, or at one time."""
    places = draw(st.sampled_from(PATHS))
    moved = draw(st.sampled_from([4, 4, 4, 5]))
    visits = [
        Visit(at(number * moved), at(number * moved + draw(st.sampled_from([2, 3, 3, 9]))), place)
        for number, place in enumerate(places)
    ]
    settled = draw(st.booleans())
    resident = Resident(at(0), arn, places[0], settled, settled and draw(st.booleans()))
    return Household(
        who=arn,
        arn=arn,
        account=draw(st.sampled_from(ACCOUNTS)),
        region="eu-west-1",
        residences=(Residence(places[0], True, draw(st.booleans()), resident),),
        visits=tuple(sorted(visits)),
        used=tuple(draw(st.sets(st.sampled_from(places)))),
        dwellings=tuple(draw(st.sets(st.sampled_from(places)))),
    )


class Seen:
    """What was put, and all that it tells at once."""

    def __init__(self) -> None:
        self.addresses: dict[str, frozenset[str]] = {}
        self.households: dict[str, Household] = {}
        self.behind: Counter[str] = Counter()

    def told(self) -> Told:
        seen_at: Index[str] = Index()
        for arn, addresses in self.addresses.items():
            for address in addresses:
                seen_at.add(address, arn)
        houses = [self.households[arn] for arn in sorted(self.households)]
        neighbours = [one for one in houses if any(map(seen_at.is_shared, self.addresses[one.arn]))]
        residents = Residents()
        told = vicinity_of(neighbours, self.behind, seen_at.is_shared, RANGES, residents)
        return told_by(residents.by_place, told.populations, told.pools, told.moves)


def told_by(*parts: object) -> Told:
    names = ("residents", "populations", "pools", "moves")
    return {
        (name, key): value
        for name, part in zip(names, parts, strict=True)
        if isinstance(part, dict)
        for key, value in part.items()
    }


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_clans_tell_what_all_tell_and_say_what_of_it_is_new(data: st.DataObject) -> None:
    clans, seen, before = Clans(RANGES), Seen(), Told()
    for arn in ARNS:
        settle_down(data, clans, seen, arn)
    for most in [1, *data.draw(st.lists(st.sampled_from([1, 2, 8]), max_size=8))]:
        for arn in data.draw(st.lists(st.sampled_from(ARNS), min_size=1, max_size=most)):
            step(data, clans, seen, arn)
        changed, told = clans.settled(), seen.told()
        assert told_by(clans.residents, clans.populations, clans.pools, clans.moves) == told
        assert changed == {ask for ask in before.keys() | told.keys() if before.get(ask) != told.get(ask)}
        before = told


def step(data: st.DataObject, clans: Clans, seen: Seen, arn: str) -> None:
    """One comes or changes, goes, or is seen without being at home anywhere; or more live behind endpoints."""
    what = data.draw(st.sampled_from(["lives", "calls on", "calls on", "passes by", "leaves", "behind", "behind"]))
    if what == "behind":
        account, by = ACCOUNTS[0], data.draw(st.integers(1, 5))
        by = by if seen.behind[account] < 9 else -by
        seen.behind[account] += by
        clans.live_behind(account, by)
    elif what == "leaves":
        seen.addresses.pop(arn, None)
        seen.households.pop(arn, None)
        clans.forget(arn)
    elif what == "passes by":
        seen.addresses[arn] = data.draw(st.frozensets(st.sampled_from(ADDRESSES), max_size=2))
        seen.households.pop(arn, None)
        clans.put(arn, seen.addresses[arn], None)
    elif what == "calls on" and arn in seen.households:
        house = seen.households[arn]
        later = tuple(Visit(one.first, at(data.draw(st.integers(9, 20))), one.address) for one in house.visits)
        put(clans, seen, replace(house, visits=tuple(sorted(later))))
    else:
        settle_down(data, clans, seen, arn)


def settle_down(data: st.DataObject, clans: Clans, seen: Seen, arn: str) -> None:
    put(clans, seen, data.draw(households(arn)))


def put(clans: Clans, seen: Seen, house: Household) -> None:
    seen.addresses[house.arn] = frozenset(visit.address for visit in house.visits)
    seen.households[house.arn] = house
    clans.put(house.arn, seen.addresses[house.arn], house)
