"""What a policy does to a call, by IAM's own rules, and what is refused because it has none here."""

import json
import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from straykey.contain.pattern import Said, Wild, is_like
from straykey.contain.policy import Answer, Gap, Policy, Request, Verdict, judge_call, read_policy
from straykey.errors import PolicyError

INSTANCE = "arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0"
USER_ID = "AROAEXAMPLEROLEID0001:i-0123456789abcdef0"
DENIED, ALLOWED, UNKNOWN = Answer.DENIED, Answer.ALLOWED, Answer.UNKNOWN


def statement(condition: object = None, **elements: object) -> dict[str, object]:
    said = {"Effect": "Deny", "Action": "*", "Resource": "*"} | elements
    return said if condition is None else said | {"Condition": condition}


def policy(*statements: dict[str, object]) -> Policy:
    return read_policy({"Version": "2012-10-17", "Statement": list(statements)})


def on(condition: object, context: Mapping[str, Said]) -> Verdict:
    """What a Deny on this condition does to a call with this context."""
    return judge_call(policy(statement(condition)), Request("s3:GetObject", context=context))


# One line of a condition, the context, and what a Deny on it comes to.
TABLE: list[tuple[str, object, dict[str, Said], Answer]] = [
    # Strings: as the operator says of case, any of the values.
    ("StringEquals", "a", {"aws:k": "a"}, DENIED),
    ("StringEquals", "a", {"AWS:K": "a"}, DENIED),
    ("StringEquals", "a", {"aws:k": "A"}, ALLOWED),
    ("StringEquals", ["a", "b"], {"aws:k": "b"}, DENIED),
    ("StringEquals", "a*", {"aws:k": "ab"}, ALLOWED),
    ("StringEquals", "a*", {"aws:k": "a*"}, DENIED),
    ("StringNotEquals", ["a", "b"], {"aws:k": "b"}, ALLOWED),
    ("StringNotEquals", ["a", "b"], {"aws:k": "c"}, DENIED),
    ("StringEqualsIgnoreCase", "a", {"aws:k": "A"}, DENIED),
    ("StringNotEqualsIgnoreCase", "a", {"aws:k": "A"}, ALLOWED),
    ("StringLike", "AROA*:i-?", {"aws:k": "AROAX:i-1"}, DENIED),
    ("StringLike", "AROA*:i-?", {"aws:k": "AROAX:i-12"}, ALLOWED),
    ("StringLike", "AROA*", {"aws:k": "aroax"}, ALLOWED),
    ("StringNotLike", "AROA*", {"aws:k": "AIDA"}, DENIED),
    # Numbers, whatever they are written like.
    ("NumericLessThan", "2.0", {"aws:k": "1.0"}, DENIED),
    ("NumericLessThan", "2.0", {"aws:k": "2"}, ALLOWED),
    ("NumericLessThan", "10", {"aws:k": "9"}, DENIED),
    ("NumericLessThan", "2.0", {}, ALLOWED),
    ("NumericLessThanEquals", "2", {"aws:k": "2.0"}, DENIED),
    ("NumericGreaterThan", "1", {"aws:k": "1"}, ALLOWED),
    ("NumericGreaterThanEquals", "1", {"aws:k": "1"}, DENIED),
    ("NumericEquals", "2", {"aws:k": "2.0"}, DENIED),
    ("NumericNotEquals", "2", {"aws:k": "2.0"}, ALLOWED),
    ("NumericNotEquals", "2", {}, DENIED),
    ("NumericLessThan", "2.0", {"aws:k": "two"}, UNKNOWN),
    ("NumericLessThan", "2.0", {"aws:k": Gap.PRESENT}, UNKNOWN),
    # A key that is absent.
    ("StringEquals", "a", {}, ALLOWED),
    ("StringEquals", "a", {"aws:k": ()}, ALLOWED),
    ("StringNotEquals", "a", {}, DENIED),
    ("StringNotLike", "a", {}, DENIED),
    ("NotIpAddress", "203.0.113.0/24", {}, DENIED),
    ("ArnNotLike", INSTANCE, {}, DENIED),
    ("ArnNotEquals", INSTANCE, {}, DENIED),
    ("IpAddress", "203.0.113.0/24", {}, ALLOWED),
    ("ArnEquals", INSTANCE, {}, ALLOWED),
    ("Bool", "false", {}, ALLOWED),
    ("DateLessThan", "2026-05-04T10:41:00Z", {}, ALLOWED),
    ("StringEqualsIfExists", "a", {}, DENIED),
    ("StringNotEqualsIfExists", "a", {}, DENIED),
    ("StringNotEqualsIfExists", "a", {"aws:k": "a"}, ALLOWED),
    ("NotIpAddressIfExists", "203.0.113.0/24", {}, DENIED),
    ("ArnNotLikeIfExists", INSTANCE, {}, DENIED),
    ("BoolIfExists", "false", {}, DENIED),
    ("BoolIfExists", "false", {"aws:k": "true"}, ALLOWED),
    ("DateLessThanIfExists", "2026-05-04T10:41:00Z", {}, DENIED),
    ("Null", "true", {}, DENIED),
    ("Null", "true", {"aws:k": "a"}, ALLOWED),
    ("Null", "false", {}, ALLOWED),
    ("Null", "false", {"aws:k": "a"}, DENIED),
    ("Null", "false", {"aws:k": ()}, ALLOWED),
    # ARNs: part by part.
    ("ArnEquals", INSTANCE, {"aws:k": INSTANCE}, DENIED),
    ("ArnEquals", "arn:aws:ec2:*:*:instance/i-0*", {"aws:k": INSTANCE}, DENIED),
    ("ArnLike", INSTANCE.upper().replace("ARN", "arn", 1), {"aws:k": INSTANCE}, ALLOWED),
    ("ArnLike", "arn:aws:s:*:111122223333:f/*", {"aws:k": "arn:aws:s:r:999999999999:x:111122223333:f/d"}, ALLOWED),
    ("ArnLike", "arn:aws:s:r:1:a*", {"aws:k": "arn:aws:s:r:1:a:b:c"}, DENIED),
    ("ArnLike", "arn:*:*:*:*:*", {"aws:k": "no arn"}, ALLOWED),
    ("ArnNotLike", "arn:aws:iam::*:role/aws:ec2-infrastructure",
     {"aws:k": "arn:aws:iam::111122223333:role/aws:ec2-infrastructure"}, ALLOWED),
    # Addresses, of both kinds.
    ("IpAddress", "203.0.113.7", {"aws:k": "203.0.113.7"}, DENIED),
    ("IpAddress", "203.0.113.7/32", {"aws:k": "203.0.113.8"}, ALLOWED),
    ("IpAddress", ["203.0.113.0/24", "2001:DB8:1234::/48"], {"aws:k": "2001:db8:1234:0::9"}, DENIED),
    ("NotIpAddress", ["203.0.113.0/24", "2001:db8:1234::/48"], {"aws:k": "203.0.113.9"}, ALLOWED),
    ("NotIpAddress", ["203.0.113.0/24", "2001:db8:1234::/48"], {"aws:k": "198.51.100.9"}, DENIED),
    ("NotIpAddress", "203.0.113.0/24", {"aws:k": "2001:db8::1"}, DENIED),
    ("IpAddress", "203.0.113.0/24", {"aws:k": "::ffff:203.0.113.9"}, DENIED),
    ("IpAddress", "203.0.113.0/24", {"aws:k": "ec2.amazonaws.com"}, UNKNOWN),
    ("NotIpAddress", "203.0.113.0/24", {"aws:k": "ec2.amazonaws.com"}, UNKNOWN),
    # Bool and dates.
    ("Bool", "false", {"aws:k": "false"}, DENIED),
    ("Bool", "false", {"aws:k": "FALSE"}, DENIED),
    ("Bool", "false", {"aws:k": "true"}, ALLOWED),
    ("Bool", ["true", "false"], {"aws:k": "true"}, DENIED),
    ("Bool", "false", {"aws:k": "perhaps"}, UNKNOWN),
    ("DateLessThan", "2026-05-04T10:41:00Z", {"aws:k": "2026-05-04T10:40:59Z"}, DENIED),
    ("DateLessThan", "2026-05-04T10:41:00Z", {"aws:k": "2026-05-04T10:41:00Z"}, ALLOWED),
    ("DateLessThan", "2026-05-04T10:41:00.5Z", {"aws:k": "2026-05-04T10:41:00Z"}, DENIED),
    ("DateLessThanEquals", "2026-05-04T10:41:00Z", {"aws:k": "2026-05-04T10:41:00Z"}, DENIED),
    ("DateGreaterThan", "2026-05-04T10:41:00Z", {"aws:k": "2026-05-04T10:41:00Z"}, ALLOWED),
    ("DateGreaterThanEquals", "2026-05-04T10:41:00Z", {"aws:k": "2026-05-04T10:41:00Z"}, DENIED),
    ("DateGreaterThan", "2026-05-04T10:41:00Z", {"aws:k": "2026-05-04T10:41:01Z"}, DENIED),
    ("DateLessThan", "2026-05-04T10:41:00Z", {"aws:k": "yesterday"}, UNKNOWN),
    # Keys with lists of values.
    ("ForAnyValue:StringEquals", ["a", "b"], {"aws:k": ("b", "c")}, DENIED),
    ("ForAnyValue:StringEquals", ["a", "b"], {"aws:k": ("c", "d")}, ALLOWED),
    ("ForAnyValue:StringEquals", "a", {}, ALLOWED),
    ("ForAnyValue:StringEquals", "a", {"aws:k": ()}, ALLOWED),
    ("ForAnyValue:StringNotEquals", "a", {}, ALLOWED),
    ("ForAnyValue:StringNotEquals", "a", {"aws:k": ("a", "b")}, DENIED),
    ("ForAnyValue:StringNotEquals", "a", {"aws:k": ("a",)}, ALLOWED),
    ("ForAllValues:StringEquals", ["a", "b"], {"aws:k": ("b", "a")}, DENIED),
    ("ForAllValues:StringEquals", ["a", "b"], {"aws:k": ("b", "c")}, ALLOWED),
    ("ForAllValues:StringEquals", "a", {}, DENIED),
    ("ForAllValues:StringEquals", "a", {"aws:k": ()}, DENIED),
    ("ForAllValues:StringEqualsIfExists", "a", {}, DENIED),
    ("ForAllValues:StringNotLike", "o-x/*", {"aws:k": ("o-y/a", "o-z/b")}, DENIED),
    ("ForAllValues:StringNotLike", "o-x/*", {"aws:k": ("o-y/a", "o-x/b")}, ALLOWED),
    ("ForAnyValue:StringLike", "o-x/*", {"aws:k": "o-x/b"}, DENIED),
    # Variables.
    ("StringEquals", "${aws:v}", {"aws:k": "a", "aws:v": "a"}, DENIED),
    ("StringEquals", "${AWS:V}", {"aws:k": "a", "aws:v": "a"}, DENIED),
    ("StringNotEquals", "${aws:v}", {"aws:k": "a", "aws:v": "b"}, DENIED),
    ("StringNotEquals", "${aws:v}", {"aws:v": "b"}, DENIED),
    ("StringLike", "*:${aws:v}", {"aws:k": USER_ID, "aws:v": "i-0123456789abcdef0"}, DENIED),
    ("ArnLike", "arn:aws:iam::1:user/${aws:v}", {"aws:k": "arn:aws:iam::1:user/a:b", "aws:v": "a:b"}, DENIED),
    ("StringEquals", "${aws:v, 'team'}", {"aws:k": "team"}, DENIED),
    ("StringEquals", "${aws:v, 'team'}", {"aws:k": "team", "aws:v": "a"}, ALLOWED),
    ("StringEquals", "${aws:PrincipalTag/x}-1", {"aws:k": "b-1", "aws:principaltag/x": "b"}, DENIED),
    ("StringLike", "a${*}", {"aws:k": "a*"}, DENIED),
    ("StringLike", "a${*}", {"aws:k": "ab"}, ALLOWED),
    ("StringLike", "a${?}", {"aws:k": "ab"}, ALLOWED),
    ("StringEquals", "${$}{aws:v}", {"aws:k": "${aws:v}", "aws:v": "a"}, DENIED),
    ("StringEquals", "$5", {"aws:k": "$5"}, DENIED),
    ("StringEquals", "${aws:v}", {"aws:k": "a"}, ALLOWED),  # nothing to compare with: by any reading it does not hold
    ("StringEquals", ["${aws:v}", "a"], {"aws:k": "a"}, UNKNOWN),
    ("StringNotEquals", "${aws:v}", {"aws:k": "a"}, UNKNOWN),
    ("StringNotEquals", ["${aws:v}", "a"], {"aws:k": "a"}, ALLOWED),
    ("StringEquals", "${aws:v}", {"aws:k": "a*", "aws:v": "a*"}, DENIED),
    ("StringLike", "${aws:v}", {"aws:k": "ab", "aws:v": "a*"}, UNKNOWN),
    # What nobody wrote down.
    ("StringEquals", "a", {"aws:k": Gap.UNKNOWN}, UNKNOWN),
    ("StringNotEqualsIfExists", "a", {"aws:k": Gap.UNKNOWN}, UNKNOWN),
    ("Null", "true", {"aws:k": Gap.UNKNOWN}, UNKNOWN),
    ("Null", "true", {"aws:k": Gap.PRESENT}, ALLOWED),
    ("Null", "false", {"aws:k": Gap.PRESENT}, DENIED),
    ("StringNotEquals", "a", {"aws:k": Gap.PRESENT}, UNKNOWN),
    ("StringEquals", "a", {"aws:k": ""}, UNKNOWN),
    ("StringEquals", "${aws:v}", {"aws:k": "a", "aws:v": Gap.UNKNOWN}, UNKNOWN),
    ("StringEquals", "${aws:v, 'a'}", {"aws:k": "a", "aws:v": Gap.PRESENT}, UNKNOWN),
    ("StringNotEquals", "${aws:v}", {"aws:v": Gap.PRESENT}, DENIED),
    ("StringNotEquals", "${aws:v}", {"aws:v": Gap.UNKNOWN}, UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "values", "context", "answer"), TABLE)
