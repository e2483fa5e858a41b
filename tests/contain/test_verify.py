"""What records made since say of a containment."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from straykey.contain.offshoot import Offshoot
from straykey.contain.theft import Created
from straykey.contain.verify import Outcome, Verification, Verified, Victim, Watched
from straykey.containment import watched
from straykey.core.network import network_of
from straykey.core.reading import decode
from tests.contain.test_rehearse_truth import WORLDS, cases
from tests.contain.thefts import NAT, called, caller, theft
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
    copies=frozenset({"arn:aws:sts::111122223333:assumed-role/the-copy/i-0123456789abcdef0"}),
    made=(Offshoot(access_key="ASIAEXAMPLEMADE0000A"), Offshoot(arn=BACKDOOR)),
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


def test_whatever_home_is_refused_since_is_broken_and_told_is_whether_it_had_succeeded() -> None:
    told = verified(
        call(-30, HOME),
        call(-30, HOME, "PutObject", DENIED),
        call(5, HOME, error=DENIED),
        call(6, HOME, "PutObject", DENIED),
    )
    assert [(one.event.call.rpartition(":")[2], one.had_succeeded) for one in told.broken] == [
        ("ListBuckets", True),
        ("PutObject", False),
    ]


OWN_ENDPOINT = {"endpoint": "vpce-0abc0abc0abc0abc1", "endpoint_owner": "111122223333"}


@pytest.mark.parametrize("key", ["ASIAEXAMPLEKEY000001", STOLEN], ids=["its own", "the stolen one"])
def test_a_refusal_at_an_endpoint_of_the_account_that_nobody_saw_before_is_broken_whatever_was_called(key: str) -> None:
    told = verified(call(-30), call(5, "10.0.1.5", "PutBucketTagging", DENIED, key=key, **OWN_ENDPOINT))
    assert [one.event.call for one in told.broken] == ["s3.amazonaws.com:PutBucketTagging"]
    assert not told.unsure


def test_the_stolen_key_refused_at_an_endpoint_of_the_account_proves_nothing() -> None:
    told = verified(call(-30), call(5, "10.0.1.5", error=DENIED, key=STOLEN, **OWN_ENDPOINT))
    assert told.outcome is Outcome.UNPROVEN


@pytest.mark.parametrize("owner", [None, "444455556666"])
def test_a_refusal_of_a_new_call_at_an_endpoint_of_others_is_unsure(owner: str | None) -> None:
    there = {"endpoint": "vpce-0abc0abc0abc0abc1", "endpoint_owner": owner}
    told = verified(call(-30), call(5, "10.0.1.5", "PutBucketTagging", DENIED, **there))
    assert [event.call for event in told.unsure] == ["s3.amazonaws.com:PutBucketTagging"]
    assert not told.broken


def test_a_refusal_of_a_new_call_from_a_new_address_is_unsure() -> None:
    told = verified(call(-30), call(5, "198.18.0.77", "PutBucketTagging", DENIED))
    assert [event.call for event in told.unsure] == ["s3.amazonaws.com:PutBucketTagging"]


def test_a_refusal_of_a_new_call_of_a_service_for_the_workload_is_unsure() -> None:
    told = verified(call(-30), call(5, "athena.amazonaws.com", "PutBucketTagging", DENIED))
    assert [event.call for event in told.unsure] == ["s3.amazonaws.com:PutBucketTagging"]


@pytest.mark.parametrize("message", ["Access Denied", "because no identity-based policy allows it"])
def test_a_refusal_of_a_new_call_for_another_reason_is_told_nowhere(message: str) -> None:
    told = verified(*(call(5, at, "PutObject", DENIED, errorMessage=message) for at in (HOME, "198.18.0.77")))
    assert not told.broken
    assert not told.unsure


def test_the_workload_s_very_key_from_where_the_thief_is_breaks_nothing() -> None:
    told = verified(call(-30, HOME), call(5, AWAY, error=DENIED, key="ASIAEXAMPLEKEY000001"))
    assert not told.broken
    assert not told.unsure


def test_services_that_act_for_the_workload_are_not_the_thief() -> None:
    told = verified(call(-30), call(5, error=DENIED), call(9, "kms.amazonaws.com"))
    assert told.outcome is Outcome.CONTAINED


def test_other_sessions_say_nothing() -> None:
    other = use_record(instance="i-0fedcba9876543210", address=AWAY, time="2026-05-04T11:09:00Z")
    assert verified(call(-30), call(5, error=DENIED), other).outcome is Outcome.CONTAINED


@pytest.mark.parametrize("broken", [{"eventTime": "never"}, {"userIdentity": None}, {"sourceIPAddress": "999.1.1.1"}])
def test_records_that_say_nothing_are_passed_over(broken: RawRecord) -> None:
    assert verified(call(-30), call(5, error=DENIED), call(9) | broken).outcome is Outcome.CONTAINED


SISTER = "i-0fedcba9876543210"


def broken_of(*records: RawRecord) -> list[tuple[str, str, Victim]]:
    """What is broken: the call, the session's name, and whose it is."""
    broken = verified(*records).broken
    return [(one.event.call.rpartition(":")[2], one.session.rpartition("/")[2], one.victim) for one in broken]


