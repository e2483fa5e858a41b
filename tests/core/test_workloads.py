"""What counts as a workload's session, by which sign, and what home means for each kind."""

from typing import Any

import pytest

from straykey.core.evidence import workload_of
from straykey.core.finding import Finding, FindingType
from straykey.core.home import Standing
from straykey.core.ranges import AwsRanges
from straykey.core.settings import Settings
from straykey.core.workload import FUNCTION, INSTANCE, POD, TASK, by_issuer
from tests.records import RawRecord, allocation_record, issuance_record, use_record
from tests.seen import RANGES, findings_of, ledger_of, trusting, verdicts_of

HOME = "198.18.0.10"
ELSEWHERE = "198.18.7.7"
OTHER_REGION = "198.19.7.7"
OUTSIDE = "203.0.113.66"
OWN = "111122223333"
THIEF = "999988887777"
VPCE = "vpce-0aaaabbbbccccdddd"
STRANGE_VPCE = "vpce-0eeeeffff00001111"
INSTANCE_ID = "i-0123456789abcdef0"
TASK_ID = "0123456789abcdef0123456789abcdef"
FUNCTION_NAME = "resize-images"
POD_NAME = "eks-prod-web-0-1b4e28ba-2fa1-11d2-883f-0016d3cca427"
PROVIDER = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"


def use(name: str, address: str = HOME, minute: int = 0, **changes: Any) -> RawRecord:
    """A call by a session of that name; nothing but the name tells what it is."""
    time = f"2026-05-04T10:{minute:02d}:00Z"
    return use_record(**{"instance": name, "address": address, "time": time, "delivery": None, **changes})


def issued_by(service: str, name: str, **changes: Any) -> RawRecord:
    """The key of `use`, asked for by a service."""
    identity = {"type": "AWSService", "invokedBy": service}
    return issuance_record(instance=name, **{"userIdentity": identity, "sourceIPAddress": service, **changes})


def asked_by_pod(
    name: str, address: str = HOME, key: str = "ASIAEXAMPLEKEY000001", minute: int = 0, provider: str = PROVIDER
) -> RawRecord:
    """A pod asks for its key itself, with the token of its service account."""
    record = issuance_record(instance=name, key=key, time=f"2026-05-04T09:{minute:02d}:00Z")
    arn = f"arn:aws:iam::{OWN}:oidc-provider/{provider}"
    return record | {
        "eventName": "AssumeRoleWithWebIdentity",
        "userIdentity": {
            "type": "WebIdentityUser",
            "principalId": f"{arn}:sts.amazonaws.com:system:serviceaccount:default:web",
            "userName": "system:serviceaccount:default:web",
            "identityProvider": arn,
        },
        "sourceIPAddress": address,
        "userAgent": "aws-sdk-go/1.44",
        "responseElements": record["responseElements"] | {"provider": arn, "audience": "sts.amazonaws.com"},
    }


def thefts(*records: RawRecord, ranges: AwsRanges | None = RANGES, settings: Settings | None = None) -> list[Finding]:
    """Findings about keys used elsewhere."""
    found = findings_of(*records, ranges=ranges, settings=settings)
    return [one for one in found if "Exfiltration" in one.type.value]


def strays(*records: RawRecord, **changes: Any) -> set[tuple[str, str | None]]:
    return {(one.type.value.partition("/")[2], one.stray.address) for one in thefts(*records, **changes)}


def workload(*records: RawRecord, name: str) -> tuple[str, list[str]]:
    """What a session is, and by which signs."""
    (evidence,) = (one for one in ledger_of(records).sessions.values() if one.session.name == name)
    found, signs = workload_of(evidence)
    return (found.noun if found else ""), signs


def scope(kind: str, arn: str) -> dict[str, Any]:
    """A caller's identity that says what its key was issued to."""
    return {"inScopeOf": {"issuerType": kind, "credentialsIssuedTo": arn}}


def in_scope(record: RawRecord, kind: str, arn: str) -> RawRecord:
    return record | {"userIdentity": record["userIdentity"] | scope(kind, arn)}