def test_a_deny_on_one_line_comes_to(operator: str, values: object, context: dict[str, Said], answer: Answer) -> None:
    assert on({operator: {"aws:k": values}}, context).answer is answer


# The policies of AWS's own pages, in our words.
SAME_VPC = statement(
    {
        "StringNotEquals": {"aws:SourceVpc": "${aws:Ec2InstanceSourceVpc}"},
        "Null": {"ec2:SourceInstanceARN": "false"},
        "BoolIfExists": {"aws:ViaAWSService": "false"},
    }
)
SAME_ADDRESS = statement(
    {
        "StringNotEquals": {"aws:Ec2InstanceSourcePrivateIPv4": "${aws:VpcSourceIp}"},
        "Null": {"ec2:SourceInstanceARN": "false"},
        "BoolIfExists": {"aws:ViaAWSService": "false"},
    }
)
PERIMETER = statement(
    {
        "BoolIfExists": {"aws:ViaAWSService": "false"},
        "NotIpAddressIfExists": {"aws:SourceIp": ["203.0.113.0/24"]},
        "StringNotEqualsIfExists": {"aws:SourceVpc": ["vpc-0ddd"], "aws:PrincipalTag/dp:exclude:network": "true"},
        "ArnNotLikeIfExists": {"aws:PrincipalArn": ["arn:aws:iam::*:role/aws:ec2-infrastructure"]},
        "Null": {"ec2:SourceInstanceARN": "false"},
    }
)
REVOKED = statement(
    {"DateLessThan": {"aws:TokenIssueTime": "2026-05-04T10:41:00Z"}}, Action=["*"], Resource=["*"], Sid="Revoked"
)
OF_INSTANCE: dict[str, Said] = {
    "ec2:SourceInstanceARN": INSTANCE,
    "aws:Ec2InstanceSourceVpc": "vpc-0ddd",
    "aws:Ec2InstanceSourcePrivateIPv4": "10.0.1.10",
    "aws:PrincipalArn": "arn:aws:iam::111122223333:role/web",
    "aws:TokenIssueTime": "2026-05-04T10:00:00Z",
    "aws:userid": USER_ID,
    "aws:ViaAWSService": "false",
}
VIA_ENDPOINT: dict[str, Said] = OF_INSTANCE | {"aws:SourceVpc": "vpc-0ddd", "aws:VpcSourceIp": "10.0.1.10"}
PUBLIC: dict[str, Said] = OF_INSTANCE | {"aws:SourceIp": "198.51.100.66"}


