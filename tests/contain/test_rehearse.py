"""How a recorded call becomes a request, what a plan does to it, and how long the workload is out."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from straykey.contain.account import Endpoint
from straykey.contain.action import action_of
from straykey.contain.outage import outage_of
from straykey.contain.pattern import Gap, Said
from straykey.contain.plan import Deny, Option, Plan
from straykey.contain.policy import Answer, Verdict
from straykey.contain.rehearse import InForce, best_first, rehearse
from straykey.contain.request import request_of
from straykey.contain.theft import Called, Caller, Created, Key, Theft
from straykey.core.network import network_of
from straykey.errors import PolicyError
from tests.contain.plans import PLANS, Condition, document, nothing, pin

ACCOUNT, ROLE, INSTANCE = "111122223333", "web-role", "i-0123456789abcdef0"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/app/{ROLE}"
INSTANCE_ARN = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/{INSTANCE}"
HOME, STRAY, VPCE = "198.18.0.10", "203.0.113.66", "vpce-0aaaabbbbccccdddd"
AT = "2026-05-04T12:00:00Z"
DENIED, ALLOWED = Verdict(Answer.DENIED), Verdict(Answer.ALLOWED)


def unknown(*keys: str) -> Verdict:
    return Verdict(Answer.UNKNOWN, keys)


def called(address: str = HOME, call: str = "s3:GetObject", endpoint: str = "", **changes: Any) -> Called:
    fields: dict[str, Any] = {
        "time": "2026-05-04T10:00:00Z",
        "event_id": "1",
        "call": call,
        "region": "eu-west-1",
        "access_key": "ASIAEXAMPLEKEY000001",
        "issued": "2026-05-04T09:59:00Z",
        "network": network_of(address, endpoint),
        "error": "",
    }
    return Called(**fields | changes)


def caller(*calls: Called, name: str = INSTANCE, role: str = ROLE, **changes: Any) -> Caller:
    fields: dict[str, Any] = {
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
        "account": ACCOUNT,
        "role": role,
        "instance": name if name.startswith("i-") else "",
        "region": "eu-west-1",
        "is_delivered_by_ec2": name.startswith("i-"),
        "calls": calls,
        "role_arn": f"arn:aws:iam::{ACCOUNT}:role/app/{role}",
    }
    return Caller(**fields | changes)


def theft(workload: Caller | None = None, thief: Caller | None = None, **changes: Any) -> Theft:
    fields: dict[str, Any] = {
        "finding": "0" * 32,
        "title": "",
        "partition": "aws",
        "role_arn": ROLE_ARN,
        "is_role_arn_known": True,
        "homes": (network_of(HOME),),
        "strays": (network_of(STRAY),),
        "workload": workload or caller(called()),
        "thief": thief or caller(called(STRAY)),
        "sisters": (),
        "heirs": (),
        "keys": (),
        "created": (),
        "as_of": "2026-05-04T11:00:00Z",
    }
    return Theft(**fields | changes)


def denying(*texts: str, is_boundary: bool = False, account: str = ACCOUNT, role: str = ROLE) -> Plan:
    denies = tuple(Deny(text, account, role, "straykey-test", is_boundary) for text in texts)
    return Plan(Option.PIN, denies, (), ())


def on(condition: Condition, who: Caller, call: Called, endpoints: tuple[Endpoint, ...] = ()) -> Verdict:
    """What a Deny on this condition does to a call."""
    return InForce(theft(), denying(document(condition)), endpoints).verdict(who, call)


# The keys of a call, by where it comes from; a key that is not named here is absent.
NETWORKS: list[tuple[str, Called, dict[str, Said]]] = [
    ("public", called(HOME), {"aws:sourceip": HOME, "aws:viaawsservice": "false"}),
    ("public v6", called("2001:DB8::1"), {"aws:sourceip": "2001:db8::1", "aws:viaawsservice": "false"}),
    (
        "endpoint",
        called("10.0.0.4", endpoint=VPCE),
        {
            "aws:vpcsourceip": "10.0.0.4",
            "aws:sourcevpce": VPCE,
            "aws:sourcevpc": Gap.PRESENT,
            "aws:viaawsservice": "false",
        },
    ),
    (
        "private, no endpoint named",
        called("10.0.0.4"),
        {
            "aws:vpcsourceip": "10.0.0.4",
            "aws:sourcevpce": Gap.PRESENT,
            "aws:sourcevpc": Gap.PRESENT,
            "aws:viaawsservice": "false",
        },
    ),
    ("service", called("s3.amazonaws.com"), {"aws:sourceip": Gap.UNKNOWN, "aws:viaawsservice": "true"}),
    (
        "unreadable",
        called("053.1.1.1"),
        dict.fromkeys(
            ("aws:sourceip", "aws:vpcsourceip", "aws:sourcevpce", "aws:sourcevpc", "aws:viaawsservice"), Gap.UNKNOWN
        ),
    ),
]
OF_CALLERS: dict[str, Said] = {
    "aws:principalisawsservice": "false",
    "aws:userid": Gap.PRESENT,
    "aws:principalarn": ROLE_ARN,
    "aws:principalaccount": ACCOUNT,
    "aws:ec2instancesourcevpc": Gap.PRESENT,
    "aws:ec2instancesourceprivateipv4": Gap.PRESENT,
    "ec2:roledelivery": Gap.PRESENT,
    "aws:requestedregion": "eu-west-1",
    "aws:tokenissuetime": "2026-05-04T09:59:00Z",
    "ec2:sourceinstancearn": INSTANCE_ARN,
}


@pytest.mark.parametrize(("call", "keys"), [row[1:] for row in NETWORKS], ids=[row[0] for row in NETWORKS])
def test_a_request_has_the_keys_that_its_network_gives_it(call: Called, keys: dict[str, Said]) -> None:
    assert request_of(caller(), call, "aws").context == OF_CALLERS | keys


USER = caller(name="bob", role="", arn=f"arn:aws:iam::{ACCOUNT}:user/people/bob", role_arn="")
# Who calls, with which key, and what that makes of one key; None for one that is absent.
CALLERS: list[tuple[str, Caller, Called, str, Said | None]] = [
    ("known id", caller(user_id=f"AROA:{INSTANCE}"), called(), "aws:userid", f"AROA:{INSTANCE}"),
    ("no key of EC2's", caller(is_delivered_by_ec2=False), called(), "ec2:sourceinstancearn", None),
    ("no key of EC2's", caller(is_delivered_by_ec2=False), called(), "ec2:roledelivery", None),
    ("known VPC", caller(vpc="vpc-1"), called(), "aws:ec2instancesourcevpc", "vpc-1"),
    ("known address", caller(private_ip="10.0.0.4"), called(), "aws:ec2instancesourceprivateipv4", "10.0.0.4"),
    ("known delivery", caller(), called(delivery="1.0"), "ec2:roledelivery", "1.0"),
    ("console", caller(is_from_console=True), called(), "ec2:roledelivery", Gap.UNKNOWN),
    ("no region", caller(region=""), called(), "ec2:sourceinstancearn", Gap.PRESENT),
    ("no instance id", caller(instance=""), called(), "ec2:sourceinstancearn", Gap.PRESENT),
    ("console", caller(is_from_console=True), called(), "ec2:sourceinstancearn", Gap.UNKNOWN),
    ("console", caller(is_from_console=True), called("AWS Internal"), "aws:viaawsservice", Gap.UNKNOWN),
    ("issue unknown", caller(), called(issued=""), "aws:tokenissuetime", Gap.PRESENT),
    ("user's key", USER, called(issued="", access_key="AKIAEXAMPLE"), "aws:tokenissuetime", None),
    ("user's session", USER, called(issued="", access_key="ASIAEXAMPLE"), "aws:tokenissuetime", Gap.PRESENT),
    ("no key named", USER, called(issued="", access_key=""), "aws:tokenissuetime", Gap.UNKNOWN),
    ("user", USER, called(), "aws:principalarn", USER.arn),
    ("no role's ARN", caller(role_arn=""), called(), "aws:principalarn", Gap.PRESENT),
    ("no region of call", caller(), called(region=""), "aws:requestedregion", Gap.PRESENT),
]


@pytest.mark.parametrize(
    ("who", "call", "key", "said"), [row[1:] for row in CALLERS], ids=[f"{row[0]}, {row[3]}" for row in CALLERS]
)
def test_a_request_has_the_keys_that_its_caller_gives_it(
    who: Caller, call: Called, key: str, said: Said | None
) -> None:
    assert request_of(who, call, "aws").context.get(key) == said


def test_an_instances_arn_is_of_its_partition() -> None:
    context = request_of(caller(region="cn-north-1"), called(), "aws-cn").context
    assert context["ec2:sourceinstancearn"] == f"arn:aws-cn:ec2:cn-north-1:{ACCOUNT}:instance/{INSTANCE}"


@pytest.mark.parametrize(
    ("call", "action"),
    [
        ("s3:ListBuckets", "s3:ListAllMyBuckets"),
        ("s3:ListObjects", "s3:ListBucket"),
        ("s3:HeadBucket", "s3:ListBucket"),
        ("s3:HeadObject", "s3:GetObject"),
        ("s3:GetObject", "s3:GetObject"),
        ("s3:CopyObject", Gap.UNKNOWN),
        ("s3:SomethingNew", Gap.UNKNOWN),
        ("ec2:DescribeInstances", "ec2:DescribeInstances"),
        ("monitoring:PutMetricData", "cloudwatch:PutMetricData"),
        ("lambda:Invoke", "lambda:InvokeFunction"),
        ("lambda:ListFunctions20150331", "lambda:ListFunctions"),
        ("lambda:UpdateFunctionCode20150331v2", "lambda:UpdateFunctionCode"),
        ("cloudfront:CreateInvalidation2020_05_31", "cloudfront:CreateInvalidation"),
        ("sqs:SendMessageBatch", "sqs:SendMessage"),
        ("dynamodb:TransactWriteItems", Gap.UNKNOWN),
        ("apigateway:GetRestApis", Gap.UNKNOWN),
        ("nowhere", Gap.UNKNOWN),
    ],
)
def test_a_call_has_iams_name_where_that_is_known(call: str, action: str | Gap) -> None:
    assert action_of(call) == action


def only(action: str) -> str:
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_an_action_nobody_is_sure_of_leaves_a_policy_on_actions_unknown_and_one_on_all_certain() -> None:
    call = called(call="apigateway:GetRestApis")
    assert InForce(theft(), denying(only("apigateway:GET"))).verdict(caller(), call) == unknown("action")
    assert InForce(theft(), denying(only("*"))).verdict(caller(), call) == DENIED


def test_what_no_record_tells_is_unknown_and_named() -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/team": "a"}}
    assert on(condition, caller(), called()) == unknown("aws:PrincipalTag/team")
    assert on({"StringEquals": {"aws:userid": "${aws:username}"}}, caller(), called()).answer is Answer.UNKNOWN


def test_only_calls_of_the_policys_role_are_asked() -> None:
    everything = document({})
    assert InForce(theft(), denying(everything)).verdict(caller(), called()) == DENIED
    assert InForce(theft(), denying(everything)).verdict(caller(role="other"), called()) == ALLOWED
    assert InForce(theft(), denying(everything, account="444455556666")).verdict(caller(), called()) == ALLOWED


def test_no_policy_denies_keys_of_the_identity_role_nor_who_asks_who_he_is() -> None:
    own = denying(document({}), role="aws:ec2-instance")
    assert InForce(theft(), own).verdict(caller(role="aws:ec2-instance"), called()) == ALLOWED
    assert InForce(theft(), denying(document({}))).verdict(caller(), called(call="sts:GetCallerIdentity")) == ALLOWED


def test_whether_signing_in_at_the_console_can_be_denied_is_unknown() -> None:
    everything = InForce(theft(), denying(document({})))
    assert everything.verdict(caller(), called(call="signin:GetSigninToken")) == unknown("action")
    assert InForce(theft(), denying()).verdict(caller(), called(call="signin:GetSigninToken")) == ALLOWED


def test_a_boundary_denies_what_it_does_not_allow() -> None:
    allowing = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}
    )
    tried = InForce(theft(), denying(allowing, is_boundary=True))
    assert tried.verdict(caller(), called(call="s3:GetObject")) == DENIED
    assert tried.verdict(caller(), called(call="ec2:DescribeInstances")) == ALLOWED


def test_one_policy_that_denies_is_enough_and_one_that_is_unsure_leaves_the_rest_unknown() -> None:
    unsure, sure, idle = (
        document(one)
        for one in (
            {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
            {},
            {"Bool": {"aws:PrincipalIsAWSService": "true"}},
        )
    )
    assert InForce(theft(), denying(unsure, sure)).verdict(caller(), called()) == DENIED
    assert InForce(theft(), denying(idle, unsure)).verdict(caller(), called()) == unknown("aws:MultiFactorAuthPresent")


def test_a_policy_that_is_not_understood_is_refused() -> None:
    with pytest.raises(PolicyError):
        rehearse(theft(), denying(document({"BinaryEquals": {"aws:k": "YQ=="}})))


def test_a_key_that_was_used_before_the_cut_off_was_handed_out_before_it() -> None:
    late = {"DateLessThan": {"aws:TokenIssueTime": "2026-05-04T10:00:01Z"}}
    early = {"DateLessThan": {"aws:TokenIssueTime": "2026-05-04T10:00:00Z"}}
    assert on(late, caller(), called(issued="")) == DENIED
    assert on(early, caller(), called(issued="")) == unknown("aws:TokenIssueTime")


def test_a_span_of_time_in_which_a_key_may_have_been_handed_out_is_not_overlooked() -> None:
    span = {
        "DateGreaterThan": {"aws:TokenIssueTime": "2026-05-04T09:00:00Z"},
        "DateLessThan": {"aws:TokenIssueTime": "2026-05-04T09:00:02Z"},
    }
    assert on(span, caller(), called(issued="")) == unknown("aws:TokenIssueTime")


def test_another_instance_is_another_whatever_its_region_and_the_same_one_may_be_it() -> None:
    pinned = {"ArnEquals": {"ec2:SourceInstanceARN": INSTANCE_ARN}}
    assert on(pinned, caller(name="i-0000000000000000a", region=""), called()) == ALLOWED
    assert on(pinned, caller(region=""), called()) == unknown("ec2:SourceInstanceARN")
    anywhere = {"ArnLike": {"ec2:SourceInstanceARN": f"arn:aws:ec2:*:{ACCOUNT}:instance/{INSTANCE}"}}
    assert on(anywhere, caller(region=""), called()) == DENIED


def test_another_session_has_another_user_id_and_the_same_one_may_be_meant() -> None:
    pinned = {"StringEquals": {"aws:userid": f"AROAEXAMPLE:{INSTANCE}"}}
    assert on(pinned, caller(name="i-0000000000000000a"), called()) == ALLOWED
    assert on(pinned, caller(), called()) == unknown("aws:userid")
    assert on({"StringLike": {"aws:userid": f"AROA*:{INSTANCE}"}}, caller(), called()) == DENIED


def test_the_vpc_of_an_endpoint_is_known_once_the_account_was_read() -> None:
    elsewhere = {"StringNotEquals": {"aws:SourceVpc": "vpc-0a"}}
    through = called("10.0.0.4", endpoint=VPCE)
    ours = Endpoint(VPCE, "vpc-0a", "com.amazonaws.eu-west-1.s3", "Gateway", "available")
    assert on(elsewhere, caller(), through) == unknown("aws:SourceVpc")
    assert on(elsewhere, caller(), through, (ours,)) == ALLOWED
    assert on(elsewhere, caller(), called(HOME), (ours,)) == DENIED


def test_what_was_denied_already_can_neither_be_stopped_nor_broken() -> None:
    thief = caller(called(STRAY), called(STRAY, error="AccessDenied"), called(STRAY, error="NoSuchKey"))
    found = rehearse(theft(thief=thief), PLANS[Option.DENY_ALL](theft(), AT)).thief
    assert (found.calls, found.denied, found.failed) == (2, 2, 1)


def test_who_asks_who_he_is_can_neither_be_stopped_nor_broken_and_is_counted_apart() -> None:
    asks = called(STRAY, call="sts:GetCallerIdentity")
    found = rehearse(theft(thief=caller(asks, called(STRAY))), PLANS[Option.DENY_ALL](theft(), AT)).thief
    assert (found.calls, found.denied, found.passed, found.never_denied) == (1, 1, 0, 1)
    assert found.passed_calls == ()


def test_a_tally_names_calls_by_kind_and_network_the_most_frequent_first_and_no_more_than_twenty() -> None:
    calls = [called(call=f"s3:Get{n:02}") for n in range(30)] + [called(call="s3:Put")] * 2 + [called(STRAY)]
    found = rehearse(theft(caller(*calls)), PLANS[Option.DENY_ALL](theft(), AT)).workload
    assert found.denied == 33
    assert (found.denied_calls[0].call, found.denied_calls[0].count) == ("s3:Put", 2)
    assert [one.call for one in found.denied_calls[1:]] == [f"s3:Get{n:02}" for n in range(19)]
    assert found.passed_calls == found.unknown_calls == ()


def test_a_tally_names_the_sisters_that_are_hit() -> None:
    sisters = (caller(called(), name="i-0000000000000000a"), caller(name="i-0000000000000000b"))
    broken = rehearse(theft(sisters=sisters), PLANS[Option.DENY_ALL](theft(), AT)).sisters
    assert (broken.callers, broken.callers_hit, broken.hit) == (2, 1, (sisters[0].arn,))
    assert rehearse(theft(sisters=sisters), pin(theft(), AT)).sisters.callers_hit == 0


def test_a_tally_says_what_an_unknown_answer_hangs_on() -> None:
    tally = rehearse(theft(), denying(document({"Bool": {"aws:MultiFactorAuthPresent": "false"}}))).thief
    assert (tally.unknown, tally.hangs_on) == (1, ("aws:MultiFactorAuthPresent",))
    assert [one.network.address for one in tally.unknown_calls] == [STRAY]


def test_best_is_what_leaves_the_thief_least_then_what_breaks_least_and_what_stops_no_key_comes_last() -> None:
    robbed = theft(sisters=(caller(called(), name="i-0000000000000000a"),))
    plans = [make(robbed, AT) for make in reversed(list(PLANS.values()))]
    order = [plan.option for plan, _ in best_first((plan, rehearse(robbed, plan)) for plan in plans)]
    assert order[:2] == [Option.PIN, Option.PIN_EVERYWHERE]
    assert order[2:] == [
        Option.VPC_ENDPOINT,
        Option.REVOKE,
        Option.SWAP_ROLE,
        Option.DENY_ALL,
        Option.ISOLATE,
        Option.IMDSV2,
        Option.STOP,
    ]


def test_what_leaves_an_heir_at_large_is_not_best() -> None:
    heir = caller(called(STRAY), name="loot", role="admin-role")
    robbed = theft(heirs=(heir,))
    plans = [PLANS[option](robbed, AT) for option in (Option.PIN, Option.PIN_EVERYWHERE)]
    first, _ = best_first((plan, rehearse(robbed, plan)) for plan in plans)[0]
    assert first.option is Option.PIN_EVERYWHERE


def test_what_leaves_alone_what_the_thief_made_is_not_best_though_nobody_used_it_yet() -> None:
    made = Created("2026-05-04T10:05:00Z", "iam:CreateUser", "backup", "", ACCOUNT, "us-east-1", "made")
    robbed = theft(created=(made,))
    pinned, everywhere = (PLANS[option](robbed, AT) for option in (Option.PIN, Option.PIN_EVERYWHERE))
    covering = replace(everywhere, covers=("made",))
    for plans, best in (((pinned, everywhere), pinned), ((pinned, covering), covering)):
        first, _ = best_first((plan, rehearse(robbed, plan)) for plan in plans)[0]
        assert first is best


def keys(*ends: tuple[str, str]) -> tuple[Key, ...]:
    return tuple(
        Key(f"ASIA{n}", f"2026-05-04T{issued}:00Z", f"2026-05-04T{ends}:00Z") for n, (issued, ends) in enumerate(ends)
    )


def outage(option: Option, at: str = "11:10", who: Caller | None = None, **changes: Any) -> tuple[str, str]:
    robbed = theft(who or caller(called(access_key="ASIA0")), **changes)
    found = outage_of(robbed, PLANS[option](robbed, AT), f"2026-05-04T{at}:00Z")
    assert found is not None
    assert found.why.endswith(".")
    return found.until_earliest[11:16], found.until_latest[11:16]


HOURLY = keys(("09:00", "15:35"), ("10:00", "16:35"), ("11:00", "17:35"))


def test_revoked_keys_are_replaced_at_the_next_renewal_and_held_until_15_minutes_before_they_end() -> None:
    assert outage(Option.REVOKE, keys=HOURLY) == ("12:00", "17:20")


def test_two_keys_handed_out_in_one_second_are_one_renewal() -> None:
    twins = keys(("10:00", "16:35"), ("10:00", "16:35"), ("10:50", "17:25"), ("10:50", "17:25"))
    assert outage(Option.REVOKE, keys=twins) == ("11:40", "17:10")


def test_with_one_renewal_known_the_next_is_taken_to_come_in_an_hour() -> None:
    assert outage(Option.REVOKE, keys=HOURLY[:1], at="09:10") == ("10:00", "15:20")


def test_where_the_logs_ended_long_ago_keys_that_came_since_are_reckoned_with() -> None:
    assert outage(Option.REVOKE, keys=HOURLY, at="13:10") == ("14:00", "19:30")


def test_keys_that_have_ended_or_came_after_the_cut_off_hold_nobody_up() -> None:
    assert outage(Option.REVOKE, keys=(*keys(("01:00", "07:35")), *HOURLY, *keys(("11:20", "17:55")))) == (
        "12:00",
        "17:20",
    )
    assert outage(Option.REVOKE, keys=keys(("01:00", "07:35"))) == ("", "")


TASK = caller(called(access_key="ASIA0"), name="task", instance="")


def test_a_key_whose_end_nobody_told_is_said_to_be_so_unless_a_later_one_bounds_it() -> None:
    old, new = Key("ASIA0", "", ""), Key("ASIA0", "2026-05-04T11:05:00Z", "")
    assert outage(Option.REVOKE, who=TASK, keys=(old, *HOURLY[1:])) == ("", "17:35")
    assert outage(Option.REVOKE, who=TASK, keys=(new, *HOURLY[1:])) == ("", "")
    assert outage(Option.REVOKE, keys=(old,)) == ("", "")


def test_a_key_of_ec2s_whose_end_nobody_told_ends_after_seven_hours_and_that_is_said() -> None:
    new, used = Key("ASIA0", "2026-05-04T11:05:00Z", ""), Key("ASIA0", "", "")
    assert outage(Option.REVOKE, keys=(new, *HOURLY[1:]))[1] == "17:50"  # 15 minutes before 18:05
    assert outage(Option.REVOKE, keys=(used, *keys(("09:30", "16:05"))), at="10:10") == ("10:30", "16:45")
    long_ago = Key("ASIA1", "2026-05-01T11:05:00Z", "")
    for robbed, is_said in ((theft(keys=(*HOURLY, long_ago)), True), (theft(keys=HOURLY), False)):
        found = outage_of(robbed, PLANS[Option.REVOKE](robbed, AT), "2026-05-04T11:10:00Z")
        assert found is not None
        assert found.until_latest == "2026-05-04T17:20:00Z"
        assert ("7 hours" in found.why) is is_said


def test_keys_of_ec2s_that_are_older_than_seven_hours_are_held_by_nobody() -> None:
    unknown_end = (Key("ASIA0", "", ""), Key("ASIA1", "2026-05-04T08:00:00Z", ""))
    robbed = theft(caller(called(access_key="ASIA0")), keys=unknown_end)
    for at, is_held in (("2026-05-04T16:59:59Z", True), ("2026-05-04T17:00:00Z", False)):
        found = outage_of(robbed, PLANS[Option.REVOKE](robbed, AT), at)
        assert found is not None
        assert found.why.startswith("No key of the workload is known") is not is_held
    task = theft(TASK, keys=unknown_end)
    found = outage_of(task, PLANS[Option.REVOKE](task, AT), "2026-05-06T00:00:00Z")
    assert found is not None
    assert not found.why.startswith("No key")


def test_after_a_swap_what_is_restarted_works_at_once() -> None:
    assert outage(Option.SWAP_ROLE, keys=HOURLY) == ("11:10", "17:20")


def test_of_what_is_no_instance_the_keys_end_is_the_latest() -> None:
    task = caller(called(access_key="ASIA0"), name="task", instance="")
    assert outage(Option.REVOKE, who=task, keys=HOURLY) == ("", "17:35")


@pytest.mark.parametrize("option", [Option.DENY_ALL, Option.ISOLATE, Option.STOP])
def test_what_has_no_end_of_its_own_has_none_until_it_is_undone(option: Option) -> None:
    assert outage(option, keys=HOURLY) == ("", "")


@pytest.mark.parametrize("option", [Option.PIN, Option.PIN_EVERYWHERE, Option.VPC_ENDPOINT, Option.IMDSV2])
def test_what_takes_no_key_from_the_workload_is_no_outage(option: Option) -> None:
    assert outage_of(theft(keys=HOURLY), nothing(option)(theft(), AT), AT) is None


def test_of_a_workload_that_is_gone_or_that_no_policy_applies_to_nothing_is_out() -> None:
    identity = caller(called(), role="aws:ec2-instance")
    for robbed in (theft(keys=HOURLY, gone_since=AT), theft(identity, keys=HOURLY)):
        assert outage_of(robbed, nothing(Option.REVOKE)(robbed, AT), AT) is None
        assert outage_of(robbed, nothing(Option.DENY_ALL)(robbed, AT), AT) is None
