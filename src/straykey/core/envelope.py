"""What a file of logs holds: bytes in, records out, told apart by content.

A trail's own `{"Records": […]}` and one record a line are decoded piece by piece, all records of a piece at once.
Everything else, and every piece that fails, goes the slow way through `core.salvage`.

Why a piece may be cut where `},{"eventVersion":` stands, whatever that stands in:

* Every byte is decoded: the pieces are all that stands between `{"Records":[` and `]}`, but for one comma at each cut.
* What is a JSON list between brackets is a sequence of whole values with commas between; so a piece that is one begins
  and ends between two values, and sound pieces with their commas put back are one such sequence again.  JSON can be
  read in one way only: this sequence is the list of the file.  No input has sound pieces and another whole.
* Hence a cut inside a record, be it in a list of objects in its request, leaves a bracket or a quote open in the piece
  before it, which is then not sound.  A text cannot hold the place of a cut at all: its quotes would be escaped.
* The same goes for lines: a piece is a sequence of whole objects, and so is what the pieces make together.
* That a piece holds records, not the wrappings of some, is told by `eventTime`: each element must have one, and no list
  of records.
"""

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import chain
from typing import cast

import msgspec

from straykey.core.mend import is_utf8
from straykey.core.record import Record, Skipped


class Detour(StrEnum):
    """What a file was read by where it could not be read at once; who writes odd records can bring these about."""

    REDONE = "read record by record"  # a piece of a file
    HELD = "held in memory as a whole"  # a file, or the rest of one, of no known form or with a value of no near end
    SEARCHED = "searched for records"  # a file that holds what is broken


class Decoded(msgspec.Struct):
    """Records as they were; records that had to be mended, each with what was wrong; and what gave none."""

    records: list[Record] = []
    mended: list[tuple[Record, Skipped]] = []
    skipped: Counter[Skipped] = msgspec.field(default_factory=Counter)
    detours: Counter[Detour] = msgspec.field(default_factory=Counter)


def nothing(reason: Skipped) -> Decoded:
    """What is told of a file that cannot be read, or no further."""
    return Decoded(skipped=Counter({reason: 1}))


class _Dated(Record, gc=False, kw_only=True):
    """A record for sure: what wraps records has no `eventTime`, and a record no list of records."""

    time: str
    records: None = msgspec.field(default=None, name="Records")
    events: None = msgspec.field(default=None, name="Events")


_dated_list = msgspec.json.Decoder(list[_Dated])
_dated = msgspec.json.Decoder(_Dated)
_record = msgspec.json.Decoder(Record)

# A record takes a hundred times the memory of the bytes it may be written with: a piece with more records than real
# ones would fit in is left to the slow way, which gives them out in portions.
_SHORTEST_RECORD = 64

# Everything msgspec raises on hostile input; none of its own for deep nesting.
DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

# What tells the form of a file stands in this many bytes, byte order mark included.
_TELLING = 16
_LIST_OPENS = re.compile(rb'\s*+(?:\{\s*+"Records"\s*+:\s*+)?(?=\[)')
_LIST_CLOSES = re.compile(rb"\s*+\}?\s*+")


def _decode_lines(data: bytes) -> list[Record] | None:
    try:
        return cast(list[Record], _dated.decode_lines(data)) or None
    except DECODE_ERRORS:
        return None


def _decode_list(data: bytes) -> list[Record] | None:
    try:
        return cast(list[Record], _dated_list.decode(data))
    except DECODE_ERRORS:
        return None


class Form(msgspec.Struct, frozen=True):
    """How a file of records opens, what stands between two of them, and how it closes."""

    opens: bytes
    between: bytes
    closes: bytes
    around: tuple[bytes, bytes]  # what makes a piece of it a document
    decode: Callable[[bytes], list[Record] | None]

    def records(self, *parts: bytes | memoryview) -> list[Record] | None:
        """The records of a piece, if all of it is sound."""
        piece = b"".join((self.around[0], *parts, self.around[1]))
        found = self.decode(piece) if piece.isascii() or is_utf8(piece) else None
        return found if found is None or len(found) * _SHORTEST_RECORD <= len(piece) else None


TRAIL = Form(b'{"Records":[', b'},{"eventVersion":', b"]}", (b"[", b"]"), _decode_list)
LINES = Form(b"", b'}\n{"', b"", (b"", b""), _decode_lines)


def decode_spaced(data: bytes) -> list[Record] | None:
    """Records of a list, or of a trail's file with space in it, if there are any and all of it is sound.

    Only what stands in the one pair of brackets is decoded: of two lists in an object a decoder would drop the first.
    """
    opening = _LIST_OPENS.match(data)
    end = data.rfind(b"]") + 1
    if opening is None or not _LIST_CLOSES.fullmatch(data, end) or (b"}" in data[end:]) != (b"{" in opening[0]):
        return None
    return TRAIL.records(memoryview(data)[opening.end() + 1 : end - 1]) or None


def decode_record(data: bytes) -> Record | None:
    """One record, if all of it is sound; else None."""
    try:
        return _record.decode(data) if data.isascii() or is_utf8(data) else None
    except DECODE_ERRORS:
        return None


def as_utf8(data: bytes) -> bytes:
    """Drop a byte order mark; PowerShell's `>` writes UTF-16."""
    return b"".join(in_utf8(iter((data,))))


def in_utf8(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """`chunks` without a byte order mark, and in UTF-8 if that was one of UTF-16; the first is enough to tell forms."""
    first = next(chunks, b"")
    while len(first) < _TELLING and (chunk := next(chunks, b"")):
        first += chunk
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return in_utf8(_from_utf16(chain((first,), chunks)))
    return chain((first.removeprefix(codecs.BOM_UTF8),), chunks)


def _from_utf16(chunks: Iterator[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()