@pytest.mark.parametrize(
    ("said", "context", "answer"),
    [
        (SAME_VPC, VIA_ENDPOINT, ALLOWED),
        (SAME_VPC, VIA_ENDPOINT | {"aws:SourceVpc": "vpc-0bad"}, DENIED),
        (SAME_VPC, PUBLIC, DENIED),
        (SAME_VPC, PUBLIC | {"aws:ViaAWSService": "true"}, ALLOWED),
        (SAME_VPC, {"aws:userid": "AIDA1"}, ALLOWED),
        (SAME_ADDRESS, VIA_ENDPOINT, ALLOWED),
        (SAME_ADDRESS, VIA_ENDPOINT | {"aws:VpcSourceIp": "10.9.9.9"}, DENIED),
        (SAME_ADDRESS, PUBLIC, UNKNOWN),
        (PERIMETER, VIA_ENDPOINT, ALLOWED),
        (PERIMETER, VIA_ENDPOINT | {"aws:SourceVpc": "vpc-0bad"}, DENIED),
        (PERIMETER, PUBLIC, DENIED),
        (PERIMETER, PUBLIC | {"aws:SourceIp": "203.0.113.9"}, ALLOWED),
        (PERIMETER, PUBLIC | {"aws:PrincipalTag/dp:exclude:network": "true"}, ALLOWED),
        (PERIMETER, PUBLIC | {"aws:PrincipalArn": "arn:aws:iam::1:role/aws:ec2-infrastructure"}, ALLOWED),
        (PERIMETER, {"aws:SourceIp": "198.51.100.66"}, ALLOWED),
        (REVOKED, PUBLIC, DENIED),
        (REVOKED, PUBLIC | {"aws:TokenIssueTime": "2026-05-04T10:41:00Z"}, ALLOWED),
        (REVOKED, {"aws:userid": "AIDA1"}, ALLOWED),
        (statement({"ArnEquals": {"ec2:SourceInstanceARN": INSTANCE}}), PUBLIC, DENIED),
        (statement({"StringEquals": {"aws:userid": USER_ID}}), PUBLIC, DENIED),
        (statement({"StringEquals": {"aws:userid": USER_ID}}), PUBLIC | {"aws:userid": USER_ID + "1"}, ALLOWED),
    ],
)
def test_a_documented_policy_does_to_an_instance(
    said: dict[str, object], context: dict[str, Said], answer: Answer
) -> None:
    assert judge_call(policy(said), Request("s3:GetObject", context=context)).answer is answer


