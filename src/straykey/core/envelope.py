"""What a file of logs holds: bytes in, records out, told apart by content.

A trail's own `{"Records": […]}` and one record a line are decoded at once.  Everything else, and everything that
fails, goes the slow way through `core.salvage`: any shape, and whatever in broken input is still whole.
"""

import codecs
from collections import Counter

import msgspec

from straykey.core.record import Record, Skipped


class Document(Record):
    """A record, or one of the wrappings records come in, or a file that is found beside them."""

    records: msgspec.Raw = msgspec.field(name="Records", default=msgspec.Raw())
    events: msgspec.Raw = msgspec.field(name="Events", default=msgspec.Raw())  # LookupEvents
    detail: msgspec.Raw = msgspec.Raw()  # EventBridge
    looked_up: str | None = msgspec.field(name="CloudTrailEvent", default=None)
    digest: msgspec.Raw = msgspec.field(name="digestStartTime", default=msgspec.Raw())
    ranges: msgspec.Raw = msgspec.field(name="syncToken", default=msgspec.Raw())
    schema: msgspec.Raw = msgspec.field(name="$schema", default=msgspec.Raw())


class Decoded(msgspec.Struct):
    """Records as they were; records that had to be mended, each with what was wrong; and what gave none."""

    records: list[Record] = []
    mended: list[tuple[Record, Skipped]] = []
    skipped: Counter[Skipped] = msgspec.field(default_factory=Counter)


class _TrailFile(msgspec.Struct):
    records: list[Record] = msgspec.field(name="Records")


_trail_file = msgspec.json.Decoder(_TrailFile)
_record = msgspec.json.Decoder(Record)

# Everything msgspec raises on hostile input; none of its own for deep nesting.
DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode_strict(data: bytes) -> list[Record] | None:
    """Records of a trail's own file, or of one record a line, if all of it is sound; else None."""
    if not data.isascii() and not _is_utf8(data):
        return None
    try:
        return _trail_file.decode(data).records
    except DECODE_ERRORS:
        pass
    try:
        records = _record.decode_lines(data)
    except DECODE_ERRORS:
        return None
    return records if records and all(record.identity and record.time for record in records) else None


def as_utf8(data: bytes) -> bytes:
    """Drop a byte order mark; PowerShell's `>` writes UTF-16."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").encode("utf-8")
    return data.removeprefix(codecs.BOM_UTF8)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
