"""What a thief made is followed, to any depth and no further than the evidence goes."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from straykey.core.making import Made
from straykey.core.pivot import Makings, Pivot, follow, taints, user_key

ACCOUNT = "111122223333"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/web-role/i-0123456789abcdef0"
LOOT = "arn:aws:sts::444455556666:assumed-role/target/loot"
BOB = f"arn:aws:iam::{ACCOUNT}:user/bob"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
THIEF = "public  203.0.113.66"


def at(minute: int) -> str:
    return f"2026-05-04T10:{minute:02}:00Z"


def making(
    name: str,
    call: str = "AssumeRole",
    *,
    minute: int = 0,
    maker: str = SESSION,
    using: str = "ASIASTRAY",
    made: str = LOOT,
    key: str = "",
    network: str = THIEF,
) -> Made:
    source = "sts" if call == "AssumeRole" else "iam"
    return Made(
        time=at(minute),
        event_id=name,
        identity=name,
        call=f"{source}.amazonaws.com:{call}",
        maker=maker,
        maker_key=using,
        maker_network=network,
        made=made,
        access_key=key,
    )


def followed(seed: Made | Sequence[Made], *others: Made) -> list[tuple[str, int]]:
    seeds = [seed] if isinstance(seed, Made) else list(seed)
    return [(one.made.identity, one.depth) for one in follow(seeds, Makings([*seeds, *others]))]


def test_what_is_made_with_a_made_key_is_followed() -> None:
    first = making("first", key="ASIA1")
    second = making("second", minute=1, maker=LOOT, using="ASIA1", key="ASIA2")
    third = making("third", minute=2, maker="whoever", using="ASIA2")
    assert followed(first, third, second) == [("first", 1), ("second", 2), ("third", 3)]


def test_a_key_taints_whatever_the_time() -> None:
    assert followed(making("first", minute=5, key="ASIA1"), making("second", minute=1, using="ASIA1"))[1:] == [
        ("second", 2)
    ]


def test_another_key_of_the_same_session_is_not_the_thiefs() -> None:
    assert followed(making("first", key="ASIA1"), making("clean", maker=LOOT, using="ASIA9")) == [("first", 1)]


def test_a_making_without_a_key_taints_no_call_without_one() -> None:
    assert followed(making("first", key=""), making("clean", using="")) == [("first", 1)]


def test_a_created_user_is_the_thiefs_with_all_its_keys_from_then_on() -> None:
    user = making("user", "CreateUser", minute=5, made=BOB)
    makings = [
        making("before", minute=4, maker=BOB, using="AKIA1"),
        making("same-minute", minute=5, maker=BOB, using="AKIA1"),
        making("after", minute=6, maker=BOB, using="ASIA1"),
        making("other", minute=6, maker=BOB + "by", using="AKIA2"),
    ]
    assert followed(user, *makings) == [("user", 1), ("same-minute", 2), ("after", 2)]


@pytest.mark.parametrize("call", ["CreateLoginProfile", "UpdateLoginProfile"])
@pytest.mark.parametrize("user", [BOB, ROOT])
def test_a_password_gives_no_long_term_key(call: str, user: str) -> None:
    password = making("password", call, minute=5, made=user)
    makings = [
        making("before", minute=4, maker=user, using="ASIA1"),
        making("owner", minute=6, maker=user, using="AKIA1"),
        making("console", minute=6, maker=user, using="ASIA2"),
        making("sign-in", minute=7, maker=user, using=""),
    ]
    assert followed(password, *makings) == [("password", 1), ("console", 2), ("sign-in", 2)]


def test_a_new_key_of_a_user_taints_that_key_alone() -> None:
    key = making("key", "CreateAccessKey", made=BOB, key="AKIA1")
    makings = [making("his", minute=1, maker=BOB, using="AKIA1"), making("owner", minute=1, maker=BOB, using="AKIA2")]
    assert followed(key, *makings) == [("key", 1), ("his", 2)]


@pytest.mark.parametrize("call", ["UploadSSHPublicKey", "CreateRole", "AssumeRole"])
def test_other_makings_taint_no_user(call: str) -> None:
    assert followed(making("first", call, made=BOB), making("owner", minute=1, maker=BOB, using="ASIA1")) == [
        ("first", 1)
    ]


def test_a_user_whom_nobody_names_is_nobody() -> None:
    assert followed(making("user", "CreateUser", made=""), making("clean", minute=1, maker="", using="ASIA1")) == [
        ("user", 1)
    ]


def test_a_path_or_capitals_do_not_hide_a_user() -> None:
    password = making("password", "CreateLoginProfile", made=f"arn:aws:iam::{ACCOUNT}:user/BOB")
    console = making("console", minute=1, maker=f"arn:aws:iam::{ACCOUNT}:user/app/team/bob", using="ASIA1")
    assert followed(password, console)[1:] == [("console", 2)]


def test_a_cycle_ends() -> None:
    one = making("one", using="ASIA2", key="ASIA1")
    two = making("two", using="ASIA1", key="ASIA2")
    itself = making("itself", "CreateUser", maker=BOB, using="ASIA2", made=BOB, key="ASIA2")
    assert followed(one, two, itself) == [("one", 1), ("two", 2), ("itself", 3)]


def test_each_making_is_reached_once_and_by_the_shortest_way() -> None:
    seeds = [making("seed", key="ASIA1"), making("direct", minute=1, using="ASIA1", key="ASIA2")]
    last = making("last", minute=2, using="ASIA2")
    assert followed(seeds, last) == [("seed", 1), ("direct", 1), ("last", 2)]
    assert followed(seeds[:1], seeds[1], last) == [("seed", 1), ("direct", 2), ("last", 3)]


def test_a_user_reached_again_from_earlier_on_shows_what_it_did_between() -> None:
    late = making("late", "CreateLoginProfile", minute=9, made=BOB, key="ASIA1")
    early = making("early", "CreateLoginProfile", minute=1, using="ASIA1", made=BOB)
    between = [making(f"at-{minute}", minute=minute, maker=BOB, using="ASIA9") for minute in (0, 1, 5, 9)]
    assert followed(late, early, *between) == [("late", 1), ("early", 2), ("at-9", 2), ("at-1", 3), ("at-5", 3)]


def test_copies_of_one_action_are_one_making() -> None:
    ours = making("shared", key="", minute=1)
    theirs = making("shared", key="ASIA1", minute=1, maker="", using="")
    second = making("second", minute=2, using="ASIA1")
    assert followed(ours, theirs, second) == [("shared", 1), ("second", 2)]
    assert followed([ours, theirs]) == [("shared", 1)]
    assert [one.made.access_key for one in follow([ours, theirs], Makings([]))] == ["ASIA1"]


def test_makings_are_found_by_who_made_them_from_where() -> None:
    all_made = Makings(
        [
            making("late", minute=2),
            making("early", minute=1),
            making("home", network="public  198.18.0.10"),
            making("other", maker=LOOT),
        ]
    )
    assert [one.identity for one in all_made.from_network(SESSION, THIEF)] == ["early", "late"]
    assert all_made.from_network(SESSION, "nowhere") == []


@pytest.mark.parametrize("maker", ["", "AROAEXAMPLE:i-0123456789abcdef0", "zzz"])
def test_a_copy_that_does_not_name_its_maker_is_found_by_the_other(maker: str) -> None:
    theirs = making("shared", maker=maker, using="", network="private  10.0.1.9")
    ours = making("shared")
    assert Makings([theirs, ours]).from_network(SESSION, THIEF) == [ours]
    assert list(Makings([theirs, ours])) == [ours]


def test_following_goes_to_any_depth() -> None:
    chain = [making(f"{step:05}", using=f"ASIA{step}", key=f"ASIA{step + 1}") for step in range(20_000)]
    pivots = follow(chain[:1], Makings(chain))
    assert [one.made.identity for one in pivots] == [one.identity for one in chain]
    assert pivots[-1].depth == len(chain)


class Counting(Makings):
    """Counts what it is asked for."""

    count = 0

    def with_key(self, access_key: str) -> Sequence[Made]:
        found = super().with_key(access_key)
        self.count += 1 + len(found)
        return found

    def by_user(self, user: str, since: str, before: str | None, *, by_password: bool) -> list[Made]:
        found = super().by_user(user, since, before, by_password=by_password)
        self.count += 1 + len(found)
        return found


@pytest.mark.parametrize("call", ["CreateUser", "CreateLoginProfile"])
def test_however_often_the_thief_comes_back_nothing_is_looked_at_twice(call: str) -> None:
    # With each key one more is made, a little earlier, and one that leads back to the first; all by and for one user.
    again = [
        making(f"{step:03} {key}", call, minute=59 - step // 10, maker=BOB, using=f"ASIA{step}", made=BOB, key=key)
        for step in range(600)
        for key in (f"ASIA{step + 1}", "ASIA0")
    ]
    all_made = Counting(again)
    assert len(follow(again[:1], all_made)) == len(again)
    # Each is found by its key and by its user; there are 601 keys to look up, and 60 times to look back to.
    assert all_made.count == 2 * len(again) + 601 + 60


people = st.sampled_from([SESSION, BOB, ROOT, ""])
keys = st.sampled_from(["", "ASIA1", "ASIA2", "AKIA1"])
calls = st.sampled_from(["AssumeRole", "CreateUser", "CreateLoginProfile", "CreateAccessKey"])
makings = st.builds(
    making,
    st.sampled_from("abcdefgh"),
    calls,
    minute=st.integers(0, 5),
    maker=people,
    using=keys,
    made=people,
    key=keys,
)


@given(st.lists(makings, max_size=3), st.lists(makings, max_size=12), st.randoms(use_true_random=False))
def test_reading_order_does_not_change_what_is_followed(
    seeds: list[Made], others: list[Made], chance: random.Random
) -> None:
    before = follow(seeds, Makings([*others, *seeds]))
    shuffled = [*others, *seeds, *others]
    chance.shuffle(shuffled)
    chance.shuffle(seeds)
    assert follow(seeds, Makings(shuffled)) == before


@given(st.lists(makings, max_size=3), st.lists(makings, max_size=12))
def test_exactly_what_is_tainted_is_followed(seeds: list[Made], others: list[Made]) -> None:
    pivots = follow(seeds, Makings([*others, *seeds]))
    reached = {one.made.identity for one in pivots}
    tainted = taints(one.made for one in pivots)
    seeded = {one.identity for one in seeds}
    for whole in (Makings([*others, *seeds]).whole(one) for one in [*others, *seeds]):
        covered = tainted.covers(whole.maker, whole.maker_key, whole.time)
        assert (whole.identity in reached) == (covered or whole.identity in seeded)


@given(st.lists(makings, max_size=3), st.lists(makings, max_size=12))
def test_pivots_are_in_order(seeds: list[Made], others: list[Made]) -> None:
    places = [(one.depth, one.made.time, one.made.identity) for one in follow(seeds, Makings([*others, *seeds]))]
    assert places == sorted(set(places))


def test_taints_say_what_is_the_thiefs() -> None:
    found = taints(
        [
            making("a", key="ASIA1"),
            making("b", "CreateAccessKey", made=BOB, key="AKIA1"),
            making("c", "CreateUser", minute=7, made=BOB),
            making("d", "CreateUser", minute=5, made=BOB),
            making("e", "CreateUser", minute=6, made=BOB),
            making("f", "UpdateLoginProfile", minute=3, made=ROOT),
        ]
    )
    assert found.keys == {"ASIA1", "AKIA1"}
    assert (found.users, found.passwords) == ({BOB: at(5)}, {ROOT: at(3)})


@pytest.mark.parametrize(
    ("arn", "key", "minute", "is_covered"),
    [
        (SESSION, "ASIA1", 0, True),
        (SESSION, "ASIA9", 9, False),
        (BOB, "AKIA9", 4, False),
        (BOB, "AKIA9", 5, True),
        (BOB.replace("bob", "app/Bob"), "ASIA9", 6, True),
        (ROOT, "ASIA9", 2, False),
        (ROOT, "ASIA9", 3, True),
        (ROOT, "", 3, True),
        (ROOT, "AKIA9", 9, False),
        ("", "", 9, False),
    ],
)
def test_a_call_is_the_thiefs_or_is_not(arn: str, key: str, minute: int, is_covered: bool) -> None:
    tainted = taints(
        [
            making("a", key="ASIA1"),
            making("b", "CreateUser", minute=5, made=BOB),
            making("c", "CreateLoginProfile", minute=3, made=ROOT),
        ]
    )
    assert tainted.covers(arn, key, at(minute)) is is_covered


def test_no_making_taints_nothing() -> None:
    assert follow([], Makings([making("a")])) == []
    assert not taints([]).covers(BOB, "ASIA1", at(0))


def test_a_pivot_is_a_value() -> None:
    assert len({Pivot(making("a"), 1), Pivot(making("a"), 1), Pivot(making("a"), 2)}) == 2


@pytest.mark.parametrize(
    ("arn", "key"),
    [
        (BOB, BOB),
        (BOB.replace("bob", "a/b/Bob"), BOB),
        (ROOT, ROOT),
        (SESSION, SESSION),
        (f"arn:aws:iam::{ACCOUNT}:user/", f"arn:aws:iam::{ACCOUNT}:user/"),
        ("", ""),
    ],
)
def test_a_user_has_one_key_whatever_its_path(arn: str, key: str) -> None:
    assert user_key(arn) == key
