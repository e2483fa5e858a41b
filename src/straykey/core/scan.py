"""Finds where a JSON value ends without parsing it, so that one broken value does not cost its neighbours.

No recursion and no backtracking: 100,000 levels of nesting and a hostile gigabyte cost one pass.
"""

import re
from collections.abc import Iterator

# Up to Python 3.11.4 a possessive group whose last round fails half-way matches too much (gh-106052); Debian 12 has
# 3.11.2.  Here a round fails at its first byte, or in a string that never ends, where nothing can go wrong any more.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
# Everything up to the next bracket that stands outside a string, or up to a string that never ends.
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
_OPENING_BRACKETS = re.compile(rb'(?:[{\[][^"{}\[\]]*+)++')
_SCALAR = re.compile(rb'[^\s,\]}:"{\[]++')
_KEY = re.compile(rb'[\s,]*+("[^"\\]*+(?:\\.[^"\\]*+)*+")\s*+:\s*+', re.DOTALL)
_END_OF_OBJECT = re.compile(rb"\s*+\}\s*+")

_DEEP = 64


def end_of_value(data: bytes, start: int, limit: int | None = None) -> int | None:
    """Where the value that begins at `start` ends; None if it does not before `limit`."""
    first = data[start : start + 1]
    limit = len(data) if limit is None else min(limit, len(data))
    if first == b'"':
        string = _STRING.match(data, start, limit)
        return string.end() if string else None
    if first in (b"{", b"["):
        return _end_of_bracket(data, start, limit)
    scalar = _SCALAR.match(data, start, limit)
    return scalar.end() if scalar else None


def _end_of_bracket(data: bytes, start: int, limit: int) -> int | None:
    depth = 0
    position = start
    while position < limit:
        byte = data[position]
        if depth > _DEEP and (run := _OPENING_BRACKETS.match(data, position, limit)):
            depth += run[0].count(b"{") + run[0].count(b"[")
            position = run.end() - 1
        elif byte in b"{[":
            depth += 1
        elif byte in b"}]":
            depth -= 1
            if depth == 0:
                return position + 1
        else:
            return None  # a quote that opens a string without end
        gulp = _TO_BRACKET.match(data, position + 1, limit)
        position = gulp.end() if gulp else limit
    return None


def key_at(data: bytes, position: int) -> tuple[bytes, int] | None:
    """The key that stands at `position`, as written, and where its value begins."""
    key = _KEY.match(data, position)
    return (key[1], key.end()) if key else None


def members(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of each member of the object `data`, both as written; `ValueError` where it is broken."""
    position = data.find(b"{") + 1
    while key := key_at(data, position):
        end = end_of_value(data, key[1])
        if end is None:
            break
        yield key[0], data[key[1] : end]
        position = end
    if not _END_OF_OBJECT.fullmatch(data, position):
        raise ValueError("a member has no end, or no name")