INSTANCE_ARN = f"arn:aws:ec2:eu-west-1:{OWN}:instance/{INSTANCE_ID}"
TASK_ARN = f"arn:aws:ecs:eu-west-1:{OWN}:task/prod/{TASK_ID}"
FUNCTION_ARN = f"arn:aws:lambda:eu-west-1:{OWN}:function:{FUNCTION_NAME}"

SIGNS: dict[str, tuple[str, str, list[RawRecord]]] = {
    "instance by scope": (
        "any-name",
        INSTANCE.noun,
        [in_scope(use("any-name"), "AWS::EC2::Instance", INSTANCE_ARN)],
    ),
    "instance by delivery": ("any-name", INSTANCE.noun, [use("any-name", delivery="2.0")]),
    "instance by issuance": ("any-name", INSTANCE.noun, [issuance_record(instance="any-name"), use("any-name")]),
    "instance by name": (INSTANCE_ID, INSTANCE.noun, [use(INSTANCE_ID)]),
    "instance by its short name": ("i-01234567", INSTANCE.noun, [use("i-01234567")]),
    "task by scope": (TASK_ID, TASK.noun, [in_scope(use(TASK_ID), "AWS::ECS::Task", TASK_ARN)]),
    "task by issuance": (TASK_ID, TASK.noun, [issued_by("ecs-tasks.amazonaws.com", TASK_ID), use(TASK_ID)]),
    "function by scope": (
        FUNCTION_NAME,
        FUNCTION.noun,
        [in_scope(use(FUNCTION_NAME), "AWS::Lambda::Function", FUNCTION_ARN)],
    ),
    "function by issuance": (
        FUNCTION_NAME,
        FUNCTION.noun,
        [issued_by("lambda.amazonaws.com", FUNCTION_NAME), use(FUNCTION_NAME)],
    ),
    "pod by issuance": (POD_NAME, POD.noun, [issued_by("pods.eks.amazonaws.com", POD_NAME), use(POD_NAME)]),
    "pod by its identity provider": ("any-name", POD.noun, [asked_by_pod("any-name"), use("any-name")]),
    "pod by name": (POD_NAME, POD.noun, [use(POD_NAME)]),
}


@pytest.mark.parametrize(("name", "noun", "records"), SIGNS.values(), ids=SIGNS)
def test_a_session_is_known(name: str, noun: str, records: list[RawRecord]) -> None:
    assert workload(*records, name=name)[0] == noun


@pytest.mark.parametrize(("name", "noun", "records"), SIGNS.values(), ids=SIGNS)
def test_a_key_of_a_known_session_is_found_outside_aws(name: str, noun: str, records: list[RawRecord]) -> None:
    thief = use(name, OUTSIDE, 30)
    assert {one.stray.address for one in thefts(*records, thief)} == {OUTSIDE}


def test_the_strongest_sign_comes_first() -> None:
    records = [issuance_record(), in_scope(use(INSTANCE_ID, delivery="2.0"), "AWS::EC2::Instance", INSTANCE_ARN)]
    assert workload(*records, name=INSTANCE_ID) == (
        INSTANCE.noun,
        ["inScopeOf", "ec2RoleDelivery", "issuance", "name"],
    )


def test_what_the_key_was_issued_to_outweighs_the_name() -> None:
    record = in_scope(use(INSTANCE_ID), "AWS::Lambda::Function", FUNCTION_ARN)
    assert workload(record, name=INSTANCE_ID) == (FUNCTION.noun, ["inScopeOf"])


