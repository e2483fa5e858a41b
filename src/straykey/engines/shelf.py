"""Blocks of packed evidence: in memory while there is room, and then on disk.

What is written is read by nobody else and outlives no crash: it goes into files without a name, which the system takes
back when the process ends, however it does.
"""

import os
import tempfile
import weakref
from typing import BinaryIO

import msgspec

from straykey.errors import StraykeyError


class _Place(msgspec.Struct, frozen=True, gc=False):
    """Where in its file a block lies."""

    offset: int
    size: int


class Room:
    """So many bytes of memory, for the blocks on all its shelves together."""

    def __init__(self, size: int) -> None:
        self._left = size

    def shelf(self) -> "Shelf":
        return Shelf(self)

    def take(self, size: int) -> bool:
        """True if there is room for so many bytes, which are then taken."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give_back(self, size: int) -> None:
        self._left += size


class Shelf:
    """Blocks in order; those that find no room lie in a file.  StraykeyError where that cannot be written or read."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._blocks: list[bytes | _Place] = []
        self._file: BinaryIO | None = None
        self._written = 0

    def append(self, block: bytes, /) -> None:
        self._blocks.append(block if self._room.take(len(block)) else self._write(block))

    def __getitem__(self, at: int, /) -> bytes:
        block = self._blocks[at]
        return self._read(block) if isinstance(block, _Place) else block

    def __setitem__(self, at: int, block: bytes, /) -> None:
        """Put another block in the place of one; what lies in the file stays there until the shelf is let go."""
        before = self._blocks[at]
        if isinstance(before, bytes):
            self._room.give_back(len(before))
        self._blocks[at] = block if self._room.take(len(block)) else self._write(block)

    def __len__(self) -> int:
        return len(self._blocks)

    def _write(self, block: bytes) -> _Place:
        place = _Place(self._written, len(block))
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
                weakref.finalize(self, self._file.close)
            written = 0
            while written < len(block):
                written += os.pwrite(self._file.fileno(), block[written:], place.offset + written)
        except OSError as error:
            raise StraykeyError(
                f"there is too much evidence for memory, and it cannot be put on disk: {error.strerror}",
                hint="free some space where temporary files go, or set TMPDIR to a folder with more",
            ) from error
        self._written += len(block)
        return place

    def _read(self, place: _Place) -> bytes:
        try:
            block = os.pread(self._file.fileno(), place.size, place.offset) if self._file else b""
        except OSError as error:
            raise StraykeyError(f"evidence that was put on disk cannot be read: {error.strerror}") from error
        if len(block) != place.size:
            raise StraykeyError("evidence that was put on disk is not all there any more")
        return block