def by_copy(minute: int, address: str = HOME, error: str | None = None, **more: Any) -> RawRecord:
    return call(minute, address, error=error, **{"role": "the-copy", "key": "ASIAEXAMPLECOPY00001", **more})


@pytest.mark.parametrize("message", [MESSAGE, "Access Denied", "because no resource-based policy allows it", None])
def test_a_copy_of_the_role_that_is_refused_what_the_workload_had_done_is_broken(message: str | None) -> None:
    told = broken_of(call(-30, HOME), by_copy(5, error=DENIED, errorMessage=message))
    assert told == [("ListBuckets", "i-0123456789abcdef0", Victim.COPY)]


def test_a_copy_of_the_role_that_is_refused_what_it_never_did_is_not_broken() -> None:
    assert not broken_of(call(-30, HOME), by_copy(5, event="PutObject", error=DENIED))


def test_what_a_copy_of_the_role_does_at_home_is_not_the_thief_s() -> None:
    assert verified(call(-30), call(5, error=DENIED), by_copy(9)).outcome is Outcome.CONTAINED


def test_a_copy_of_the_role_that_is_used_by_the_thief_is_his() -> None:
    told = verified(call(-30), call(5, error=DENIED), by_copy(9, AWAY))
    assert told.outcome is Outcome.NOT_CONTAINED


def test_a_sister_that_is_explicitly_refused_what_it_had_done_is_broken() -> None:
    told = broken_of(call(-30, "198.18.0.20", instance=SISTER), call(5, "198.18.0.20", error=DENIED, instance=SISTER))
    assert told == [("ListBuckets", SISTER, Victim.SISTER)]


def test_a_sister_that_is_refused_what_it_had_not_done_is_not_broken() -> None:
    did = call(-30, "198.18.0.20", "GetObject", instance=SISTER)
    assert not broken_of(call(-30, HOME), did, call(5, "198.18.0.20", error=DENIED, instance=SISTER))


def test_a_sister_that_nobody_saw_before_is_broken_in_what_the_role_had_done() -> None:
    told = broken_of(call(-30, HOME), call(5, "198.18.0.20", error=DENIED, instance=SISTER))
    assert told == [("ListBuckets", SISTER, Victim.SISTER)]


def test_a_sister_that_is_refused_for_another_reason_is_not_broken() -> None:
    did = call(-30, "198.18.0.20", instance=SISTER)
    for message in ("Access Denied", "because no identity-based policy allows it"):
        assert not broken_of(did, call(5, "198.18.0.20", error=DENIED, instance=SISTER, errorMessage=message))


def test_keys_of_a_sister_at_the_thief_s_address_are_not_the_sister() -> None:
    did = call(-30, "198.18.0.20", instance=SISTER)
    assert not broken_of(did, call(5, AWAY, error=DENIED, instance=SISTER))


def test_refusals_that_no_service_explains_are_counted_and_prove_nothing() -> None:
    silent = [call(minute, event="PutObject", error=DENIED, errorMessage="Access Denied") for minute in (5, 6, 7)]
    told = verified(call(-30), *silent)
    assert (told.outcome, told.is_likely) == (Outcome.UNPROVEN, False)
    assert told.why == "The stolen keys were refused, but the service does not say by which policy: 3 refusals."


def test_refusals_are_told_by_what_is_known_of_them() -> None:
    none_allows = "because no identity-based policy allows the s3:ListAllMyBuckets action"
    told = verified(
        call(-30, event="GetObject"),
        call(5, error=DENIED),
        call(6, error=DENIED, errorMessage=none_allows),
        call(7, error=DENIED, errorMessage=none_allows),
    )
    assert "1 refusal by an explicit deny, of calls that are not known to have succeeded before" in told.why
    assert "2 refusals by policies of another kind" in told.why


