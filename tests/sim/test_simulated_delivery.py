"""How simulated records arrive as files."""

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from straykey.sim.delivery import Delivered, write
from straykey.sim.scenario import Scenario, simulate

NAME = re.compile(r"(\d{12})_CloudTrail_([a-z0-9-]+)_(\d{8}T\d{4})Z_[A-Za-z0-9]{16}\.json\.gz")


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return simulate(seed=5, instances=40, thefts=5)


@pytest.fixture(scope="module")
def delivered(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    return write(scenario, tmp_path_factory.mktemp("company"))


def content_of(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return document


def log_files(delivered: Delivered) -> list[Path]:
    return sorted(delivered.logs.glob("*/*/CloudTrail/**/*.json.gz"))


def digest_files(delivered: Delivered) -> list[Path]:
    return sorted(delivered.logs.glob("*/*/CloudTrail-Digest/**/*.json.gz"))


def stamp_of(path: Path) -> datetime:
    named = NAME.fullmatch(path.name)
    assert named
    return datetime.strptime(named[3], "%Y%m%dT%H%M").replace(tzinfo=UTC)


def lags_by_event(delivered: Delivered) -> dict[str, list[float]]:
    """Event -> seconds from the event to the time in the name of each file that holds it."""
    lags: dict[str, list[float]] = defaultdict(list)
    for path in log_files(delivered):
        for record in content_of(path)["Records"]:
            passed = stamp_of(path) - datetime.fromisoformat(record["eventTime"])
            lags[record["eventID"]].append(passed.total_seconds())
    return lags


def tree(root: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(root)), path.read_bytes()


def test_equal_seeds_give_equal_files_to_the_byte(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(simulate(seed=1, thefts=5), tmp_path / name)
    assert list(tree(tmp_path / "a")) == list(tree(tmp_path / "b"))


def test_other_seeds_give_other_files(tmp_path: Path) -> None:
    for seed in (1, 2):
        write(simulate(seed=seed), tmp_path / str(seed))
    logs = [dict(tree(tmp_path / str(seed) / "AWSLogs")) for seed in (1, 2)]
    assert not set(logs[0].values()) & set(logs[1].values())


def test_every_record_arrives_as_it_was_written(scenario: Scenario, delivered: Delivered) -> None:
    arrived = {r["eventID"]: r for path in log_files(delivered) for r in content_of(path)["Records"]}
    assert arrived == {r["eventID"]: r for r in scenario.records}


def test_keys_arrive_in_the_order_of_cloudtrail(scenario: Scenario, delivered: Delivered) -> None:
    order = {r["eventID"]: list(r) for r in scenario.records}
    arrived = [r for path in log_files(delivered) for r in content_of(path)["Records"]]
    assert all(list(r) == order[r["eventID"]] for r in arrived)


def test_a_file_lies_under_its_account_region_and_day(delivered: Delivered) -> None:
    for path in log_files(delivered):
        named = NAME.fullmatch(path.name)
        assert named
        day = f"{stamp_of(path):%Y/%m/%d}"
        folder = f"o-exampleorg1/{named[1]}/CloudTrail/{named[2]}/{day}"
        assert str(path.parent.relative_to(delivered.logs)) == folder


def test_a_file_holds_records_of_its_own_account_and_region_only(delivered: Delivered) -> None:
    for path in log_files(delivered):
        named = NAME.fullmatch(path.name)
        assert named
        trails = {(r["recipientAccountId"], r["awsRegion"]) for r in content_of(path)["Records"]}
        assert trails == {(named[1], named[2])}


def test_global_services_are_written_in_us_east_1(delivered: Delivered) -> None:
    regions = {
        r["awsRegion"]
        for path in log_files(delivered)
        for r in content_of(path)["Records"]
        if r["eventSource"] in ("iam.amazonaws.com", "signin.amazonaws.com")
    }
    assert regions == {"us-east-1"}


def test_file_times_are_five_minute_marks(delivered: Delivered) -> None:
    assert {stamp_of(path).minute % 5 for path in log_files(delivered)} == {0}


def test_the_first_copy_comes_within_ten_minutes(delivered: Delivered) -> None:
    firsts = [min(lags) for lags in lags_by_event(delivered).values()]
    assert min(firsts) >= 0
    assert max(firsts) < 600


def test_delays_are_those_of_a_real_trail(delivered: Delivered) -> None:
    firsts = sorted(min(lags) for lags in lags_by_event(delivered).values())
    assert 180 < median(firsts) < 230
    assert 390 < firsts[int(0.95 * len(firsts))] < 460


def test_second_copies_are_few_and_always_in_a_later_file(delivered: Delivered) -> None:
    lags = lags_by_event(delivered)
    twice = [sorted(it) for it in lags.values() if len(it) > 1]
    assert 0.01 < len(twice) / len(lags) < 0.05
    assert {len(it) for it in twice} == {2}
    assert all(second - first == 300 for first, second in twice)


def test_no_file_holds_an_event_twice(delivered: Delivered) -> None:
    for path in log_files(delivered):
        ids = [r["eventID"] for r in content_of(path)["Records"]]
        assert len(set(ids)) == len(ids)


def test_most_files_are_not_in_order_of_time(delivered: Delivered) -> None:
    times = [[r["eventTime"] for r in content_of(path)["Records"]] for path in log_files(delivered)]
    unsorted = [it for it in times if it != sorted(it)]
    assert 0.5 < len(unsorted) / len(times) < 0.9


def test_some_later_files_hold_earlier_events(delivered: Delivered) -> None:
    newest: dict[str, str] = {}
    overtaken = 0
    for path in sorted(log_files(delivered), key=stamp_of):
        trail = path.name[:30]
        times = [r["eventTime"] for r in content_of(path)["Records"]]
        overtaken += min(times) < newest.get(trail, "")
        newest[trail] = max(newest.get(trail, ""), *times)
    assert overtaken > 10


def test_files_are_small(delivered: Delivered) -> None:
    sizes = [len(content_of(path)["Records"]) for path in log_files(delivered)]
    assert 5 <= median(sizes) <= 50
    assert max(sizes) <= 400


def test_it_says_what_was_written(delivered: Delivered) -> None:
    lags = lags_by_event(delivered)
    assert delivered.files == len(log_files(delivered))
    assert delivered.digests == len(digest_files(delivered))
    assert delivered.records == sum(map(len, lags.values()))
    assert delivered.copies == delivered.records - len(lags)


def test_digests_list_every_log_file_once_and_hold_no_records(delivered: Delivered) -> None:
    digests = [content_of(path) for path in digest_files(delivered)]
    listed = [entry["s3Object"] for digest in digests for entry in digest["logFiles"]]
    assert not any("Records" in digest for digest in digests)
    assert sorted(listed) == [f"AWSLogs/{path.relative_to(delivered.logs)}" for path in log_files(delivered)]


def test_each_digest_names_its_own_place(delivered: Delivered) -> None:
    for path in digest_files(delivered):
        assert content_of(path)["digestS3Object"] == f"AWSLogs/{path.relative_to(delivered.logs)}"


def test_the_truth_begins_with_its_schema(delivered: Delivered) -> None:
    truth = json.loads(delivered.truth.read_text())
    assert next(iter(truth.items())) == ("$schema", "straykey/simulation-truth/1")


def test_the_truth_on_disk_is_that_of_the_scenario(scenario: Scenario, delivered: Delivered) -> None:
    truth = json.loads(delivered.truth.read_text())
    assert [theft["event_ids"] for theft in truth["thefts"]] == [list(theft.event_ids) for theft in scenario.thefts]
    assert [s["session_arn"] for s in truth["sessions"]] == [s.session_arn for s in scenario.sessions]
    assert truth["accounts"] == list(scenario.accounts)


def test_the_ranges_on_disk_are_those_of_the_scenario(scenario: Scenario, delivered: Delivered) -> None:
    assert json.loads(delivered.ip_ranges.read_text()) == scenario.ip_ranges


def test_two_worlds_are_not_mixed_in_one_folder(tmp_path: Path) -> None:
    scenario = simulate(seed=1)
    write(scenario, tmp_path)
    with pytest.raises(FileExistsError):
        write(scenario, tmp_path)
