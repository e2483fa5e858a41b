"""Unpacks gzip and zstd, told apart by content; broken input yields what could be unpacked before the break.

A few kilobytes can unpack to gigabytes.  So output is capped: at `ratio` times the input (CloudTrail's files unpack
to 10-25 times their size), never below `floor` bytes and never above `ceiling`.  Input is read as it is needed: memory
does not grow with a file.
"""

from collections.abc import Callable, Generator, Iterator
from io import BytesIO

import msgspec
from isal import igzip_lib, isal_zlib

from straykey.core.record import Skipped
from straykey.core.run import Packing


# For evidence that is put away: four times smaller, at little more than the price of a copy.
def _pack(data: bytes) -> bytes:
    return isal_zlib.compress(data, 1)


PACKING = Packing(_pack, isal_zlib.decompress)

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_STEP = 1 << 16
_SMALL_STEP = 1 << 12
_LEAST = 1 << 14
_FEED = 1 << 15
# A file may have a million tiny members: what is fed beyond the end of one is copied, so the later ones start small.
_FIRST_FEED = 1 << 8
# zstd cannot be told where to stop; this much of it unpacks to 16 MB at most.
_ZSTD_FEED = 1 << 9
# A member that breaks is unpacked again up to the break, if it is no longer than this: a trail's files never are.
_KEPT = 4 << 20

Read = Callable[[int], bytes]


class Limit(msgspec.Struct, frozen=True):
    """How far compressed data may unpack."""

    ratio: int = 200
    floor: int = 64 << 20
    ceiling: int = 2 << 30

    def of(self, size: int) -> int:
        return min(self.ceiling, max(self.floor, self.ratio * size))


class Unpacking:
    """The plain bytes of what `read` gives, which may be compressed or not, chunk by chunk.

    `read` takes how many bytes it may give; none are the end.  `size` is what it will give in all, if that is known.
    Once all of it was taken, `problem` says what was wrong with the packing, if anything.
    """

    def __init__(self, read: Read, limit: Limit | None = None, size: int = 0) -> None:
        self._input = _Input(read, limit or Limit(), size)
        self.problem: Skipped | None = None

    def __iter__(self) -> Iterator[bytes]:
        return _in_steps(self._chunks())

    def _chunks(self) -> Iterator[bytes]:
        packed = self._input
        if packed.starts_with(_GZIP):
            self.problem = yield from _gunzip(packed)
        elif packed.starts_with(_ZSTD):
            self.problem = yield from _unzstd(packed)
        else:
            while chunk := packed.feed(_STEP):
                yield chunk


