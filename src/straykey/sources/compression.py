"""Unpacks gzip and zstd, told apart by content; broken input yields what could be unpacked before the break.

A few kilobytes can unpack to gigabytes.  So output is capped: at `ratio` times the input (CloudTrail's files unpack
to 10-25 times their size), never below `floor` bytes.
"""

from collections.abc import Callable

import msgspec
from isal import igzip_lib, isal_zlib

from straykey.core.record import Skipped

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_STEP = 1 << 20


class Limit(msgspec.Struct, frozen=True):
    """How far compressed data may unpack."""

    ratio: int = 200
    floor: int = 64 << 20

    def of(self, size: int) -> int:
        return max(self.floor, self.ratio * size)


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


def _gunzip(data: bytes, at_most: int) -> Unpacked:
    """All members of a gzip file; what follows the last one must be zeros."""
    plain: list[bytes] = []
    size = 0
    rest = data
    while rest.startswith(_GZIP):
        member = isal_zlib.decompressobj(wbits=31)
        problem, rest = _inflate(member, rest, plain, at_most - size)
        size = sum(map(len, plain))
        if problem:
            return Unpacked(b"".join(plain), problem)
    return Unpacked(b"".join(plain), Skipped.CORRUPT if rest.strip(b"\0") else None)


def _inflate(
    member: "isal_zlib.Decompress", data: bytes, plain: list[bytes], room: int
) -> tuple[Skipped | None, bytes]:
    """Add one member's content to `plain`; returns what went wrong and what follows the member."""
    try:
        while not member.eof:
            if room <= 0:
                return Skipped.TOO_LARGE, b""
            chunk = member.decompress(data, min(room, _STEP))
            data = member.unconsumed_tail
            if not chunk and not data and not member.eof:
                return Skipped.TRUNCATED, b""
            plain.append(chunk)
            room -= len(chunk)
    except igzip_lib.IsalError:  # type: ignore[misc]  # the stub declares it as an instance
        return Skipped.CORRUPT, b""
    return None, member.unused_data


def _unzstd(data: bytes, at_most: int) -> Unpacked:
    try:
        import zstandard  # noqa: PLC0415 - an extra
    except ImportError:
        return Unpacked(b"", Skipped.NO_LIBRARY)
    reader = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True)
    return _read_all(reader.read, zstandard.ZstdError, at_most)


def _read_all(read: Callable[[int], bytes], error: type[Exception], at_most: int) -> Unpacked:
    plain: list[bytes] = []
    size = 0
    try:
        while chunk := read(_STEP):
            plain.append(chunk)
            size += len(chunk)
            if size > at_most:
                return Unpacked(b"".join(plain), Skipped.TOO_LARGE)
    except error:
        return Unpacked(b"".join(plain), Skipped.CORRUPT)
    return Unpacked(b"".join(plain))
