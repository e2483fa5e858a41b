"""CloudTrail records in files, folders and on standard input.

What a file is, its content says.  Its name matters in one case only: in a folder, what is neither named like a log nor
looks like one (a README, say) is passed over instead of being reported as broken.
"""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from straykey.core.envelope import Decoded
from straykey.core.record import Skipped
from straykey.core.salvage import decode
from straykey.errors import UsageError
from straykey.ports import Batch
from straykey.sources.compression import Limit, unpack

STANDARD_INPUT = "-"
_LOG_SUFFIXES = (".json", ".jsonl", ".ndjson", ".gz", ".zst", ".log")


class Found(msgspec.Struct, frozen=True):
    """A file to read; `asked` when the user named it, not only a folder around it."""

    path: Path
    size: int
    asked: bool


def find(paths: Iterable[str]) -> list[Found]:
    """All files under `paths`, in a fixed order, each once.  A path that is not there raises `UsageError`."""
    found: dict[Path, Found] = {}
    for text in paths:
        path = Path(text)
        if text == STANDARD_INPUT:
            found[path] = Found(path, 0, asked=True)
        elif path.is_dir():
            for one in _files_below(path):
                found.setdefault(one.path, one)
        elif path.exists():
            found[path] = Found(path, _size(path), asked=True)
        else:
            raise UsageError(f"{text}: no such file or folder", hint="name CloudTrail files, folders of them, or -")
    return list(found.values())


def _files_below(folder: Path) -> Iterator[Found]:
    closed: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=closed.append):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if path.is_file():
                yield Found(path, _size(path), asked=False)
    for error in closed:  # read as a file it fails once more, and is reported with the rest
        yield Found(Path(error.filename), 0, asked=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


class Files:
    """A source of batches, one for each file; a file that cannot be read yields a batch that says why."""

    def __init__(self, found: list[Found], *, limit: Limit | None = None) -> None:
        self.found = found
        self._limit = limit or Limit()

    def batches(self) -> Iterator[Batch]:
        for one in self.found:
            yield Batch(str(one.path), one.size, self._read(one))

    def _read(self, found: Found) -> Decoded:
        try:
            data = _content(found.path)
        except OSError:
            return _nothing(Skipped.UNREADABLE)
        if not found.asked and not _may_be_log(found.path, data):
            return _nothing(Skipped.OTHER_FILE)
        unpacked = unpack(data, self._limit)
        del data
        if unpacked.problem and not unpacked.data:
            return _nothing(unpacked.problem)
        decoded = decode(unpacked.data)
        if unpacked.problem:
            decoded.skipped[unpacked.problem] += 1
        return decoded


def _content(path: Path) -> bytes:
    if str(path) == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    if not stat.S_ISREG(path.stat().st_mode) and not stat.S_ISFIFO(path.stat().st_mode):
        raise OSError("not a file")
    return path.read_bytes()


def _may_be_log(path: Path, data: bytes) -> bool:
    return path.name.lower().endswith(_LOG_SUFFIXES) or data.lstrip()[:1] in (b"{", b"[")


def _nothing(reason: Skipped) -> Decoded:
    decoded = Decoded()
    decoded.skipped[reason] += 1
    return decoded