def test_a_silent_refusal_of_what_the_same_key_did_from_there_is_likely_and_not_more() -> None:
    told = verified(call(-30), call(5, error=DENIED, errorMessage="Access Denied"))
    assert (told.outcome, told.is_likely) == (Outcome.UNPROVEN, True)
    assert "Likely" in told.why
    assert "does not say by which policy: 1 refusal." in told.why


@pytest.mark.parametrize(
    "other",
    [
        call(6, event="GetObject"),
        call(6, "203.0.113.99", key=STOLEN),
        call(6, "198.18.0.77"),
    ],
    ids=["let through", "let through elsewhere", "let through from a network nobody knows"],
)
def test_a_silent_refusal_is_not_likely_where_anything_of_his_goes_on(other: RawRecord) -> None:
    told = verified(call(-30), call(5, error=DENIED, errorMessage="Access Denied"), other)
    assert told.outcome is not Outcome.CONTAINED
    assert not told.is_likely


def test_a_silent_refusal_of_another_key_or_from_another_place_is_not_likely() -> None:
    silent = {"error": DENIED, "errorMessage": "Access Denied"}
    assert not verified(call(-30, key=OTHER), call(5, **silent)).is_likely
    assert not verified(call(-30, "203.0.113.99", key=STOLEN), call(5, **silent)).is_likely


def test_what_the_role_s_copy_is_called_is_known_without_a_journal() -> None:
    case = cases(*WORLDS[-1])[0]
    robbed = case.theft.workload
    name = f"straykey-swap-role-{case.theft.finding[:12]}"
    (copy,) = watched(case.theft, SINCE).copies
    assert copy == robbed.arn.replace(f"/{robbed.role}/", f"/{name}/")


KEY_MADE, SESSION_MADE = "AKIAEXAMPLEMADE0000A", "ASIAEXAMPLEMADE0000B"
EVIL = "arn:aws:sts::111122223333:assumed-role/deploy-role/evil"
ENDS = "2026-05-04T22:30:00Z"
MADE = Offshoot(access_key=KEY_MADE, did=frozenset({"s3:ListBuckets"}))


def since_made(*records: RawRecord, made: tuple[Offshoot, ...] = (MADE,)) -> Verified:
    """Where the stolen key is locked out for certain."""
    verification = Verification(replace(WATCHED, made=made))
    verification.take(decode(trail(call(-30), call(5, error=DENIED), *records)).records)
    return verification.verified()


def by_user(minute: int, key: str = KEY_MADE, arn: str = BACKDOOR, **more: Any) -> RawRecord:
    identity = {"type": "IAMUser", "arn": arn, "accessKeyId": key}
    return call(minute, **more) | {"userIdentity": identity}


def iam(minute: int, event: str, error: str | None = None, **asked: str) -> RawRecord:
    """By somebody who is not watched."""
    more = {"source": "iam.amazonaws.com", "requestParameters": asked, "instance": "operator", "role": "admin"}
    return call(minute, HOME, event, error, **more)


def test_a_made_key_that_worked_before_and_is_not_refused_since_is_not_proven_to_be_contained() -> None:
    told = since_made()
    assert (told.outcome, told.live, told.is_likely) == (Outcome.UNPROVEN, (KEY_MADE,), False)
    assert KEY_MADE in told.why
    assert "pin-everywhere" in told.why


def test_who_am_i_shows_that_a_made_key_works() -> None:
    asked = by_user(-20, event="GetCallerIdentity", source="sts.amazonaws.com")
    assert since_made(asked, made=(Offshoot(access_key=KEY_MADE),)).live == (KEY_MADE,)


def test_a_made_key_that_is_refused_what_it_had_done_is_contained() -> None:
    told = since_made(by_user(8, error=DENIED))
    assert (told.outcome, told.live) == (Outcome.CONTAINED, ())


def test_a_made_key_that_is_refused_what_only_the_stolen_key_had_done_is_live() -> None:
    made = Offshoot(access_key=KEY_MADE, did=frozenset({"s3:GetObject"}))
    assert since_made(by_user(8, error=DENIED), made=(made,)).live == (KEY_MADE,)


