"""The slow way through a file: any shape records come in, and whatever is still whole in a broken one.

Lists and the wrappings of lists are stepped into, so that their elements are met one by one; each is decoded on its
own, mended if need be (`core.mend`), and where one has no end the reading goes on at the next place that looks like
the start of a record.  What is lost is counted.
"""

import re
from collections.abc import Iterator

from straykey.core.envelope import Decoded, Pieces, as_utf8, decode_record, decode_strict
from straykey.core.mend import loads, mend
from straykey.core.record import Record, Skipped
from straykey.core.scan import end_of_value, key_at, members

# Files written by several programs one after the other hold byte order marks between values, too.
_SEPARATORS = re.compile(rb"(?:[\s,\[}]|\xef\xbb\xbf)*+")
_CLOSINGS = re.compile(rb"\]++")
# What no record can be; a hostile file holds millions of them.
_TRIFLE = re.compile(rb'(?:\{\s*+\}|(?:[0-9]++|"[^"\\{]*+")(?=[\s,\]"]|\Z)|null|true|false)[\s,]*+')
# An object that opens a line, or one whose first key opens records, EventBridge's envelopes or LookupEvents' entries.
_START = re.compile(
    rb"\{(?:(?<=\n\{)|(?<!:\{)(?<!: \{)(?=\s*+"
    rb'(?:"(?:event(?:Version|Time|ID|Name|Source)|userIdentity|awsRegion|a(?:dditionalEventData|ddendum|piVersion)'
    rb'|EventId|CloudTrailEvent)"\s*+:|"version"\s*+:\s*+"0")))',
)
_LISTS = frozenset({b'"Records"', b'"Events"'})  # of a trail's file, of LookupEvents
_WRAPPINGS = _LISTS | {b'"detail"', b'"CloudTrailEvent"'}  # of EventBridge; of LookupEvents, as text
_OTHER_DOCUMENTS = frozenset({b'"syncToken"', b'"$schema"'})

# A file may be read over this many times in vain, a small one more often; then the end of a value is looked for no
# further than the first start of a record that lies this far ahead; and when that was as often in vain, at all ahead.
_READ_IN_VAIN = 2
_READ_IN_VAIN_AT_LEAST = 1 << 20
_NEARBY = 1 << 12
# One that has this many broken values, and ten times as many broken as sound ones, is given up.
_HOPELESS = 100_000
_DEEPEST_WRAPPING = 4
# CloudTrail writes no record of a quarter of this; as Python's objects it would take up to sixty times the memory.
_LARGEST_MENDED = 4 << 20


def decode(data: bytes) -> Decoded:
    """Read all records of one file's content, in whatever shape; nothing that comes in makes it fail."""
    data = as_utf8(data)
    strict = decode_strict(data)
    return Decoded(strict) if strict is not None else salvage(data)


def portions(chunks: Iterator[bytes]) -> Iterator[Decoded]:
    """`decode` of all chunks, in portions that can be folded while they are fresh; together they hold the same."""
    pieces = Pieces(chunks)
    is_begun = False
    for records in pieces:
        is_begun = True
        yield Decoded(records)
    if not is_begun:
        yield decode(pieces.left)
    elif pieces.left.strip():
        yield salvage(pieces.left)


def salvage(data: bytes) -> Decoded:
    """`decode` without the fast way; slower, and the reference for it."""
    found = Decoded()
    _Reading(data, found).run()
    return found


