"""What is read of CloudTrail's event history over real HTTP, and what is said where AWS does not answer."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from straykey import pipeline
from straykey.core.record import Skipped
from straykey.errors import SourceError, UsageError
from straykey.formats import finding_json
from straykey.sources import history
from straykey.sources.files import Files, find
from straykey.sources.history import Clock, Window
from straykey.sources.several import Several
from tests.cloudtrail import ENVIRONMENT, CloudTrail, Failure, served
from tests.records import RawRecord, issuance_record, trail, use_record

EUROPE = "history:eu-west-1"
THROTTLED = Failure("ThrottlingException", "Rate exceeded")
EXPIRED_TOKEN = Failure("InvalidNextTokenException")
DENIED = Failure("AccessDeniedException", "User: arn:aws:iam::111122223333:user/eve is not authorized")


class Time:
    """Passes when slept, and never else."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudTrail]:
    """An empty history that boto3 finds in the environment."""
    there = CloudTrail()
    with served(there) as url:
        for name, value in (ENVIRONMENT | {"AWS_ENDPOINT_URL": url}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        yield there


class Run:
    """A scan of the history, with what was told and how long was slept."""

    def __init__(self, *paths: str, window: Window | None = None) -> None:
        self.told: list[str] = []
        self.time = Time()
        self.source = history.history(paths or (EUROPE,), window or Window(), self.told.append, self.time.clock)

    def scanned(self) -> pipeline.Scanned:
        return pipeline.scan(self.source, pipeline.Request())


def uses(count: int) -> list[RawRecord]:
    """So many records, one a second."""
    return [
        use_record(
            event_id=f"use-{place}", time=f"2026-05-04T{10 + place // 3600}:{place // 60 % 60:02}:{place % 60:02}Z"
        )
        for place in range(count)
    ]


def theft() -> list[RawRecord]:
    stray = use_record(address="203.0.113.66", time="2026-05-04T10:05:00Z")
    return [issuance_record(), use_record(), use_record(time="2026-05-04T10:09:00Z"), stray]


def findings(scanned: pipeline.Scanned) -> list[str]:
    return [finding_json.to_line(one) for one in scanned.findings]


def test_findings_are_those_of_a_scan_of_the_same_records_in_files(aws: CloudTrail, tmp_path: Path) -> None:
    records = [*theft(), *uses(120)]
    aws.record(*records[:70])
    aws.record(*records[70:], region="us-east-1")
    (tmp_path / "trail.json").write_bytes(trail(*records))
    of_files = pipeline.scan(Files(find([str(tmp_path)])), pipeline.Request())
    of_history = Run("history:").scanned()
    assert findings(of_history)
    assert findings(of_history) == findings(of_files)
    assert of_history.tally.records == of_files.tally.records == 124


def test_pages_of_fifty_are_asked_for_no_more_than_twice_a_second(aws: CloudTrail) -> None:
    aws.record(*uses(120))
    run = Run()
    assert run.scanned().tally.files == 3
    assert [call.asked["MaxResults"] for call in aws.calls] == [50, 50, 50]
    assert run.time.slept == [0.5, 0.5]


def test_a_period_is_asked_of_aws(aws: CloudTrail) -> None:
    aws.record(*uses(120))
    period = pipeline.Period("2026-05-04T10:00:10Z", "2026-05-04T10:00:20Z")
    source = pipeline.source_of([EUROPE], period, lambda _: None)
    tally = pipeline.scan(source, pipeline.Request(period=period)).tally
    # AWS includes the end, a period does not.
    assert tally.records == 11
    assert tally.skipped == {Skipped.OTHER_TIME: 1}


def test_without_a_period_no_bound_is_asked_for(aws: CloudTrail) -> None:
    Run().scanned()
    assert [call.asked for call in aws.calls] == [{"MaxResults": 50}]


@pytest.mark.parametrize(
    ("paths", "own", "read"),
    [
        (["history:"], "eu-west-1", ["eu-west-1", "us-east-1"]),
        (["history:"], "us-east-1", ["us-east-1"]),
        (["history:"], "cn-northwest-1", ["cn-northwest-1", "cn-north-1"]),
        (["history:"], "us-gov-east-1", ["us-gov-east-1", "us-gov-west-1"]),
        (["history:sa-east-1, eu-west-1"], "us-east-1", ["sa-east-1", "eu-west-1"]),
        (["history:", "history:eu-west-1"], "eu-west-1", ["eu-west-1", "us-east-1"]),
    ],
)
def test_the_regions_named_are_read_else_ones_own_and_that_of_global_services(
    aws: CloudTrail, monkeypatch: pytest.MonkeyPatch, paths: list[str], own: str, read: list[str]
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", own)
    run = Run(*paths)
    run.scanned()
    assert [call.region for call in aws.calls] == read
    assert ", ".join(read) in run.told[0]


def test_without_a_region_of_ones_own_the_global_one_is_read(aws: CloudTrail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    Run("history:").scanned()
    assert [call.region for call in aws.calls] == ["us-east-1"]


@pytest.mark.parametrize("path", ["history:eu-wset-1", "history:eu-west-1,", "history:../x"])
def test_a_region_that_is_none_is_wrong_usage(aws: CloudTrail, path: str) -> None:
    with pytest.raises(UsageError, match="no AWS region of that name"):
        Run(path)
    assert not aws.calls


@pytest.mark.parametrize("text", ["", "{", '"x', '{"eventVersion":"1.11"}', '"\ud800"', "\n\n}", "[]"])
def test_a_broken_text_costs_that_record_only(aws: CloudTrail, text: str) -> None:
    first, *rest = uses(3)
    aws.record(first)
    aws.hold(text)
    aws.record(*rest)
    tally = Run().scanned().tally
    assert tally.records == 3
    assert [sum(reasons.values()) for reasons in tally.losses.values()] == [1]
    assert list(tally.losses) == [EUROPE]


def test_throttling_is_waited_out_longer_each_time(aws: CloudTrail) -> None:
    aws.record(*uses(60))
    aws.failures = dict.fromkeys((1, 2, 3, 5), THROTTLED)
    run = Run()
    assert run.scanned().tally.records == 60
    # Half a second more lies between one call and the next.
    assert [seconds for seconds in run.time.slept if seconds >= 1] == [1, 2, 4, 1]


def test_aws_that_failed_in_the_middle_is_called_again(aws: CloudTrail) -> None:
    aws.record(*uses(60))
    aws.failures = {2: Failure("InternalFailure", status=500)}
    assert Run().scanned().tally.records == 60


def test_a_token_that_expired_starts_anew_at_the_last_event_reached(aws: CloudTrail) -> None:
    aws.record(*uses(170))
    aws.failures = {3: EXPIRED_TOKEN}
    run = Run()
    read = [one.time for batch in run.source.batches() for portion in batch.portions for one in portion.records]
    assert set(read) == {one["eventTime"] for one in uses(170)}
    oldest = datetime.fromisoformat("2026-05-04T10:01:10Z")
    assert [call.asked.get("EndTime") for call in aws.calls[3:]] == [oldest.timestamp()] * 2
    assert "NextToken" not in aws.calls[3].asked


def test_tokens_that_expire_where_no_time_passes_end_the_reading(aws: CloudTrail) -> None:
    aws.record(*(use_record(event_id=f"{place}") for place in range(60)))
    aws.failures = dict.fromkeys((2, 4, 6), EXPIRED_TOKEN)
    tally = Run().scanned().tally
    assert tally.losses == {EUROPE: {Skipped.REFUSED: 1}}
    assert len(aws.calls) == 4


REFUSALS = [
    (DENIED, "access denied: User: arn:aws:iam::111122223333:user/eve", "grant cloudtrail:LookupEvents"),
    (Failure("ExpiredTokenException"), "the credentials have expired", "aws sso login"),
    (Failure("UnrecognizedClientException"), "does not accept the credentials", "region is enabled"),
    (Failure("InvalidTimeRangeException"), "refuses the call (InvalidTimeRangeException)", ""),
    (Failure("InternalFailure", status=503), "no answer from AWS", "network"),
]


@pytest.mark.parametrize(("failure", "told", "hint"), REFUSALS, ids=lambda one: getattr(one, "code", ""))
def test_a_refusal_says_what_and_where_and_how_to_mend_it(
    aws: CloudTrail, failure: Failure, told: str, hint: str
) -> None:
    aws.failures = {1: failure}
    with pytest.raises(SourceError) as raised:
        Run().scanned()
    assert str(raised.value).startswith(f"{EUROPE}: ")
    assert told in str(raised.value)
    assert hint in raised.value.hint


def test_throttling_without_end_is_given_up(aws: CloudTrail) -> None:
    aws.failures = dict.fromkeys(range(1, 100), THROTTLED)
    with pytest.raises(SourceError, match="called too often"):
        Run().scanned()
    assert len(aws.calls) == 8


def test_what_a_signature_is_made_of_is_never_shown(aws: CloudTrail) -> None:
    aws.failures = {1: Failure("InvalidSignatureException", "x-amz-security-token:EXAMPLE-SESSION-TOKEN")}
    with pytest.raises(SourceError) as raised:
        Run().scanned()
    assert "EXAMPLE-SESSION-TOKEN" not in f"{raised.value}{raised.value.hint}"


def test_where_credentials_expire_in_the_middle_what_was_read_is_judged_and_named(aws: CloudTrail) -> None:
    aws.record(*theft(), *uses(60))
    aws.failures = dict.fromkeys((2, 3), Failure("ExpiredTokenException"))
    run = Run("history:")
    scanned = run.scanned()
    assert scanned.tally.records == 50
    assert scanned.tally.losses == {EUROPE: {Skipped.REFUSED: 1}, "history:us-east-1": {Skipped.REFUSED: 1}}
    assert any("expired: log in" in line for line in run.told)
    assert "history   eu-west-1: 50 events, back to 2026-05-04T10:00:12Z; the rest is missing" in run.told


def test_an_interrupted_reading_tells_how_far_it_came(aws: CloudTrail) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    aws.record(*uses(60))
    told: list[str] = []
    source = history.history([EUROPE], Window(), told.append, Clock(lambda: 0.0, interrupt))
    with pytest.raises(KeyboardInterrupt):
        pipeline.scan(source, pipeline.Request())
    assert told[-1] == "history   eu-west-1: 50 events, back to 2026-05-04T10:00:10Z; the rest is missing"


def test_no_credentials_are_told_with_what_to_do(aws: CloudTrail, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(SourceError, match="no usable AWS credentials") as raised:
        Run().scanned()
    assert "aws sso login" in raised.value.hint
    assert not aws.calls


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("AWS_PROFILE", "gone", "no usable AWS credentials"),
        ("AWS_ENDPOINT_URL", "nonsense", "AWS cannot be called"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", "no answer from AWS"),
    ],
)
def test_a_configuration_that_leads_nowhere_is_told_at_once(
    aws: CloudTrail, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    assert not aws.calls
    monkeypatch.setenv(name, value)
    with pytest.raises(SourceError, match=told):
        Run().scanned()


def test_the_history_is_read_by_one_process_whatever_there_is_beside(aws: CloudTrail, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_bytes(trail(*theft()))
    aws.record(*theft())
    source = pipeline.source_of([str(tmp_path), EUROPE], pipeline.Period(), lambda _: None)
    assert isinstance(source, Several)
    assert [share.is_bound for share in source.shares(2)] == [True, False]
    assert [name for name, _ in source.contents] == [EUROPE, str(tmp_path / "one.json")]
    together = pipeline.scan(source, pipeline.Request(), jobs=2)
    assert together.tally.records == 8
    assert findings(together) == findings(pipeline.scan(Files(find([str(tmp_path)])), pipeline.Request()))


def straykey(*arguments: str, setup: str = "") -> subprocess.CompletedProcess[str]:
    program = f"{setup}\nfrom straykey.cli import main; main()"
    command = [sys.executable, "-c", program, *arguments, "--offline"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))


def test_the_command_line_scans_the_history(aws: CloudTrail) -> None:
    aws.record(*theft())
    ran = straykey("scan", "history:", "--format", "jsonl")
    assert ran.returncode == 0
    assert [json.loads(line)["stray"]["address"] for line in ran.stdout.splitlines()] == ["203.0.113.66"]
    assert "history   eu-west-1: 4 events, back to 2026-05-04T09:59:00Z\n" in ran.stderr
    assert "no data events" in ran.stderr


def test_the_command_line_says_what_permission_is_missing(aws: CloudTrail) -> None:
    aws.failures = {1: DENIED}
    ran = straykey("scan", "history:")
    assert ran.returncode == 2
    assert "grant cloudtrail:LookupEvents" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_without_boto3_the_command_line_says_what_to_install(aws: CloudTrail) -> None:
    ran = straykey("scan", "history:", setup="import sys; sys.modules['boto3'] = None")
    assert not aws.calls
    assert ran.returncode == 2
    assert "pip install 'straykey[aws]'" in ran.stderr


def test_files_are_scanned_without_loading_boto3(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_bytes(trail(*theft()))
    ran = straykey("scan", str(tmp_path), setup="import sys; sys.modules.update(boto3=None, botocore=None)")
    assert ran.returncode == 0, ran.stderr
