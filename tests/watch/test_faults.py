"""What `make reliability` tries at length: whatever happens to processes, they come to what a scan finds."""

from pathlib import Path

import pytest
from reliability import faults
from reliability.bench import POSTGRES, SQLITE, Bench, Size
from reliability.results import Outcome

from tests.aws import Aws
from tests.databases import PostgresServer

SMALL = Size(worlds=1, objects=30)


@pytest.fixture
def bench(aws: Aws, tmp_path: Path) -> Bench:
    return Bench(aws, None, tmp_path, SMALL, seed=2)


@pytest.fixture
def bench_with_postgres(aws: Aws, tmp_path: Path, postgres_server: PostgresServer) -> Bench:
    return Bench(aws, postgres_server, tmp_path, SMALL, seed=3)


def wrong(outcome: Outcome) -> list[str]:
    assert outcome.findings
    return outcome.wrong


def test_killed_at_random_moments(bench: Bench) -> None:
    assert wrong(faults.random_kills(bench, SQLITE, 4)) == []


def test_killed_between_each_pair_of_steps(bench: Bench) -> None:
    assert wrong(faults.each_step(bench, SQLITE, 1)) == []


def test_four_processes_on_one_database_and_one_queue_some_of_them_killed(bench_with_postgres: Bench) -> None:
    assert wrong(faults.random_kills(bench_with_postgres, POSTGRES, 4, processes=4)) == []


def test_a_database_stopped_at_once_and_started_again(bench_with_postgres: Bench) -> None:
    assert wrong(faults.database_restarted(bench_with_postgres, POSTGRES, 2)) == []


def test_no_room_for_the_store(bench: Bench) -> None:
    assert wrong(faults.disk_full(bench, None, times=1)) == []


def test_stopped_by_a_supervisor_and_sinks_down_for_an_hour(bench: Bench) -> None:
    assert wrong(faults.stopped(bench, SQLITE, 1)) == []
