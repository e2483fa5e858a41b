"""The slow way through a file: any shape records come in, and whatever is still whole in a broken one.

Lists and the wrappings of lists are stepped into, so that their elements are met one by one; each is decoded on its
own, mended if need be (`core.mend`), and where one has no end the reading goes on at the next place that looks like
the start of a record.  What is lost is counted.
"""

import re
from collections import Counter

import msgspec

from straykey.core.envelope import DECODE_ERRORS, Decoded, Document, as_utf8, decode_strict
from straykey.core.mend import mend
from straykey.core.record import Skipped
from straykey.core.scan import KEY, end_of_value

_SCALAR_MEMBER = rb'"[^"\\]*+"\s*+:\s*+(?:"[^"\\]*+"|[^\s"\[\]{},]++)\s*+'
# The opening of a wrapping that holds a list of records, whatever plain members stand before that list.
_OPENING = re.compile(rb"\{\s*+(?:" + _SCALAR_MEMBER + rb',\s*+)*+"(?:Records|Events)"\s*+:\s*+\[', re.DOTALL)
_SEPARATORS = re.compile(rb"[\s,\[}]*+")
_NEXT_START = re.compile(rb'\n(?=\{)|[,\[\n]\s*+(?=\{\s*+"eventVersion"\s*+:)')

# A file may be read over this many times in all while looking for the next record; hostile ones would have it more.
_READ_OVER = 8
_DEEPEST_WRAPPING = 4

_document = msgspec.json.Decoder(Document)


def decode(data: bytes) -> Decoded:
    """Read all records of one file's content, in whatever shape; nothing that comes in makes it fail."""
    data = as_utf8(data)
    strict = decode_strict(data)
    return Decoded(strict) if strict is not None else salvage(data)


def salvage(data: bytes) -> Decoded:
    """`decode` without the fast way; slower, and the reference for it."""
    found = Decoded()
    if not data.strip():
        found.skipped[Skipped.EMPTY] += 1
        return found
    budget = _READ_OVER * len(data)
    position = _skip_between(data, 0)
    while position < len(data) and budget > 0:
        opening = _OPENING.match(data, position)
        if opening:
            position = _skip_between(data, opening.end())
            continue
        end = end_of_value(data, position)
        budget -= (end or len(data)) - position
        if end is not None and _take(data[position:end], found):
            position = _skip_between(data, end)
        else:
            position = _resume(data, position, found.skipped)
    if position < len(data):
        found.skipped[Skipped.BAD_JSON] += 1
    elif not (found.records or found.mended or found.skipped or _OPENING.search(data)):
        found.skipped[Skipped.EMPTY] += 1
    return found


def _skip_between(data: bytes, position: int) -> int:
    """Step over separators, into lists and out of them, and over what else the wrapping of a list holds after it."""
    while True:
        separators = _SEPARATORS.match(data, position)
        position = separators.end() if separators else position
        if data[position : position + 1] != b"]":
            return position
        position += 1
        while (member := KEY.match(data, position)) and (end := end_of_value(data, member.end())):
            position = end


def _resume(data: bytes, position: int, skipped: Counter[Skipped]) -> int:
    """Count what is broken at `position` and find the next place where a record may start."""
    is_json = data[position : position + 1] in (b"{", b"[", b'"')
    skipped[Skipped.BAD_JSON if is_json else Skipped.NOT_JSON] += 1
    start = _NEXT_START.search(data, position)
    return start.end() if start else len(data)


def _take(value: bytes, found: Decoded, depth: int = 0) -> bool:
    """Add what one whole value holds; False if it is no JSON after all."""
    if not value.startswith(b"{"):
        return _take_scalar(value, found)
    try:
        document, reason = _document.decode(value), None
        if not value.isascii():
            value.decode("utf-8")
    except DECODE_ERRORS:
        document, reason = mend(value, Document)
        if reason is Skipped.BAD_JSON or (reason is Skipped.ODD_JSON and not document.is_plausible):
            return False
    wrapped = _unwrap(document)
    if not wrapped:
        _sort_in(document, reason, found)
    elif depth < _DEEPEST_WRAPPING:
        _take_wrapped(wrapped, found, depth + 1)
    else:
        found.skipped[Skipped.TOO_DEEP] += 1
    return True


def _take_wrapped(value: bytes, found: Decoded, depth: int) -> None:
    position = _skip_between(value, 0)
    while position < len(value):
        end = end_of_value(value, position)
        if end is None or not _take(value[position:end], found, depth):
            found.skipped[Skipped.BAD_JSON] += 1
            return
        position = _skip_between(value, end)


def _take_scalar(value: bytes, found: Decoded) -> bool:
    try:
        msgspec.json.decode(value)
    except DECODE_ERRORS:
        return False
    found.skipped[Skipped.NOT_A_RECORD] += 1
    return True


def _unwrap(document: Document) -> bytes:
    """What a wrapping holds: LookupEvents' text, EventBridge's detail, a list that did not stand first; or nothing."""
    if document.is_plausible:
        return b""
    if document.looked_up is not None:
        return document.looked_up.encode("utf-8", "replace")
    inner = (bytes(raw) for raw in (document.detail, document.records, document.events))
    return next((raw for raw in inner if raw.startswith((b"{", b"["))), b"")


def _sort_in(document: Document, reason: Skipped | None, found: Decoded) -> None:
    if reason is not None and document.is_plausible:
        found.mended.append((document, reason))
    elif document.is_plausible:
        found.records.append(document)
    else:
        found.skipped[_kind_of(document)] += 1


def _kind_of(document: Document) -> Skipped:
    if bytes(document.digest):
        return Skipped.DIGEST
    if bytes(document.ranges) or bytes(document.schema):
        return Skipped.OTHER_DOCUMENT
    return Skipped.WRONG_TYPE if bytes(document.records) or bytes(document.events) else Skipped.NOT_A_RECORD
