"""What is a log of which day, and that a listing which leaps finds what listing everything would."""

from bisect import bisect_right
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from straykey.sources.layout import Days, LogKey, Object, Page, days_of, leap, logs, parse

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
ORGANIZATION = "o-exampleorg1"
NAME = "111122223333_CloudTrail_eu-west-1_20260504T1035Z_AbCdEfGh12345678.json.gz"

prefixes = st.sampled_from(["", "logs/", "a b/c+d/", "/", "Ω\n/", "AWSLogs/", "AWSLogs/o-exampleorg1/"])
organizations = st.sampled_from(["", ORGANIZATION])
accounts = st.sampled_from([ACCOUNT, OTHER_ACCOUNT])
regions = st.sampled_from(["eu-west-1", "eu-west-10"])
days = st.dates(date(2025, 12, 30), date(2026, 1, 2))
names = st.sampled_from([NAME, "a.json", "0", "~ +%20é"])
folders = st.sampled_from(["CloudTrail", "CloudTrail-NetworkActivity"])
other_folders = st.sampled_from(["CloudTrail-Digest", "CloudTrail-N", "CloudTrail0", "Config"])
periods = st.builds(Days, st.none() | days, st.none() | days)


def key_of(log: LogKey, folder: str = "CloudTrail", name: str = NAME) -> str:
    organization = f"{log.organization}/" if log.organization else ""
    return f"{log.prefix}AWSLogs/{organization}{log.account}/{folder}/{log.region}/{log.day:%Y/%m/%d}/{name}"


log_keys = st.builds(LogKey, prefixes, organizations, accounts, regions, days)
odd_keys = st.one_of(
    st.builds(key_of, log_keys, other_folders, names),
    # What stands in the layout at the wrong place, or ends before it does.
    st.builds(lambda key, end: key[: -1 - end], st.builds(key_of, log_keys, folders), st.integers(0, 120)),
    st.sampled_from(["README", "logs", "zebra/1", "AWSLogs/o-exampleorg1/111122223333/CloudTrail/x/2026/01/40/a"]),
)


@st.composite
def buckets(draw: st.DrawFn) -> list[str]:
    """Keys of few trails, so that many of them lie in one folder, or in the next one, and a leap too far is seen."""
    trails = draw(st.lists(st.tuples(prefixes, organizations, accounts), min_size=1, max_size=2))
    of_trails = st.builds(
        lambda at, region, day, folder, name: key_of(LogKey(at[0], at[1], at[2], region, day), folder, name),
        st.sampled_from(trails),
        regions,
        days,
        folders | other_folders,
        names,
    )
    return draw(st.lists(of_trails, max_size=30)) + draw(st.lists(odd_keys, max_size=5))


@given(log_keys, folders, names)
def test_every_key_that_was_built_is_parsed_back(log: LogKey, folder: str, name: str) -> None:
    assert parse(key_of(log, folder, name)) == log


@pytest.mark.parametrize(
    "key",
    [
        f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/eu-west-1/2026/05/04/{NAME}",
        f"AWSLogs/{ACCOUNT}/CloudTrail-Insight/eu-west-1/2026/05/04/{NAME}",
        f"AWSLogs/{ACCOUNT}/CloudTrail-Aggregated/eu-west-1/2026/05/04/{NAME}",
        f"AWSLogs/{ACCOUNT}/Config/eu-west-1/2026/5/4/ConfigHistory/{NAME}",
        f"AWSLogs/{ACCOUNT}/elasticloadbalancing/eu-west-1/2026/05/04/{ACCOUNT}_elb.log.gz",
        f"AWSLogs/{ACCOUNT}/vpcflowlogs/eu-west-1/2026/05/04/{ACCOUNT}_vpcflowlogs.log.gz",
        f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/02/30/{NAME}",
        f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/05/04/",
        f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/05/04/more/{NAME}",
        f"AWSLogs/{ACCOUNT}/CloudTrail//2026/05/04/{NAME}",
        f"AWSLogs/12345/CloudTrail/eu-west-1/2026/05/04/{NAME}",
        f"NoAWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/05/04/{NAME}",
        NAME,
        "",
    ],
)
def test_what_is_no_log_is_told_by_its_key(key: str) -> None:
    assert parse(key) is None


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("", "", Days()),
        ("2026-05-04T00:00:00Z", "", Days(date(2026, 5, 3))),
        ("2026-03-01T10:00:00Z", "2026-12-31T23:59:59Z", Days(date(2026, 2, 28), date(2027, 1, 1))),
        ("", "9999-12-31T10:00:00Z", Days()),
    ],
)
def test_a_day_more_at_either_end_is_listed(since: str, until: str, expected: Days) -> None:
    assert days_of(since, until) == expected


