"""The slow way through a file: any shape records come in, and whatever is still whole in a broken one.

Lists and the wrappings of lists are stepped into, so that their elements are met one by one; each is decoded on its
own, mended if need be (`core.mend`), and where one has no end the reading goes on at the next place that looks like
the start of a record.  What is lost is counted.
"""

import re
from collections.abc import Iterable, Iterator

from straykey.core.envelope import Decoded, Detour, decode_record
from straykey.core.mend import loads, mend
from straykey.core.record import Record, Skipped
from straykey.core.scan import end_of_value, key_at, members

# Files written by several programs one after the other hold byte order marks between values, too.
_SEPARATORS = re.compile(rb"(?:[\s,\[}]|\xef\xbb\xbf)*+")
_OPENING_QUOTE = re.compile(rb'[\s,]*+"')
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


# This many records are given out at once.
_PORTION = 4096


class Salvage:
    """The slow way through one file, as far as its content was given."""

    def __init__(self, *, in_list: bool = False) -> None:
        """`in_list` for a start within the list of a trail's file."""
        self._found = _Found()
        self._outer = _Reading(self._found, in_list=in_list)

    def read(self, data: bytes, *, is_all: bool) -> Iterator[Decoded]:
        """Read what follows on what was read before; `left` is then what must come again with more behind it.

        But for the last time, `data` ends with an object, or within one: whatever follows, no value that is whole here
        reads in another way then.
        """
        found = self._found
        self._outer.feed(data, is_all=is_all)
        stack = [self._outer]
        while stack:
            if stack[-1].is_past_all():
                if is_all or stack[-1] is not self._outer:
                    stack[-1].finish()
                stack.pop()
            stack += reversed(found.inner)
            found.inner.clear()
            if found.is_full:
                yield found.give()
        yield found.give()

    @property
    def left(self) -> bytes:
        return self._outer.left

    @property
    def is_hopeless(self) -> bool:
        return self._outer.is_hopeless

    def note(self, detour: Detour) -> None:
        """Count a detour in the next portion."""
        self._found.portion.detours[detour] += 1

    def know_sound(self, records: int) -> None:
        """Learn of records that were read another way; among many sound ones, many broken ones are put up with."""
        self._found.sound += records


def salvage(data: bytes) -> Decoded:
    """All of `data` the slow way; the reference for every other."""
    return joined(Salvage().read(data, is_all=True))


def joined(portions: Iterable[Decoded]) -> Decoded:
    """All portions in one."""
    whole = Decoded()
    for portion in portions:
        whole.records += portion.records
        whole.mended += portion.mended
        whole.skipped += portion.skipped
        whole.detours += portion.detours
    return whole


class _Found:
    """What all readings of one file found and have not given out yet, and what is to be read before anything else."""

    def __init__(self) -> None:
        self.portion = Decoded()
        self.inner: list[_Reading] = []
        self.sound = 0
        self._reasons: set[Skipped] = set()
        self._is_searched = False

    @property
    def is_full(self) -> bool:
        return len(self.portion.records) + len(self.portion.mended) >= _PORTION

    @property
    def is_known_broken(self) -> bool:
        return Skipped.BAD_JSON in self._reasons

    def give(self) -> Decoded:
        given, self.portion = self.portion, Decoded()
        return given

    def skip(self, reason: Skipped) -> None:
        self.portion.skipped[reason] += 1
        self._reasons.add(reason)

    def search(self) -> None:
        """Tell, once, that something is broken."""
        if not self._is_searched:
            self.portion.detours[Detour.SEARCHED] += 1
            self._is_searched = True


