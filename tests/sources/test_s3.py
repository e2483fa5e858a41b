"""A scan of a bucket finds what a scan of the same files does, and says what it could not read."""

import pickle
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, CredentialRetrievalError, ProfileNotFound

from straykey import aws as way
from straykey import pipeline
from straykey.core.record import Skipped
from straykey.errors import SourceError, UsageError
from straykey.ports import Source
from straykey.sources import s3
from straykey.sources.layout import Object
from tests.aws import BUCKET, Aws
from tests.records import gz, issuance_record, trail, use_record

ROOT = "AWSLogs/o-exampleorg1"
THEFT = gz(trail(issuance_record(), use_record(), use_record(address="203.0.113.66", time="2026-05-04T10:05:00Z")))
SOUND = gz(trail(use_record()))


def key(
    name: str = "log.json.gz", day: str = "2026/05/04", folder: str = "CloudTrail", region: str = "eu-west-1"
) -> str:
    return f"{ROOT}/111122223333/{folder}/{region}/{day}/{name}"


def open_all(paths: Sequence[str], since: str = "", until: str = "") -> Source:
    return pipeline.source_of(paths, pipeline.Period(since, until), lambda _: None)


def scanned(*paths: str, since: str = "", until: str = "") -> pipeline.Scanned:
    period = pipeline.Period(since, until)
    return pipeline.scan(open_all(paths, since, until), pipeline.Request(period=period))


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "straykey", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trail of several accounts and regions; every third file of it was delivered the day after."""
    folder = tmp_path_factory.mktemp("company") / "made"
    assert run("simulate", folder, "--instances", "8").returncode == 0
    for log in sorted(folder.rglob("*_CloudTrail_*"))[::3]:
        late = log.parent.with_name("05")
        late.mkdir(exist_ok=True)
        log.rename(late / log.name)
    return folder


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_organisation_s_trail_is_scanned_as_the_same_files_are(aws: Aws, company: Path, jobs: int) -> None:
    bucket = aws.bucket_of(company)
    options = ("--ip-ranges", company / "ip-ranges.json", "--format", "json", "--jobs", jobs)
    there = run("scan", f"{bucket}/AWSLogs/", *options)
    assert there.returncode == 0, there.stderr
    assert '"HIGH"' in there.stdout
    assert there.stdout == run("scan", company / "AWSLogs", *options).stdout
    read = sum("GET" in one and "/CloudTrail/" in one and "prefix" not in one for one in aws.asked)
    assert read == len(list(company.rglob("*_CloudTrail_*")))


def test_only_days_that_may_hold_records_of_the_period_are_listed_and_read(aws: Aws) -> None:
    bucket = aws.bucket({key(f"{n}.json.gz", f"2026/05/{day:02}"): SOUND for day in range(1, 15) for n in range(3)})
    read = open_all([bucket], "2026-05-05T00:00:00Z", "2026-05-06T00:00:00Z").contents
    assert {name.rpartition("/")[0][-2:] for name, _ in read} == {"04", "05", "06", "07"}
    assert len(aws.asked) == 1  # so few objects are one page
    tally = scanned(bucket, since="2026-05-03T00:00:00Z", until="2026-05-04T09:00:00Z").tally
    assert tally.skipped == {Skipped.OTHER_TIME: 4 * 3}


def test_what_is_no_log_is_passed_over_and_not_fetched(aws: Aws) -> None:
    digest = key("digest.json.gz", folder="CloudTrail-Digest")
    bucket = aws.bucket({key(): THEFT, digest: gz({}), key(folder="Config"): b"x", "README": b"x", "AWSLogs/": b""})
    scan = scanned(bucket)
    assert [finding.severity for finding in scan.findings] == ["HIGH"]
    assert scan.tally.skipped - Counter({Skipped.OTHER_IDENTITY: 1}) == {Skipped.OTHER_FILE: 3}
    assert not scan.tally.losses
    assert [one for one in aws.asked if "list-type" not in one] == [f"GET /{BUCKET}/{key()}?"]


@pytest.mark.parametrize("name", ["copy of a log", "CloudTrail-Digest/log.json", key(day="2020/01/01")])
def test_an_object_that_is_named_is_read_whatever_its_key(aws: Aws, name: str) -> None:
    bucket = aws.bucket({name: THEFT, f"{name}.old": b"x", key(): SOUND})
    assert scanned(f"{bucket}/{name}", since="2026-01-01T00:00:00Z").tally.records == 3


@pytest.mark.parametrize(
    "prefix", ["", "/", "/AWSLogs", "/AWSLogs/", f"/{ROOT}/111122223333/CloudTrail/eu-west-1/2026/05/0"]
)
def test_a_prefix_may_end_anywhere(aws: Aws, prefix: str) -> None:
    bucket = aws.bucket({key(): THEFT})
    assert scanned(bucket + prefix).tally.records == 3


@pytest.mark.parametrize("name", ["a b", "a+b", "a%20b", "Ω", "a&b=c?d#e", "a//b", "~!*'()"])
def test_odd_keys_are_read(aws: Aws, name: str) -> None:
    bucket = aws.bucket({f"{name}/{key(f'{name}.gz'.replace('/', ''))}": THEFT})
    assert scanned(f"{bucket}/{name}").tally.records == 3


def test_an_object_named_twice_is_read_once_and_files_may_stand_beside(aws: Aws, tmp_path: Path) -> None:
    (tmp_path / "log.json.gz").write_bytes(SOUND)
    bucket = aws.bucket({key(): THEFT})
    assert scanned(bucket, str(tmp_path), f"{bucket}/{key()}").tally.files == 2


def test_shares_hold_all_of_it_and_can_be_sent_to_a_process(aws: Aws, tmp_path: Path) -> None:
    (tmp_path / "log.json.gz").write_bytes(SOUND)
    source = open_all([aws.bucket({key(name): SOUND + bytes(1 << 20) for name in "abc"}), str(tmp_path)])
    shares = pickle.loads(pickle.dumps(source.shares(2)))
    assert len(shares) > 2
    assert [one for share in shares for one in share.contents] == source.contents
    assert not source.is_bound


def test_the_order_of_batches_is_that_of_the_listing(aws: Aws) -> None:
    bucket = aws.bucket({key(f"{n:03}.gz"): SOUND for n in range(40)})
    source = open_all([bucket])
    assert [batch.name for batch in source.batches()] == [name for name, _ in source.contents]
    assert not [one.name for one in threading.enumerate() if "ThreadPool" in one.name]


def lost(scan: pipeline.Scanned) -> dict[str, Counter[Skipped]]:
    return {name.rpartition("/")[2]: reasons for name, reasons in scan.tally.losses.items()}


def test_an_object_that_cannot_be_read_is_named_with_its_reason_and_costs_nothing_else(aws: Aws) -> None:
    broken = {key("cut.gz"): THEFT[:-30], key("html.gz"): b"<html>"}
    bucket = aws.bucket({key("denied.gz"): THEFT, key("cold.gz"): THEFT, key("odd.gz"): THEFT, key(): THEFT} | broken)
    aws.refuse("GET /example-trail-bucket/" + key("denied.gz"), "AccessDenied")
    aws.refuse("cold.gz", "InvalidObjectState")
    aws.refuse("odd.gz", "KMS.NotFoundException", "400 Bad Request")
    scan = scanned(bucket)
    assert lost(scan) == {
        "denied.gz": {Skipped.DENIED: 1},
        "cold.gz": {Skipped.ARCHIVED: 1},
        "odd.gz": {Skipped.UNREADABLE: 1},
        "cut.gz": {Skipped.TRUNCATED: 1, Skipped.BAD_JSON: 1},
        "html.gz": {Skipped.NOT_JSON: 1},
    }
    assert [finding.severity for finding in scan.findings] == ["HIGH"]


def test_an_object_that_was_deleted_since_it_was_listed_is_a_loss(aws: Aws) -> None:
    aws.bucket({key(): SOUND})
    source = s3.Bucket(BUCKET, [Object(key("gone"), 7), Object(key(), 7)])
    scan = pipeline.scan(source, pipeline.Request())
    assert lost(scan) == {"gone": {Skipped.UNREADABLE: 1}}
    assert scan.tally.records == 1


@pytest.mark.parametrize(("times", "expected"), [(1, {}), (99, {"log.json.gz": {Skipped.UNREADABLE: 1}})])
def test_what_breaks_off_is_fetched_again_but_not_for_ever(
    aws: Aws, times: int, expected: dict[str, Counter[Skipped]]
) -> None:
    bucket = aws.bucket({key(): THEFT})
    aws.break_off("log.json.gz", times)
    assert lost(scanned(bucket)) == expected


@pytest.mark.parametrize("breaks", [0, 1])
def test_a_large_object_is_read_as_it_comes(aws: Aws, monkeypatch: pytest.MonkeyPatch, breaks: int) -> None:
    monkeypatch.setattr(s3, "_HELD", 1 << 16)
    many = trail(*(use_record(event_id=f"{number}") for number in range(1000)))
    bucket = aws.bucket({key("large.json"): many})
    aws.break_off("large.json", breaks)
    tally = scanned(bucket).tally
    assert tally.skipped == ({Skipped.UNREADABLE: 1} if breaks else {})
    assert tally.records > 300


def test_a_bucket_that_is_not_there_ends_the_scan(aws: Aws) -> None:
    ran = run("scan", "s3://no-such-bucket/AWSLogs/", "--offline")
    assert ran.returncode == 2
    assert ran.stderr.startswith("straykey: s3://no-such-bucket/AWSLogs/: there is no such bucket\n  ")
    assert aws.asked


def test_a_denied_listing_names_the_permission(aws: Aws) -> None:
    bucket = aws.bucket({key(): SOUND})
    aws.refuse("list-type", "AccessDenied")
    with pytest.raises(SourceError, match="access denied") as raised:
        open_all([bucket])
    assert "s3:ListBucket" in raised.value.hint


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            ClientError({"Error": {"Code": "ExpiredToken", "Message": "SECRET"}}, "ListObjectsV2"),
            "the credentials have expired",
        ),
        (
            ClientError({"Error": {"Code": "Unheard", "Message": "SECRET"}}, "ListObjectsV2"),
            r"AWS refuses the call \(Unheard\)",
        ),
        (ProfileNotFound(profile="gone"), "no usable AWS credentials"),
        (CredentialRetrievalError(provider="process", error_msg="SECRET"), "no usable AWS credentials"),
    ],
)
def test_what_aws_refuses_is_told_with_a_way_out_and_without_its_text(error: Exception, told: str) -> None:
    with pytest.raises(SourceError, match=f"s3://b/: {told}") as raised, way.reaching("s3://b/", "s3:ListBucket"):
        raise error
    assert raised.value.hint
    assert "SECRET" not in f"{raised.value} {raised.value.hint}"


def test_without_credentials_it_says_so(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(SourceError, match="no usable AWS credentials"):
        open_all(["s3://example-trail-bucket"])
    assert not aws.asked


def test_an_endpoint_that_is_no_address_is_told(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    with pytest.raises(UsageError, match="AWS_ENDPOINT_URL"):
        open_all(["s3://example-trail-bucket"])
    assert not aws.asked


@pytest.mark.parametrize(
    ("path", "told"),
    [("", "no bucket"), ("example-trail-bucket/AWSlogs/", "no object's key"), ("NO_NAME?/a", "no bucket's name")],
)
def test_a_prefix_that_leads_nowhere_is_an_error(aws: Aws, path: str, told: str) -> None:
    aws.bucket({key(): SOUND})
    with pytest.raises((UsageError, SourceError), match=told) as raised:
        open_all([f"s3://{path}"])
    assert raised.value.hint


def test_an_empty_bucket_is_like_an_empty_folder(aws: Aws) -> None:
    assert scanned(aws.bucket({})).tally.files == 0


def test_without_boto3_it_says_what_to_install() -> None:
    blocked = "import sys; sys.modules['boto3'] = None; from straykey.cli import main; main()"
    command = [sys.executable, "-c", blocked, "scan", "s3://example-trail-bucket/", "--offline"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "pip install 'straykey[aws]'" in ran.stderr


def test_boto3_is_not_imported_for_files(tmp_path: Path) -> None:
    (tmp_path / "log.json.gz").write_bytes(SOUND)
    asked = "import sys; from straykey.cli import app; app(standalone_mode=False); print('boto3' in sys.modules)"
    command = [sys.executable, "-c", asked, "scan", str(tmp_path), "--offline"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "False"
