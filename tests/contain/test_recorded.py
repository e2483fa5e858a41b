"""What the logs are said to know of a theft: whose each call is, by which key, and what came of it."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from straykey.contain.recorded import theft_of, with_role_id
from straykey.contain.theft import Caller, Theft
from straykey.core.finding import Finding, FindingType
from straykey.core.judge import judge
from straykey.core.ledger import Ledger
from straykey.core.reading import decode
from straykey.core.settings import Settings
from straykey.errors import UsageError
from tests.ec2 import terminate
from tests.records import RawRecord, issuance_record, trail, use_record
from tests.seen import RANGES, ledger_of

HOME, STRAY, OTHER = "198.18.0.10", "203.0.113.66", "192.0.2.77"
KEY = "ASIAEXAMPLEKEY000001"
SESSION = "arn:aws:sts::111122223333:assumed-role/web-role/i-0123456789abcdef0"


def at(clock: str) -> str:
    return f"2026-05-04T{clock}:00Z"


def use(address: str, *clocks: str, **changes: Any) -> list[RawRecord]:
    return [use_record(address=address, time=at(clock), **changes) for clock in clocks]


def robbery(*more: RawRecord) -> list[RawRecord]:
    """An instance at home for an hour, its key used from outside AWS meanwhile, and whatever else there was."""
    return [issuance_record(), *use(HOME, "10:00", "10:30", "11:00"), *use(STRAY, "10:20", "10:40"), *more]


def findings(records: list[RawRecord]) -> list[Finding]:
    return [one for one in judge(ledger_of(records), Settings(), RANGES) if "Exfiltration" in one.type.value]


def theft(*more: RawRecord) -> Theft:
    records = robbery(*more)
    found = next(one for one in findings(records) if one.stray.address == STRAY)
    return theft_of(found, ledger_of(records))


def times(caller: Caller) -> list[str]:
    return [called.time[11:16] for called in caller.calls]


def makes(event: str, clock: str, address: str, answer: object, request: object = None, **changes: Any) -> RawRecord:
    """A call that makes a key, by the session."""
    source = "iam.amazonaws.com" if event.startswith("Create") else "sts.amazonaws.com"
    changes = {"source": source, "requestParameters": request, "responseElements": answer} | changes
    (record,) = use(address, clock, event=event, **changes)
    return record


def assumes(clock: str, address: str, session: str, key: str, role: str = "web-role", **changes: Any) -> RawRecord:
    arn = f"arn:aws:iam::111122223333:role/app/{role}"
    answer = {
        "credentials": {"accessKeyId": key, "expiration": "May 4, 2026, 11:30:00 AM"},
        "assumedRoleUser": {"arn": f"arn:aws:sts::111122223333:assumed-role/{role}/{session}"},
    }
    return makes("AssumeRole", clock, address, answer, {"roleArn": arn, "roleSessionName": session}, **changes)


def test_calls_from_home_are_the_workloads_and_those_of_a_stray_the_thiefs() -> None:
    found = theft()
    assert times(found.workload) == ["10:00", "10:30", "11:00"]
    assert times(found.thief) == ["10:20", "10:40"]
    assert [home.address for home in found.homes] == [HOME]
    assert [stray.address for stray in found.strays] == [STRAY]
    assert found.as_of == at("11:00")


def test_who_was_robbed_is_told_as_iam_knows_it() -> None:
    found = theft()
    robbed = found.workload
    assert (robbed.arn, robbed.account, robbed.role) == (SESSION, "111122223333", "web-role")
    assert (robbed.instance, robbed.region, robbed.is_delivered_by_ec2) == ("i-0123456789abcdef0", "eu-west-1", True)
    assert (found.role_arn, found.is_role_arn_known) == ("arn:aws:iam::111122223333:role/app/web-role", True)
    assert (found.partition, found.gone_since, found.sisters_left_out) == ("aws", "", 0)


def test_a_service_that_acts_is_the_workloads() -> None:
    assert "10:41" in times(theft(*use("s3.amazonaws.com", "10:41")).workload)


def test_calls_from_where_nobody_can_read_are_not_said_to_be_the_thiefs() -> None:
    assert "10:41" in times(theft(*use("053.1.1.1", "10:41")).workload)


def test_another_stray_of_the_session_is_the_thiefs_too() -> None:
    found = theft(*use(OTHER, "10:41"))
    assert times(found.thief) == ["10:20", "10:40", "10:41"]
    assert {stray.address for stray in found.strays} == {STRAY, OTHER}


def test_a_finding_about_no_stolen_key_is_refused() -> None:
    records = [*use(HOME, "10:00", delivery="1.0"), *use(HOME, "10:30", delivery="2.0")]
    (found,) = judge(ledger_of(records), Settings(), RANGES)
    assert found.type is FindingType.V1_DELIVERY
    with pytest.raises(UsageError, match="about no stolen key") as refused:
        theft_of(found, ledger_of(records))
    assert "InstanceCredentialExfiltration" in refused.value.hint


def test_a_session_the_ledger_does_not_know_is_refused() -> None:
    (found,) = findings(robbery())
    with pytest.raises(UsageError, match=f"nothing is known of {SESSION}"):
        theft_of(found, ledger_of([]))


def test_what_was_called_but_fell_out_of_the_sample_is_kept_once_of_each_kind() -> None:
    many = [
        use_record(time=f"2026-05-04T10:{n // 60:02}:{n % 60:02}Z", event=f"Get{n % 150}", address=HOME)
        for n in range(1200)
    ]
    calls = theft(*many).workload.calls
    assert {f"s3:Get{n}" for n in range(150)} <= {called.call for called in calls}
    least = [called for called in calls if not called.event_id]
    assert least
    assert all((one.region, one.error, one.access_key) == ("", "", KEY) for one in least)


def test_when_a_key_was_handed_out_its_issuance_says() -> None:
    found = theft()
    assert {called.issued for called in (*found.workload.calls, *found.thief.calls)} == {at("09:59")}
    assert [(key.access_key, key.issued, key.expires) for key in found.keys] == [(KEY, at("09:59"), at("16:34"))]


def test_without_an_issuance_the_session_says_it_of_a_network_with_one_key() -> None:
    records = robbery()[1:]
    (found,) = findings(records)
    assert {called.issued for called in theft_of(found, ledger_of(records)).thief.calls} == {at("09:59")}


def test_of_several_keys_at_one_network_nobody_says_when_each_was_handed_out() -> None:
    two = [
        *use(STRAY, "10:41", key="ASIAEXAMPLEKEY0000A1", issued=at("09:00")),
        *use(STRAY, "10:42", key="ASIAEXAMPLEKEY0000A2", issued=at("10:00")),
    ]
    found = {called.access_key: called.issued for called in theft(*two).thief.calls}
    assert found == {KEY: at("09:59"), "ASIAEXAMPLEKEY0000A1": "", "ASIAEXAMPLEKEY0000A2": ""}
    records = [*use(HOME, "10:00", "11:00"), *two]
    (told,) = findings(records)
    assert {called.issued for called in theft_of(told, ledger_of(records)).thief.calls} == {""}


def test_the_one_call_of_a_rare_program_is_kept_among_any_number_of_others() -> None:
    many = [use_record(time=f"2026-05-04T10:{n // 60:02}:{n % 60:02}Z", address=HOME) for n in range(1200)]
    rare = use(HOME, "10:59", agent="curl/8.5.0", event_id="rare")
    common = use(HOME, "10:58", event_id="common")
    kept = {called.event_id for called in theft(*many, *rare, *common).workload.calls}
    assert "rare" in kept
    assert "common" not in kept


def test_the_region_that_only_the_home_tells_is_known() -> None:
    records = [*use(HOME, "10:00", "11:00"), *use(STRAY, "10:20")]
    (found,) = findings(records)
    told = theft_of(found, ledger_of(records))
    assert (told.workload.region, told.thief.region) == ("eu-west-1", "eu-west-1")


def test_keys_of_the_identity_role_are_handed_out_by_imds_and_name_no_instance_all_the_same() -> None:
    def identity(*records: RawRecord) -> list[RawRecord]:
        arn = "arn:aws:sts::111122223333:assumed-role/aws:ec2-instance/i-0123456789abcdef0"
        return [one | {"userIdentity": one["userIdentity"] | {"arn": arn}} for one in records]

    records = identity(*use(HOME, "10:00", "11:00"), *use(STRAY, "10:20"))
    (found,) = findings(records)
    assert not theft_of(found, ledger_of(records)).workload.is_delivered_by_ec2


def test_a_key_that_another_service_was_given_for_the_sessions_name_is_not_the_sessions_own() -> None:
    service = {"userIdentity": {"type": "AWSService", "invokedBy": "glue.amazonaws.com"}}
    given = issuance_record(key="ASIAEXAMPLEKEY0000F1", time=at("10:04")) | service
    found = theft(given, *use(HOME, "10:05", key="ASIAEXAMPLEKEY0000F1", delivery=None))
    assert [(times(one), one.is_delivered_by_ec2) for one in found.sisters] == [(["10:05"], False)]
    assert [key.access_key for key in found.keys] == [KEY]


def test_sessions_of_the_same_role_are_sisters_and_those_of_another_role_or_account_are_not() -> None:
    found = theft(
        *use("198.18.0.11", "10:00", instance="i-0000000000000000a"),
        *use("198.18.0.12", "10:00", instance="i-0000000000000000b", role="web-role-2"),
        *use("198.18.0.13", "10:00", instance="i-0000000000000000c", account="444455556666"),
    )
    assert [sister.instance for sister in found.sisters] == ["i-0000000000000000a"]
    assert times(found.sisters[0]) == ["10:00"]


def test_of_very_many_sisters_the_first_thousand_by_name_are_told_and_the_rest_counted() -> None:
    found = theft(*(use_record(instance=f"i-{n:017x}") for n in range(1002)))
    assert len(found.sisters) == 1000
    assert found.sisters_left_out == 2
    assert [sister.instance for sister in found.sisters] == [f"i-{n:017x}" for n in range(1000)]


def test_a_sister_that_was_never_seen_to_call_shares_the_role_all_the_same() -> None:
    found = theft(issuance_record(instance="i-0000000000000000a", key="ASIAEXAMPLEKEY0000B1"))
    assert [(sister.instance, sister.calls) for sister in found.sisters] == [("i-0000000000000000a", ())]


def test_a_session_made_with_the_stolen_key_is_an_heir_and_no_key_of_ec2s() -> None:
    made = assumes("10:21", STRAY, "loot", "ASIAEXAMPLEKEY0000C1", role="admin-role")
    used = use(OTHER, "10:50", instance="loot", role="admin-role", key="ASIAEXAMPLEKEY0000C1", delivery=None)
    rightful = use(HOME, "10:50", instance="loot", role="admin-role", key="ASIAEXAMPLEKEY0000C2", delivery=None)
    found = theft(made, *used, *rightful)
    (heir,) = found.heirs
    assert (heir.role, heir.instance, heir.is_delivered_by_ec2) == ("admin-role", "", False)
    assert [called.network.address for called in heir.calls] == [OTHER]
    assert not found.sisters  # who holds the other role rightly has nothing to do with it
    assert [(one.call, one.access_key) for one in found.created] == [("sts:AssumeRole", "ASIAEXAMPLEKEY0000C1")]


def test_a_key_the_thief_made_for_the_sessions_own_name_is_an_heirs_wherever_it_is_used() -> None:
    made = assumes("10:21", STRAY, "i-0123456789abcdef0", "ASIAEXAMPLEKEY0000C1")
    used = use(HOME, "10:50", key="ASIAEXAMPLEKEY0000C1", delivery=None)
    found = theft(made, *used)
    assert [(heir.arn, times(heir), heir.is_delivered_by_ec2) for heir in found.heirs] == [(SESSION, ["10:50"], False)]
    assert "10:50" not in times(found.workload)
    assert [key.access_key for key in found.keys] == [KEY]


def test_a_key_the_instance_made_for_its_own_name_is_a_sisters() -> None:
    made = assumes("10:05", HOME, "i-0123456789abcdef0", "ASIAEXAMPLEKEY0000C1")
    used = use(HOME, "10:50", key="ASIAEXAMPLEKEY0000C1", delivery=None)
    found = theft(made, *used)
    assert [(one.arn, times(one), one.is_delivered_by_ec2) for one in found.sisters] == [(SESSION, ["10:50"], False)]
    assert not found.heirs


def test_keys_of_a_console_session_are_told_apart() -> None:
    made = makes(
        "GetSigninToken", "10:21", STRAY, {"credentials": {"accessKeyId": "ASIAEXAMPLEKEY0000D1"},
                                           "GetSigninToken": "Success"}, source="signin.amazonaws.com",
    )  # fmt: skip
    found = theft(made, *use("AWS Internal", "10:50", key="ASIAEXAMPLEKEY0000D1", delivery=None))
    assert [(heir.is_from_console, times(heir)) for heir in found.heirs] == [(True, ["10:50"])]


def test_of_a_user_the_thief_made_a_key_for_only_calls_with_that_key_are_an_heirs() -> None:
    key, own = "AKIAEXAMPLEKEY0000E1", "AKIAEXAMPLEKEY0000E2"
    made = makes(
        "CreateAccessKey", "10:21", STRAY, {"accessKey": {"accessKeyId": key, "userName": "bob"}}, {"userName": "bob"}
    )

    def by_bob(clock: str, access_key: str) -> RawRecord:
        arn = "arn:aws:iam::111122223333:user/people/bob"
        who = {"type": "IAMUser", "arn": arn, "accountId": "111122223333", "accessKeyId": access_key}
        return use_record(address=OTHER, time=at(clock), key=access_key, userIdentity=who)

    found = theft(made, by_bob("10:50", key), by_bob("10:51", own))
    assert [(heir.arn, heir.role, times(heir)) for heir in found.heirs] == [
        ("arn:aws:iam::111122223333:user/people/bob", "", ["10:50"])
    ]


def test_what_only_the_finding_tells_of_what_was_made_is_kept() -> None:
    made = assumes("10:21", STRAY, "loot", "ASIAEXAMPLEKEY0000C1", role="admin-role")
    (found,) = findings(robbery(made))
    assert [one.access_key for one in theft_of(found, ledger_of(robbery())).created] == ["ASIAEXAMPLEKEY0000C1"]


def test_whoever_calls_after_the_instance_was_terminated_is_the_thief_and_the_network_no_home() -> None:
    gone = [issuance_record(), *use(HOME, "10:00", "10:30"), terminate(time=at("10:31")), *use(HOME, "11:00")]
    (found,) = findings(gone)
    told = theft_of(found, ledger_of(gone))
    assert (times(told.workload), times(told.thief)) == (["10:00", "10:30"], ["11:00"])
    assert told.homes == ()
    assert told.gone_since == at("10:46")


def test_host_management_keys_are_not_delivered_by_ec2_though_they_bear_the_instances_id() -> None:
    records = [*use(HOME, "10:00", "11:00", delivery=None), *use(STRAY, "10:30", delivery=None)]
    (found,) = findings(records)
    assert not theft_of(found, ledger_of(records)).workload.is_delivered_by_ec2


def test_of_a_function_judged_without_ranges_only_what_the_finding_accuses_is_the_thiefs() -> None:
    scope = {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": "arn:aws:lambda:eu-west-1:1:function:f"}

    def function(clock: str, address: str, **changes: Any) -> RawRecord:
        (record,) = use(address, clock, instance="f", role="f-role", delivery=None, **changes)
        return record | {"userIdentity": record["userIdentity"] | {"inScopeOf": scope}}

    records = [function("10:00", HOME), function("10:10", "198.18.7.7"), function("10:20", "10.9.9.9")]
    found = judge(ledger_of(records), Settings(), None)
    (told,) = [theft_of(one, ledger_of(records)) for one in found]
    assert (times(told.workload), times(told.thief)) == (["10:00", "10:10"], ["10:20"])


def test_an_endpoint_is_told_with_its_owner_and_a_strange_host_behind_it_is_a_stray() -> None:
    behind = {"endpoint": "vpce-0aaaabbbbccccdddd", "endpoint_owner": "111122223333"}
    records = [*use("10.0.0.4", "10:00", "11:00", **behind), *use("10.0.0.9", "10:30", **behind)]
    (found,) = findings(records)
    told = theft_of(found, ledger_of(records))
    assert [(one.address, one.endpoint, one.endpoint_owner) for one in told.homes] == [
        ("10.0.0.4", "vpce-0aaaabbbbccccdddd", "111122223333")
    ]
    assert [one.address for one in told.strays] == ["10.0.0.9"]


def test_a_role_arn_that_no_record_has_is_made_up_and_said_to_be() -> None:
    def nameless(record: RawRecord) -> RawRecord:
        identity = record["userIdentity"]
        return record | {"userIdentity": identity | {"sessionContext": {"ec2RoleDelivery": "2.0"}}}

    records = [nameless(one) for one in robbery()[1:]]
    (found,) = findings(records)
    told = theft_of(found, ledger_of(records))
    assert (told.role_arn, told.is_role_arn_known) == ("arn:aws:iam::111122223333:role/web-role", False)


def test_with_the_roles_id_the_user_id_of_all_its_sessions_is_known_and_of_no_others() -> None:
    made = assumes("10:21", STRAY, "loot", "ASIAEXAMPLEKEY0000C1", role="admin-role")
    used = use(OTHER, "10:50", instance="loot", role="admin-role", key="ASIAEXAMPLEKEY0000C1", delivery=None)
    found = with_role_id(theft(made, *used, *use(HOME, "10:00", instance="i-0000000000000000a")), "AROAEXAMPLE")
    assert {found.workload.user_id, found.thief.user_id} == {"AROAEXAMPLE:i-0123456789abcdef0"}
    assert [sister.user_id for sister in found.sisters] == ["AROAEXAMPLE:i-0000000000000000a"]
    assert [heir.user_id for heir in found.heirs] == [""]


def in_order(records: list[RawRecord]) -> list[RawRecord]:
    return records


def backwards(records: list[RawRecord]) -> list[RawRecord]:
    return records[::-1]


def shuffled_and_twice(records: list[RawRecord]) -> list[RawRecord]:
    return random.Random(5).sample([*records, *records], 2 * len(records))


@pytest.mark.parametrize("order", [in_order, backwards, shuffled_and_twice])
def test_the_order_of_records_changes_nothing(order: Callable[[list[RawRecord]], list[RawRecord]]) -> None:
    made = assumes("10:21", STRAY, "loot", "ASIAEXAMPLEKEY0000C1")
    more = [use_record(time=f"2026-05-04T10:{n % 60:02}:{n // 60:02}Z", event=f"Get{n % 90}") for n in range(400)]
    sisters = [use_record(instance=f"i-{n:017x}") for n in range(5)]
    records = robbery(made, *use(OTHER, "10:50", instance="loot", key="ASIAEXAMPLEKEY0000C1"), *more, *sisters)
    (found,) = findings(records)
    expected = theft_of(found, ledger_of(records))
    assert theft_of(found, ledger_of(order(records))) == expected
    plain = Ledger()  # open, folded one record at a time, and not by way of runs
    for record in decode(trail(*order(records))).records:
        plain.take(record)
    plain.settle()
    assert theft_of(found, plain) == expected
