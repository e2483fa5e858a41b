"""What a file of logs holds: bytes in, records out, told apart by content.

A trail's own `{"Records": […]}` and one record a line are decoded at once.  Everything else, and everything that
fails, goes the slow way through `core.salvage`: any shape, and whatever in broken input is still whole.
"""

import codecs
from collections import Counter
from collections.abc import Iterator

import msgspec

from straykey.core.mend import is_utf8
from straykey.core.record import Record, Skipped


class Decoded(msgspec.Struct):
    """Records as they were; records that had to be mended, each with what was wrong; and what gave none."""

    records: list[Record] = []
    mended: list[tuple[Record, Skipped]] = []
    skipped: Counter[Skipped] = msgspec.field(default_factory=Counter)


# What stands beside the list might be another list of records: the slow way looks.
class _TrailFile(msgspec.Struct, forbid_unknown_fields=True):
    records: list[Record] = msgspec.field(name="Records")


_trail_file = msgspec.json.Decoder(_TrailFile)
_records = msgspec.json.Decoder(list[Record])
_record = msgspec.json.Decoder(Record)

# What is large is decoded in pieces, small enough that the records of one stay in the processor's cache until they are
# folded.  A record takes a hundred times the memory of the two bytes it may be written with; so what holds more records
# than real ones would fit is left to the slow way, which only counts them.
_PIECE = 1 << 16
_LARGE = 4 << 20
_SPARSEST_BRACE = 16
_SHORTEST_RECORD = 64
_TRAIL_OPENS = b'{"Records":['
_BETWEEN_RECORDS = b'},{"eventVersion":'

# Everything msgspec raises on hostile input; none of its own for deep nesting.
DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode_strict(data: bytes) -> list[Record] | None:
    """Records of a trail's own file, or of one record a line, if all of it is sound; else None."""
    if not data.isascii() and not is_utf8(data):
        return None
    if len(data) <= 2 * _PIECE:
        return _decode_whole(data)
    found: list[Record] = []
    read = 0
    for records, read in pieces(data):  # noqa: B007 - the last `read` is looked at
        found += records
    return found if read == _end(data) else None


def _decode_whole(data: bytes) -> list[Record] | None:
    try:
        return _trail_file.decode(data).records
    except DECODE_ERRORS:
        return _decode_lines(data)


def _decode_lines(data: bytes) -> list[Record] | None:
    try:
        records = _record.decode_lines(data)
    except DECODE_ERRORS:
        return None
    return records if records and all(record.identity and record.time for record in records) else None


def _decode_list(data: bytes) -> list[Record] | None:
    """Records separated by commas."""
    try:
        return _records.decode(b"[%b]" % data)
    except DECODE_ERRORS:
        return None


def pieces(data: bytes) -> Iterator[tuple[list[Record], int]]:
    """The records of valid UTF-8, piece by piece, each with the position up to which all has been read.

    It ends early, before the first piece that is not sound.  A cut elsewhere than between two records is no harm: every
    byte is decoded, and then the piece before the cut is not JSON.
    """
    end = _end(data)
    is_trail = data.startswith(_TRAIL_OPENS) and data.endswith(b"]}", 0, end)
    decode = _decode_list if is_trail else _decode_lines
    cuts = _cuts(data, len(_TRAIL_OPENS), end - 2, _BETWEEN_RECORDS) if is_trail else _cuts(data, 0, end, b"\n{")
    for start, stop in cuts:
        if stop - start > _LARGE and data.count(b"{", start, stop) * _SPARSEST_BRACE > stop - start:
            return
        records = decode(data[start:stop])
        if records is None or len(records) * _SHORTEST_RECORD > stop - start:
            return
        is_last = is_trail and stop == end - 2
        yield records, end if is_last else stop


def resumed(data: bytes, read: int) -> bytes:
    """What `pieces` left, in a form that can be read on its own."""
    return _TRAIL_OPENS + data[read:] if data.startswith(_TRAIL_OPENS) else data[read:]


def _end(data: bytes) -> int:
    return len(data.rstrip())


def _cuts(data: bytes, start: int, end: int, between: bytes) -> Iterator[tuple[int, int]]:
    while start < end:
        cut = data.find(between, start + _PIECE, end)
        stop = cut + 1 if cut >= 0 else end  # after the bracket, or the line
        yield start, stop
        start = cut + between.index(b"{") if cut >= 0 else end


def decode_record(data: bytes) -> Record | None:
    """One record, if all of it is sound; else None."""
    try:
        return _record.decode(data) if data.isascii() or is_utf8(data) else None
    except DECODE_ERRORS:
        return None


def as_utf8(data: bytes) -> bytes:
    """Drop a byte order mark; PowerShell's `>` writes UTF-16."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").encode("utf-8")
    return data.removeprefix(codecs.BOM_UTF8)