class _Reading:
    """One pass over some content: where it stands, in how many lists, and what it may still read in vain."""

    def __init__(self, found: _Found, depth: int = 0, *, in_list: bool = False) -> None:
        self._found = found
        self._depth = depth
        self._data = b""
        self._is_all = True
        self._position = 0
        self._open_lists = int(in_list)
        self._is_begun = in_list
        self._is_stuck = False
        self._fed = 0
        self._patience = self._allowed = _READ_IN_VAIN_AT_LEAST
        self._broken = 0

    def feed(self, data: bytes, *, is_all: bool) -> None:
        self._fed += len(data) - len(self.left)
        more = max(0, _READ_IN_VAIN * self._fed - self._allowed)
        self._allowed += more
        self._patience += more
        self._data = data
        self._is_all = is_all
        self._is_stuck = False
        self._position = 0

    @property
    def left(self) -> bytes:
        return self._data[self._position :]

    @property
    def is_hopeless(self) -> bool:
        return self._broken > max(_HOPELESS, 10 * self._found.sound)

    @property
    def _is_at_end(self) -> bool:
        return self._is_stuck or self._position >= len(self._data) or self.is_hopeless

    def is_past_all(self) -> bool:
        """Read on, until a portion is full or the inside of something must be read first; True if neither came."""
        found = self._found
        while True:
            self._skip_between()
            if self._is_at_end:
                return True
            self._is_begun = True
            self._step()
            if self._is_stuck or found.inner or found.is_full:
                return self._is_stuck

    def finish(self) -> None:
        """Tell of a list that was not closed, if only cut off between two records, and of content that was empty."""
        is_broken_off = self._open_lists > 0
        if not self._is_begun and not (self._depth and self._data.startswith(b"[")):
            self._found.skip(Skipped.BAD_JSON if is_broken_off else Skipped.EMPTY)
        elif is_broken_off and not self._found.is_known_broken:
            self._found.skip(Skipped.BAD_JSON)

    def _step(self) -> None:
        """Get past one value, or into one list; past what is broken, to where the next value may start."""
        start = self._position
        if self._is_past_trifles() or self._is_into_list(start):
            return
        end = self._end_of(start)
        if self._is_stuck:
            return
        if end is not None and self._take(self._data[start:end]):
            self._position = end
            return
        self._step_over_broken(start, end)

    def _step_over_broken(self, start: int, end: int | None) -> None:
        first = self._data[start : start + 1]
        if end is not None and first == b"{":
            position = self._next_start(start + 1, end)
        else:
            position = self._next_start(start + 1, len(self._data))
            if position == len(self._data) and not self._is_all:
                self._is_stuck = True
                return
        if end is not None:
            self._patience -= end - start
        self._broken += 1
        self._found.search()
        self._found.skip(Skipped.BAD_JSON if first in (b"{", b'"') else Skipped.NOT_JSON)
        self._position = position

    def _skip_between(self) -> None:
        """Step over separators, into lists and out of them, and over what else the wrapping of a list holds."""
        data = self._data
        is_between = True
        while is_between and (separators := _SEPARATORS.match(data, self._position)):
            closings = _CLOSINGS.match(data, separators.end())
            position = separators.end()
            if closings is None:
                is_between = False
            else:
                position, is_between = self._past_members(closings.end())
                if self._is_stuck:
                    return
            self._open_lists += separators[0].count(b"[") - (len(closings[0]) if closings else 0)
            self._position = position

    def _past_members(self, position: int) -> tuple[int, bool]:
        """Past what is no list of records, to the next such list if there is one; False if a member has no end."""
        while key := key_at(self._data, position):
            if self._is_list(key):
                return key[1], True
            end = self._end_of(key[1])
            if end is None:
                return position, False
            position = end
        # A name that is not closed may be one with what comes later.
        name = None if self._is_all else _OPENING_QUOTE.match(self._data, position)
        self._is_stuck = name is not None and end_of_value(self._data, name.end() - 1) is None
        return position, True

    def _is_list(self, key: tuple[bytes, int]) -> bool:
        return key[0] in _LISTS and self._data[key[1] : key[1] + 1] == b"["

    def _is_past_trifles(self) -> bool:
        before = self._position
        while trifle := _TRIFLE.match(self._data, self._position):
            self._found.skip(Skipped.NOT_A_RECORD)
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
        if end is None and limit == len(self._data) and not self._is_all:
            self._is_stuck = True  # it may end in what comes later
        elif end is None:
            self._patience -= limit - start
        return end

    def _next_start(self, position: int, limit: int) -> int:
        start = _START.search(self._data, position, limit)
        return start.start() if start else limit

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
            self._found.portion.mended.append((record, reason))
        else:
            self._found.portion.records.append(record)
            self._found.sound += 1
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
            self._found.skip(Skipped.NOT_A_RECORD)
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
            self._found.skip(_kind_of(keys))

    def _read_within(self, value: bytes) -> None:
        if self._depth == _DEEPEST_WRAPPING:
            self._found.skip(Skipped.TOO_DEEP)
            return
        reasons: list[Skipped] = []
        if value.startswith(b'"'):
            value = str(loads(value, reasons)).encode()
        for reason in reasons:
            self._found.skip(reason)
        inner = _Reading(self._found, self._depth + 1)
        inner.feed(value, is_all=True)
        self._found.inner.append(inner)


def _kind_of(keys: set[bytes]) -> Skipped:
    """What an object is that is neither a record nor holds one."""
    if b'"digestStartTime"' in keys:
        return Skipped.DIGEST
    if keys & _OTHER_DOCUMENTS:
        return Skipped.OTHER_DOCUMENT
    return Skipped.WRONG_TYPE if keys & _LISTS else Skipped.NOT_A_RECORD
