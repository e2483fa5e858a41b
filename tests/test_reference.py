"""The fast way against the simple one: findings equal byte for byte, whatever the corpus and however many processes.

The simple way reads each file at once, meets its values one by one, folds each record on its own into open evidence.
"""

import gzip
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from straykey import pipeline
from straykey.core.judge import judge
from straykey.core.ledger import Ledger
from straykey.core.ranges import AwsRanges, parse_ranges
from straykey.core.record import Skipped
from straykey.core.salvage import salvage
from straykey.core.settings import Settings
from straykey.formats.finding_json import to_document
from straykey.ports import Batch, Source
from straykey.sim.delivery import write
from straykey.sim.scenario import simulate
from straykey.sim.trial import world
from straykey.sources.files import Files, Found, find
from tests.records import trail, use_record
from tests.test_fuzz import mutated


def simply(folder: Path, ranges: AwsRanges | None) -> str:
    ledger = Ledger()
    for path in sorted(folder.rglob("*.json*")):
        content = path.read_bytes()
        decoded = salvage(gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content)
        for record in (*decoded.records, *(record for record, _ in decoded.mended)):
            ledger.take(record)
    ledger.settle()
    return to_document(judge(ledger, Settings(), ranges), {})


class Shared(Files):
    """Files of which each is a share of its own, however small."""

    def shares(self, jobs: int) -> list[Source]:
        return [Files([one]) for one in self.found]


def fast(folder: Path, ranges: AwsRanges | None, jobs: int) -> str:
    scanned = pipeline.scan(Shared(find([str(folder)])), pipeline.Request(ranges=ranges), jobs=jobs)
    return to_document(scanned.findings, {})


def check(folder: Path, ranges: AwsRanges | None) -> None:
    expected = simply(folder, ranges)
    assert [fast(folder, ranges, jobs) == expected for jobs in (1, 2, 3)] == [True, True, True]


@pytest.mark.parametrize("seed", range(4))
def test_a_simulated_company(seed: int, tmp_path: Path) -> None:
    write(simulate(seed=seed, instances=12, hours=3, thefts=6), tmp_path)
    check(tmp_path / "AWSLogs", parse_ranges((tmp_path / "ip-ranges.json").read_bytes()))


@pytest.mark.parametrize("seed", range(100, 104))
def test_a_world_of_every_kind_of_theft_and_of_change(seed: int, tmp_path: Path) -> None:
    write(world(seed), tmp_path)
    check(tmp_path / "AWSLogs", parse_ranges((tmp_path / "ip-ranges.json").read_bytes()))


def test_three_hundred_broken_files(tmp_path: Path) -> None:
    theft = [use_record(), use_record(address="203.0.113.66", time="2026-05-04T10:05:00Z")]
    (tmp_path / "theft.json").write_bytes(trail(*theft))
    contents = filter(lambda data: not data.startswith((b"\x1f\x8b", b"\x28\xb5")), map(broken, range(600)))
    for number, content in enumerate(contents):
        (tmp_path / f"{number}.json").write_bytes(content)
    assert len(list(tmp_path.iterdir())) > 250
    check(tmp_path, None)


def broken(seed: int) -> bytes:
    return mutated(random.Random(seed))


def test_real_records_where_there_are_some() -> None:
    folder = Path(__file__).parents[2] / "shared/data/real"
    if not folder.is_dir():
        pytest.skip("they are not part of the project")
    check(folder, None)


class Deadly(Shared):
    """Its second share kills the process that reads it, as often as `deaths` says."""

    def __init__(self, found: list[Found], deaths: Path, most: int) -> None:
        super().__init__(found)
        self._deaths = deaths
        self._most = most

    def shares(self, jobs: int) -> list[Source]:
        shares = super().shares(jobs)
        return [shares[0], Deadly(self.found[1:2], self._deaths, self._most), *shares[2:]]

    def batches(self) -> Iterator[Batch]:
        with self._deaths.open("a+") as deaths:
            deaths.seek(0)
            if len(deaths.read()) < self._most:
                deaths.write("x")
                deaths.flush()
                os.kill(os.getpid(), signal.SIGKILL)
        return super().batches()


def with_deaths(folder: Path, most: int) -> pipeline.Scanned:
    found = find([str(folder / "AWSLogs")])
    return pipeline.scan(Deadly(found, folder / "deaths", most), pipeline.Request(), jobs=2)


def test_a_process_that_dies_once_costs_nothing(tmp_path: Path) -> None:
    write(simulate(seed=1, thefts=3), tmp_path)
    assert to_document(with_deaths(tmp_path, 1).findings, {}) == fast(tmp_path / "AWSLogs", None, 1)


def test_files_over_which_processes_die_twice_are_named_and_count_as_lost(tmp_path: Path) -> None:
    write(simulate(seed=1, thefts=3), tmp_path)
    scanned = with_deaths(tmp_path, 2)
    found = find([str(tmp_path / "AWSLogs")])
    assert scanned.tally.losses == {str(found[1].path): {Skipped.WORKER_DIED: 1}}
    assert scanned.tally.files == len(found)
    assert scanned.findings


def test_the_summary_is_the_same_for_any_number_of_processes(tmp_path: Path) -> None:
    write(simulate(seed=2, thefts=3), tmp_path)
    found = find([str(tmp_path / "AWSLogs")])
    for name in ("a broken.json", "broken.json"):
        (tmp_path / name).write_bytes(b"{")
    found = [*find([str(tmp_path / "a broken.json")]), *found, *find([str(tmp_path / "broken.json")])]
    one, two = (pipeline.scan(Shared(found), pipeline.Request(), jobs=jobs).tally for jobs in (1, 2))
    assert one == two
    assert list(one.losses) == list(two.losses) == [str(tmp_path / "a broken.json"), str(tmp_path / "broken.json")]


def test_control_c_ends_all_processes_at_once(tmp_path: Path) -> None:
    write(simulate(seed=2, hours=2), tmp_path)
    content = b"".join(gzip.decompress(path.read_bytes()) for path in find_packed(tmp_path))
    for number in range(24):
        (tmp_path / f"big-{number}.json").write_bytes(content)
    command = [sys.executable, "-m", "straykey", "scan", str(tmp_path), "--offline", "--jobs", "2"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # Who runs the tests in the background has it ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread runs here
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while len(workers := children.read_text().split()) < 2:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    printed, told = process.communicate(timeout=10)
    assert (process.returncode, printed, told) == (130, b"", b"")
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def find_packed(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.json.gz"))