class Listing:
    """A bucket that gives its keys in pages, and counts how many it gave."""

    def __init__(self, keys: list[str], page: int, prefix: str = "") -> None:
        self.keys = sorted(key for key in set(keys) if key.startswith(prefix))
        self.given = 0
        self._page = page

    def behind(self, key: str) -> Page:
        start = bisect_right(self.keys, key) if key else 0
        page = self.keys[start : start + self._page]
        self.given += len(page)
        return Page([(one, 7) for one in page], is_last=start + self._page >= len(self.keys))


def listed(keys: list[str], prefix: str = "", period: Days = Days(), page: int = 1000) -> list[Object]:  # noqa: B008 - frozen
    return list(logs(Listing(keys, page, prefix).behind, prefix, period))


@settings(max_examples=300)
@given(buckets(), st.data(), periods, st.integers(1, 5))
def test_leaping_finds_what_listing_everything_would(
    keys: list[str], data: st.DataObject, period: Days, page: int
) -> None:
    asked = data.draw(st.sampled_from([*keys, ""]))
    prefix = asked[: data.draw(st.integers(0, max(len(asked) - 1, 0)))]
    wanted = [
        key
        for key in sorted(set(keys))
        if key.startswith(prefix) and (log := parse(key)) is not None and period.holds(log.day)
    ]
    if prefix not in keys or prefix.endswith("/"):
        assert [one.key for one in listed(keys, prefix, period, page) if one.is_log] == wanted


@given(buckets(), periods, st.integers(1, 5))
def test_how_a_listing_is_paged_changes_nothing(keys: list[str], period: Days, page: int) -> None:
    assert listed(keys, "", period, page) == listed(keys, "", period)


@given(odd_keys | st.builds(key_of, log_keys, folders, names), periods)
def test_a_leap_goes_forward_and_never_onto_a_log(key: str, period: Days) -> None:
    target = leap(key, period)
    assert target >= key
    assert target == key or parse(target) is None


@pytest.mark.parametrize("name", ["README", f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/eu-west-1/2026/05/04/digest.json.gz"])
def test_one_object_that_was_asked_for_comes_alone_whatever_it_is(name: str) -> None:
    today = Days(date(2026, 5, 4), date(2026, 5, 4))
    assert listed([name, f"{name}.old", "other"], name, today) == [Object(name, 7)]


def test_days_that_were_not_asked_for_are_not_listed() -> None:
    log = LogKey("", ORGANIZATION, ACCOUNT, "eu-west-1", date(2026, 5, 1))
    every_day = [
        key_of(LogKey("", ORGANIZATION, account, region, date.fromordinal(log.day.toordinal() + day)), name=f"{n:03}")
        for account in (ACCOUNT, OTHER_ACCOUNT)
        for region in ("eu-west-1", "us-east-1")
        for day in range(100)
        for n in range(20)
    ]
    bucket = Listing(every_day, 50)
    day = date(2026, 6, 1)
    assert len(list(logs(bucket.behind, "", Days(day, day)))) == 4 * 20
    assert bucket.given < len(every_day) / 10


def test_a_folder_of_no_logs_counts_once_and_its_objects_are_not_listed() -> None:
    digests = [f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/eu-west-1/2026/05/04/{number:04}" for number in range(500)]
    log = f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/05/04/{NAME}"
    bucket = Listing([*digests, log], 10)
    found = list(logs(bucket.behind, "AWSLogs", Days()))
    assert found == [Object(digests[0], 0, is_log=False), Object(log, 7)]
    assert bucket.given < 30


def test_a_folder_made_in_the_console_is_not_told() -> None:
    assert listed(["AWSLogs/", f"AWSLogs/{ACCOUNT}/"], "AWSLogs/") == []
