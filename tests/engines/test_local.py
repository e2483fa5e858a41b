"""Processes that share work: what they do, and what becomes of it when they die."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from straykey.engines.local import WorkError, Workers


def done(work: Callable[[int], object], items: list[int], jobs: int = 2) -> list[tuple[int, object]]:
    return sorted(Workers(work, items, jobs).results(), key=lambda pair: pair[0])


def after(seconds: float) -> int:
    """The process that does this, which takes so long."""
    time.sleep(seconds)
    return os.getpid()


def is_alive(process: int) -> bool:
    """False for one that is gone, or only waits to be buried."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(("items", "jobs"), [(0, 2), (1, 2), (7, 1), (7, 2), (7, 9)])
def test_every_item_comes_back_once_with_its_result(items: int, jobs: int) -> None:
    assert done(lambda item: item * item, list(range(items)), jobs) == [(item, item * item) for item in range(items)]


def test_work_is_done_by_as_many_processes_as_asked_for() -> None:
    processes = {process for _, process in done(lambda _: after(0.02), list(range(8)), 2)}
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_an_item_whose_process_is_killed_is_given_to_another(tmp_path: Path) -> None:
    def work(item: int) -> int:
        if item == 3 and not (tmp_path / "died").exists():
            (tmp_path / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    assert done(work, list(range(6))) == [(item, item) for item in range(6)]
    assert (tmp_path / "died").exists()


def test_an_item_over_which_every_process_dies_is_given_up_alone(tmp_path: Path) -> None:
    def work(item: int) -> int:
        if item == 3:
            with (tmp_path / "deaths").open("a") as deaths:
                deaths.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    assert done(work, list(range(6))) == [(item, None if item == 3 else item) for item in range(6)]
    assert (tmp_path / "deaths").read_text() == "xx"


def test_want_of_memory_is_a_death_like_any_other() -> None:
    def work(item: int) -> int:
        if item == 1:
            raise MemoryError
        return item

    assert done(work, [0, 1, 2]) == [(0, 0), (1, None), (2, 2)]


def test_a_bug_in_the_work_is_raised_where_it_can_be_shown() -> None:
    with pytest.raises(WorkError, match="ZeroDivisionError: "):
        done(lambda item: 1 // item, [1, 0])


def test_all_processes_are_gone_once_the_results_are_closed() -> None:
    workers = Workers(lambda item: after(60 * item), [0, 1, 2], 2)
    results = workers.results()
    next(results)
    (others,) = [Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    results.close()
    assert others
    assert not any(is_alive(int(process)) for process in others)


def test_processes_end_when_the_first_one_is_gone(tmp_path: Path) -> None:
    first = os.fork()
    if first == 0:
        results = Workers(lambda item: after(0.1 * item), [0, 1, 5, 9], 2).results()
        (tmp_path / "others").write_text(" ".join(str(next(results)[1]) for _ in range(2)))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(first, 0)
    others = [int(process) for process in (tmp_path / "others").read_text().split()]
    for _ in range(100):
        if not any(map(is_alive, others)):
            break
        time.sleep(0.1)
    assert not any(map(is_alive, others))