def test_the_statement_on_the_vpc_decides_where_the_one_on_the_address_cannot() -> None:
    assert judge_call(policy(SAME_VPC, SAME_ADDRESS), Request("s3:GetObject", context=PUBLIC)) == Verdict(DENIED)


def test_an_unknown_verdict_names_all_it_hangs_on() -> None:
    condition = {"StringEquals": {"aws:b": "1", "aws:A": "${aws:c}"}}
    context: dict[str, Said] = {"aws:a": "x", "aws:b": Gap.UNKNOWN, "aws:c": Gap.UNKNOWN}
    assert on(condition, context) == Verdict(UNKNOWN, ("aws:b", "aws:c"))


def test_keys_of_a_statement_must_all_hold() -> None:
    condition = {"StringEquals": {"aws:a": "1", "aws:b": "2"}, "Bool": {"aws:c": "true"}}
    assert on(condition, {"aws:a": "1", "aws:b": "2", "aws:c": "true"}).answer is DENIED
    assert on(condition, {"aws:a": "1", "aws:b": "2", "aws:c": "false"}).answer is ALLOWED
    assert on(condition, {"aws:a": "1", "aws:b": "3", "aws:c": Gap.UNKNOWN}).answer is ALLOWED


@pytest.mark.parametrize(
    ("elements", "action", "answer"),
    [
        ({"Action": "s3:GetObject"}, "S3:getobject", DENIED),
        ({"Action": ["ec2:*", "s3:Get*"]}, "s3:GetObject", DENIED),
        ({"Action": "s3:Get?bject"}, "s3:GetObject", DENIED),
        ({"Action": "s3:Get*"}, "s3:PutObject", ALLOWED),
        ({"Action": "s3:*"}, "s3-outposts:GetObject", ALLOWED),
        ({"Action": "*"}, Gap.UNKNOWN, DENIED),
        ({"Action": "s3:*"}, Gap.UNKNOWN, UNKNOWN),
        ({"NotAction": ["es:ES*", "s3:*"]}, "s3:GetObject", ALLOWED),
        ({"NotAction": ["es:ES*", "s3:*"]}, "es:ESHttpGet", ALLOWED),
        ({"NotAction": ["es:ES*", "s3:*"]}, "ec2:RunInstances", DENIED),
        ({"NotAction": "*"}, "ec2:RunInstances", ALLOWED),
        ({"NotAction": "s3:*"}, Gap.UNKNOWN, UNKNOWN),
        ({"Action": "*"}, "sts:GetCallerIdentity", ALLOWED),
    ],
)
def test_the_action_is_covered(elements: dict[str, object], action: str | Gap, answer: Answer) -> None:
    said = {"Effect": "Deny", "Resource": "*"} | elements
    assert judge_call(policy(said), Request(action)).answer is answer


