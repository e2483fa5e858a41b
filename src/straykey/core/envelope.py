"""What a file of logs holds: bytes in, records out, told apart by content.

A trail's own `{"Records": […]}` and one record a line are decoded at once.  Everything else, and everything that
fails, goes the slow way through `core.salvage`: any shape, and whatever in broken input is still whole.
"""

import codecs
from collections import Counter
from collections.abc import Callable, Iterator

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

# A record takes a hundred times the memory of the two bytes it may be written with.  So what is large is decoded piece
# by piece, and a piece with more records than real ones would fit in is left to the slow way, which only counts them.
_LARGE = 4 << 20
_CHUNK = 1 << 20
_SHORTEST_RECORD = 64

# Everything msgspec raises on hostile input; none of its own for deep nesting.
DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode_strict(data: bytes) -> list[Record] | None:
    """Records of a trail's own file, or of one record a line, if all of it is sound; else None."""
    if len(data) > _LARGE:
        pieces = Pieces(data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK))
        found = [record for piece in pieces for record in piece]
        return None if pieces.left.strip() else found
    if not data.isascii() and not is_utf8(data):
        return None
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
    try:
        return _records.decode(data)
    except DECODE_ERRORS:
        return None


class _Form(msgspec.Struct, frozen=True):
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


_TRAIL = _Form(b'{"Records":[', b'},{"eventVersion":', b"]}", (b"[", b"]"), _decode_list)
_LINES = _Form(b"", b'}\n{"', b"", (b"", b""), _decode_lines)


class Pieces:
    """Records of a trail's own file, or of one record a line, piece by piece as the content comes in.

    A piece is what a chunk of content ends, so that its records stay in the processor's cache until they are folded.
    After the first piece that is not sound nothing more is given; `left` is then all that was not, in a form that can
    be read on its own.  A cut elsewhere than between two records is no harm: every byte is decoded, and then the piece
    before the cut is not JSON.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.left = b""

    def __iter__(self) -> Iterator[list[Record]]:
        rest = b""
        while len(rest) < len(_TRAIL.opens) and (chunk := next(self._chunks, b"")):
            rest += chunk
        form = _TRAIL if rest.startswith(_TRAIL.opens) else _LINES
        rest = rest.removeprefix(form.opens)
        is_sound = rest.startswith((b"{", b"]"))
        while is_sound and (chunk := next(self._chunks, b"")):
            cut = chunk.rfind(form.between) + 1
            if not cut:
                rest += chunk
                is_sound = len(rest) < _LARGE
                continue
            records = form.records(rest, memoryview(chunk)[:cut])
            if records is None:
                break
            yield records
            rest = chunk[cut + 1 :]  # without the comma, or the end of the line
        else:
            body = rest.rstrip()
            if is_sound and body.endswith(form.closes):
                records = form.records(body[: len(body) - len(form.closes)])
                if records is not None:
                    yield records
                    return
            chunk = b""
        self.left = form.opens + rest + chunk + b"".join(self._chunks)


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
