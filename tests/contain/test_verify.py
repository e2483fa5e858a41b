"""What records made since say of a containment."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from straykey.contain.verify import Outcome, Verification, Verified, Watched
from straykey.containment import watched
from straykey.core.network import network_of
from straykey.core.reading import decode
from tests.contain.test_rehearse_truth import WORLDS, cases
from tests.records import RawRecord, trail, use_record

HOME, AWAY = "198.18.0.10", "203.0.113.66"
STOLEN, OTHER = "ASIAEXAMPLEKEY000002", "ASIAEXAMPLEKEY000003"
BACKDOOR = "arn:aws:iam::111122223333:user/backdoor"
SINCE = "2026-05-04T11:00:00Z"
WATCHED = Watched(
    session="arn:aws:sts::111122223333:assumed-role/web-role/i-0123456789abcdef0",
    homes=frozenset({network_of(HOME).key}),
    strays=frozenset({network_of(AWAY).key}),
    stolen=frozenset({STOLEN}),
    heirs=frozenset({"ASIAEXAMPLEMADE0000A"}),
    made=frozenset({BACKDOOR}),
    since=SINCE,
)
DENIED = "AccessDenied"
MESSAGE = "User is not authorized to perform: s3:ListAllMyBuckets with an explicit deny in an identity-based policy"


def verified(*records: RawRecord) -> Verified:
    verification = Verification(WATCHED)
    verification.take(decode(trail(*records)).records)
    return verification.verified()


def call(
    minute: int, address: str = AWAY, event: str = "ListBuckets", error: str | None = None, **more: Any
) -> RawRecord:
    """Minutes from eleven o'clock, when it was contained; what is denied is so explicitly."""
    time = f"2026-05-04T{11 + minute // 60:02}:{minute % 60:02}:00Z"
    told = {"errorMessage": MESSAGE} if error == DENIED else {}
    key = STOLEN if address == AWAY else "ASIAEXAMPLEKEY000001"
    return use_record(**{"address": address, "event": event, "error": error, "time": time, "key": key, **told, **more})


def test_a_refusal_of_what_had_succeeded_proves_it() -> None:
    assert verified(call(-30), call(5, error=DENIED)).outcome is Outcome.CONTAINED


def test_a_refusal_of_what_never_succeeded_proves_nothing() -> None:
    assert verified(call(-30, event="GetObject"), call(5, error=DENIED)).outcome is Outcome.UNPROVEN
    assert verified(call(-30, error=DENIED), call(5, error=DENIED)).outcome is Outcome.UNPROVEN


def test_a_success_after_the_refusal_is_one_too_many() -> None:
    told = verified(call(-30), call(5, error=DENIED), call(6, event="GetObject"))
    assert told.outcome is Outcome.NOT_CONTAINED
    assert "GetObject" in told.why


def test_a_success_before_the_first_refusal_is_a_policy_on_its_way() -> None:
    assert verified(call(-30), call(1), call(5, error=DENIED)).outcome is Outcome.CONTAINED


def test_a_success_in_the_same_second_is_not_before_it() -> None:
    told = verified(call(-30), call(5, error=DENIED), call(5, event="GetObject"))
    assert told.outcome is Outcome.NOT_CONTAINED


def test_a_refusal_that_no_explicit_deny_explains_proves_nothing() -> None:
    for message in (None, "Access Denied", "because no identity-based policy allows the s3:GetObject action"):
        told = verified(call(-30), call(5, error=DENIED, errorMessage=message))
        assert told.outcome is Outcome.UNPROVEN


def test_a_refusal_of_one_key_says_nothing_of_another() -> None:
    made = call(4, key="ASIAEXAMPLEMADE0000A", event="DeleteTrail")
    assert verified(call(-30), made, call(5, error=DENIED)).outcome is Outcome.NOT_CONTAINED


def test_a_refusal_from_one_place_says_nothing_of_another() -> None:
    elsewhere = call(4, "203.0.113.99", key=STOLEN)
    assert verified(call(-30), elsewhere, call(5, error=DENIED)).outcome is Outcome.NOT_CONTAINED


def test_a_user_that_the_thief_made_is_the_thief_with_whatever_key() -> None:
    console = {"type": "IAMUser", "arn": BACKDOOR, "accessKeyId": "ASIAEXAMPLECONSOLE00"}
    told = verified(call(-30), call(5, error=DENIED), call(20, event="DeleteTrail") | {"userIdentity": console})
    assert told.outcome is Outcome.NOT_CONTAINED


