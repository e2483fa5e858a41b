"""What is found under a path, what of it is read, and what is said of the rest."""

import io
import json
import os
import stat
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

from straykey import pipeline
from straykey.core.envelope import Detour
from straykey.core.record import Skipped
from straykey.errors import UsageError
from straykey.sources.compression import Limit
from straykey.sources.files import Files, Found, find
from tests.records import RawRecord, compact, gz, issuance_record, lines, trail, use_record

SOUND = trail(use_record())
DIGEST = compact({"digestStartTime": "2026-05-04T10:00:00Z", "logFiles": []})
INSIGHT = {"eventVersion": "1.08", "eventTime": "2026-05-04T10:00:00Z", "eventCategory": "Insight"}


def scanned(*paths: Path | str, limit: Limit | None = None) -> pipeline.Scanned:
    return pipeline.scan(Files(find(map(str, paths)), limit=limit), pipeline.Request())


def names(folder: Path) -> list[str]:
    return [one.path.relative_to(folder).as_posix() for one in find([str(folder)])]


def skipped(path: Path, *, limit: Limit | None = None) -> Counter[Skipped]:
    tally = scanned(path, limit=limit).tally
    assert bool(tally.losses) == any(reason.is_loss for reason in tally.skipped + tally.mended)
    return tally.skipped + tally.mended


def records(path: Path) -> int:
    return scanned(path).tally.records


def odd(value: str | bytes) -> bytes:
    raw = value if isinstance(value, bytes) else value.encode()
    return trail(use_record(agent="HERE")).replace(b'"HERE"', raw)


REASONS: list[tuple[bytes, Skipped]] = [
    (trail({"userIdentity": {"type": "Root"}, "eventTime": "2026-05-04T10:00:00Z"}), Skipped.OTHER_IDENTITY),
    (DIGEST, Skipped.DIGEST),
    (trail(INSIGHT), Skipped.INSIGHT),
    (b'{"syncToken":"1"}', Skipped.OTHER_DOCUMENT),
    (trail(use_record(userIdentity=None)), Skipped.NO_IDENTITY),
    (trail(use_record(userIdentity={"type": "AssumedRole"})), Skipped.NO_ARN),
    (trail(use_record(sourceIPAddress=None)), Skipped.NO_ADDRESS),
    (trail(use_record(address="999.1.1.1")), Skipped.BAD_ADDRESS),
    (trail(use_record(time="2026-13-45")), Skipped.BAD_TIME),
    (odd("7"), Skipped.WRONG_TYPE),
    (trail({}), Skipped.NOT_A_RECORD),
    (odd(b'"\xff"'), Skipped.BAD_UTF8),
    (odd('"\\ud800"'), Skipped.BAD_SURROGATE),
    (odd("[" * 100_000 + "]" * 100_000), Skipped.TOO_DEEP),
    (odd("NaN"), Skipped.ODD_JSON),
    (odd("tru"), Skipped.BAD_JSON),
    (b"<html>", Skipped.NOT_JSON),
    (b"", Skipped.EMPTY),
    (b"[]", Skipped.EMPTY),
    (gz(SOUND)[:-20], Skipped.TRUNCATED),
    (gz(SOUND)[:-8] + bytes(8), Skipped.CORRUPT),
    (gz(bytes(1_000_000)), Skipped.TOO_LARGE),
]


@pytest.mark.parametrize(
    ("content", "reason"), REASONS, ids=lambda value: value.name if isinstance(value, Skipped) else ""
)
def test_each_reason_is_told(tmp_path: Path, content: bytes, reason: Skipped) -> None:
    path = tmp_path / "log.json"
    path.write_bytes(content)
    assert reason in skipped(path, limit=Limit(floor=100_000, ceiling=100_000))


def test_these_are_all_the_reasons_a_content_can_give() -> None:
    elsewhere = {
        Skipped.OTHER_TIME,
        Skipped.OTHER_FILE,
        Skipped.NO_LIBRARY,
        Skipped.UNREADABLE,
        Skipped.REFUSED,
        Skipped.DENIED,
        Skipped.ARCHIVED,
        Skipped.WORKER_DIED,
    }
    assert {reason for _, reason in REASONS} | elsewhere == set(Skipped)


def test_a_file_without_zstd_library_says_what_to_install(tmp_path: Path) -> None:
    path = tmp_path / "log.json.zst"
    path.write_bytes(zstandard.compress(SOUND))
    blocked = "import sys; sys.modules['zstandard'] = None; from straykey.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", blocked, "scan", path, "--offline"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 3
    assert "pip install 'straykey[zstd]'" in ran.stderr


