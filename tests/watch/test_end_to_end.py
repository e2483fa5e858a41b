"""`straykey watch` as a user runs it: a bucket tells a queue, and findings reach the store and every sink."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import boto3
import pytest

from straykey import pipeline
from straykey.core.finding import Finding, Severity, Status
from straykey.core.ranges import parse_ranges
from straykey.formats.finding_json import to_document
from straykey.sim.delivery import write
from straykey.sim.scenario import simulate
from straykey.sources.files import Files, find
from straykey.stores import findings
from straykey.stores.database import Database
from straykey.stores.sql import SqlStore
from tests.aws import BUCKET, Aws
from tests.sinks.receiver import Receiver, listening

SECONDS = 60.0


class Trail:
    """A trail's bucket that tells a queue of every object."""

    def __init__(self, aws: Aws) -> None:
        self.s3, self.sqs = aws.s3, aws.sqs
        self.s3.create_bucket(Bucket=BUCKET)
        self.url = self.sqs.create_queue(QueueName="logs")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.s3.put_bucket_notification_configuration(
            Bucket=BUCKET,
            NotificationConfiguration={
                "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}],
            },
        )

    def deliver(self, folder: Path) -> None:
        for path in sorted(folder.rglob("*.json.gz")):
            key = path.relative_to(folder).as_posix()
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())

    @property
    def left(self) -> int:
        told = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        return int(told["ApproximateNumberOfMessages"]) + int(told["ApproximateNumberOfMessagesNotVisible"])


def until(holds: Callable[[], bool], process: "subprocess.Popen[bytes] | subprocess.Popen[str] | None") -> None:
    """Wait for another process; the only clock that counts is how long is too long."""
    late = time.monotonic() + SECONDS
    while not holds():
        assert process is None or process.poll() is None, "it has ended"
        assert time.monotonic() < late, "it did not get there"
        time.sleep(0.05)


@contextmanager
def watching(config: Path, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "straykey", "watch", "--config", str(config)]
    with log.open("wb") as said:
        process = subprocess.Popen(command, stderr=said, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0, log.read_text()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as one:
        yield one


def test_a_theft_in_a_bucket_reaches_the_store_security_hub_eventbridge_and_a_webhook(
    aws: Aws, tmp_path: Path, receiver: Receiver
) -> None:
    world = tmp_path / "world"
    write(simulate(seed=1, thefts=2), world)
    trail = Trail(aws)
    heard = told_by_eventbridge(aws)
    boto3.client("securityhub").enable_security_hub()
    config = tmp_path / "straykey.toml"
    config.write_text(settings(trail, tmp_path, world, receiver.url))
    expected = [one for one in scanned(world) if one.severity is not Severity.INFORMATIONAL]
    assert len(expected) == 2

    with watching(config, tmp_path / "log") as process:
        trail.deliver(world)
        until(lambda: trail.left == 0, process)
        until(lambda: ids_in_hub() == {one.id for one in expected}, process)
        until(lambda: len(receiver.posted) >= len(expected), process)
        until(lambda: len(heard()) >= len(expected), process)
        with urlopen(f"http://127.0.0.1:{port(tmp_path / 'log')}/healthz") as answer:
            assert json.load(answer)["status"] == "ok"

    assert {json.loads(body)["detail"]["id"] for body in heard()} == {one.id for one in expected}
    store = SqlStore(Database(str(tmp_path / "store.db")))
    with store.reading() as connection:
        kept = findings.findings_since(connection, -1)
    in_order = [kept[one.id].finding for one in scanned(world) if kept[one.id].status is Status.OPEN]
    assert to_document(in_order, {}) == to_document(scanned(world), {})
    assert len(kept) == len(in_order)


def drilled(config: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "straykey", "drill", "--config", str(config), *more]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS)


