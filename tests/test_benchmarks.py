"""The benchmarks' data is what it says, and their page is what their results render."""

import json
from collections.abc import Iterator

import msgspec
import pytest
from benchmarks import page, rivals
from benchmarks.bars import bars
from benchmarks.growth import LogFile, Plan
from benchmarks.results import Comparison, Machine, Measured, Point, Results, Run, Stages
from benchmarks.steps import disagreements

from straykey import pipeline
from straykey.core.reading import portions
from straykey.pipeline import Request
from straykey.ports import Batch, Source
from tests.conftest import ROOT, Golden

PLAN = Plan(records=9_000, sessions=60)


def run(seconds: float, peak_mb: float = 50.0) -> Run:
    return Run(seconds, seconds, peak_mb)


def results(*, ours: float, plain: float, limit: float) -> Results:
    programs = [
        Measured(name, [run(seconds)] * 3)
        for name, seconds in ((rivals.ONE, ours), (rivals.PLAIN, plain), (rivals.LIMIT, limit))
    ]
    return Results(
        Machine("3.11", 2, "x86_64"),
        start=[run(0.5)],
        comparisons=[Comparison("fleet", 300_000, 8_000, 150, 50.0, 500.0, programs, ["Polars: not here"], [])],
        by_records=[Point(10**5, 1_000, 160.0, [run(1.0)]), Point(10**6, 10_000, 1600.0, [run(6.0)])],
        by_sessions=[Point(10**6, 100, 1600.0, [run(1.5)]), Point(10**6, 10_000, 1600.0, [run(3.5)])],
        large=Point(6_200_000, 6_200, 10_000.0, [run(30.0, 204.0)]),
        stages=[Stages("before", 10, 1, 1, 1, 1, 1, 1), Stages("now", 10, 1, 1, 1, 0, 1, 1)],
    )


def files(plan: Plan) -> list[list[bytes]]:
    return [LogFile(plan, number).records() for number in range(plan.files)]


def test_the_page_shows_what_the_results_render(golden: Golden) -> None:
    kept = msgspec.json.decode((ROOT / "benchmarks/results.json").read_bytes(), type=Results)
    golden("docs/benchmarks.md", page.published((ROOT / "docs/benchmarks.md").read_text(), kept))


def test_the_picture_of_the_page_is_there() -> None:
    assert (ROOT / "docs/benchmarks.svg").read_text().startswith("<svg")


def test_a_figure_within_its_bar_holds_and_another_does_not() -> None:
    reached = {bar.figure: bar.holds for bar in bars(results(ours=2, plain=9, limit=0.5))}
    assert list(reached.values()) == [True, None, False, None, False, True, False, None, None, None]


def test_what_was_not_measured_neither_holds_nor_fails() -> None:
    assert {bar.holds for bar in bars(Results(Machine("", 0, "")))} == {None}


@pytest.mark.parametrize("part", ["4.5× (4.5 to 4.5)", "Not run: Polars: not here.", "| judge |", "204 MB", "**2.0×**"])
def test_the_page_tells_every_part(part: str) -> None:
    assert part in page.render(results(ours=2, plain=9, limit=0.5))


def test_publishing_twice_changes_nothing() -> None:
    some = results(ours=2, plain=9, limit=1)
    once = page.published(f"# A\n\n{page.BEGIN}\nold\n{page.END}\n\nafter\n", some)
    assert page.published(once, some) == once
    assert once.endswith(f"{page.END}\n\nafter\n")


def test_a_rival_that_saw_other_sessions_is_told() -> None:
    kept = {"sessions": 3, "networks": 4, "events": 5, "checksum": 6}
    assert disagreements(rivals.PLAIN, '{"sessions": 3, "networks": 9}', kept) == []
    assert disagreements(rivals.PLAIN, '{"sessions": 2}', kept) == [f"{rivals.PLAIN}: 2 sessions, not 3"]
    assert len(disagreements(rivals.LIMIT, json.dumps(kept | {"events": 4, "checksum": 7}), kept)) == 2


def test_equal_plans_give_equal_files() -> None:
    assert files(PLAN) == files(Plan(PLAN.records, PLAN.sessions))


def test_records_are_as_many_as_asked_and_each_its_own() -> None:
    records = [json.loads(record) for file in files(PLAN) for record in file]
    assert len(records) == PLAN.records == len({record["eventID"] for record in records})
    assert [record["eventTime"] for record in records] == sorted(record["eventTime"] for record in records)


def test_all_sessions_are_seen_and_the_planted_thefts_found() -> None:
    decoded = [
        Batch(str(number), 0, portions(iter([b'{"Records":[' + b",".join(file) + b"]}"])))
        for number, file in enumerate(files(PLAN))
    ]
    scanned = pipeline.scan(_Given(decoded), Request())
    instances = {one.session.name for one in scanned.ledger.sessions.values() if one.session.name.startswith("i-0")}
    assert len(instances) == PLAN.sessions
    thieves = {str(one.stray.address) for one in scanned.findings if "Exfiltration" in one.type}
    assert thieves
    assert all(address.startswith("203.0.113.") for address in thieves)


def test_no_session_outlives_its_life() -> None:
    plan = Plan(records=20_000, sessions=4_000)
    seen: dict[str, list[str]] = {}
    for file in files(plan):
        for record in map(json.loads, file):
            arn = str(record["userIdentity"].get("arn", ""))
            if "/i-0" in arn:
                seen.setdefault(arn, []).append(record["eventTime"])
    hours = {arn: len({time[:13] for time in times}) for arn, times in seen.items()}
    assert max(hours.values()) <= plan.life / 3600 + 1


class _Given:
    """A source of what is at hand."""

    def __init__(self, batches: list[Batch]) -> None:
        self._batches = batches

    is_bound = False
    contents: list[tuple[str, int]] = []  # noqa: RUF012

    def shares(self, _: int) -> list[Source]:
        return []

    def batches(self) -> Iterator[Batch]:
        return iter(self._batches)
