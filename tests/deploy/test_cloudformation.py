"""The template makes what straykey needs and allows no more; nothing of it was tried on AWS itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import stamina

from straykey import __version__, setting
from straykey.config import settings_of
from straykey.permissions import FEATURES, On, statements
from straykey.sources.delivery import Objects
from straykey.sources.queue import Queue
from straykey.watch.feed import Parcel, QueueFeed
from tests.aws import BUCKET, Aws
from tests.conftest import ROOT
from tests.deploy.stack import ACCOUNT, REGION, TEXT, Stack, deployed, seen_by_the_machine, template
from tests.records import trail, use_record

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")  # moto's, of what it does not know

TEMPLATE = "deploy/cloudformation/straykey.yaml"
KEY = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/04/111122223333_CloudTrail_eu-west-1_20260504T1005Z_a.json"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:trail"
ALL = {
    "TopicArn": TOPIC,
    "TrailPrefix": "org/",
    "TrailKeyArns": "arn:aws:kms:eu-west-1:111122223333:key/one,arn:aws:kms:eu-west-1:111122223333:key/two",
    "Accounts": "111122223333,444455556666",
    "SecurityHub": "yes",
    "EventBusArn": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/security",
    "FindingTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:findings",
    "WebhookSecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:webhook-AbCdEf",
    "AlarmTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms",
    "OperatorArn": f"arn:aws:iam::{ACCOUNT}:role/operator",
}
CHOSEN = frozenset({"sns", "eventbridge", "securityhub", "drill-by-queue"})


@pytest.fixture(autouse=True)
def _without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=1):
        yield


@pytest.fixture
def topic(aws: Aws) -> str:
    """A topic that a bucket tells of new objects."""
    arn = boto3.client("sns").create_topic(Name="trail")["TopicArn"]
    aws.bucket({})
    aws.s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={"TopicConfigurations": [{"TopicArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    return arn


def test_cfn_lint_has_nothing_to_say() -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; from cfnlint.runner import main; sys.exit(main())",
        "-c",
        "I",
        "-t",
        TEMPLATE,
    ]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr, run.returncode) == ("", "", 0)


def policies(*, of_the_machine: bool) -> dict[str, list[Any]]:
    """The statements of all policies in the account, by name, as IAM has them."""
    iam = boto3.client("iam")
    (role,) = iam.list_roles()["Roles"]
    assert iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"] == []
    found: dict[str, list[Any]] = {}
    for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
        document: Any = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
        if name.startswith("machine-") is of_the_machine:
            found[name] = document["Statement"]
    return found


def allowed(stated: list[Any]) -> set[tuple[str, str]]:
    assert {one["Effect"] for one in stated} == {"Allow"}
    assert not any("Condition" in one or "NotAction" in one or "NotResource" in one for one in stated)
    return {(action, resource) for one in stated for action in one["Action"] for resource in one["Resource"]}


def listed(names: frozenset[str], arns: dict[On, list[str]]) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for feature in FEATURES
        if feature.name in names
        for one in statements(feature, arns)
        for action in one.action
        for resource in one.resource
    }


def arns_of(stack: Stack) -> dict[On, list[str]]:
    prefix, keys = stack.parameters["TrailPrefix"], stack.parameters["TrailKeyArns"]
    return {
        On.QUEUE: [stack.attribute("Queue.Arn")],
        On.LOGS: [f"arn:aws:s3:::{BUCKET}/{prefix}AWSLogs/*"],
        On.BUCKETS: [f"arn:aws:s3:::{BUCKET}"],
        On.KEYS: [one for one in keys if one],
        On.TOPIC: [stack.parameters["FindingTopicArn"]],
        On.BUS: [stack.parameters["EventBusArn"]],
        On.HUB: [f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default"],
    }


@pytest.mark.parametrize(
    ("parameters", "chosen"),
    [({**ALL, "Drill": "yes"}, CHOSEN), ({"Drill": "no"}, frozenset())],
    ids=["everything", "nothing"],
)
def test_the_role_may_do_what_the_code_calls_and_no_more(
    parameters: dict[str, str], chosen: frozenset[str], aws: Aws, topic: str
) -> None:
    stack = deployed(aws, **parameters)
    stated = policies(of_the_machine=False)
    told = allowed([one for statement in stated.values() for one in statement])
    assert told == listed(frozenset({"queue", "bucket"}) | chosen, arns_of(stack))
    for name in chosen:
        assert allowed(stated[name]) == listed(frozenset({name}), arns_of(stack))


def test_the_machine_itself_may_be_logged_in_to_and_fetch_the_one_secret(aws: Aws, topic: str) -> None:
    deployed(aws, **ALL)
    stated = policies(of_the_machine=True)
    assert allowed(stated["machine-secret"]) == {("secretsmanager:GetSecretValue", ALL["WebhookSecretArn"])}
    services = {action.partition(":")[0] for action, _ in allowed(stated["machine-session"])}
    assert services == {"ssm", "ssmmessages"}
    assert set(stated) == {"machine-secret", "machine-session"}


def test_without_a_webhook_no_secret_can_be_read(aws: Aws, topic: str) -> None:
    deployed(aws, TopicArn=topic)
    assert set(policies(of_the_machine=True)) == {"machine-session"}


def received(stack: Stack) -> list[Parcel]:
    return QueueFeed(Queue(f"sqs://{stack.outputs['QueueUrl']}"), frozenset({BUCKET})).receive(0)


def test_a_new_log_is_told_by_the_topic_and_can_be_fetched(aws: Aws, topic: str) -> None:
    stack = deployed(aws, TopicArn=topic)
    aws.s3.put_object(Bucket=BUCKET, Key=KEY, Body=trail(use_record()))
    (parcel,) = received(stack)
    (ref,) = parcel.objects
    assert (ref.bucket, ref.key, parcel.refused, parcel.broken) == (BUCKET, KEY, (), ())
    assert sum(len(portion.records) for portion in Objects().open(ref)) == 1


def test_what_comes_by_the_topic_is_not_put_in_an_envelope(aws: Aws, topic: str) -> None:
    stack = deployed(aws, TopicArn=topic)
    body = json.dumps({"s3Bucket": BUCKET, "s3ObjectKey": [KEY]})
    boto3.client("sns").publish(TopicArn=topic, Message=body)
    (message,) = Queue(f"sqs://{stack.outputs['QueueUrl']}").receive(0)
    assert message.body == body


def test_without_a_topic_a_new_log_is_told_by_eventbridge(aws: Aws) -> None:
    aws.bucket({})
    aws.s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    stack = deployed(aws)
    assert not stack.has("Subscription")
    aws.s3.put_object(Bucket=BUCKET, Key=KEY, Body=trail(use_record()))
    aws.s3.put_object(Bucket=BUCKET, Key="elsewhere/notes.txt", Body=b"")
    (parcel,) = received(stack)
    assert parcel.objects[0].key == KEY


def test_a_message_that_is_never_acknowledged_is_given_up_after_five_tries(aws: Aws, topic: str) -> None:
    stack = deployed(aws, TopicArn=topic)
    queue = Queue(f"sqs://{stack.outputs['QueueUrl']}")
    status = queue.status()
    assert (status.max_receives, status.dead_letter) == (5, stack.outputs["DeadLetterQueueArn"])
    boto3.client("sns").publish(TopicArn=topic, Message="{")
    for _ in range(5):
        assert queue.release(queue.receive(0), 0) == []
    assert queue.receive(0) == []
    (message,) = Queue(f"sqs://{stack.names['DeadLetterQueue']}").receive(0)
    assert message.body == "{"


@pytest.mark.parametrize("name", ["Queue", "DeadLetterQueue"])
def test_messages_are_encrypted_and_wait_for_two_weeks(name: str, aws: Aws, topic: str) -> None:
    stack = deployed(aws, TopicArn=topic)
    told = aws.sqs.get_queue_attributes(QueueUrl=stack.names[name], AttributeNames=["All"])["Attributes"]
    assert told["MessageRetentionPeriod"] == str(14 * 24 * 3600)
    assert template()["Resources"][name]["Properties"]["SqsManagedSseEnabled"] is True


def sending(stack: Stack) -> dict[str, Any]:
    """What the queue's policy says of sending, by the name of the statement."""
    stated = stack.properties("QueuePolicy")["PolicyDocument"]["Statement"]
    return {one["Sid"]: one for one in stated if one["Action"] == "sqs:SendMessage"}