NOBODYS = {
    "a person's session": [use("alice", HOME), use("alice", OUTSIDE, 30)],
    "a name that only begins like an instance's": [use("i-0123", HOME), use("i-0123", OUTSIDE, 30)],
    "a name with one digit too many": [use("i-0123456789abcdef00"), use("i-0123456789abcdef00", OUTSIDE, 30)],
    "a session of another service": [
        issued_by("glue.amazonaws.com", "GlueJobRunnerSession"),
        use("GlueJobRunnerSession"),
        use("GlueJobRunnerSession", OUTSIDE, 30),
    ],
    "a session by a provider that is no cluster's": [
        asked_by_pod("ci-run", provider="token.actions.githubusercontent.com"),
        use("ci-run"),
        use("ci-run", OUTSIDE, 30),
    ],
    "a session by a host that only ends like a cluster's": [
        asked_by_pod("ci-run", provider="oidc.eks.eu-west-1.amazonaws.com.example.org/id/1"),
        use("ci-run"),
        use("ci-run", OUTSIDE, 30),
    ],
    "a user": [
        record | {"userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{OWN}:user/alice", "accountId": OWN}}
        for record in (use("alice"), use("alice", OUTSIDE, 30))
    ],
    "a user named like an instance": [
        record | {"userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{OWN}:user/{INSTANCE_ID}"}}
        for record in (use("alice"), use("alice", OUTSIDE, 30))
    ],
    "a task's id without any other sign": [use(TASK_ID), use(TASK_ID, OUTSIDE, 30)],
}


@pytest.mark.parametrize("records", NOBODYS.values(), ids=NOBODYS)
def test_what_is_no_workloads_is_never_judged(records: list[RawRecord]) -> None:
    assert findings_of(*records) == []


def owned(role: str, name: str, address: str, minute: int, *, delivery: str | None = "2.0") -> RawRecord:
    """A call under one of the roles that EC2 owns; its ARN names no path and its principal no role's id."""
    record = use(name, address, minute, role=role, delivery=delivery)
    identity = record["userIdentity"] | {"principalId": f"{OWN}:{role}:{name}"}
    return record | {"userIdentity": identity}


@pytest.mark.parametrize("delivery", ["2.0", None])
def test_the_infrastructure_role_is_never_judged(delivery: str | None) -> None:
    role = "aws:ec2-infrastructure"
    addresses = ("AWS Internal", HOME, OUTSIDE)
    records = [owned(role, INSTANCE_ID, one, at, delivery=delivery) for at, one in enumerate(addresses)]
    assert findings_of(issuance_record(role=role), *records) == []


@pytest.mark.parametrize("delivery", ["2.0", None])
def test_the_identity_role_is_always_judged(delivery: str | None) -> None:
    role = "aws:ec2-instance"
    records = [
        owned(role, INSTANCE_ID, HOME, 0, delivery=delivery),
        owned(role, INSTANCE_ID, OUTSIDE, 9, delivery=None),
    ]
    assert strays(*records) == {("InstanceCredentialExfiltration.OutsideAWS", OUTSIDE)}


def test_the_identity_role_is_judged_by_its_own_name() -> None:
    record = owned("aws:ec2-instance", "any-name", HOME, 0, delivery=None)
    assert workload(record, name="any-name") == (INSTANCE.noun, ["role"])


def test_host_managements_session_is_judged_as_the_instances_whose_name_it_bears() -> None:
    role: dict[str, Any] = {"role": "AWSSystemsManagerDefaultEC2InstanceManagementRole"}
    records = [
        issued_by("ssm.amazonaws.com", INSTANCE_ID, **role),
        use(INSTANCE_ID, **role),
        use(INSTANCE_ID, OUTSIDE, 30, **role),
    ]
    assert [one.type for one in findings_of(*records)] == [FindingType.OUTSIDE_AWS]


@pytest.mark.parametrize("path", ["/", "/app/", "/a/b/c/"])
def test_a_roles_path_vanishes_in_its_sessions_arn(path: str) -> None:
    records = [issuance_record(instance="any-name", path=path), use("any-name")]
    assert workload(*records, name="any-name") == (INSTANCE.noun, ["issuance"])


def in_partition(record: RawRecord, partition: str) -> RawRecord:
    """The same record with every ARN in another partition."""

    def translated(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: translated(inner) for key, inner in value.items()}
        return value.replace("arn:aws:", f"arn:{partition}:") if isinstance(value, str) else value

    return {key: translated(value) for key, value in record.items()}


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-eusc"])
def test_a_key_is_found_in_every_partition(partition: str) -> None:
    records = [issuance_record(), use(INSTANCE_ID), use(INSTANCE_ID, OUTSIDE, 30)]
    (finding,) = thefts(*(in_partition(record, partition) for record in records))
    assert finding.session.arn == f"arn:{partition}:sts::{OWN}:assumed-role/web-role/{INSTANCE_ID}"