def test_the_workload_s_own_new_address_proves_nothing_against_the_thief() -> None:
    moved = call(5, "198.18.0.77", error=DENIED)
    told = verified(call(-30, HOME), call(-30), moved)
    assert told.outcome is Outcome.UNPROVEN
    assert [event.call for event in told.unsure] == ["s3.amazonaws.com:ListBuckets"]
    through = verified(call(-30), call(5, error=DENIED), call(6, "198.18.0.77"))
    assert through.outcome is Outcome.UNPROVEN
    assert "nobody knows" in through.why


def test_silence_proves_nothing() -> None:
    assert verified(call(-30)).outcome is Outcome.UNPROVEN
    assert verified().outcome is Outcome.UNPROVEN


def test_who_am_i_proves_nothing_either_way() -> None:
    asked = [
        use_record(address=AWAY, event="GetCallerIdentity", source="sts.amazonaws.com", time=time, error=error)
        for time, error in (("2026-05-04T10:30:00Z", None), ("2026-05-04T11:05:00Z", None))
    ]
    assert verified(*asked).outcome is Outcome.UNPROVEN
    assert verified(call(-30), call(5, error=DENIED), *asked).outcome is Outcome.CONTAINED


def test_a_key_that_is_over_proves_nothing() -> None:
    assert verified(call(-30), call(5, error="ExpiredToken")).outcome is Outcome.UNPROVEN


def test_what_fails_of_another_reason_was_let_through() -> None:
    assert verified(call(-30), call(5, error="NoSuchBucket")).outcome is Outcome.NOT_CONTAINED


def test_keys_that_the_thief_made_are_the_thief_s_wherever_they_are_used() -> None:
    made = call(10, HOME, instance="elsewhere", key="ASIAEXAMPLEMADE0000A")
    assert verified(call(-30), call(5, error=DENIED), made).outcome is Outcome.NOT_CONTAINED


def test_what_home_is_refused_since_and_was_not_before_is_broken() -> None:
    told = verified(
        call(-30, HOME),
        call(-30, HOME, "PutObject", DENIED),
        call(5, HOME, error=DENIED),
        call(6, HOME, "PutObject", DENIED),
    )
    assert [event.call for event in told.broken] == ["s3.amazonaws.com:ListBuckets"]


def test_services_that_act_for_the_workload_are_not_the_thief() -> None:
    told = verified(call(-30), call(5, error=DENIED), call(9, "kms.amazonaws.com"))
    assert told.outcome is Outcome.CONTAINED


def test_other_sessions_say_nothing() -> None:
    other = use_record(instance="i-0fedcba9876543210", address=AWAY, time="2026-05-04T11:09:00Z")
    assert verified(call(-30), call(5, error=DENIED), other).outcome is Outcome.CONTAINED


@pytest.mark.parametrize("broken", [{"eventTime": "never"}, {"userIdentity": None}, {"sourceIPAddress": "999.1.1.1"}])
def test_records_that_say_nothing_are_passed_over(broken: RawRecord) -> None:
    assert verified(call(-30), call(5, error=DENIED), call(9) | broken).outcome is Outcome.CONTAINED


calls = st.builds(
    call,
    st.integers(-50, 50),
    st.sampled_from([HOME, AWAY, "198.18.0.77"]),
    st.sampled_from(["ListBuckets", "GetObject", "PutObject"]),
    st.sampled_from([None, None, DENIED, "NoSuchKey"]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(calls, max_size=12), st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(records: list[RawRecord], rng: random.Random) -> None:
    again = [*records, *rng.choices(records, k=len(records))] if records else []
    rng.shuffle(again)
    assert verified(*again) == verified(*records)


@pytest.mark.parametrize("since", ["2026-05-04T10:30:00Z", "2026-05-04T11:00:00Z", "2026-05-04T11:20:30Z"])
def test_where_nothing_was_applied_nobody_is_contained(since: str) -> None:
    """Thieves are refused all the time: they try what the role may not do."""
    tried = [case for kind, seed in WORLDS[-2:] for case in cases(kind, seed)]
    assert len(tried) > 5
    for case in tried:
        verification = Verification(watched(case.theft, since))
        verification.take(decode(trail(*case.records)).records)
        assert verification.verified().outcome is not Outcome.CONTAINED