BUCKET = "arn:aws:s3:::logs/2026/05.gz"


@pytest.mark.parametrize(
    ("elements", "resources", "answer"),
    [
        ({"Resource": BUCKET}, (BUCKET,), DENIED),
        ({"Resource": "arn:aws:s3:::logs/*"}, (BUCKET,), DENIED),
        ({"Resource": "arn:aws:s3:::LOGS/*"}, (BUCKET,), ALLOWED),
        ({"Resource": "arn:aws:*:::logs/*"}, (BUCKET,), DENIED),
        ({"Resource": "arn:aws:s3:::logs/*"}, ("arn:aws:s3:::other/a",), ALLOWED),
        ({"Resource": "arn:aws:s3:::logs/*"}, ("arn:aws:s3:::other/a", BUCKET), DENIED),
        ({"Resource": "arn:aws:s3:::logs/*"}, (), ALLOWED),
        ({"Resource": "arn:aws:s3:::logs/*"}, Gap.UNKNOWN, UNKNOWN),
        ({"Resource": ["arn:aws:s3:::logs/*", "*"]}, Gap.UNKNOWN, DENIED),
        ({"NotResource": "arn:aws:s3:::logs/*"}, (BUCKET,), ALLOWED),
        ({"NotResource": "arn:aws:s3:::logs/*"}, (BUCKET, "arn:aws:s3:::other/a"), DENIED),
        ({"NotResource": "arn:aws:s3:::logs/*"}, (), DENIED),
        ({"NotResource": "*"}, Gap.UNKNOWN, ALLOWED),
    ],
)
def test_the_resource_is_covered(elements: dict[str, object], resources: tuple[str, ...] | Gap, answer: Answer) -> None:
    said = {"Effect": "Deny", "Action": "*"} | elements
    assert judge_call(policy(said), Request("s3:GetObject", resources)).answer is answer


def test_an_allow_does_not_undo_a_deny() -> None:
    both = policy(statement(Effect="Allow"), statement())
    assert judge_call(both, Request("s3:GetObject")).answer is DENIED


def test_what_a_boundary_does_not_allow_it_denies() -> None:
    only_s3 = policy(statement(Effect="Allow", Action="s3:*"))
    assert judge_call(only_s3, Request("ec2:RunInstances")).answer is ALLOWED
    assert judge_call(only_s3, Request("ec2:RunInstances"), boundary=True).answer is DENIED
    assert judge_call(only_s3, Request("s3:GetObject"), boundary=True).answer is ALLOWED
    assert judge_call(only_s3, Request(Gap.UNKNOWN), boundary=True) == Verdict(UNKNOWN, ("action",))


def test_a_boundary_must_allow_each_resource_of_a_call() -> None:
    only_logs = policy(statement(Effect="Allow", Resource="arn:aws:s3:::logs/*"))
    both = Request("s3:GetObject", (BUCKET, "arn:aws:s3:::other/a"))
    assert judge_call(only_logs, both, boundary=True).answer is DENIED


