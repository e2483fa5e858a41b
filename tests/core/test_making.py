"""What is made with a key that goes on working on its own."""

from functools import reduce
from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from straykey.core.making import MAKING, Made, joined, made_of
from straykey.core.record import Record, Skipped

JSON = dict[str, Any]

ACCOUNT, OTHER = "111122223333", "444455556666"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/web-role/i-0123456789abcdef0"
ADMIN = f"arn:aws:iam::{ACCOUNT}:user/ops/admin"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
BOB = f"arn:aws:iam::{ACCOUNT}:user/bob"
KEY = "ASIAEXAMPLEKEY000001"
NEW = "ASIAEXAMPLEKEY000002"
SECRET = "EXAMPLE-SECRET"
CREDENTIALS = {"accessKeyId": NEW, "sessionToken": SECRET, "expiration": "May 4, 2026, 11:00:00 AM"}
LONG_KEY = {"accessKeyId": "AKIAEXAMPLEKEY000002", "secretAccessKey": SECRET, "status": "Active"}


def caller(arn: str = SESSION, **more: Any) -> JSON:
    return {"type": "AssumedRole", "arn": arn, "accountId": ACCOUNT, "accessKeyId": KEY} | more


def call(source: str, name: str, request: object, response: object, **more: Any) -> Record:
    raw = {
        "userIdentity": caller(),
        "eventTime": "2026-05-04T10:00:00Z",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.66",
        "requestParameters": request,
        "responseElements": response,
        "eventID": "e-1",
        "recipientAccountId": ACCOUNT,
    } | more
    return msgspec.json.decode(msgspec.json.encode(raw), type=Record)


def made(record: Record) -> Made:
    found = made_of(record)
    assert isinstance(found, Made)
    return found


ROLE = f"arn:aws:iam::{OTHER}:role/app/target"
TARGET = f"arn:aws:sts::{OTHER}:assumed-role/target/loot"
ASSUME = {"roleArn": ROLE, "roleSessionName": "loot", "durationSeconds": 3600}
ASSUMED = {"credentials": CREDENTIALS, "assumedRoleUser": {"assumedRoleId": "AROA:loot", "arn": TARGET}}
OF_BOB = {"userName": "bob"}
ANCHOR = f"arn:aws:rolesanywhere:eu-west-1:{ACCOUNT}:trust-anchor/0a"
SAML = f"arn:aws:iam::{ACCOUNT}:saml-provider/corp"
OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/example.com"