class _Reading:
    """One pass over some content: where it stands, in how many lists, and what it may still read in vain."""

    def __init__(self, data: bytes, found: Decoded, depth: int = 0) -> None:
        self._data = data
        self._found = found
        self._depth = depth
        self._position = 0
        self._open_lists = 0
        self._patience = self._allowed = max(_READ_IN_VAIN * len(data), _READ_IN_VAIN_AT_LEAST)
        self._broken = 0

    def run(self) -> None:
        self._skip_between()
        if self._position >= len(self._data) and not (self._depth and self._data.startswith(b"[")):
            self._skip(Skipped.BAD_JSON if self._open_lists > 0 else Skipped.EMPTY)
            return
        while self._position < len(self._data) and not self._is_hopeless():
            self._step()
            self._skip_between()
        if self._open_lists > 0 and not self._found.skipped[Skipped.BAD_JSON]:
            self._skip(Skipped.BAD_JSON)  # cut off, if only between two records

    def _step(self) -> None:
        """Get past one value, or into one list; past what is broken, to where the next value may start."""
        start = self._position
        if self._is_past_trifles() or self._is_into_list(start):
            return
        end = self._end_of(start)
        if end is not None and self._take(self._data[start:end]):
            self._position = end
            return
        self._broken += 1
        is_object = self._data[start : start + 1] == b"{"
        self._skip(Skipped.BAD_JSON if is_object or self._data[start : start + 1] == b'"' else Skipped.NOT_JSON)
        after = len(self._data)
        if end is not None:
            self._patience -= end - start
            after = end if is_object else after
        self._position = self._next_start(start + 1, after)

    def _is_hopeless(self) -> bool:
        return self._broken > max(_HOPELESS, 10 * len(self._found.records))

    def _skip_between(self) -> None:
        """Step over separators, into lists and out of them, and over what else the wrapping of a list holds."""
        data = self._data
        while separators := _SEPARATORS.match(data, self._position):
            self._open_lists += separators[0].count(b"[")
            self._position = separators.end()
            closings = _CLOSINGS.match(data, self._position)
            if closings is None:
                return
            self._open_lists -= len(closings[0])
            self._position = closings.end()
            while (key := key_at(data, self._position)) and not self._is_list(key):
                end = self._end_of(key[1])
                if end is None:
                    return
                self._position = end
            self._position = key[1] if key else self._position

    def _is_list(self, key: tuple[bytes, int]) -> bool:
        return key[0] in _LISTS and self._data[key[1] : key[1] + 1] == b"["

    def _is_past_trifles(self) -> bool:
        before = self._position
        while trifle := _TRIFLE.match(self._data, self._position):
            self._skip(Skipped.NOT_A_RECORD)
            self._position = trifle.end()
        return self._position > before

    def _is_into_list(self, start: int) -> bool:
        """Go to the list of a wrapping, whatever plain members stand before it; False if there is no such list."""
        if self._data[start : start + 1] != b"{" or self._data.startswith(b'{"eventVersion":', start):
            return False
        position: int | None = start + 1
        while position is not None and (key := key_at(self._data, position)):
            if self._is_list(key):
                self._position = key[1]
                return True
            is_plain = self._data[key[1] : key[1] + 1] not in (b"{", b"[")
            position = end_of_value(self._data, key[1]) if is_plain else None
        return False

    def _end_of(self, start: int) -> int | None:
        limit = len(self._data)
        if self._patience <= 0:
            limit = self._next_start(start + (_NEARBY if self._patience > -self._allowed else 1), limit)
        end = end_of_value(self._data, start, limit)
        if end is None:
            self._patience -= limit - start
        return end

    def _next_start(self, position: int, limit: int) -> int:
        start = _START.search(self._data, position, limit)
        return start.start() if start else limit

    def _skip(self, reason: Skipped) -> None:
        self._found.skipped[reason] += 1

    def _take(self, value: bytes) -> bool:
        """Add what one whole value holds; False if it is no JSON after all."""
        if not value.startswith(b"{"):
            return self._take_scalar(value)
        record = decode_record(value)
        reason = None
        if record is None and len(value) > _LARGEST_MENDED:
            return False
        if record is None:
            record, reason = mend(value, Record)
        if reason is Skipped.BAD_JSON:
            return False
        if not record.is_plausible:
            self._unwrap(value)
        elif reason is not None:
            self._found.mended.append((record, reason))
        else:
            self._found.records.append(record)
        return True

    def _take_scalar(self, value: bytes) -> bool:
        """Texts may hold records, as in a list of LookupEvents' `CloudTrailEvent`s."""
        reasons: list[Skipped] = []
        text = loads(value, reasons)
        if Skipped.BAD_JSON in reasons:
            return False
        if isinstance(text, str) and text.lstrip().startswith("{"):
            self._read_within(value)
        else:
            self._skip(Skipped.NOT_A_RECORD)
        return True

    def _unwrap(self, value: bytes) -> None:
        """Read what a wrapping holds, as it was written: mended as a whole it would hide what was odd."""
        keys = set()
        wrapped = 0
        for key, inner in members(value):
            keys.add(key)
            if key in _WRAPPINGS and inner.startswith((b"{", b"[") if key != b'"CloudTrailEvent"' else (b"{", b'"')):
                self._read_within(inner)
                wrapped += 1
        if not wrapped:
            self._skip(_kind_of(keys))

    def _read_within(self, value: bytes) -> None:
        if self._depth == _DEEPEST_WRAPPING:
            self._skip(Skipped.TOO_DEEP)
            return
        reasons: list[Skipped] = []
        if value.startswith(b'"'):
            value = str(loads(value, reasons)).encode()
        for reason in reasons:
            self._skip(reason)
        _Reading(value, self._found, self._depth + 1).run()


def _kind_of(keys: set[bytes]) -> Skipped:
    """What an object is that is neither a record nor holds one."""
    if b'"digestStartTime"' in keys:
        return Skipped.DIGEST
    if keys & _OTHER_DOCUMENTS:
        return Skipped.OTHER_DOCUMENT
    return Skipped.WRONG_TYPE if keys & _LISTS else Skipped.NOT_A_RECORD
