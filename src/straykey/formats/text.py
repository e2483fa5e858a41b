"""Text from logs, made harmless.

Role names, user agents and event names are written by attackers.  What reaches a terminal goes through `printable`,
what is JSON through `as_json`.
"""

import json
import unicodedata

# Control, format (bidirectional overrides among them), surrogate, private use, unassigned; and line separators.
_HOSTILE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str) -> str:
    """Show every character that could act on a terminal, or hide, as its code."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) if unicodedata.category(char) in _HOSTILE else char for char in text)


def bounded(text: str, most: int) -> str:
    """`printable`, and no longer than a format allows; what was cut ends in an ellipsis."""
    shown = printable(text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _shown(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def as_json(value: object, *, indent: int | None = None) -> str:
    """JSON in plain ASCII: nothing in it can act on a terminal."""
    return json.dumps(value, ensure_ascii=True, indent=indent).replace("\x7f", "\\u007f")
