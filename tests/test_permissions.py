"""The list of permissions is what the code calls: told from the code, seen on the wire, and tried with no more."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

import boto3
import pytest
import stamina
from botocore.model import OperationModel
from msgspec.structs import replace

from straykey.aws import session
from straykey.contain.apply import apply
from straykey.contain.clients import Clients
from straykey.contain.reading import read_account
from straykey.contain.rollback import roll_back
from straykey.errors import ContainError, SourceError
from straykey.harden.clients import Clients as HardenClients
from straykey.harden.reading import PERMISSIONS as HARDEN
from straykey.harden.reading import read_posture
from straykey.permissions import FEATURES, Feature, On, Permission, policy, statements
from straykey.ports import Sink
from straykey.sinks.eventbridge import EventBridge
from straykey.sinks.securityhub import SecurityHub
from straykey.sinks.sns import Sns
from straykey.sources import history, s3
from straykey.sources.delivery import Objects, UnavailableError
from straykey.sources.history import Window
from straykey.sources.layout import Days
from straykey.sources.notice import ObjectRef
from straykey.sources.queue import Queue
from straykey.stores.database import Database
from straykey.stores.journal import SqlJournal
from tests.aws import BUCKET, Aws
from tests.aws_calls import MANY, Call, calls, clumsy, modules, services, services_of
from tests.conftest import Golden
from tests.contain import grounds, handmade
from tests.contain.applying import ORDER, SIMULATE, Time, simulation
from tests.harden import scenes
from tests.records import trail, use_record
from tests.sinks.told import notification

KEY = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/04/111122223333_CloudTrail_eu-west-1_20260504T1005Z_a.json"
HISTORY = "LookupEvents"
OTHER_NAMES = {
    "s3:ListObjectsV2": "s3:ListBucket",
    "securityhub:BatchImportFindings": "securityhub:BatchImportFindings",
}
EXAMPLES: dict[On, tuple[str, ...]] = {
    On.QUEUE: ("arn:aws:sqs:eu-west-1:111122223333:straykey",),
    On.LOGS: ("arn:aws:s3:::example-trail-bucket/AWSLogs/*",),
    On.BUCKETS: ("arn:aws:s3:::example-trail-bucket",),
    On.KEYS: ("arn:aws:kms:eu-west-1:111122223333:key/EXAMPLE-KEY-ID",),
    On.TOPIC: ("arn:aws:sns:eu-west-1:111122223333:findings",),
    On.BUS: ("arn:aws:events:eu-west-1:111122223333:event-bus/default",),
    On.IDENTITIES: tuple(f"arn:aws:iam::111122223333:{kind}/*" for kind in ("instance-profile", "policy", "role")),
    On.NETWORK: ("arn:aws:ec2:eu-west-1:111122223333:*/*",),
    On.HUB: ("arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default",),
}
PERMISSIONS = [(feature, permission) for feature in FEATURES for permission in feature.permissions]


def named(feature: Feature) -> str:
    return feature.name


def test_every_call_that_the_code_makes_is_in_the_list() -> None:
    listed = {Call(module, call) for feature in FEATURES for module in feature.modules for call in feature.calls}
    assert calls() - listed == set()


def test_every_call_in_the_list_is_made_by_the_code() -> None:
    made = calls()
    for feature in FEATURES:
        assert feature.calls <= {call.operation for call in made if call.module in feature.modules}, feature.name


def test_no_call_is_made_in_a_way_that_hides_which() -> None:
    assert list(clumsy()) == []


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("aws.session().client('sqs').purge_queue(QueueUrl=url)", "sqs:PurgeQueue"),
        ("client = aws.session().client('iam')\ndelete = client.delete_role", "iam:DeleteRole"),
    ],
)
def test_a_call_that_somebody_adds_is_seen(text: str, call: str, tmp_path: Path) -> None:
    (tmp_path / "straykey").mkdir()
    (tmp_path / "straykey/added.py").write_text(text)
    assert calls(tmp_path) == {Call("straykey.added", call)}


@pytest.mark.parametrize(
    "text",
    [
        "aws.session().client(name)",
        "from straykey.sources import aws\ngetattr(client, name)(QueueUrl=url)",
        *(f"import boto3\nclient.{name}(url)" for name in sorted(MANY)),
    ],
)
def test_a_call_that_hides_which_is_seen(text: str, tmp_path: Path) -> None:
    (tmp_path / "straykey").mkdir()
    (tmp_path / "straykey/added.py").write_text(text)
    assert list(clumsy(tmp_path))


def test_the_simulator_has_no_client() -> None:
    assert not [name for name, tree in modules().items() if name.startswith("straykey.sim.") and services_of(tree)]


def test_there_are_clients_of_no_other_services() -> None:
    assert services() == {call.partition(":")[0] for feature in FEATURES for call in feature.calls}


@pytest.mark.parametrize(("feature", "permission"), PERMISSIONS)
def test_a_permission_is_needed_by_a_call_or_says_by_what(feature: Feature, permission: Permission) -> None:
    assert bool(permission.calls) != bool(permission.why), feature.name
    for call in permission.calls:
        assert permission.action == OTHER_NAMES.get(call, call.removesuffix("Batch"))


@pytest.mark.parametrize("feature", [one for one in FEATURES if ".sinks." in one.modules[0]], ids=named)
def test_a_sink_names_the_same_permissions_itself(feature: Feature) -> None:
    (module,) = feature.modules
    assert tuple(one.action for one in feature.permissions) == import_module(module).PERMISSIONS


def test_reading_a_posture_names_the_same_permissions_itself() -> None:
    (feature,) = (one for one in FEATURES if one.name == "harden")
    assert feature.actions == set(HARDEN)


@pytest.mark.parametrize("feature", FEATURES, ids=named)
def test_the_policies_are_those_in_the_files(feature: Feature, golden: Golden) -> None:
    golden(f"deploy/iam/{feature.name}.json", f"{json.dumps(policy(feature, EXAMPLES), indent=2)}\n")


def test_no_policy_allows_everything_of_a_service_or_anything_of_what_has_a_name() -> None:
    for statement in (one for feature in FEATURES for one in statements(feature, EXAMPLES)):
        assert not any("*" in action for action in statement.action)
        assert "*" not in statement.resource or statement.sid == On.ANYTHING


@pytest.fixture(autouse=True)
def _without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=1):
        yield


def use_queue(aws: Aws) -> Callable[[], None]:
    url = aws.sqs.create_queue(QueueName="logs")["QueueUrl"]
    for _ in range(2):
        aws.sqs.send_message(QueueUrl=url, MessageBody="CloudTrail validation message.")
    aws.bucket({KEY: trail(use_record())})

    def use() -> None:
        queue = Queue(f"sqs://{url}")
        queue.status()
        messages = queue.receive(0)
        assert queue.release(messages[:1], 0) + queue.acknowledge(messages[1:]) == []
        assert list(Objects().open(ObjectRef(BUCKET, KEY)))

    return use


def use_bucket(aws: Aws) -> Callable[[], None]:
    aws.bucket({KEY: trail(use_record())})

    def use() -> None:
        (found,) = s3.find([f"s3://{BUCKET}"], Days())
        for batch in found.batches():
            assert not any(portion.skipped for portion in batch.portions)

    return use


def use_history(aws: Aws) -> Callable[[], None]:
    aws.answer(HISTORY, {"Events": []})

    def use() -> None:
        assert list(history.history(["history:us-east-1"], Window(), print).batches())

    return use


def use_drill_by_queue(aws: Aws) -> Callable[[], None]:
    url = aws.sqs.create_queue(QueueName="logs")["QueueUrl"]
    return lambda: Queue(f"sqs://{url}").send("{}")


def use_drill_by_bucket(aws: Aws) -> Callable[[], None]:
    aws.bucket({})

    def use() -> None:
        take_back = s3.put(f"s3://{BUCKET}", KEY, b"{}")
        take_back()

    return use


def use_sns(_: Aws) -> Callable[[], None]:
    topic = boto3.client("sns").create_topic(Name="findings")["TopicArn"]
    return lambda: deliver(Sns(topic))


def use_eventbridge(_: Aws) -> Callable[[], None]:
    return lambda: deliver(EventBridge())


def use_securityhub(_: Aws) -> Callable[[], None]:
    boto3.client("securityhub").enable_security_hub()
    return lambda: deliver(SecurityHub())


def use_contain(_: Aws) -> Callable[[], None]:
    made = grounds.scene()

    def use() -> None:
        clients = Clients(session(), grounds.REGION)
        account = read_account(clients, grounds.ACCOUNT, grounds.ROLE, made.instance, grounds.REGION, Time().clock)
        assert account.unread == (f"instances of role {grounds.ROLE} outside {grounds.REGION}: not looked for",)

    return use


def use_contain_apply(aws: Aws) -> Callable[[], None]:
    plan = handmade.all_calls(grounds.scene())
    aws.answer_xml(SIMULATE, simulation("allowed"))

    def use() -> None:
        with TemporaryDirectory() as folder:
            database = Database(f"{folder}/store.db")
            journal, clients = SqlJournal(database), Clients(session(), grounds.REGION)
            done = apply(plan, ORDER, journal, clients, Time().clock)
            assert done.stop is None
            assert roll_back(done.id, journal, clients, Time().clock).stop is None
            database.close()

    return use


def use_harden(aws: Aws) -> Callable[[], None]:
    scenes.whole(aws)

    def use() -> None:
        assert read_posture(HardenClients(session(), grounds.REGION), [grounds.REGION], Time().clock).unread == ()

    return use


def deliver(sink: Sink) -> None:
    assert sink.deliver([notification()]) == []


USES = {
    "queue": use_queue,
    "bucket": use_bucket,
    "history": use_history,
    "drill-by-queue": use_drill_by_queue,
    "drill-by-bucket": use_drill_by_bucket,
    "sns": use_sns,
    "eventbridge": use_eventbridge,
    "securityhub": use_securityhub,
    "contain": use_contain,
    "contain-apply": use_contain_apply,
    "harden": use_harden,
}
# To ask who one is needs no permission, and cannot be denied; what IAM does not simulate is said to be unchecked.
# Of metadata defaults moto knows nothing: what is answered in its place refuses nobody.
UNMISSED = frozenset({"ec2:GetInstanceMetadataDefaults", "iam:SimulatePrincipalPolicy", "sts:GetCallerIdentity"})
TRIED = [one for one in FEATURES if one.name != "history"]  # moto knows no history, and would refuse none


@pytest.mark.parametrize("feature", FEATURES, ids=named)
def test_what_goes_over_the_wire_is_what_is_listed(
    feature: Feature, aws: Aws, caplog: pytest.LogCaptureFixture
) -> None:
    use = USES[feature.name](aws)
    with caplog.at_level(logging.DEBUG, "botocore.endpoint"):
        use()
    assert set(operations(caplog.records)) == feature.calls


def operations(records: list[logging.LogRecord]) -> Iterator[str]:
    """What botocore says that it asks for."""
    for record in records:
        if record.msg.startswith("Making request for ") and isinstance(record.args, tuple):
            (model, _) = record.args
            assert isinstance(model, OperationModel)
            yield f"{model.service_model.service_name}:{model.name}"


@contextmanager
def strict(aws: Aws) -> Iterator[None]:
    """As long as it lasts, moto allows only what policies allow; of resources and conditions it knows nothing."""
    _set_calls_before_it_is_strict(aws, "0")
    try:
        yield
    finally:
        _set_calls_before_it_is_strict(aws, "Infinity")


def _set_calls_before_it_is_strict(aws: Aws, count: str) -> None:
    asked = Request(f"{aws.url}/moto-api/reset-auth", count.encode(), {"Content-Type": "text/plain"}, method="POST")
    urlopen(asked, timeout=10).close()


def as_moto_asks(permission: Permission) -> Permission:
    """AWS asks for `sqs:DeleteMessage` when a batch of messages is deleted; moto, for the name of the call."""
    batch = next((call for call in permission.calls if call.endswith("Batch")), permission.action)
    return replace(permission, action=batch)


def become(permissions: tuple[Permission, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, be a role that has those."""
    # No policy may be empty: what everybody may do stands in each.
    permissions = (Permission("sts:GetCallerIdentity", On.ANYTHING), *map(as_moto_asks, permissions))
    document = policy(Feature("", (), permissions), dict.fromkeys(On, ("*",)))
    iam = boto3.client("iam")
    arn = iam.create_role(RoleName="watcher", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    iam.put_role_policy(RoleName="watcher", PolicyName="all", PolicyDocument=json.dumps(document))
    keys = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="i-0123456789abcdef0")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", keys["SessionToken"])


@pytest.mark.parametrize("feature", TRIED, ids=named)
def test_a_role_with_what_is_listed_can_do_all_of_it(
    feature: Feature, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    use = USES[feature.name](aws)
    become(feature.permissions, monkeypatch)
    with strict(aws):
        use()


@pytest.mark.parametrize(
    ("feature", "missing"),
    [(one, two) for one, two in PERMISSIONS if one in TRIED and two.calls and two.action not in UNMISSED],
)
def test_a_role_that_lacks_one_of_them_is_refused(
    feature: Feature, missing: Permission, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    use = USES[feature.name](aws)
    become(tuple(one for one in feature.permissions if one != missing), monkeypatch)
    with strict(aws), pytest.raises((AssertionError, ContainError, SourceError, UnavailableError)):
        use()