def test_one_statement_need_not_stand_in_a_list_and_a_policy_may_be_text() -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": statement()})
    assert judge_call(read_policy(text), Request("s3:GetObject")).answer is DENIED


def one(**elements: object) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": statement(**elements)}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{", "policy: no JSON"),
        ("[" * 100_000, "policy: no JSON"),
        ("[]", "policy: an object must be there"),
        ('{"Version":"2012-10-17","Version":"2012-10-17"}', "policy: Version stands twice"),
        ({"Statement": statement()}, "Version must be 2012-10-17"),
        ({"Version": "2008-10-17", "Statement": statement()}, "not 2008-10-17"),
        ({"Version": "2012-10-17"}, "statement 1: an object must be there"),
        ({"Version": "2012-10-17", "Statement": []}, "Statement is empty"),
        ({"Version": "2012-10-17", "Id": "x", "Statement": statement()}, "policy: Id is not understood"),
        (one(Principal="*"), "statement 1: Principal is not understood"),
        (one(NotPrincipal="*"), "statement 1: NotPrincipal is not understood"),
        (one(Sid="a b"), "statement 1: Sid must be"),
        (one(Sid="Pin", Effect="deny"), r"statement 1 \(Pin\): Effect must be Allow or Deny"),
        (one(NotAction="s3:*"), "statement 1: one of Action and NotAction"),
        ({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*"}}, "one of Resource and NotResource"),
        (one(Action=[]), "statement 1: Action: a text"),
        (one(Action=["s3:*", 5]), "statement 1: Action: a text"),
        (one(Action="GetItem"), "statement 1: Action GetItem: no action"),
        (one(Action="s*:Get"), "no action"),
        (one(Resource="bucket"), "statement 1: Resource bucket: no ARN"),
        (one(Resource="arn:*:s3::*"), "no ARN"),
        (one(Resource="arn:aws:s3:::b/${aws:userid}"), "variables are understood in conditions only"),
        (one(Resource="\x1b[31m"), r"Resource \\x1b\[31m"),
        (one(condition=[]), "statement 1: Condition: an object"),
        (one(condition={}), "statement 1: Condition: an object"),
        (one(condition={"Bool": {}}), "statement 1: Condition Bool: an object"),
        (one(condition={"Bool": {"aws:k": True}}), "Condition Bool aws:k: a text"),
        (one(condition={"Bool": {"aws:k": "True"}}), 'neither "true" nor "false"'),
        (one(condition={"Bool": {"aws:k": "${aws:v}"}}), "Bool takes no variable"),
        (one(condition={"StringEquals": {"k": "a"}}), "StringEquals k: no name of a key"),
        (one(condition={"StringEquals": {"aws:${x}": "a"}}), "no name of a key"),
        (one(condition={"StringEquals": {"aws:k": "a", "AWS:K": "a"}}), "a key stands twice"),
        (one(condition={"StringEquals": {"aws:k": []}}), "StringEquals aws:k: a text"),
        (one(condition={"StringEquals": {"aws:k": "${aws:v"}}), "begins no variable"),
        (one(condition={"StringEquals": {"aws:k": "${}"}}), "begins no variable"),
        (one(condition={"StringEquals": {"aws:k": "${aws:v, team}"}}), "begins no variable"),
        (one(condition={"stringequals": {"aws:k": "a"}}), "not understood"),
        (one(condition={"NumericLessThan": {"ec2:RoleDelivery": "two"}}), "RoleDelivery: no number"),
        (one(condition={"BinaryEquals": {"aws:k": "YQ=="}}), "not understood"),
        (one(condition={"DateEquals": {"aws:k": "2026-05-04T10:41:00Z"}}), "not understood"),
        (one(condition={"ForSomeValues:Bool": {"aws:k": "true"}}), "not understood"),
        (one(condition={"NullIfExists": {"aws:k": "true"}}), "Null takes one value"),
        (one(condition={"ForAnyValue:Null": {"aws:k": "true"}}), "Null takes one value"),
        (one(condition={"Null": {"aws:k": ["true", "false"]}}), "Null takes one value"),
        (one(condition={"ForAnyValue:StringEqualsIfExists": {"aws:k": "a"}}), "not agreed on"),
        (one(condition={"IpAddress": {"aws:SourceIp": "203.0.113.7/24"}}), "bits beyond its length"),
        (one(condition={"IpAddress": {"aws:SourceIp": "2001:db8::1"}}), "no address and no range"),
        (one(condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/255.255.255.0"}}), "no address and no range"),
        (one(condition={"IpAddress": {"aws:SourceIp": "home"}}), "no address and no range"),
        (one(condition={"DateLessThan": {"aws:TokenIssueTime": "1777891260"}}), "no time"),
        (one(condition={"DateLessThan": {"aws:TokenIssueTime": "2026-02-31T10:41:00Z"}}), "no time"),
        (one(condition={"ArnLike": {"aws:PrincipalArn": "*"}}), "no ARN"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_with_its_place(document: str | dict[str, object], told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        read_policy(document)


@pytest.mark.parametrize(
    ("elements", "answer"),
    [
        ({"Action": "es:*"}, DENIED),
        ({"Action": "es:ES*"}, UNKNOWN),
        ({"Action": ["dax:*", "rds-db:connect"]}, ALLOWED),
        ({"Action": None, "NotAction": ["dax:*", "rds-db:connect"]}, DENIED),
        ({"Action": None, "NotAction": "es:*"}, ALLOWED),
        ({"Action": None, "NotAction": "es:ES*"}, UNKNOWN),
    ],
)
def test_of_an_action_only_the_service_may_be_known(elements: dict[str, object], answer: Answer) -> None:
    said = {key: value for key, value in statement(**elements).items() if value is not None}
    assert judge_call(policy(said), Request(Gap.UNKNOWN, service="es")).answer is answer


def test_a_policy_of_a_resource_must_be_about_everybody() -> None:
    everybody = {"Version": "2012-10-17", "Statement": [statement(Principal="*")]}
    denied = judge_call(read_policy(everybody, names_principals=True), Request("s3:GetObject"))
    assert denied.answer is DENIED
    for told in ({"AWS": "*"}, None):
        document = {"Version": "2012-10-17", "Statement": [statement(Principal=told)]}
        with pytest.raises(PolicyError, match=r"^statement 1: Principal must be "):
            read_policy(document, names_principals=True)


def test_the_statement_that_is_refused_is_counted_from_one() -> None:
    with pytest.raises(PolicyError, match=r"^statement 2 \(Odd\): Condition Numeric aws:k: "):
        policy(statement(), statement({"Numeric": {"aws:k": "a"}}, Sid="Odd"))


@pytest.mark.parametrize(
    ("condition", "context"),
    [
        ({"StringNotEquals": {"aws:VpceOrgPaths": "o-x/"}}, {"aws:VpceOrgPaths": ("o-x/", "o-y/")}),
        ({"StringEquals": {"aws:userid": "${aws:TagKeys}"}}, {"aws:userid": "a", "aws:TagKeys": ("a",)}),
    ],
)
def test_a_list_where_one_value_is_meant_is_refused(condition: object, context: dict[str, Said]) -> None:
    with pytest.raises(PolicyError, match="statement 1: "):
        on(condition, context)


def test_a_statement_that_does_not_cover_the_call_is_not_put_to_it() -> None:
    said = policy(statement({"StringEquals": {"aws:TagKeys": "a"}}, Action="ec2:*"))
    assert judge_call(said, Request("s3:GetObject", context={"aws:TagKeys": ("a",)})).answer is ALLOWED


def test_a_request_that_names_a_key_twice_is_refused() -> None:
    with pytest.raises(PolicyError, match="twice"):
        on({"Bool": {"aws:k": "true"}}, {"aws:k": "true", "AWS:K": "false"})


# Laws, on a world so small that things meet.
KEYS = ["aws:a", "aws:b", "aws:c"]
TEXTS = ["x", "y", "xy", "x*", "203.0.113.7", "2026-05-04T10:41:00Z", "true", "arn:aws:s:r:1:x"]
VALUES: dict[str, list[str]] = {
    "StringEquals": ["x", "y", "${aws:a}", "${aws:b, 'x'}"],
    "StringEqualsIgnoreCase": ["X", "y", "${aws:c}"],
    "StringLike": ["x*", "?", "*${aws:b}"],
    "ArnLike": ["arn:aws:s:*:1:x", "arn:aws:s:r:1:${aws:a}"],
    "IpAddress": ["203.0.113.0/24", "2001:db8::/32", "198.51.100.1"],
    "Bool": ["true", "false"],
    "DateLessThan": ["2026-05-04T10:41:00Z", "2026-06-01T00:00:00Z"],
    "DateGreaterThanEquals": ["2026-05-04T10:41:00Z", "2026-06-01T00:00:00Z"],
}
NEGATED = {
    "StringEquals": "StringNotEquals",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "StringLike": "StringNotLike",
    "ArnLike": "ArnNotLike",
    "IpAddress": "NotIpAddress",
}
Line = tuple[str, str, list[str]]


@st.composite
def lines(draw: st.DrawFn) -> Line:
    plain = draw(st.sampled_from([*VALUES, "Null"]))
    key = draw(st.sampled_from(KEYS))
    if plain == "Null":
        return plain, key, [draw(st.sampled_from(["true", "false"]))]
    name = draw(st.sampled_from([plain, NEGATED.get(plain, plain)]))
    over, suffix = draw(st.sampled_from([("", ""), ("", "IfExists"), ("ForAnyValue:", ""), ("ForAllValues:", "")]))
    values = draw(st.lists(st.sampled_from(VALUES[plain]), min_size=1, max_size=3, unique=True))
    return f"{over}{name}{suffix}", key, values


def condition_from(said: list[Line]) -> dict[str, dict[str, list[str]]]:
    condition: dict[str, dict[str, list[str]]] = {}
    for operator, key, values in said:
        condition.setdefault(operator, {})[key] = values
    return condition


@st.composite
def statements(draw: st.DrawFn) -> dict[str, object]:
    said = draw(st.lists(lines(), max_size=3))
    action = draw(st.sampled_from(["*", "s3:*", "s3:Get*", ["ec2:*", "s3:PutObject"]]))
    scope = draw(st.sampled_from(["Action", "NotAction"]))
    made: dict[str, object] = {"Effect": draw(st.sampled_from(["Deny", "Deny", "Allow"])), scope: action}
    made[draw(st.sampled_from(["Resource", "NotResource"]))] = draw(st.sampled_from(["*", "arn:aws:s3:::logs/*"]))
    return made | ({"Condition": condition_from(said)} if said else {})


POLICIES = st.lists(statements(), min_size=1, max_size=3)
CONTEXTS = st.dictionaries(st.sampled_from(KEYS), st.sampled_from([*TEXTS, *Gap]), max_size=3)
REQUESTS = st.builds(
    Request,
    st.sampled_from(["s3:GetObject", "s3:PutObject", "ec2:RunInstances", Gap.UNKNOWN]),
    st.sampled_from([(), (BUCKET,), (BUCKET, "arn:aws:s3:::other/a"), Gap.UNKNOWN]),
    CONTEXTS,
)


@given(st.data(), POLICIES, REQUESTS, st.booleans())
def test_no_order_of_statements_keys_or_values_matters(
    data: st.DataObject, said: list[dict[str, object]], request: Request, boundary: bool
) -> None:
    def shuffled(thing: object) -> object:
        if isinstance(thing, dict):
            return {key: shuffled(thing[key]) for key in data.draw(st.permutations(list(thing)))}
        return data.draw(st.permutations(thing)) if isinstance(thing, list) else thing

    turned = [shuffled(one) for one in data.draw(st.permutations(said))]
    again = read_policy({"Version": "2012-10-17", "Statement": turned})
    assert judge_call(policy(*said), request, boundary=boundary) == judge_call(again, request, boundary=boundary)


@given(POLICIES, statements(), REQUESTS, st.booleans())
def test_one_more_deny_never_lets_more_through(
    said: list[dict[str, object]], more: dict[str, object], request: Request, boundary: bool
) -> None:
    rank = [ALLOWED, UNKNOWN, DENIED]
    before = judge_call(policy(*said), request, boundary=boundary)
    after = judge_call(policy(*said, more | {"Effect": "Deny"}), request, boundary=boundary)
    assert rank.index(after.answer) >= rank.index(before.answer)


@given(st.sampled_from(sorted(NEGATED)), st.data(), st.sampled_from(TEXTS))
def test_a_negated_operator_is_the_opposite_where_the_key_is_present(
    plain: str, data: st.DataObject, text: str
) -> None:
    values = data.draw(st.lists(st.sampled_from(VALUES[plain]), min_size=1))
    context: dict[str, Said] = {"aws:k": text, "aws:a": "x", "aws:b": "y", "aws:c": "x"}
    opposite = {DENIED: ALLOWED, ALLOWED: DENIED, UNKNOWN: UNKNOWN}
    positive = on({plain: {"aws:k": values}}, context).answer
    assert on({NEGATED[plain]: {"aws:k": values}}, context).answer is opposite[positive]


@given(POLICIES, REQUESTS, st.booleans(), st.data())
def test_what_is_decided_stays_so_whatever_the_unknown_turns_out_to_be(
    said: list[dict[str, object]], request: Request, boundary: bool, data: st.DataObject
) -> None:
    known: dict[str, Said] = {}
    for key, value in request.context.items():
        settled = value if not isinstance(value, Gap) else data.draw(st.sampled_from([None, *TEXTS]))
        if settled is None and value is Gap.PRESENT:
            settled = "x"
        if settled is not None:
            known[key] = settled
    action = data.draw(st.sampled_from(["s3:GetObject", "x:Y"])) if request.action is Gap.UNKNOWN else request.action
    resources = data.draw(st.sampled_from([(), (BUCKET,)])) if request.resources is Gap.UNKNOWN else request.resources
    guess = judge_call(policy(*said), request, boundary=boundary)
    if guess.answer is not UNKNOWN:
        assert judge_call(policy(*said), Request(action, resources, known), boundary=boundary) == guess


@given(POLICIES, REQUESTS)
def test_exactly_an_unknown_verdict_names_keys(said: list[dict[str, object]], request: Request) -> None:
    verdict = judge_call(policy(*said), request)
    assert bool(verdict.keys) is (verdict.answer is UNKNOWN)


@given(st.text("ab*?", max_size=7), st.text("ab", max_size=9))
def test_wildcards_fit_as_a_regex_says(wanted: str, text: str) -> None:
    pattern = tuple(Wild(letter) if letter in "*?" else letter for letter in wanted)
    regex = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in wanted)
    assert is_like(pattern, text) is (re.fullmatch(regex, text, re.DOTALL) is not None)


def test_many_wildcards_on_a_long_text_do_not_hang() -> None:
    assert is_like((*(Wild.MANY, "a") * 50, "b"), "a" * 3000) is False
