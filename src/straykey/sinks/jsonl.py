"""A file to which each notification is added as a line; when it is full it is put aside and a new one begun.

What counts as delivered lies on disk.  Lines are added, and files renamed, under a lock that all processes that write
to the file share; what could not be written whole is taken back, and where even that fails the next line begins anew.
"""

import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from straykey.errors import UsageError
from straykey.formats.notification import Shape, to_line
from straykey.formats.text import printable
from straykey.ports import Notification, Refusal
from straykey.sinks.delivery import Shut, held_back

PERMISSIONS: tuple[str, ...] = ()
_MODE = 0o600
# Not to wait for a reader where somebody put a pipe in its place.
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK


class JsonLines:
    """The file at `path`, begun anew before it grows beyond `most_bytes`; `kept` older ones are kept: `.1` is the last.

    One delivery is never cut in two, so that a file may grow as much larger as that.
    """

    def __init__(self, path: Path, *, shape: Shape = Shape.JSON, most_bytes: int = 100_000_000, kept: int = 9) -> None:
        if most_bytes < 1 or kept < 1:
            raise UsageError(f"{printable(str(path))}: a file needs a size, and at least one older one is kept")
        self._path = path
        self._shape = shape
        self._most = most_bytes
        self._kept = kept

    def deliver(self, notifications: Sequence[Notification]) -> list[Refusal]:
        if not notifications:
            return []
        lines = "".join(f"{to_line(one, self._shape)}\n" for one in notifications).encode()
        try:
            with _locked(self._beside("lock")):
                self._make_room(len(lines))
                _append(self._path, lines)
        except OSError as error:
            return held_back(notifications, Shut(f"{self._path}: {error.strerror}"))
        return []

    def _beside(self, suffix: object) -> Path:
        return self._path.with_name(f"{self._path.name}.{suffix}")

    def _make_room(self, size: int) -> None:
        present = self._path.stat().st_size if self._path.is_file() else 0
        if not present or present + size <= self._most:
            return
        for number in range(self._kept, 1, -1):
            if (younger := self._beside(number - 1)).exists():
                younger.replace(self._beside(number))
        self._path.replace(self._beside(1))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """The end of the process unlocks it, too."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)  # closing is not enough: a process forked meanwhile has it, too
        os.close(lock)


def _append(path: Path, lines: bytes) -> None:
    file = os.open(path, _FLAGS, _MODE)
    try:
        state = os.fstat(file)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(0, "no regular file")
        try:
            _write(file, (b"" if _ends_whole(file, state.st_size) else b"\n") + lines)
        except OSError:
            os.ftruncate(file, state.st_size)
            raise
    finally:
        os.close(file)
    _sync_folder(path)


def _ends_whole(file: int, size: int) -> bool:
    return not size or os.pread(file, 1, size - 1) == b"\n"


def _write(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]
    os.fsync(file)


def _sync_folder(path: Path) -> None:
    """That a file was made, or renamed, is known to its folder only."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