@pytest.mark.parametrize("message", ["Access Denied", "because no identity-based policy allows it"])
def test_a_made_key_that_is_refused_for_another_reason_is_live(message: str) -> None:
    assert since_made(by_user(8, error=DENIED, errorMessage=message)).live == (KEY_MADE,)


def test_a_refusal_of_another_made_key_leaves_a_made_key_live() -> None:
    made = (MADE, Offshoot(access_key=SESSION_MADE, arn=EVIL, did=MADE.did))
    assert since_made(by_user(8, error=DENIED), made=made).live == (SESSION_MADE,)


def test_a_made_user_that_worked_by_a_key_nobody_knows_is_live() -> None:
    told = since_made(by_user(-20, key="ASIAEXAMPLECONSOLE00"), made=(Offshoot(arn=BACKDOOR),))
    assert (told.outcome, told.live) == (Outcome.UNPROVEN, (BACKDOOR,))


def test_a_made_key_is_over_once_it_was_deleted() -> None:
    for stop in (("DeleteAccessKey", {}), ("UpdateAccessKey", {"status": "Inactive"})):
        told = since_made(iam(8, stop[0], accessKeyId=KEY_MADE, **stop[1]))
        assert (told.outcome, told.live) == (Outcome.CONTAINED, ())


def test_a_made_key_is_not_over_when_another_was_deleted_or_it_could_not_be_or_was_switched_on_again() -> None:
    off, on = ({"accessKeyId": KEY_MADE, "status": status} for status in ("Inactive", "Active"))
    for turned in (
        [iam(8, "DeleteAccessKey", accessKeyId="AKIAEXAMPLEOTHER0000")],
        [iam(8, "DeleteAccessKey", error=DENIED, accessKeyId=KEY_MADE)],
        [iam(9, "UpdateAccessKey", **on), iam(8, "UpdateAccessKey", **off)],
        [iam(8, "UpdateAccessKey", **on), iam(8, "UpdateAccessKey", **off)],
    ):
        assert since_made(*turned).live == (KEY_MADE,)


def test_a_made_user_is_over_once_it_was_deleted_and_not_when_its_namesake_of_another_account_was() -> None:
    made = Offshoot(arn=BACKDOOR.replace("user/", "user/path/"), did=MADE.did)
    assert since_made(iam(8, "DeleteUser", userName="backdoor"), made=(made,)).outcome is Outcome.CONTAINED
    other = iam(8, "DeleteUser", userName="backdoor") | {"recipientAccountId": "444455556666"}
    assert since_made(other, made=(made,)).live == (made.arn,)


def test_what_a_made_key_did_before_it_was_deleted_is_over_and_what_it_did_later_is_not() -> None:
    stopped = iam(8, "DeleteAccessKey", accessKeyId=KEY_MADE)
    assert since_made(by_user(7), stopped).outcome is Outcome.CONTAINED
    assert since_made(by_user(8), stopped).outcome is Outcome.NOT_CONTAINED


def test_a_made_session_is_over_when_a_later_record_shows_that_its_time_has_passed() -> None:
    made = Offshoot(access_key=SESSION_MADE, arn=EVIL, ends=ENDS, did=MADE.did)
    assert since_made(call(689, "198.18.0.10"), made=(made,)).live == (SESSION_MADE,)
    assert since_made(call(690, "198.18.0.10"), made=(made,)).outcome is Outcome.CONTAINED


def test_made_keys_that_never_worked_are_named_and_change_nothing() -> None:
    told = since_made(made=(Offshoot(access_key=KEY_MADE), Offshoot(arn=BACKDOOR)))
    assert (told.outcome, told.live, told.open) == (Outcome.CONTAINED, (), (KEY_MADE, BACKDOOR))


def test_a_made_user_whose_key_worked_is_not_said_to_be_unused() -> None:
    for minute in (-20, 8):
        assert since_made(by_user(minute), made=(MADE, Offshoot(arn=BACKDOOR))).open == ()


def test_names_of_what_was_made_are_shown_harmlessly() -> None:
    hostile = Offshoot(arn="arn:aws:iam::111122223333:user/\x1b[31m\nx" + "y" * 999, did=MADE.did)
    why = since_made(made=(hostile,)).why
    assert why.isprintable()
    assert len(why) < 600


def test_a_crowd_of_made_keys_is_counted() -> None:
    crowd = tuple(replace(MADE, access_key=f"AKIAEXAMPLE{number:09}") for number in range(12))
    assert "and 7 more" in since_made(made=crowd).why


