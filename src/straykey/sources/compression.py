"""Unpacks gzip and zstd, told apart by content; broken input yields what could be unpacked before the break.

A few kilobytes can unpack to gigabytes.  So output is capped: at `ratio` times the input (CloudTrail's files unpack
to 10-25 times their size), never below `floor` bytes and never above `ceiling`.
"""

from collections.abc import Generator, Iterator

import msgspec
from isal import igzip_lib, isal_zlib

from straykey.core.record import Skipped
from straykey.core.run import Packing


# For what is kept in memory: four times smaller, at little more than the price of a copy.
def _pack(data: bytes) -> bytes:
    return isal_zlib.compress(data, 1)


PACKING = Packing(_pack, isal_zlib.decompress)

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_STEP = 1 << 16
_SMALL_STEP = 1 << 12
_FEED = 1 << 15
# A file may have a million tiny members: what is fed beyond the end of one is copied, so the later ones start small.
_FIRST_FEED = 1 << 8
# zstd cannot be told where to stop; this much of it unpacks to 16 MB at most.
_ZSTD_FEED = 1 << 9


class Limit(msgspec.Struct, frozen=True):
    """How far compressed data may unpack."""

    ratio: int = 200
    floor: int = 64 << 20
    ceiling: int = 2 << 30

    def of(self, size: int) -> int:
        return min(self.ceiling, max(self.floor, self.ratio * size))


class Unpacking:
    """The plain bytes of `data`, which may be compressed or not, chunk by chunk.

    Once all of it was taken, `problem` says what was wrong with the packing, if anything.
    """

    def __init__(self, data: bytes, limit: Limit | None = None) -> None:
        self._data = data
        self._at_most = (limit or Limit()).of(len(data))
        self.problem: Skipped | None = None

    def __iter__(self) -> Iterator[bytes]:
        if self._data.startswith(_GZIP):
            self.problem = yield from _gunzip(self._data, self._at_most)
        elif self._data.startswith(_ZSTD):
            self.problem = yield from _unzstd(self._data, self._at_most)
        else:
            for start in range(0, len(self._data), _STEP):
                yield self._data[start : start + _STEP]


class _End(msgspec.Struct, frozen=True):
    """How one member of a gzip file ended: after how many plain bytes, and where what follows it begins."""

    size: int
    position: int
    problem: Skipped | None = None


def _gunzip(data: bytes, at_most: int) -> Generator[bytes, None, Skipped | None]:
    """All members of a gzip file; what follows the last one must be zeros."""
    size = position = 0
    while data.startswith(_GZIP, position):
        member = yield from _inflate(data, position, at_most - size)
        if member.problem is Skipped.CORRUPT:
            closer = _up_to_break(data, position, at_most - size, member.size)
            yield from filter(None, (closer,))
        if member.problem is not None:
            return member.problem
        size += member.size
        position = member.position
    return Skipped.CORRUPT if data[position:].strip(b"\0") else None


def _up_to_break(data: bytes, start: int, room: int, sound: int) -> bytes:
    """What lies between the last sound step and the break: a failing step does not give out what it had unpacked."""
    closer = sum(map(len, _inflate(data, start, room, sound=sound, step=_SMALL_STEP)))
    return b"".join(_inflate(data, start, room, sound=closer, step=1))[sound:]


def _inflate(data: bytes, start: int, room: int, *, sound: int = 0, step: int = _STEP) -> Generator[bytes, None, _End]:
    """Unpack one member; up to `sound` bytes at once as usual, from there on by `step`."""
    member = isal_zlib.decompressobj(wbits=31)
    size = 0
    position = start
    feed = b""
    try:
        while not member.eof:
            if size >= room:
                return _End(size, position, Skipped.TOO_LARGE)
            if not feed:
                feed = data[position : position + (min(_FEED, _FIRST_FEED + position - start) if start else _FEED)]
                position += len(feed)
            chunk = member.decompress(feed, min(room - size, _STEP, sound - size if size < sound else step))
            if not chunk and not feed and not member.eof:
                return _End(size, position, Skipped.TRUNCATED)
            feed = member.unconsumed_tail
            size += len(chunk)
            if chunk:
                yield chunk
    except igzip_lib.IsalError:  # type: ignore[misc]  # the stub declares it as an instance
        return _End(size, position, Skipped.CORRUPT)
    return _End(size, position - len(member.unused_data))


def _unzstd(data: bytes, at_most: int) -> Generator[bytes, None, Skipped | None]:
    """All frames of a zstd file."""
    try:
        import zstandard  # noqa: PLC0415 - an extra
    except ImportError:
        return Skipped.NO_LIBRARY
    library = zstandard.ZstdDecompressor()
    size = position = 0
    frame = library.decompressobj()
    try:
        while position < len(data):
            chunk = frame.decompress(data[position : position + _ZSTD_FEED])
            position += min(_ZSTD_FEED, len(data) - position)
            size += len(chunk)
            if chunk:
                yield chunk
            if size > at_most:
                return Skipped.TOO_LARGE
            if frame.eof and position - len(frame.unused_data) < len(data):
                position -= len(frame.unused_data)
                frame = library.decompressobj()
    except zstandard.ZstdError:
        return Skipped.CORRUPT
    return None if frame.eof else Skipped.TRUNCATED