# One call of each kind, the ARN it made and the key.
CALLS: list[tuple[str, str, object, object, str, str]] = [
    ("sts", "AssumeRole", ASSUME, ASSUMED, TARGET, NEW),
    ("sts", "AssumeRoleWithSAML", ASSUME | {"sAMLAssertion": SECRET}, ASSUMED, TARGET, NEW),
    ("sts", "AssumeRoleWithWebIdentity", ASSUME, ASSUMED, TARGET, NEW),
    ("sts", "AssumeRoot", {"targetPrincipal": OTHER}, {"credentials": CREDENTIALS}, f"arn:aws:iam::{OTHER}:root", NEW),
    (
        "sts",
        "GetFederationToken",
        {"name": "loot"},
        {"credentials": CREDENTIALS, "federatedUser": {"arn": f"arn:aws:sts::{OTHER}:federated-user/loot"}},
        f"arn:aws:sts::{OTHER}:federated-user/loot",
        NEW,
    ),
    ("sts", "GetSessionToken", {"durationSeconds": 900}, {"credentials": CREDENTIALS}, SESSION, NEW),
    (
        "sts",
        "GetDelegatedAccessToken",
        {"tradeInToken": SECRET},
        {"credentials": CREDENTIALS, "assumedPrincipal": TARGET},
        TARGET,
        NEW,
    ),
    ("sts", "GetWebIdentityToken", {"audience": ["https://example.com"]}, {"webIdentityToken": SECRET}, "", ""),
    ("signin", "GetSigninToken", None, {"credentials": CREDENTIALS, "GetSigninToken": "Success"}, SESSION, NEW),
    ("iam", "CreateAccessKey", OF_BOB, {"accessKey": LONG_KEY | OF_BOB}, BOB, "AKIAEXAMPLEKEY000002"),
    ("iam", "CreateUser", OF_BOB, {"user": OF_BOB | {"arn": BOB, "path": "/"}}, BOB, ""),
    ("iam", "CreateLoginProfile", OF_BOB | {"password": SECRET}, {"loginProfile": OF_BOB}, BOB, ""),
    ("iam", "UpdateLoginProfile", OF_BOB, None, BOB, ""),
    (
        "iam",
        "CreateServiceSpecificCredential",
        OF_BOB,
        {"serviceSpecificCredential": OF_BOB | {"servicePassword": SECRET}},
        BOB,
        "",
    ),
    ("iam", "UploadSSHPublicKey", OF_BOB, {"sSHPublicKey": OF_BOB | {"sSHPublicKeyId": "APKA"}}, BOB, ""),
    ("iam", "UploadSigningCertificate", OF_BOB, {"certificate": OF_BOB | {"certificateId": "C"}}, BOB, ""),
    ("iam", "CreateRole", {"roleName": "target"}, {"role": {"roleName": "target", "arn": ROLE}}, ROLE, ""),
    ("iam", "UpdateAssumeRolePolicy", {"roleName": "target"}, None, f"arn:aws:iam::{ACCOUNT}:role/target", ""),
    ("iam", "CreateSAMLProvider", {"name": "corp"}, {"sAMLProviderArn": SAML}, SAML, ""),
    (
        "iam",
        "CreateOpenIDConnectProvider",
        {"url": "https://example.com"},
        {"openIDConnectProviderArn": OIDC},
        OIDC,
        "",
    ),
    ("rolesanywhere", "CreateTrustAnchor", {"name": "a"}, {"trustAnchor": {"trustAnchorArn": ANCHOR}}, ANCHOR, ""),
]
every_call = pytest.mark.parametrize(
    ("source", "name", "request_", "response", "arn", "key"), CALLS, ids=[one[1] for one in CALLS]
)


def test_every_call_that_makes_something_is_tried_here() -> None:
    assert {name for _, name, *_ in CALLS} == MAKING


@every_call
def test_what_was_made_is_known(source: str, name: str, request_: object, response: object, arn: str, key: str) -> None:
    found = made(call(source, name, request_, response))
    assert (found.made, found.access_key, found.api) == (arn, key, name)


@every_call
def test_capitals_and_wrappings_change_nothing(
    source: str, name: str, request_: object, response: object, arn: str, key: str
) -> None:
    asked = {f"{name}Request": {k[:1].upper() + k[1:]: v for k, v in (request_ or {}).items()}}  # type: ignore[attr-defined]
    answered = response and {f"{name}Response": response}
    found = made(call(source, name, asked, answered))
    assert (found.made, found.access_key) == (arn, key)


@every_call
def test_no_secret_is_kept(source: str, name: str, request_: object, response: object, arn: str, key: str) -> None:
    assert SECRET not in repr(made(call(source, name, request_, response)))


@every_call
def test_a_failed_call_makes_nothing(
    source: str, name: str, request_: object, response: object, arn: str, key: str
) -> None:
    assert made_of(call(source, name, request_, response, errorCode="AccessDenied")) is None


@every_call
def test_a_call_without_an_answer_makes_nothing_unless_it_has_none(
    source: str, name: str, request_: object, response: object, arn: str, key: str
) -> None:
    has_none = name in {"UpdateLoginProfile", "UpdateAssumeRolePolicy", "GetWebIdentityToken"}
    assert (made_of(call(source, name, request_, None)) is not None) == has_none