def test_only_the_topic_may_send(aws: Aws, topic: str) -> None:
    told = sending(deployed(aws, TopicArn=topic, Drill="no"))
    assert told["Topic"]["Principal"] == {"Service": "sns.amazonaws.com"}
    assert told["Topic"]["Condition"] == {"ArnEquals": {"aws:SourceArn": topic}}
    assert (told["NobodyElse"]["Effect"], told["NobodyElse"]["Principal"]) == ("Deny", "*")
    assert told["NobodyElse"]["Condition"] == {"ArnNotEquals": {"aws:SourceArn": topic}}
    assert len(told) == 2


def test_without_a_topic_only_the_rule_may_send(aws: Aws) -> None:
    stack = deployed(aws, Drill="no")
    told = sending(stack)
    assert told["Rule"]["Principal"] == {"Service": "events.amazonaws.com"}
    assert told["Rule"]["Condition"] == {"ArnEquals": {"aws:SourceArn": stack.attribute("Rule.Arn")}}
    assert told["NobodyElse"]["Condition"] == {"ArnNotEquals": {"aws:SourceArn": stack.attribute("Rule.Arn")}}
    assert len(told) == 2


def test_the_machine_may_send_for_a_drill_if_that_is_wanted(aws: Aws, topic: str) -> None:
    stack = deployed(aws, TopicArn=topic, Drill="yes")
    exempt = sending(stack)["NobodyElse"]["Condition"]["ArnNotLike"]
    assert exempt == {"aws:PrincipalArn": [stack.outputs["RoleArn"]]}