@pytest.mark.parametrize("source", ["queue", "bucket"])
def test_a_drill_reaches_every_sink_and_leaves_nothing(
    aws: Aws, tmp_path: Path, receiver: Receiver, source: str
) -> None:
    trail = Trail(aws)
    config = tmp_path / "straykey.toml"
    text = settings(trail, tmp_path, tmp_path, receiver.url)
    if source == "bucket":  # listed once a minute: the drill is there before the first time
        text = text.replace(f"sqs://{trail.url}", f"s3://{BUCKET}/trail/")
    config.write_text(text)
    ranges = {"syncToken": "1", "createDate": "2026-05-02-10-00-00", "prefixes": [], "ipv6_prefixes": []}
    (tmp_path / "ip-ranges.json").write_text(json.dumps(ranges))
    boto3.client("securityhub").enable_security_hub()
    if source == "bucket":
        Database(str(tmp_path / "store.db")).close()  # of a process that watched before
        drilling = subprocess.Popen(
            [sys.executable, "-m", "straykey", "drill", "--config", str(config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until(lambda: "Contents" in aws.s3.list_objects_v2(Bucket=BUCKET), drilling)
        with watching(config, tmp_path / "log"):
            said, complained = drilling.communicate(timeout=SECONDS)
        code = drilling.returncode
    else:
        with watching(config, tmp_path / "log") as process:
            until((tmp_path / "store.db").exists, process)
            ended = drilled(config)
            until(lambda: trail.left == 0, None)
        said, complained, code = ended.stdout, ended.stderr, ended.returncode
    assert code == 0, complained
    assert [said.count(f"sink {name} has it") for name in ("hub", "bus", "hook")] == [2, 2, 2]
    statuses = [json.loads(one.body)["finding"]["status"] for one in receiver.posted]
    assert statuses == ["open", "resolved"]
    store = SqlStore(Database(str(tmp_path / "store.db")))
    with store.ledger() as ledger, store.reading() as connection:
        assert len(ledger.sessions) == 0
        assert not ledger.accounts
        assert findings.findings_since(connection, -1) == {}
    assert "Contents" not in aws.s3.list_objects_v2(Bucket=BUCKET)


def test_a_drill_that_nobody_watches_says_what_is_missing(aws: Aws, tmp_path: Path, receiver: Receiver) -> None:
    config = tmp_path / "straykey.toml"
    config.write_text(settings(Trail(aws), tmp_path, tmp_path, receiver.url))
    Database(str(tmp_path / "store.db")).close()
    ended = drilled(config, "--wait", "1")
    assert ended.returncode == 1
    assert "does straykey watch run" in ended.stderr


def test_a_drill_makes_no_store_where_there_is_none(tmp_path: Path) -> None:
    config = tmp_path / "straykey.toml"
    config.write_text('sources = ["s3://logs/AWSLogs/"]')
    ended = drilled(config, "--store", str(tmp_path / "none.db"))
    assert ended.returncode == 2
    assert "none.db: no such file" in ended.stderr
    assert not (tmp_path / "none.db").exists()


def settings(trail: Trail, folder: Path, world: Path, url: str) -> str:
    return f"""
sources = ["sqs://{trail.url}"]
buckets = ["{BUCKET}"]
store = "{folder}/store.db"
ip_ranges = "{world}/ip-ranges.json"
listen = "127.0.0.1:0"
[[sinks]]
name = "hub"
kind = "securityhub"
[[sinks]]
name = "bus"
kind = "eventbridge"
[[sinks]]
name = "hook"
kind = "webhook"
url = "{url}"
secret = "a secret of some length"
allow_private = true
"""


def scanned(world: Path) -> list[Finding]:
    ranges = parse_ranges((world / "ip-ranges.json").read_bytes())
    return pipeline.scan(Files(find([str(world / "AWSLogs")])), pipeline.Request(ranges=ranges)).findings


def told_by_eventbridge(aws: Aws) -> Callable[[], list[str]]:
    """What a rule for GuardDuty's events of ours sends to a queue."""
    events, url = boto3.client("events"), aws.sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="told", EventPattern=json.dumps({"detail-type": ["GuardDuty Finding"]}))
    events.put_targets(Rule="told", Targets=[{"Id": "1", "Arn": arn}])

    told: list[str] = []

    def received() -> list[str]:
        answer = aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        told.extend(one["Body"] for one in answer.get("Messages", ()))
        return told

    return received


def ids_in_hub() -> set[str]:
    return {one["Id"].rpartition("/")[2] for one in boto3.client("securityhub").get_findings()["Findings"]}


def port(log: Path) -> int:
    said = [json.loads(line) for line in log.read_text().splitlines()]
    return int(next(one["port"] for one in said if one["event"] == "listening"))