@every_call
def test_china_writes_its_own_sources(
    source: str, name: str, request_: object, response: object, arn: str, key: str
) -> None:
    found = made(call(source, name, request_, response, eventSource=f"{source}.amazonaws.com.cn"))
    assert (found.made, found.call) == (arn, f"{source}.amazonaws.com.cn:{name}")


@every_call
def test_a_service_that_acts_for_itself_makes_nothing(
    source: str, name: str, request_: object, response: object, arn: str, key: str
) -> None:
    for identity in ({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}, {"invokedBy": "ec2.amazonaws.com"}):
        assert made_of(call(source, name, request_, response, userIdentity=identity)) is None


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("sts.example.com", "AssumeRole"),
        ("iam.amazonaws.com", "AssumeRole"),
        ("iam.amazonaws.com", "AttachUserPolicy"),
        ("sts", "AssumeRole"),
        (None, "AssumeRole"),
        ("sts.amazonaws.com", None),
    ],
)
def test_other_calls_make_nothing(source: str | None, name: str | None) -> None:
    assert made_of(call("", "", ASSUME, ASSUMED, eventSource=source, eventName=name)) is None


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"userIdentity": None}, Skipped.NO_IDENTITY),
        ({"eventTime": "soon"}, Skipped.BAD_TIME),
        ({"eventTime": None}, Skipped.BAD_TIME),
    ],
)
def test_what_is_lost_says_why(more: JSON, reason: Skipped) -> None:
    assert made_of(call("sts", "AssumeRole", ASSUME, ASSUMED, **more)) is reason


def test_what_is_nested_too_deep_says_so() -> None:
    record = call("sts", "AssumeRole", ASSUME, ASSUMED)
    record.request = msgspec.Raw(b"[" * 5000 + b"]" * 5000)
    assert made_of(record) is Skipped.TOO_DEEP


def test_a_making_says_who_made_it_from_where() -> None:
    identity = caller(invokedBy="cloudformation.amazonaws.com")
    more = {"vpcEndpointId": "vpce-0a", "sourceIPAddress": "10.0.1.10", "sharedEventID": "shared"}
    found = made(call("sts", "AssumeRole", ASSUME, ASSUMED, userIdentity=identity, **more))
    assert found == Made(
        time="2026-05-04T10:00:00Z",
        event_id="e-1",
        identity="shared",
        call="sts.amazonaws.com:AssumeRole",
        region="eu-west-1",
        account=ACCOUNT,
        maker=SESSION,
        maker_account=ACCOUNT,
        maker_key=KEY,
        maker_network="endpoint vpce-0a 10.0.1.10",
        address="10.0.1.10",
        made=TARGET,
        access_key=NEW,
        invoked_by="cloudformation.amazonaws.com",
    )


def test_a_call_from_nowhere_has_no_network() -> None:
    assert made(call("sts", "AssumeRole", ASSUME, ASSUMED, sourceIPAddress=None)).maker_network == ""


def test_makings_without_an_id_are_told_apart_by_what_they_say() -> None:
    other = ASSUMED | {"credentials": CREDENTIALS | {"accessKeyId": "ASIAEXAMPLEKEY000003"}}
    records = [call("sts", "AssumeRole", ASSUME, answer, eventID=None) for answer in (ASSUMED, other, ASSUMED)]
    assert len({made(record).identity for record in records}) == 2


def test_a_session_is_named_by_what_was_asked_where_the_answer_does_not() -> None:
    assert made(call("sts", "AssumeRole", ASSUME, {"credentials": CREDENTIALS})).made == TARGET


@pytest.mark.parametrize("request_", [None, {}, {"roleArn": "no arn", "roleSessionName": "x"}, {"roleArn": ROLE}])
def test_a_session_that_nobody_names_is_still_made(request_: object) -> None:
    found = made(call("sts", "AssumeRole", request_, {"credentials": CREDENTIALS}))
    assert (found.made, found.access_key) == ("", NEW)