def test_an_operator_who_is_named_may_send_by_hand_if_his_own_policy_lets_him(aws: Aws, topic: str) -> None:
    told = sending(deployed(aws, **ALL, Drill="no"))
    assert told["NobodyElse"]["Condition"]["ArnNotLike"] == {"aws:PrincipalArn": [ALL["OperatorArn"]]}
    assert {name for name, one in told.items() if one["Effect"] == "Allow"} == {"Topic"}


def test_the_machine_gives_keys_only_to_who_has_a_token_and_takes_no_connection(aws: Aws, topic: str) -> None:
    stack = deployed(aws, TopicArn=topic)
    options = stack.properties("Launch")["LaunchTemplateData"]["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)
    (group,) = boto3.client("ec2").describe_security_groups(GroupIds=[stack.names["Group"]])["SecurityGroups"]
    assert group["IpPermissions"] == []
    (device,) = stack.properties("Instance")["BlockDeviceMappings"]
    assert (device["Ebs"]["Encrypted"], device["Ebs"]["DeleteOnTermination"]) == (True, False)


@pytest.mark.parametrize("parameters", [ALL, {}], ids=["everything", "nothing"])
def test_what_the_machine_runs_is_a_script_without_a_slip(parameters: dict[str, str], aws: Aws, topic: str) -> None:
    stack = deployed(aws, **parameters)
    script = seen_by_the_machine(stack)
    assert script == stack.user_data
    assert subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=True).stderr == ""
    assert len(script.encode()) < 16_384


def written(script: str, path: str) -> str:
    """What the script writes into a file."""
    _, _, rest = script.partition(f"cat > {path} <<'END'\n")
    assert rest, path
    return rest.partition("END\n")[0]


def test_the_service_is_the_one_that_is_shown(aws: Aws, topic: str) -> None:
    script = deployed(aws, TopicArn=topic).user_data
    unit = (ROOT / "deploy/systemd/straykey.service").read_text()
    assert written(script, "/etc/systemd/system/straykey.service") == unit


def test_the_configuration_of_the_machine_is_taken(aws: Aws, topic: str, tmp_path: Path) -> None:
    stack = deployed(aws, **ALL)
    text = written(stack.user_data, "/etc/straykey/straykey.toml")
    credentials = "/run/credentials/straykey.service/secret_webhook-"
    assert credentials in text
    (tmp_path / "url").write_text("https://example.com/hook")
    (tmp_path / "secret").write_text("0123456789abcdef")
    settings = settings_of(text.replace(credentials, f"{tmp_path}/"), {}, {}, required=("sources",))
    assert settings.sources == (f"sqs://{stack.outputs['QueueUrl']}",)
    assert settings.buckets == {BUCKET}
    assert settings.accounts == {"111122223333", "444455556666"}
    kinds = [type(one) for one in settings.sinks]
    assert kinds == [
        setting.JsonlSink,
        setting.SecurityHubSink,
        setting.EventBridgeSink,
        setting.SnsSink,
        setting.WebhookSink,
    ]


def test_with_no_sink_chosen_findings_go_to_a_file(aws: Aws, topic: str) -> None:
    text = written(deployed(aws, TopicArn=topic).user_data, "/etc/straykey/straykey.toml")
    settings = settings_of(text, {}, {}, required=("sources",))
    assert [one.name for one in settings.sinks] == ["file"]
    assert settings.accounts == frozenset()


def test_the_secret_is_put_where_the_service_looks_for_it(aws: Aws, topic: str, tmp_path: Path) -> None:
    script = deployed(aws, **ALL).user_data
    fetch = written(script, "/usr/local/sbin/straykey-secret")
    told = json.dumps({"url": "https://example.com/hook", "secret": "0123456789abcdef"})
    (tmp_path / "aws").write_text(f"#!/bin/sh\necho '{told}'\n")
    (tmp_path / "aws").chmod(0o755)
    fetch = fetch.replace("/opt/straykey/bin/python", sys.executable).replace("/etc/straykey/secrets", str(tmp_path))
    subprocess.run(["bash"], input=fetch, text=True, check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert (tmp_path / "webhook-url").read_text() == "https://example.com/hook"
    assert (tmp_path / "webhook-secret").read_text() == "0123456789abcdef"


def test_the_template_installs_the_version_it_comes_with() -> None:
    assert template()["Parameters"]["Package"]["Default"] == f"straykey[watch]=={__version__}"


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        ("Package", "straykey' ; rm -rf /"),
        ("Package", "--index-url=x"),
        ("Accounts", '111122223333"]'),
        ("TrailPrefix", 'org/"'),
        ("TrailBucket", 'a"]'),
        ("WebhookSecretArn", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a'b"),
    ],
)
def test_no_parameter_can_break_out_of_the_script(parameter: str, text: str) -> None:
    assert re.fullmatch(template()["Parameters"][parameter]["AllowedPattern"], text) is None


def test_every_parameter_that_reaches_the_script_is_bounded() -> None:
    reached = {name for name in template()["Parameters"] if f"${{{name}}}" in TEXT}
    for name in reached:
        assert "AllowedPattern" in template()["Parameters"][name], name
