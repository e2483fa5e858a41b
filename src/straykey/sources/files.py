"""CloudTrail records in files, folders and on standard input.

What a file is, its content says.  Its name matters in one case only: in a folder, what is neither named like a log nor
looks like one (a README, say) is passed over instead of being reported as broken.
"""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from io import BufferedReader, FileIO
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import msgspec

from straykey.core.envelope import Decoded, as_utf8, nothing
from straykey.core.reading import portions
from straykey.core.record import Skipped
from straykey.errors import UsageError
from straykey.ports import Batch, Source
from straykey.sources.compression import Limit, Unpacking
from straykey.sources.share import cut

STANDARD_INPUT = "-"
_File = BinaryIO | FileIO | BufferedReader
_LOG_SUFFIXES = (".json", ".jsonl", ".ndjson", ".gz", ".zst", ".log")
_LOOKED_AT = 1 << 12
_LEAST_COST = 1 << 12


class Found(msgspec.Struct, frozen=True):
    """A file to read; `asked` when the user named it, not only a folder around it.

    What is no file on a disk can be read but once, and only here.
    """

    path: Path
    size: int
    asked: bool
    is_on_disk: bool = True

    @property
    def cost(self) -> int:
        """What it takes to read it, in bytes: to open a file takes as much as some bytes of it."""
        return max(self.size, _LEAST_COST)


def find(paths: Iterable[str]) -> list[Found]:
    """All files under `paths`, in a fixed order, each once however often it is named or linked to.

    A path that is not there raises `UsageError`.
    """
    found: dict[object, Found] = {}
    for text in paths:
        path = Path(text)
        if text == STANDARD_INPUT:
            found[text] = Found(path, 0, asked=True, is_on_disk=False)
        elif text and path.is_dir():
            for identity, one in _files_below(path):
                found.setdefault(identity, one)
        elif text and path.exists():
            there = path.stat()
            found[_identity(there)] = Found(path, there.st_size, asked=True, is_on_disk=stat.S_ISREG(there.st_mode))
        else:
            told = f"{text or repr(text)}: no such file or folder"
            raise UsageError(told, hint="name CloudTrail files, folders of them, s3://bucket/prefix, or -")
    return list(found.values())


def _files_below(folder: Path) -> Iterator[tuple[object, Found]]:
    """Files and what cannot be opened; linked folders too, each once, so that links in a circle come to an end."""
    closed: list[OSError] = []
    entered = {_identity(folder.stat())}
    for parent, folders, names in os.walk(folder, onerror=closed.append, followlinks=True):
        identities = {name: _identity_at(os.path.join(parent, name)) for name in sorted(folders)}  # noqa: PTH118
        folders[:] = [name for name, identity in identities.items() if identity not in entered]
        entered.update(identities.values())
        for name in sorted(names):
            yield from _file_at(os.path.join(parent, name))  # noqa: PTH118 - Path costs as much as reading a record
    for error in closed:  # read as a file it fails once more, and is reported with the rest
        yield error.filename, Found(Path(error.filename), 0, asked=True)


def _file_at(path: str) -> Iterator[tuple[object, Found]]:
    try:
        there = os.stat(path)  # noqa: PTH116
    except OSError:  # a link that leads nowhere
        yield path, Found(Path(path), 0, asked=False)
        return
    if stat.S_ISREG(there.st_mode):
        yield _identity(there), Found(Path(path), there.st_size, asked=False)


def _identity_at(path: str) -> object:
    try:
        return _identity(os.stat(path))  # noqa: PTH116
    except OSError:
        return path


def _identity(there: os.stat_result) -> object:
    """Equal for two ways to one file."""
    return (there.st_dev, there.st_ino)


class Files:
    """A source of batches, one for each file; a file that cannot be read yields a batch that says why."""

    def __init__(self, found: list[Found], *, limit: Limit | None = None) -> None:
        self.found = found
        self._limit = limit or Limit()

    @property
    def is_bound(self) -> bool:
        return not all(one.is_on_disk for one in self.found)

    @property
    def contents(self) -> list[tuple[str, int]]:
        return [(str(one.path), one.size) for one in self.found]

    def shares(self, jobs: int) -> list[Source]:
        """What is not on a disk stands alone, and comes first."""
        bound = [[one] for one in self.found if not one.is_on_disk]
        shares = cut([one for one in self.found if one.is_on_disk], lambda one: one.cost, jobs)
        return [Files(share, limit=self._limit) for share in (*bound, *shares)]

    def batches(self) -> Iterator[Batch]:
        for one in self.found:
            yield Batch(str(one.path), one.size, self._read(one))

    def _read(self, found: Found) -> Iterator[Decoded]:
        try:
            with _opened(found.path) as file:
                yield from self._read_opened(found, file)
        except OSError:
            yield nothing(Skipped.UNREADABLE)

    def _read_opened(self, found: Found, file: _File) -> Iterator[Decoded]:
        unpacking = Unpacking(file.read, self._limit, found.size)
        chunks = iter(unpacking)
        first = next(chunks, b"")
        if not found.asked and not _may_be_log(found.path, first):
            yield nothing(Skipped.OTHER_FILE)
            return
        if first or not unpacking.problem:
            yield from portions(chain((first,), chunks))
        if unpacking.problem:
            yield nothing(unpacking.problem)


def _opened(path: Path) -> AbstractContextManager[_File]:
    if str(path) == STANDARD_INPUT:
        if sys.stdin is None:
            raise OSError("standard input is closed")
        return nullcontext(sys.stdin.buffer)
    file = path.open("rb", buffering=0)
    mode = os.fstat(file.fileno()).st_mode
    if stat.S_ISREG(mode):
        return file
    if stat.S_ISFIFO(mode):  # what comes in small bits is collected: how a file is cut must not depend on timing
        return BufferedReader(file)
    file.close()
    raise OSError("not a file")


def _may_be_log(path: Path, data: bytes) -> bool:
    start = as_utf8(data[:_LOOKED_AT]).lstrip()
    return path.name.lower().endswith(_LOG_SUFFIXES) or start.startswith((b"{", b"["))