@pytest.mark.parametrize(
    ("target", "arn"), [(OTHER, f"arn:aws:iam::{OTHER}:root"), (int(OTHER), f"arn:aws:iam::{OTHER}:root"), (ROOT, ROOT)]
)
def test_root_is_assumed_by_account_or_by_arn(target: object, arn: str) -> None:
    assert made(call("sts", "AssumeRoot", {"targetPrincipal": target}, {"credentials": CREDENTIALS})).made == arn


def test_nobodys_root_is_nobody() -> None:
    assert made(call("sts", "AssumeRoot", None, {"credentials": CREDENTIALS})).made == ""


def test_a_federated_user_is_named_by_what_was_asked_where_the_answer_does_not() -> None:
    found = made(call("sts", "GetFederationToken", {"name": "loot"}, {"credentials": CREDENTIALS}))
    assert found.made == f"arn:aws:sts::{ACCOUNT}:federated-user/loot"


def test_a_sign_in_that_failed_makes_nothing() -> None:
    assert made_of(call("signin", "GetSigninToken", None, {"GetSigninToken": "Failure"})) is None


@pytest.mark.parametrize("user", [ADMIN, ROOT])
@pytest.mark.parametrize("request_", [None, {}])
def test_who_names_no_user_means_himself(user: str, request_: object) -> None:
    record = call("iam", "CreateAccessKey", request_, {"accessKey": LONG_KEY | OF_BOB}, userIdentity=caller(user))
    assert made(record).made == user


def test_a_session_that_names_no_user_means_the_one_in_the_answer() -> None:
    assert made(call("iam", "CreateAccessKey", None, {"accessKey": LONG_KEY | OF_BOB})).made == BOB
    assert made(call("iam", "UpdateLoginProfile", None, None)).made == ""


def test_a_new_user_is_never_its_maker() -> None:
    assert made(call("iam", "CreateUser", None, {}, userIdentity=caller(ADMIN))).made == ""


@pytest.mark.parametrize(
    ("request_", "response", "arn"),
    [
        (OF_BOB | {"path": "/app/"}, {}, f"arn:aws:iam::{ACCOUNT}:user/app/bob"),
        (None, {"user": OF_BOB}, BOB),
        (OF_BOB, {"user": {"arn": BOB.replace("bob", "x/bob")}}, BOB.replace("bob", "x/bob")),
    ],
)
def test_a_new_user_is_under_its_path(request_: object, response: object, arn: str) -> None:
    assert made(call("iam", "CreateUser", request_, response)).made == arn


def test_a_new_arn_is_in_the_callers_partition() -> None:
    chinese = caller(SESSION.replace(":aws:", ":aws-cn:"))
    assert made(call("iam", "UpdateLoginProfile", OF_BOB, None, userIdentity=chinese)).made.startswith(
        "arn:aws-cn:iam:"
    )
    assert made(call("iam", "UpdateLoginProfile", OF_BOB, None, userIdentity={"type": "Unknown"})).made == BOB


def test_a_new_arn_is_in_the_callers_account_where_the_record_names_none() -> None:
    assert made(call("iam", "UpdateLoginProfile", OF_BOB, None, recipientAccountId=None)).made == BOB
    nobody = {"type": "Unknown"}
    record = call("iam", "UpdateLoginProfile", OF_BOB, None, recipientAccountId=None, userIdentity=nobody)
    assert made(record).made == ""


# What the two accounts of one AssumeRole record.
ABROAD = {"type": "AWSAccount", "principalId": "AROAEXAMPLE:i-0123456789abcdef0", "accountId": ACCOUNT}
OURS = call(
    "sts", "AssumeRole", ASSUME, ASSUMED, sharedEventID="shared", vpcEndpointId="vpce-0a", sourceIPAddress="10.0.1.9"
)
THEIRS = {
    "sharedEventID": "shared",
    "userIdentity": ABROAD,
    "eventID": "a-lower-id",
    "recipientAccountId": OTHER,
    "sourceIPAddress": "10.0.1.9",
}


