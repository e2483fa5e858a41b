"""What becomes of parcels that were folded, or could not be."""

from collections.abc import Sequence

import msgspec

from straykey.sources.delivery import Unavailable, UnavailableError
from straykey.sources.notice import ObjectRef
from straykey.stores.troubles import State
from straykey.watch.feed import Parcel
from straykey.watch.inbox import Held
from straykey.watch.sorting import Sorted, deadly, sort_out, suspected
from tests.watch.memory_feed import MemoryFeed

NOW = "2026-05-04T12:00:00Z"
TRIES = 3
ONE, OTHER = ObjectRef("logs", "one"), ObjectRef("logs", "other")


def held(
    *objects: ObjectRef,
    name: str = "m",
    tries: int = 1,
    gives_up_after: int | None = None,
    broken: Sequence[str] = (),
    refused: Sequence[tuple[ObjectRef, str]] = (),
) -> Held:
    parcel = Parcel(name, tries, objects, broken=tuple(broken), refused=tuple(refused))
    return MemoryFeed([], gives_up_after=gives_up_after), parcel


def sorted_out(one: Held, *failed: UnavailableError) -> Sorted:
    return sort_out([one], {one[1].name: list(failed)} if failed else {}, TRIES, NOW)


def gone(ref: ObjectRef = ONE) -> UnavailableError:
    return UnavailableError(ref, Unavailable.GONE, "NoSuchKey")


def passing(ref: ObjectRef = ONE) -> UnavailableError:
    return UnavailableError(ref, Unavailable.UNANSWERED, "SlowDown")


def states(outcome: Sorted) -> dict[str, State]:
    return {name: one.state for name, one in outcome.troubles.items()}


def test_what_was_folded_is_done() -> None:
    one = held(ONE)
    assert sorted_out(one) == Sorted([one], [], {})


def test_what_could_not_be_had_is_given_out_again_later_and_later() -> None:
    delays = [sorted_out(held(ONE, tries=tries), passing()).again[0][1] for tries in (1, 2, 3, 6, 7, 10**9)]
    assert delays == [15, 30, 60, 480, 900, 900]


def test_what_could_not_be_had_is_named_while_it_is_tried() -> None:
    one = held(ONE, OTHER)
    outcome = sorted_out(one, gone())
    assert (outcome.done, [parcel for parcel, _ in outcome.again]) == ([], [one])
    assert states(outcome) == {"s3://logs/one": State.TRYING}


def test_after_so_many_tries_it_is_put_aside() -> None:
    one = held(ONE, tries=TRIES)
    outcome = sorted_out(one, gone())
    assert (outcome.done, outcome.again) == ([one], [])
    assert states(outcome) == {"s3://logs/one": State.QUARANTINED}
    assert outcome.troubles["s3://logs/one"].tries == TRIES


def test_what_passes_is_tried_for_ever() -> None:
    outcome = sorted_out(held(ONE, tries=10**6), passing())
    assert outcome.done == []
    assert states(outcome) == {"s3://logs/one": State.TRYING}


def test_of_two_that_failed_the_one_that_passes_keeps_the_parcel() -> None:
    outcome = sorted_out(held(ONE, OTHER, tries=TRIES), gone(ONE), passing(OTHER))
    assert outcome.done == []
    assert states(outcome) == {"s3://logs/one": State.QUARANTINED, "s3://logs/other": State.TRYING}


def test_credentials_that_open_nothing_pass() -> None:
    locked_out = UnavailableError(ONE, Unavailable.LOCKED_OUT, "ExpiredToken")
    assert sorted_out(held(ONE, tries=10**6), locked_out).done == []


def test_a_queue_that_gives_up_itself_is_left_to_it_and_what_it_takes_is_named() -> None:
    early, last = (sorted_out(held(ONE, tries=tries, gives_up_after=5), passing()) for tries in (4, 5))
    assert states(early) == {"s3://logs/one": State.TRYING}
    assert states(last) == {"s3://logs/one": State.QUARANTINED}
    assert last.done == []
    assert "dead-letter" in last.troubles["s3://logs/one"].reason


def test_what_cannot_be_understood_is_put_aside_at_once_with_each_reason_once() -> None:
    one = held(broken=["broken JSON", "no key", "broken JSON"])
    outcome = sorted_out(one)
    assert outcome.done == [one]
    assert outcome.troubles["m"].reason == "broken JSON; no key"


def test_what_cannot_be_understood_goes_to_the_dead_letters_where_there_are_some() -> None:
    one = held(broken=["broken JSON"], gives_up_after=5)
    outcome = sorted_out(one)
    assert (outcome.done, outcome.again) == ([], [(one, 0)])
    assert states(outcome) == {"m": State.QUARANTINED}


def test_of_a_bucket_with_other_things_one_trouble_tells_for_each_reason() -> None:
    refused = [(ObjectRef("logs", f"k{n}"), "no log") for n in range(1_000)] + [(ObjectRef("logs", "k"), "other")]
    one = held(refused=refused)
    outcome = sorted_out(one)
    assert outcome.done == [one]
    assert set(outcome.troubles) == {"s3://logs/ (no log)", "s3://logs/ (other)"}


def test_one_parcel_that_fails_costs_no_other() -> None:
    good, bad = held(OTHER, name="good"), held(ONE, name="bad")
    outcome = sort_out([good, bad], {"bad": [gone()]}, TRIES, NOW)
    assert (outcome.done, [one for one, _ in outcome.again]) == ([good], [bad])


def test_what_was_given_out_so_often_and_nobody_told_of_may_kill_who_reads_it() -> None:
    assert [suspected(held(ONE, tries=tries), TRIES, {}) for tries in (1, 9, 10)] == [False, False, True]


def test_before_a_queue_gives_up_there_is_time_to_read_it_alone() -> None:
    one = [suspected(held(ONE, tries=tries, gives_up_after=4), TRIES, {}) for tries in (1, 2, 3)]
    assert one == [False, False, True]


def test_whoever_told_that_it_could_not_be_had_lived() -> None:
    told = {"s3://logs/other": 9}
    assert not suspected(held(ONE, OTHER, tries=10), TRIES, told)
    assert suspected(held(ONE, OTHER, tries=19), TRIES, told)
    assert suspected(held(ONE, tries=10), TRIES, told)


def test_what_killed_so_many_is_put_aside_by_the_names_of_its_objects_or_its_own() -> None:
    assert set(deadly(held(ONE, OTHER), 3, NOW)) == {"s3://logs/one", "s3://logs/other"}
    (only,) = deadly(held(name="m"), 3, NOW).values()
    assert (only.name, only.state) == ("m", State.QUARANTINED)


def test_objects_of_one_key_and_several_versions_are_told_apart() -> None:
    versions = [msgspec.structs.replace(ONE, version=version) for version in ("v1", "v2")]
    outcome = sorted_out(held(*versions), *map(gone, versions))
    assert set(outcome.troubles) == {"s3://logs/one?versionId=v1", "s3://logs/one?versionId=v2"}