def made_by_thief(api: str, made: str, key: str = "", service: str = "iam") -> Created:
    return Created("2026-05-04T10:30:00Z", f"{service}:{api}", made, key, "111122223333", "", f"e-{api}-{key}")


def test_what_was_made_is_known_by_its_key_else_by_its_arn_and_sessions_by_when_they_end() -> None:
    alice = "arn:aws:iam::111122223333:user/alice"
    stolen = theft(
        created=(
            made_by_thief("AssumeRole", EVIL, SESSION_MADE, "sts"),
            made_by_thief("CreateAccessKey", alice, KEY_MADE),
            made_by_thief("CreateUser", BACKDOOR),
            made_by_thief("GetWebIdentityToken", "", service="sts"),
        ),
        heirs=(
            replace(caller(), arn=alice, calls=(replace(called("s3:ListBuckets", NAT), access_key=KEY_MADE),)),
            replace(caller(), arn=BACKDOOR, calls=(replace(called("s3:GetObject", NAT), error=DENIED),)),
        ),
    )
    # Alice's other keys are her own.
    assert watched(stolen, SINCE).made == (
        replace(MADE, is_used=True),
        Offshoot(access_key=SESSION_MADE, arn=EVIL, ends=ENDS),
        Offshoot(arn=BACKDOOR),
    )


def test_what_a_made_key_did_only_after_it_was_contained_is_not_before_it() -> None:
    late = replace(called("s3:ListBuckets", NAT), access_key=KEY_MADE, time="2026-05-04T11:00:00Z")
    stolen = theft(created=(made_by_thief("CreateAccessKey", BACKDOOR, KEY_MADE),), heirs=(caller("r", "n", late),))
    assert watched(stolen, SINCE).made == (Offshoot(access_key=KEY_MADE),)


calls = st.builds(
    call,
    st.integers(-50, 50),
    st.sampled_from([HOME, AWAY, "198.18.0.77", "10.0.1.5"]),
    st.sampled_from(["ListBuckets", "GetObject", "PutObject"]),
    st.sampled_from([None, None, DENIED, "NoSuchKey"]),
    instance=st.sampled_from(["i-0123456789abcdef0", "i-0123456789abcdef0", SISTER]),
    role=st.sampled_from(["web-role", "web-role", "the-copy"]),
    endpoint=st.sampled_from([None, "vpce-0abc0abc0abc0abc1"]),
    endpoint_owner=st.sampled_from([None, "111122223333"]),
)
makings = st.one_of(
    st.builds(by_user, st.integers(-50, 50), st.sampled_from([KEY_MADE, "ASIAEXAMPLECONSOLE00"])),
    st.builds(lambda minute: by_user(minute, error=DENIED), st.integers(1, 50)),
    st.builds(
        lambda minute, event, status: iam(minute, event, accessKeyId=KEY_MADE, userName="backdoor", status=status),
        st.integers(-50, 50),
        st.sampled_from(["DeleteAccessKey", "UpdateAccessKey", "DeleteUser", "CreateUser"]),
        st.sampled_from(["Active", "Inactive"]),
    ),
)
silent = st.builds(lambda minute: call(minute, error=DENIED, errorMessage="Access Denied"), st.integers(1, 50))


@settings(max_examples=200, deadline=None)
@given(st.lists(calls | silent | makings, max_size=12), st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(records: list[RawRecord], rng: random.Random) -> None:
    again = [*records, *rng.choices(records, k=len(records))] if records else []
    rng.shuffle(again)
    assert verified(*again) == verified(*records)
    made = (Offshoot(access_key=KEY_MADE), Offshoot(arn=BACKDOOR), Offshoot(access_key=SESSION_MADE, arn=EVIL))
    assert since_made(*again, made=made) == since_made(*records, made=made)


@pytest.mark.parametrize("since", ["2026-05-04T10:30:00Z", "2026-05-04T11:00:00Z", "2026-05-04T11:20:30Z"])
def test_where_nothing_was_applied_nobody_is_contained(since: str) -> None:
    """Thieves are refused all the time: they try what the role may not do."""
    tried = [case for kind, seed in WORLDS[-2:] for case in cases(kind, seed)]
    assert len(tried) > 5
    for case in tried:
        verification = Verification(watched(case.theft, since))
        verification.take(decode(trail(*case.records)).records)
        told = verification.verified()
        assert told.outcome is not Outcome.CONTAINED
        assert not told.is_likely
        assert not told.broken
