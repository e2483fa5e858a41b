"""Finds where a JSON value ends without parsing it, so that one broken value does not cost its neighbours.

No recursion and no backtracking: 100,000 levels of nesting and a hostile gigabyte cost one pass.
"""

import re
from collections.abc import Iterator

# Everything up to the next bracket that stands outside a string, or up to a string that never ends.
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SCALAR = re.compile(rb'[^\s,\]}:"{\[]++')
KEY = re.compile(rb'[\s,]*+("[^"\\]*+(?:\\.[^"\\]*+)*+")\s*+:\s*+', re.DOTALL)


def end_of_value(data: bytes, start: int) -> int | None:
    """Where the value that begins at `start` ends; None if it never does."""
    first = data[start : start + 1]
    if first == b'"':
        string = _STRING.match(data, start)
        return string.end() if string else None
    if first in (b"{", b"["):
        return _end_of_bracket(data, start)
    scalar = _SCALAR.match(data, start)
    return scalar.end() if scalar else None


def _end_of_bracket(data: bytes, start: int) -> int | None:
    depth = 0
    position = start
    size = len(data)
    while position < size:
        byte = data[position]
        if byte in b"{[":
            depth += 1
        elif byte in b"}]":
            depth -= 1
            if depth == 0:
                return position + 1
        else:
            return None  # a quote that opens a string without end
        gulp = _TO_BRACKET.match(data, position + 1)
        position = gulp.end() if gulp else size
    return None


def members(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of each member of the object `data`, both as written, up to the first that is broken."""
    position = data.find(b"{") + 1
    while key := KEY.match(data, position):
        end = end_of_value(data, key.end())
        if end is None:
            return
        yield key[1], data[key.end() : end]
        position = end