@pytest.mark.parametrize(
    ("service", "noun"),
    [
        ("ec2.amazonaws.com.cn", INSTANCE),
        ("ecs-tasks.amazonaws.com.cn", TASK),
        ("lambda.amazonaws.com.cn", FUNCTION),
        ("oidc.eks.cn-north-1.amazonaws.com.cn/id/EXAMPLE", POD),
        ("ec2.amazonaws.com.example.org", None),
    ],
)
def test_services_have_names_of_their_own_in_china(service: str, noun: object) -> None:
    assert by_issuer(service) is noun


TASK_ISSUED = issued_by("ecs-tasks.amazonaws.com", TASK_ID)


def test_a_tasks_home_is_the_network_it_used_first() -> None:
    verdicts = verdicts_of(TASK_ISSUED, use(TASK_ID), use(TASK_ID, ELSEWHERE, 30), instance=TASK_ID)
    assert [verdicts[one].standing for one in (HOME, ELSEWHERE)] == [Standing.HOME, Standing.STRAY]


@pytest.mark.parametrize(("address", "where"), [(OUTSIDE, "OutsideAWS"), (ELSEWHERE, "InsideAWS")])
def test_a_tasks_stolen_key_has_a_type_of_its_own(address: str, where: str) -> None:
    found = strays(TASK_ISSUED, use(TASK_ID), use(TASK_ID, address, 30))
    assert found == {(f"ResourceCredentialExfiltration.{where}", address)}


def test_a_thief_who_uses_a_tasks_key_first_outside_aws_is_found() -> None:
    found = strays(TASK_ISSUED, use(TASK_ID, OUTSIDE, 5), use(TASK_ID, HOME, 6), use(TASK_ID, HOME, 30))
    assert found == {("ResourceCredentialExfiltration.OutsideAWS", OUTSIDE)}


LAMBDA = issued_by("lambda.amazonaws.com", FUNCTION_NAME)


def function(address: str, minute: int = 0, **changes: Any) -> RawRecord:
    return use(FUNCTION_NAME, address, minute, **changes)


def test_every_address_of_aws_in_its_region_is_a_functions_home() -> None:
    addresses = [HOME, ELSEWHERE, "198.18.200.1", "2001:db8:1000::5"]
    assert strays(LAMBDA, *(function(one, at) for at, one in enumerate(addresses))) == set()


@pytest.mark.parametrize(
    ("address", "where"),
    [(OUTSIDE, "OutsideAWS"), (OTHER_REGION, "InsideAWS"), ("2001:db8:f000::1", "OutsideAWS"), ("10.9.9.9", "Unknown")],
)
@pytest.mark.parametrize("minute", [0, 30], ids=["first", "later"])
def test_a_functions_key_is_stray_elsewhere(address: str, where: str, minute: int) -> None:
    found = strays(LAMBDA, function(HOME, 5), function(address, minute))
    assert found == {(f"ResourceCredentialExfiltration.{where}", address)}


def test_a_function_that_was_never_seen_at_home_is_stray_outside_aws() -> None:
    found = strays(LAMBDA, function(OUTSIDE))
    assert found == {("ResourceCredentialExfiltration.OutsideAWS", OUTSIDE)}


def test_without_ranges_nobody_can_say_where_a_functions_key_was_used() -> None:
    records = [LAMBDA, function(HOME), function(OUTSIDE, 30)]
    verdicts = verdicts_of(*records, ranges=None, instance=FUNCTION_NAME)
    assert {one.standing for one in verdicts.values()} == {Standing.UNKNOWN}
    assert strays(*records, ranges=None) == set()


def test_a_function_is_at_home_at_any_private_address_behind_an_endpoint_of_its_account() -> None:
    through = {"endpoint": VPCE, "endpoint_owner": OWN}
    assert strays(LAMBDA, function("10.0.1.10", 0, **through), function("10.0.2.20", 5, **through)) == set()


