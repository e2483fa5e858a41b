"""What an API call asked and what it was answered, in whichever form CloudTrail writes it.

*Flat*, for most APIs: names in lowerCamel, lists as `{"items": […]}` or `{"item": […]}`, an empty list as `{}`.
*Wrapped*, for EC2's newer ones: everything inside `<Api>Request` and `<Api>Response`, names in a request capitalised, a
list of one collapsed to its element, entries of a request's list numbered (`{"tag": 1, "content": "eipalloc-…"}`), text
that looks like a number or a boolean written as one.  No page says which API is written how, and it has changed, so
every function here takes both.

Nothing here fails on what a log may hold: what is missing, or of another shape, is empty.  And only what is asked for
by name is picked up, so no secret ever is.
"""

import msgspec

from straykey.core.record import Record, Skipped

_LONGEST_ID = 128
_LISTS = ("items", "item")


class Payload(msgspec.Struct, frozen=True):
    """`requestParameters` and `responseElements`, unwrapped; None where CloudTrail wrote null or nothing."""

    request: object
    response: object

    @property
    def is_answered(self) -> bool:
        """False for a call that was refused, even where the record names no error."""
        is_refused = any(text(member(self.response, name)).lower() == "false" for name in ("_return", "return"))
        return isinstance(self.response, dict) and not is_refused


def payload_of(record: Record) -> Payload | Skipped:
    """Read both halves of a call."""
    try:
        return Payload(
            _unwrapped(record.request, f"{record.name}Request"),
            _unwrapped(record.response, f"{record.name}Response"),
        )
    except UnicodeDecodeError:
        return Skipped.BAD_UTF8
    except msgspec.DecodeError:
        return Skipped.WRONG_TYPE
    except RecursionError:
        return Skipped.TOO_DEEP


def _unwrapped(raw: msgspec.Raw, wrapper: str) -> object:
    value: object = msgspec.json.decode(raw or b"null")
    inner = member(value, wrapper)
    return value if inner is None else inner


def member(value: object, *names: str) -> object:
    """The first of `names`, as it is or else in any case of letters, that an object has and that is not null."""
    if not isinstance(value, dict):
        return None
    for name in names:
        inner = value.get(name)
        if inner is None:
            size, lower = len(name), name.lower()
            alike = (other for key, other in value.items() if len(key) == size and key.lower() == lower)
            inner = next((other for other in alike if other is not None), None)
        if inner is not None:
            return inner
    return None


def inside(value: object, *path: str) -> object:
    """The member of a member, and so on; None where the path breaks."""
    for name in path:
        value = member(value, name)
    return value


def entries(value: object, *wrappers: str) -> list[object]:
    """The elements of a list in any form; `wrappers` are names that this one list has besides the usual ones."""
    while isinstance(value, dict):
        inner = member(value, *_LISTS, *wrappers)
        if inner is None:
            return [value] if value else []
        value = inner
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def text(value: object, longest: int = _LONGEST_ID) -> str:
    """An id as text, whatever it was written as; empty for what is none, or longer than any id of AWS's."""
    if isinstance(value, dict):
        value = member(value, "content")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        value = str(value)
    return value if isinstance(value, str) and len(value) <= longest else ""


def texts(value: object, *names: str) -> list[str]:
    """The ids in a list, whether its entries are plain, numbered, or objects with the id under one of `names`."""
    found = (text(member(entry, *names)) or text(entry) for entry in entries(value, *names))
    return [one for one in found if one]
