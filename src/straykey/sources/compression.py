"""Unpacks gzip and zstd, told apart by content; broken input yields what could be unpacked before the break.

A few kilobytes can unpack to gigabytes.  So output is capped: at `ratio` times the input (CloudTrail's files unpack
to 10-25 times their size), never below `floor` bytes and never above `ceiling`.
"""

import msgspec
from isal import igzip_lib, isal_zlib

from straykey.core.record import Skipped

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_STEP = 1 << 20
_SMALL_STEP = 1 << 12
_FEED = 1 << 18
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


class Unpacked(msgspec.Struct, frozen=True):
    """Plain bytes, and what was wrong with their packing, if anything."""

    data: bytes
    problem: Skipped | None = None


def unpack(data: bytes, limit: Limit | None = None) -> Unpacked:
    """Plain bytes of `data`, which may be compressed or not."""
    at_most = (limit or Limit()).of(len(data))
    if data.startswith(_GZIP):
        return _gunzip(data, at_most)
    if data.startswith(_ZSTD):
        return _unzstd(data, at_most)
    return Unpacked(data)


class _Member(msgspec.Struct, frozen=True):
    """One member of a gzip file, unpacked as far as it goes, and where what follows it begins."""

    plain: list[bytes]
    size: int
    end: int
    problem: Skipped | None = None


def _gunzip(data: bytes, at_most: int) -> Unpacked:
    """All members of a gzip file; what follows the last one must be zeros."""
    plain: list[bytes] = []
    size = position = 0
    problem = None
    while problem is None and data.startswith(_GZIP, position):
        member = _inflate(data, position, at_most - size)
        if member.problem is Skipped.CORRUPT:
            member = _inflate_up_to_break(data, position, at_most - size, member.size)
        plain += member.plain
        size += member.size
        position = member.end
        problem = member.problem
    if problem is None and data[position:].strip(b"\0"):
        problem = Skipped.CORRUPT
    return Unpacked(b"".join(plain), problem)


def _inflate_up_to_break(data: bytes, start: int, room: int, sound: int) -> _Member:
    """Unpack anew in ever smaller steps: what a failing step had unpacked before the break is not given out."""
    closer = _inflate(data, start, room, sound=sound, step=_SMALL_STEP)
    return _inflate(data, start, room, sound=closer.size, step=1)


def _inflate(data: bytes, start: int, room: int, *, sound: int = 0, step: int = _STEP) -> _Member:
    """Unpack one member; up to `sound` bytes at once as usual, from there on by `step`."""
    member = isal_zlib.decompressobj(wbits=31)
    plain: list[bytes] = []
    size = 0
    position = start
    feed = b""
    try:
        while not member.eof:
            if size >= room:
                return _Member(plain, size, position, Skipped.TOO_LARGE)
            if not feed:
                feed = data[position : position + (min(_FEED, _FIRST_FEED + position - start) if start else _FEED)]
                position += len(feed)
            chunk = member.decompress(feed, min(room - size, _STEP, sound - size if size < sound else step))
            if not chunk and not feed and not member.eof:
                return _Member(plain, size, position, Skipped.TRUNCATED)
            feed = member.unconsumed_tail
            plain.append(chunk)
            size += len(chunk)
    except igzip_lib.IsalError:  # type: ignore[misc]  # the stub declares it as an instance
        return _Member(plain, size, position, Skipped.CORRUPT)
    return _Member(plain, size, position - len(member.unused_data))


def _unzstd(data: bytes, at_most: int) -> Unpacked:
    """All frames of a zstd file."""
    try:
        import zstandard  # noqa: PLC0415 - an extra
    except ImportError:
        return Unpacked(b"", Skipped.NO_LIBRARY)
    library = zstandard.ZstdDecompressor()
    plain: list[bytes] = []
    size = position = 0
    frame = library.decompressobj()
    try:
        while position < len(data):
            chunk = frame.decompress(data[position : position + _ZSTD_FEED])
            position += min(_ZSTD_FEED, len(data) - position)
            plain.append(chunk)
            size += len(chunk)
            if size > at_most:
                return Unpacked(b"".join(plain), Skipped.TOO_LARGE)
            if frame.eof and position - len(frame.unused_data) < len(data):
                position -= len(frame.unused_data)
                frame = library.decompressobj()
    except zstandard.ZstdError:
        return Unpacked(b"".join(plain), Skipped.CORRUPT)
    return Unpacked(b"".join(plain), None if frame.eof else Skipped.TRUNCATED)
