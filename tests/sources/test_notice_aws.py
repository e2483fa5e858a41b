"""What bodies say that a server wrote which speaks as S3, SNS, EventBridge and SQS do."""

import json
from collections.abc import Iterator
from typing import Final
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer
from mypy_boto3_s3.literals import EventType
from mypy_boto3_s3.type_defs import NotificationConfigurationTypeDef

from straykey.sources.notice import Notice, ObjectRef, Passed, notice_of
from tests.records import use_record
from tests.sources.test_notice import BUCKET, KEY, cloudtrail_message

REGION: Final = "eu-west-1"
ODD_KEY = "a b+c=d/été%41"
CONTENT = b"twelve bytes"
OBJECTS = {ObjectRef(BUCKET, key, len(CONTENT)) for key in (KEY, ODD_KEY)}
CHANGES: list[EventType] = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]


class Account:
    """A bucket, a topic, a bus and a queue, with ways between them to be laid."""

    def __init__(self, server: str) -> None:
        aws = boto3.Session("testing", "testing", region_name=REGION)
        config = Config(proxies={}, s3={"addressing_style": "path"})
        self._s3 = aws.client("s3", endpoint_url=server, config=config)
        self._sqs = aws.client("sqs", endpoint_url=server, config=config)
        self.sns = aws.client("sns", endpoint_url=server, config=config)
        self.events = aws.client("events", endpoint_url=server, config=config)
        self._s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self._url = self._sqs.create_queue(QueueName="logs")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        self.queue = attributes["Attributes"]["QueueArn"]
        self.topic = self.sns.create_topic(Name="logs")["TopicArn"]

    def subscribe(self, *, raw: bool) -> None:
        delivery = {"RawMessageDelivery": json.dumps(raw)}
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self.queue, Attributes=delivery)

    def notify_queue(self) -> None:
        self._notify({"QueueConfigurations": [{"QueueArn": self.queue, "Events": CHANGES}]})

    def notify_topic(self) -> None:
        self._notify({"TopicConfigurations": [{"TopicArn": self.topic, "Events": CHANGES}]})

    def notify_bus(self) -> None:
        self._notify({"EventBridgeConfiguration": {}})

    def _notify(self, way: NotificationConfigurationTypeDef) -> None:
        self._s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=way)

    def route(self, **pattern: list[str]) -> None:
        """Send events of the default bus to the queue."""
        self.events.put_rule(Name="logs", EventPattern=json.dumps(pattern))
        self.events.put_targets(Rule="logs", Targets=[{"Id": "queue", "Arn": self.queue}])

    def deliver(self) -> None:
        for key in (KEY, ODD_KEY):
            self._s3.put_object(Bucket=BUCKET, Key=key, Body=CONTENT)

    def delete(self) -> None:
        self._s3.delete_object(Bucket=BUCKET, Key=KEY)

    def received(self) -> list[Notice]:
        bodies = []
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bodies.append(message["Body"])
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return [notice_of(body) for body in bodies]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def account(server: str) -> Account:
    with urlopen(Request(f"{server}/moto-api/reset", method="POST")):
        return Account(server)


def objects_of(notices: list[Notice]) -> set[ObjectRef]:
    return {ref for notice in notices for ref in notice.objects}


def test_s3_names_new_objects_to_a_queue(account: Account) -> None:
    account.notify_queue()
    account.deliver()
    account.delete()
    said = account.received()
    assert said[0] == Notice(passed=(Passed.TEST,))
    assert objects_of(said) == OBJECTS
    assert said[-1] == Notice(passed=(Passed.OTHER_CHANGE,))
    assert not any(notice.broken for notice in said)


@pytest.mark.parametrize("raw", [False, True])
def test_s3_names_them_the_same_through_a_topic(account: Account, raw: bool) -> None:
    account.subscribe(raw=raw)
    account.notify_topic()
    account.deliver()
    said = account.received()
    assert objects_of(said) == OBJECTS
    assert not any(notice.broken for notice in said)


@pytest.mark.parametrize("raw", [False, True])
def test_cloudtrails_own_messages_come_through_a_topic(account: Account, raw: bool) -> None:
    account.subscribe(raw=raw)
    account.sns.publish(TopicArn=account.topic, Message="CloudTrail validation message.")
    account.sns.publish(TopicArn=account.topic, Message=json.dumps(cloudtrail_message(KEY, ODD_KEY)))
    assert account.received() == [
        Notice(passed=(Passed.VALIDATION,)),
        Notice(objects=(ObjectRef(BUCKET, KEY), ObjectRef(BUCKET, ODD_KEY))),
    ]


def test_eventbridge_names_objects_as_they_are_called(account: Account) -> None:
    account.route(source=["aws.s3"])
    account.notify_bus()
    account.deliver()
    said = account.received()
    assert objects_of(said) == OBJECTS
    assert not any(notice.broken for notice in said)


def test_eventbridge_hands_on_a_record(account: Account) -> None:
    record = use_record()
    account.route(source=["aws.ec2"])
    kind = "AWS API Call via CloudTrail"
    account.events.put_events(Entries=[{"Source": "aws.ec2", "DetailType": kind, "Detail": json.dumps(record)}])
    [said] = account.received()
    assert [json.loads(text) for text in said.records] == [record]