@pytest.mark.parametrize("name", ["log", "log.gz", "log.json", "log.json.gz", "log.json.zst", "LOG.JSON", "-", "Ω\n"])
@pytest.mark.parametrize("content", [SOUND, gz(SOUND), zstandard.compress(SOUND), lines(use_record())])
def test_the_name_of_a_file_does_not_matter(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert records(tmp_path / name) == 1


@pytest.mark.parametrize("name", ["log", "log.json.gz.1", "log.txt"])
@pytest.mark.parametrize("content", [SOUND, gz(SOUND), zstandard.compress(SOUND), b"\xef\xbb\xbf" + SOUND])
def test_nor_does_it_in_a_folder(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert records(tmp_path) == 1


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    path = tmp_path / "log.json.gz"
    path.write_bytes(gz(SOUND) + gz(trail(use_record(event="GetObject"))))
    assert records(path) == 2


def test_utf_16_of_powershell_is_read(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(SOUND.decode(), encoding="utf-16")
    assert records(tmp_path) == 1


@pytest.mark.parametrize("content", [b"# Logs", b"\x89PNG\r\n", gz(b"a tar file"), b""])
def test_what_is_no_log_is_passed_over_in_a_folder_but_not_when_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "README"
    path.write_bytes(content)
    assert skipped(tmp_path) == {Skipped.OTHER_FILE: 1}
    assert Skipped.OTHER_FILE not in skipped(path)


@pytest.mark.parametrize("name", ["log.json.gz", "log.json", "log.GZ", "log.jsonl"])
def test_what_is_named_like_a_log_and_broken_is_a_loss_in_a_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x1f\x8bnonsense")
    assert [reason.is_loss for reason in skipped(tmp_path)] == [True]


def test_folders_are_read_to_any_depth_in_a_fixed_order(tmp_path: Path) -> None:
    for name in ("b/2.json", "b/1.json", "a/z/3.json", "c.json", "a/y.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(SOUND)
    assert names(tmp_path) == ["c.json", "a/y.json", "a/z/3.json", "b/1.json", "b/2.json"]


def test_links_in_a_circle_come_to_an_end_and_linked_folders_are_read(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    logs = tmp_path / "logs"
    for folder in (elsewhere, logs):
        folder.mkdir()
    (elsewhere / "one.json").write_bytes(SOUND)
    (logs / "there").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(logs)
    (logs / "self").symlink_to(logs)
    (elsewhere / "again").symlink_to(elsewhere)
    assert names(logs) == ["there/one.json"]


def test_a_link_that_leads_nowhere_is_a_loss(tmp_path: Path) -> None:
    (tmp_path / "log.json").symlink_to(tmp_path / "gone")
    assert skipped(tmp_path) == {Skipped.UNREADABLE: 1}


def test_a_file_named_several_times_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_bytes(SOUND)
    (tmp_path / "link.json").symlink_to(path)
    again = os.path.relpath(path)
    assert len(find(map(str, [tmp_path, path, again, tmp_path / "." / "log.json", tmp_path]))) == 1


def test_a_file_that_is_also_named_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "README"
    path.write_bytes(b"# Logs")
    assert Skipped.NOT_JSON in scanned(tmp_path, path).tally.skipped


@pytest.mark.parametrize("name", ["gone", "", "a\0b"])
def test_a_path_that_is_not_there_is_wrong_usage(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no such file or folder") as raised:
        find([str(tmp_path / name) if name else name])
    assert raised.value.hint


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log.json")
    assert names(tmp_path) == []


def test_a_device_is_not_read() -> None:
    assert stat.S_ISCHR(Path("/dev/zero").stat().st_mode)
    assert skipped(Path("/dev/zero")) == {Skipped.UNREADABLE: 1}


def test_standard_input_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gz(SOUND))))
    assert scanned("-", "-").tally.records == 1


def test_a_named_pipe_that_gives_little_at_a_time_is_read_to_its_end(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = gz(trail(*(use_record(event_id=f"{place}") for place in range(200))))

    def write() -> None:
        with pipe.open("wb", buffering=0) as writing:
            for start in range(0, len(content), 100):
                writing.write(content[start : start + 100])

    writer = threading.Thread(target=write)
    writer.start()
    assert records(pipe) == 200
    writer.join()


class _Failing(io.RawIOBase):
    """Gives `content`, and then an error, as a disk that breaks does."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if given := self._content.read(size):
            return given
        raise OSError("input/output error")


def test_what_was_read_before_a_disk_failed_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    many = trail(*(use_record(event_id=f"{place}") for place in range(500)))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=_Failing(many)))
    tally = scanned("-").tally
    assert tally.skipped == {Skipped.UNREADABLE: 1}
    assert tally.records > 300


def test_a_closed_standard_input_is_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert scanned("-").tally.skipped == {Skipped.UNREADABLE: 1}


def theft() -> list[RawRecord]:
    stray = use_record(address="203.0.113.66", time="2026-05-04T10:05:00Z")
    return [issuance_record(), use_record(), use_record(time="2026-05-04T10:09:00Z"), stray]


BROKEN_FILES = {
    "identity.json": trail(use_record(userIdentity=None)),
    "address.json": trail(use_record(address="999.1.1.1")),
    "cut.json.gz": gz(SOUND)[:-30],
    "not-gzip.json.gz": b"nonsense",
    "surrogate.json": odd('"\\ud800"'),
    "deep.json": odd("[" * 100_000 + "]" * 100_000),
    "deep-without-end.json": b"[" * 100_000,
    "bomb.json.gz": gz(b" " * 70_000_000),
    "empty.json": b"",
    "list.json": b"[1, null, []]",
    "\x1b[31mred.json": b"\xff",
}


@pytest.mark.parametrize(("name", "content"), BROKEN_FILES.items(), ids=map(repr, BROKEN_FILES))
def test_a_broken_file_is_named_and_costs_nothing_else(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "theft.json.gz").write_bytes(gz(trail(*theft())))
    command = [sys.executable, "-m", "straykey", "scan", str(tmp_path), "--offline", "--format", "jsonl"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 3
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    # The lone surrogate stands in the name of a program, which is a finding of its own.
    assert [one["stray"]["address"] for one in found if one["severity"] == "HIGH"] == ["203.0.113.66"]
    assert name.replace("\x1b", "\\x1b") in ran.stderr
    assert "\x1b" not in ran.stderr
    assert "Traceback" not in ran.stderr


def test_what_is_no_file_on_a_disk_is_read_by_this_process_alone(tmp_path: Path) -> None:
    """A process that died over it could not be replaced: it can be read but once."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file.json").write_bytes(SOUND)
    source = Files(find([str(tmp_path / "file.json"), str(tmp_path / "pipe"), "-"]))
    bound = [share.contents[0][0] for share in source.shares(8) if share.is_bound]
    assert bound == [str(tmp_path / "pipe"), "-"]
    assert source.is_bound


def test_a_record_that_was_lost_makes_no_loss_of_one_that_was_mended_nor_a_detour_of_a_digest(tmp_path: Path) -> None:
    lost, odd = use_record(sourceIPAddress=None), use_record(userAgent=7)
    (tmp_path / "a.json").write_bytes(trail(lost))
    (tmp_path / "b.json").write_bytes(trail(odd))
    (tmp_path / "c.json.gz").write_bytes(gz(b'{"digestStartTime": "2026-05-04T10:00:00Z", "logFiles": []}'))
    tally = scanned(tmp_path).tally
    assert (tally.skipped[Skipped.NO_ADDRESS], tally.mended[Skipped.WRONG_TYPE]) == (1, 1)
    assert tally.detours == {Detour.REDONE: 1}


def test_a_digest_among_the_logs_is_no_detour(tmp_path: Path) -> None:
    (tmp_path / "digest.json.gz").write_bytes(gz(b'{"digestStartTime": "2026-05-04T10:00:00Z", "logFiles": []}'))
    tally = scanned(tmp_path).tally
    assert tally.skipped == {Skipped.DIGEST: 1}
    assert not tally.detours


def cut(sizes: list[int], jobs: int) -> list[int]:
    """How large the shares of so many files are, in megabytes."""
    found = [Found(Path(str(number)), size << 20, asked=True) for number, size in enumerate(sizes)]
    shares = Files(found).shares(jobs)
    assert [name for share in shares for name, _ in share.contents] == [str(one.path) for one in found]
    return [sum(size for _, size in share.contents) >> 20 for share in shares]


def test_each_process_has_one_share_of_what_is_not_large() -> None:
    assert cut([1] * 60, 2) == [30, 30]


def test_shares_of_a_large_trail_are_bounded_as_many_for_each_process_and_the_last_are_smaller() -> None:
    assert cut([1] * 150, 2) == [32, 32, 32, 32, 11, 11]


def test_files_that_are_larger_than_a_share_leave_smaller_ones_for_the_end() -> None:
    assert cut([20] * 6, 2) == [40, 40, 20, 20]


def test_what_is_small_is_not_cut() -> None:
    assert cut([0] * 200, 8) == [0]
    assert len(cut([1, 1], 8)) == 2
