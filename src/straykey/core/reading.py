"""Reads one file's content as it comes in: at once where it is sound, the slow way where it is not, and no further.

1. A piece is decoded at once (`core.envelope`).
2. A piece that is not sound is read record by record: each typed, else mended, else counted.  A record that was cut
   waits for more.  Then reading at once goes on.
3. A file of no known form, and the rest of one from a value on that has no near end, are held in memory and read value
   by value; behind what is broken the next start of a record is searched for (`core.salvage`).

The outcome is the same whatever the chunks; `Detour` counts how often a file was read by 2 and 3.
"""

from collections.abc import Iterator

from straykey.core.envelope import LINES, TRAIL, Decoded, Detour, decode_spaced, in_utf8
from straykey.core.salvage import Salvage, joined

# A record is not a hundredth of this.  What has no end in so much has it far away, if at all.
_NEAR = 4 << 20


def decode(data: bytes) -> Decoded:
    """Read all records of one file's content, in whatever shape; nothing that comes in makes it fail."""
    return joined(portions(iter((data,))))


def portions(chunks: Iterator[bytes], near: int = _NEAR) -> Iterator[Decoded]:
    """`decode` of all chunks, in portions that can be folded while they are fresh; together they hold the same."""
    return _Way(in_utf8(chunks), near).portions()


class _Way:
    """How far one file was read: `rest` was taken from the chunks and not read yet."""

    def __init__(self, chunks: Iterator[bytes], near: int) -> None:
        self._chunks = chunks
        self._near = near
        self._rest = next(chunks, b"")
        self._form = TRAIL if self._rest.startswith(TRAIL.opens) else LINES
        self._rest = self._rest.removeprefix(self._form.opens)
        self._slow: Salvage | None = None
        self._sound = 0  # records read since the slow way was last gone
        self._is_cut = False

    def portions(self) -> Iterator[Decoded]:
        form = self._form
        enough = 0
        for chunk in self._chunks:
            cut = chunk.rfind(form.between) + 1
            if not cut or len(self._rest) + cut < enough:
                self._rest += chunk
                if len(self._rest) > self._near:
                    yield from self._hold()
                    return
                continue
            self._is_cut = True
            records = form.records(self._rest, memoryview(chunk)[:cut])
            left = b""
            if records is not None:
                self._sound += len(records)
                yield Decoded(records)
            else:
                slow = self._slowly(Detour.REDONE)
                yield from slow.read(self._rest + chunk[:cut], is_all=False)
                if slow.is_hopeless:
                    return
                left = slow.left
            # Without the comma, or the end of the line.  A value without end is not looked at again for each chunk.
            self._rest = left + chunk[cut:] if left else chunk[cut + 1 :]
            enough = 2 * len(left)
        yield from self._end()

    def _end(self) -> Iterator[Decoded]:
        form = self._form
        body = self._rest.rstrip()
        records = form.records(body[: len(body) - len(form.closes)]) if body.endswith(form.closes) else None
        if records is not None:
            yield Decoded(records)
            if self._slow is not None:
                yield from self._slow.read(form.closes, is_all=True)
            return
        if not self._is_cut and form is LINES and (records := decode_spaced(body)) is not None:
            yield Decoded(records)
            return
        is_known = self._is_cut or form is TRAIL or form.between in body
        slow = self._slowly((Detour.REDONE if is_known else Detour.HELD) if body else None)
        yield from slow.read(self._rest, is_all=True)

    def _hold(self) -> Iterator[Decoded]:
        slow = self._slowly(Detour.HELD)
        yield from slow.read(self._rest + b"".join(self._chunks), is_all=True)

    def _slowly(self, detour: Detour | None) -> Salvage:
        if self._slow is None:
            self._slow = Salvage(in_list=self._form is TRAIL)
        self._slow.know_sound(self._sound)
        self._sound = 0
        if detour is not None:
            self._slow.note(detour)
        return self._slow
