"""The file outlives crashes, full disks and other writers."""

import fcntl
import json
import multiprocessing
import os
import resource
import signal
import stat
from pathlib import Path

import pytest

from straykey.errors import UsageError
from straykey.formats.notification import Shape
from straykey.sinks.jsonl import JsonLines
from tests.conftest import Golden
from tests.formats import variants
from tests.sinks.told import notification

MANY = 25


def keys(*paths: Path) -> list[str]:
    return [json.loads(line)["key"] for path in paths for line in path.read_text().splitlines()]


def files_beside(path: Path) -> list[Path]:
    return [one for one in path.parent.iterdir() if one.suffix != ".lock"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "findings.jsonl"


@pytest.mark.parametrize("shape", [Shape.JSON, Shape.OCSF])
def test_a_line_holds_a_notification(path: Path, shape: Shape, golden: Golden) -> None:
    JsonLines(path, shape=shape).deliver([notification(), notification(status="resolved")])
    golden(f"tests/golden/notifications.{shape}.jsonl", path.read_text())


def test_only_its_owner_may_read_it(path: Path) -> None:
    JsonLines(path).deliver([notification()])
    assert [stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()] == [0o600, 0o600]


def test_a_line_torn_by_a_crash_spoils_no_other(path: Path) -> None:
    path.write_text('{"key": "torn')
    JsonLines(path).deliver([notification()])
    torn, whole = path.read_text().splitlines()
    assert torn == '{"key": "torn'
    assert json.loads(whole)["key"] == notification().key


def test_a_full_file_is_put_aside_and_the_oldest_dropped(path: Path) -> None:
    sink = JsonLines(path, most_bytes=1, kept=2)
    for number in range(5):
        assert sink.deliver([notification(number)]) == []
    kept = [path, path.with_name("findings.jsonl.1"), path.with_name("findings.jsonl.2")]
    assert keys(*kept) == [notification(number).key for number in (4, 3, 2)]
    assert sorted(files_beside(path)) == kept


def test_files_stay_below_their_size(path: Path) -> None:
    sink = JsonLines(path, most_bytes=10_000)
    for number in range(9):
        sink.deliver([notification(number)])
    files = files_beside(path)
    assert len(files) > 1
    assert all(one.stat().st_size <= 10_000 for one in files)
    assert len(keys(*files)) == 9


def test_what_could_not_be_written_whole_is_taken_back(path: Path) -> None:
    JsonLines(path).deliver([notification(1)])
    before = path.read_bytes()
    process = multiprocessing.get_context("fork").Process(target=_deliver_with_little_room, args=(path, len(before)))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert path.read_bytes() == before


def _deliver_with_little_room(path: Path, present: int) -> None:
    """The disk takes a hundred bytes more."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (present + 100, present + 100))
    (refused,) = JsonLines(path).deliver([notification(2)])
    os._exit(0 if "File too large" in refused.reason and not refused.is_final else 1)


def test_processes_that_share_it_lose_nothing(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_deliver_many, args=(path, first)) for first in (0, 100, 200)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    files = files_beside(path)
    assert len(files) > 3
    assert len(set(keys(*files))) == len(keys(*files)) == 3 * MANY


def test_who_holds_the_lock_is_waited_for(path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=_deliver_many, args=(path, 0))
    with path.with_name("findings.jsonl.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process.start()
        process.join(timeout=0.2)
        assert process.is_alive()
        assert not path.exists()
        fcntl.flock(lock, fcntl.LOCK_UN)  # closing would not do: the process has it, too
    process.join(timeout=60)
    assert path.exists()


def _deliver_many(path: Path, first: int) -> None:
    sink = JsonLines(path, most_bytes=20_000, kept=100)
    for number in range(first, first + MANY):
        sink.deliver([notification(number)])


def test_a_pipe_in_its_place_is_refused_and_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    (refused,) = JsonLines(path).deliver([notification()])
    assert refused.reason == f"{path}: no regular file"


def test_hostile_text_cannot_leave_its_line(path: Path) -> None:
    JsonLines(path).deliver([notification(finding=variants.hostile())])
    assert len(path.read_bytes().splitlines()) == 1
    assert path.read_text().strip().isprintable()


@pytest.mark.parametrize(("most_bytes", "kept"), [(0, 1), (1, 0)])
def test_a_file_that_could_keep_nothing_is_an_error(path: Path, most_bytes: int, kept: int) -> None:
    with pytest.raises(UsageError, match="needs a size"):
        JsonLines(path, most_bytes=most_bytes, kept=kept)