@pytest.mark.parametrize("minute", [0, 30], ids=["first", "later"])
def test_a_functions_key_is_stray_behind_a_strangers_endpoint(minute: int) -> None:
    thief = function("10.0.1.10", minute, endpoint=STRANGE_VPCE, endpoint_owner=THIEF)
    found = strays(LAMBDA, function(HOME, 5), thief)
    assert found == {("ResourceCredentialExfiltration.InsideAWS", "10.0.1.10")}


def test_a_functions_key_is_home_outside_aws_where_the_user_says_so() -> None:
    assert strays(LAMBDA, function(OUTSIDE), settings=trusting("203.0.113.0/24")) == set()


def test_a_functions_region_is_that_of_the_arn_its_key_was_issued_to() -> None:
    record = in_scope(function(HOME, awsRegion="us-east-1"), "AWS::Lambda::Function", FUNCTION_ARN)
    assert strays(record, function(OTHER_REGION, 30)) == {("ResourceCredentialExfiltration.InsideAWS", OTHER_REGION)}


def test_a_function_whose_region_no_record_tells_is_stray_outside_aws() -> None:
    record = in_scope(function(HOME), "AWS::Lambda::Function", FUNCTION_NAME)
    assert strays(record, function(OUTSIDE, 30)) == {("ResourceCredentialExfiltration.OutsideAWS", OUTSIDE)}


POD_ISSUED = issued_by("pods.eks.amazonaws.com", POD_NAME)


@pytest.mark.parametrize(("address", "where"), [(OUTSIDE, "OutsideAWS"), (ELSEWHERE, "InsideAWS")])
def test_a_pods_stolen_key_has_a_type_of_its_own(address: str, where: str) -> None:
    found = strays(POD_ISSUED, use(POD_NAME), use(POD_NAME, address, 30))
    assert found == {(f"ResourceCredentialExfiltration.{where}", address)}


def test_the_nodes_own_key_in_its_pods_place_is_no_theft() -> None:
    node = use(INSTANCE_ID, HOME, 0, source="eks-auth.amazonaws.com", event="AssumeRoleForPodIdentity")
    assert strays(node, POD_ISSUED, use(POD_NAME, HOME, 1)) == set()


def test_a_pod_that_asks_for_a_new_key_elsewhere_in_its_region_lives_there() -> None:
    moved = asked_by_pod("web", ELSEWHERE, "ASIAEXAMPLEKEY000002", minute=50)
    records = [asked_by_pod("web"), use("web"), moved, use("web", ELSEWHERE, 30, key="ASIAEXAMPLEKEY000002")]
    assert strays(*records) == set()


def test_a_pods_old_key_is_stray_where_it_asked_for_a_new_one() -> None:
    moved = asked_by_pod("web", ELSEWHERE, "ASIAEXAMPLEKEY000002", minute=50)
    found = strays(asked_by_pod("web"), use("web"), moved, use("web", ELSEWHERE, 30))
    assert found == {("ResourceCredentialExfiltration.InsideAWS", ELSEWHERE)}


@pytest.mark.parametrize(("address", "where"), [(OUTSIDE, "OutsideAWS"), (OTHER_REGION, "InsideAWS")])
def test_a_thief_who_stole_the_pods_token_is_stray_outside_its_region(address: str, where: str) -> None:
    stolen = asked_by_pod("web", address, "ASIAEXAMPLEKEY000002", minute=50)
    found = strays(asked_by_pod("web"), use("web"), stolen, use("web", address, 30, key="ASIAEXAMPLEKEY000002"))
    assert found == {(f"ResourceCredentialExfiltration.{where}", address)}


def test_an_instance_of_another_account_is_another_session() -> None:
    theirs = use(INSTANCE_ID, ELSEWHERE, 5, account="444455556666")
    given = allocation_record(account="444455556666", address=ELSEWHERE)
    assert strays(given, issuance_record(), use(INSTANCE_ID), theirs) == set()
