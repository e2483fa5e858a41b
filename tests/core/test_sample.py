"""Bounded sets: independent of order, exact while they are small, and honest beyond."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from straykey.core.calls import rank
from straykey.core.observation import Event
from straykey.core.sample import Events, Firsts, lowest

KEEP = 3
names = st.lists(st.sampled_from([f"name-{n}" for n in range(12)]), max_size=40)


def event(identity: str) -> Event:
    return Event("2026-05-04T10:00:00Z", identity, "s3.amazonaws.com:ListBuckets", "eu-west-1", "ASIA", "agent", "")


def events_of(identities: list[str], *, settle: bool = True, keep: int = KEEP) -> Events:
    events = Events()
    for identity in identities:
        events.add(identity, event(identity), keep)
    if settle:
        events.settle(keep)
    return events


@given(names, st.randoms(use_true_random=False))
def test_a_sample_of_events_does_not_depend_on_order_or_repetition(seen: list[str], rng: random.Random) -> None:
    again = [*seen, *rng.sample(seen, k=len(seen) // 2)]
    rng.shuffle(again)
    assert events_of(again) == events_of(seen)


@given(names, names, st.booleans(), st.booleans())
def test_merged_samples_equal_the_sample_of_all(ours: list[str], theirs: list[str], one: bool, other: bool) -> None:
    merged = events_of(ours, settle=one)
    merged.absorb(events_of(theirs, settle=other), KEEP)
    merged.settle(KEEP)
    assert merged == events_of([*ours, *theirs])


@given(names, names, st.booleans(), st.booleans())
def test_merged_names_equal_the_names_of_all(ours: list[str], theirs: list[str], one: bool, other: bool) -> None:
    def firsts_of(seen: list[str], *, settle: bool) -> Firsts:
        firsts = Firsts()
        for place, name in enumerate(seen):
            firsts.note(name, f"{place % 5}", KEEP)
        if settle:
            firsts.settle(KEEP)
        return firsts

    merged = firsts_of(ours, settle=one)
    merged.absorb(firsts_of(theirs, settle=other), KEEP)
    merged.settle(KEEP)
    earliest = {
        name: min(str(place % 5) for seen in (ours, theirs) for place, one in enumerate(seen) if one == name)
        for name in {*ours, *theirs}
    }
    kept = lowest(earliest, KEEP)
    assert merged.times == {name: earliest[name] for name in kept}
    assert merged.overflowed == (len(earliest) > KEEP)


@given(st.sets(st.uuids().map(str), max_size=64))
def test_counts_are_exact_up_to_the_bound(identities: set[str]) -> None:
    assert events_of([*identities], keep=64).count(64) == len(identities)


@pytest.mark.parametrize("many", [65, 1_000, 20_000])
def test_counts_beyond_the_bound_are_near(many: int) -> None:
    rng = random.Random(7)
    identities = [f"{rng.getrandbits(128):032x}" for _ in range(many)]
    assert events_of(identities, keep=64).count(64) == pytest.approx(many, rel=0.35)


def test_counts_beyond_the_bound_are_near_for_ids_that_count_up() -> None:
    identities = [f"00000000-0000-4000-8000-{n:012d}" for n in range(5_000)]
    assert events_of(identities, keep=64).count(64) == pytest.approx(5_000, rel=0.35)


def test_one_event_told_in_two_ways_is_kept_as_the_lower_of_both() -> None:
    low, high = event("b"), event("c")
    for order in ((low, high), (high, low)):
        events = Events()
        for one in order:
            events.add("shared", one, KEEP)
        assert events.kept == {"shared": low}


def test_ranks_are_the_same_in_every_process() -> None:
    assert rank("ASIAEXAMPLEKEY000001") == 3856009027