@pytest.mark.parametrize("response", [None, ASSUMED])
def test_the_copy_abroad_adds_nothing_to_ours(response: object) -> None:
    copy = made(call("sts", "AssumeRole", ASSUME, response, **THEIRS))
    assert (copy.maker, copy.made) == (ABROAD["principalId"], TARGET)
    assert joined(copy, made(OURS)) == made(OURS)


def test_the_copy_abroad_fills_what_ours_does_not_tell() -> None:
    poor = call("sts", "AssumeRole", None, {"requestId": "r"}, sharedEventID="shared")
    whole = joined(made(poor), made(call("sts", "AssumeRole", ASSUME, ASSUMED, **THEIRS)))
    assert (whole.maker, whole.event_id, whole.account) == (SESSION, "e-1", ACCOUNT)
    assert (whole.made, whole.access_key) == (TARGET, NEW)


few = st.sampled_from(["", "a", "b"])
makers = st.sampled_from(["", "arn:a", "arn:b", "id"])
makings = st.builds(Made, *[few] * 6, maker=makers, **dict.fromkeys(Made.__struct_fields__[7:], few))


@pytest.mark.parametrize("field", Made.__struct_fields__)
def test_copies_that_differ_in_one_field_join_in_any_order(field: str) -> None:
    one = Made(*["a"] * 13)
    other = msgspec.structs.replace(one, **{field: "b"})
    assert joined(one, other) == joined(other, one)


@given(makings)
def test_a_copy_adds_nothing_to_itself(one: Made) -> None:
    assert joined(one, one) == one


@given(st.lists(makings, min_size=2, max_size=3))
def test_copies_join_in_any_order(copies: list[Made]) -> None:
    assert len({reduce(joined, order) for order in permutations(copies)}) == 1


@given(makings, makings, makings)
def test_copies_join_in_any_grouping(one: Made, two: Made, three: Made) -> None:
    assert joined(joined(one, two), three) == joined(one, joined(two, three))


@given(makings, makings)
def test_who_has_the_arn_tells_about_the_caller(one: Made, other: Made) -> None:
    is_told = any(copy.maker.startswith("arn:") for copy in (one, other))
    assert joined(one, other).maker.startswith("arn:") == is_told


@given(makings, makings)
def test_all_about_the_caller_is_of_one_copy(one: Made, other: Made) -> None:
    def about(copy: Made) -> tuple[str, ...]:
        return copy.maker, copy.maker_key, copy.maker_network, copy.address, copy.account, copy.region, copy.event_id

    assert about(joined(one, other)) in {about(one), about(other)}


names = st.sampled_from(
    sorted(
        {
            *("credentials", "accessKeyId", "assumedRoleUser", "arn", "federatedUser", "accessKey", "user", "role"),
            *("userName", "roleName", "roleArn", "roleSessionName", "targetPrincipal", "path", "trustAnchor", "name"),
            *("trustAnchorArn", "sAMLProviderArn", "loginProfile", "GetSigninToken", "assumedPrincipal", "_return"),
        }
    )
)
scalars = st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False)
words = st.text(max_size=5) | st.sampled_from([ROLE, ROOT, "bob", "Failure", "x" * 4000])
values = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(CALLS), values, values, st.sampled_from([caller(), caller(ADMIN), caller(ROOT), ABROAD]))
def test_no_payload_raises(kind: tuple[str, str], request_: object, response: object, identity: JSON) -> None:
    found = made_of(call(kind[0], kind[1], request_, response, userIdentity=identity))
    assert found is None or isinstance(found, Made)
    if found:
        assert all(isinstance(part, str) and len(part) < 3000 for part in msgspec.structs.astuple(found))