def _in_steps(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """`chunks`, of a thousand tiny ones one: each costs whoever takes it."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        if not held and len(chunk) >= _LEAST:
            yield chunk
            continue
        held.append(chunk)
        size += len(chunk)
        if size >= _LEAST:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


class _Input:
    """Compressed bytes as they are asked for, and how far all of them may unpack."""

    def __init__(self, read: Read, limit: Limit, size: int = 0) -> None:
        self._read = read
        self._limit = limit
        self._size = size
        self._taken = 0
        self._buffer = b""
        self._position = 0
        self._is_ended = False
        self._kept: list[bytes] = []
        self._kept_size = _KEPT + 1

    @property
    def at_most(self) -> int:
        return self._limit.of(max(self._size, self._taken))

    def starts_with(self, start: bytes) -> bool:
        while len(self._buffer) - self._position < len(start) and self._is_more():
            pass
        return self._buffer.startswith(start, self._position)

    def feed(self, at_most: int) -> bytes:
        if self._position == len(self._buffer):
            self._is_more()
        fed = self._buffer[self._position : self._position + at_most]
        self._position += len(fed)
        self._kept_size += len(fed)
        if self._kept_size <= _KEPT:
            self._kept.append(fed)
        elif self._kept:
            self._kept = []
        return fed

    def keep(self) -> None:
        """Keep what is fed from here on."""
        self._kept = []
        self._kept_size = 0

    @property
    def kept(self) -> bytes:
        """What was fed since `keep`; nothing if it was too much."""
        return b"".join(self._kept) if self._kept_size <= _KEPT else b""

    def put_back(self, count: int) -> None:
        """Give the last `count` bytes of what was fed last once more."""
        self._position -= count

    def _is_more(self) -> bool:
        more = b"" if self._is_ended else self._read(_STEP)
        self._is_ended = not more
        self._taken += len(more)
        self._buffer = self._buffer[self._position :] + more
        self._position = 0
        return bool(more)


class _End(msgspec.Struct, frozen=True):
    """How one member of a gzip file ended, and after how many plain bytes."""

    size: int
    problem: Skipped | None = None


def _gunzip(packed: _Input) -> Generator[bytes, None, Skipped | None]:
    """All members of a gzip file; what follows the last one must be zeros."""
    size = 0
    first_feed = _FEED
    while packed.starts_with(_GZIP):
        member = yield from _inflate(packed, size, first_feed)
        if member.problem is Skipped.CORRUPT:
            yield from _up_to_break(packed.kept, packed.at_most - size, member.size)
        if member.problem is not None:
            return member.problem
        size += member.size
        first_feed = _FIRST_FEED
    while rest := packed.feed(_STEP):
        if rest.strip(b"\0"):
            return Skipped.CORRUPT
    return None


def _up_to_break(data: bytes, room: int, sound: int) -> Iterator[bytes]:
    """What lies between the last sound step and the break: a failing step does not give out what it had unpacked."""
    limit = Limit(0, room, room)
    closer = sum(map(len, _inflate(_Input(BytesIO(data).read, limit), sound=sound, step=_SMALL_STEP)))
    size = 0
    for chunk in _inflate(_Input(BytesIO(data).read, limit), sound=closer, step=1):
        size += len(chunk)
        if size > sound:
            yield chunk[-(size - sound) :]


def _inflate(
    packed: _Input, before: int = 0, first_feed: int = _FEED, *, sound: int = 0, step: int = _STEP
) -> Generator[bytes, None, _End]:
    """Unpack one member, which others with `before` plain bytes precede; beyond `sound` bytes of it by `step`."""
    member = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    size = taken = 0
    packed.keep()
    try:
        while not member.eof:
            room = packed.at_most - before - size
            if room <= 0:
                return _End(size, Skipped.TOO_LARGE)
            is_asked = member.needs_input
            feed = packed.feed(min(_FEED, first_feed + taken)) if is_asked else b""
            taken += len(feed)
            chunk = member.decompress(feed, min(room, _STEP, sound - size if size < sound else step))
            # Input was asked for and there is none; or none was, and still nothing comes, nor is any asked for now.
            if not chunk and not feed and is_asked == member.needs_input and not member.eof:
                return _End(size, Skipped.TRUNCATED)
            size += len(chunk)
            if chunk:
                yield chunk
    except igzip_lib.IsalError:  # type: ignore[misc]  # the stub declares it as an instance
        return _End(size, Skipped.CORRUPT)
    packed.put_back(len(member.unused_data))
    return _End(size)


def _unzstd(packed: _Input) -> Generator[bytes, None, Skipped | None]:
    """All frames of a zstd file."""
    try:
        import zstandard  # noqa: PLC0415 - an extra
    except ImportError:
        return Skipped.NO_LIBRARY
    library = zstandard.ZstdDecompressor()
    size = 0
    frame = library.decompressobj()
    try:
        while feed := packed.feed(_ZSTD_FEED):
            if frame.eof:
                frame = library.decompressobj()
            chunk = frame.decompress(feed)
            size += len(chunk)
            for start in range(0, len(chunk), _STEP):
                yield chunk[start : start + _STEP]
            if size > packed.at_most:
                return Skipped.TOO_LARGE
            packed.put_back(len(frame.unused_data))
    except zstandard.ZstdError:
        return Skipped.CORRUPT
    return None if frame.eof else Skipped.TRUNCATED
