"""However a file is read, at once, piece by piece or value by value, it holds the same."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from straykey.core.envelope import Decoded, Detour, as_utf8
from straykey.core.reading import portions
from straykey.core.record import Record
from straykey.core.salvage import joined, salvage
from tests.records import compact, use_record

ONE = use_record(event_id="one")
TWO = use_record(event_id="two")
DECOY = {"eventVersion": "1.11", "eventTime": "2026-05-04T10:00:00Z", "eventID": "decoy"}


def brief(number: int, **more: Any) -> bytes:
    """A record so short that hypothesis can put cuts everywhere, and long enough to be one."""
    return compact(
        {"eventVersion": "1", "eventTime": "2026-05-04T10:00:00Z", "eventID": f"{number}-" + "x" * 20} | more
    )


SOUND = [brief(number) for number in range(3)]
PARTS = [
    *SOUND,
    *SOUND,
    brief(3, requestParameters={"list": [DECOY, DECOY], "one": DECOY}),
    brief(4, userAgent='},{"eventVersion":'),
    brief(5, userAgent="},{"),
    brief(6, requestParameters=[[], [DECOY], [DECOY, [DECOY]]]),
    brief(7, userAgent=7),
    brief(8, userAgent="HERE").replace(b"HERE", b"\\ud800"),
    brief(9, userAgent="HERE").replace(b"HERE", b"\xff"),
    brief(10, userAgent="HERE").replace(b'"HERE"', b"tru"),
    brief(11, userAgent="HERE").replace(b'"HERE"', b'"'),
    brief(12, requestParameters=[DECOY, DECOY]).replace(b"]", b""),
    brief(13)[:-1],
    brief(14) + b"}",
    compact({"detail": json.loads(brief(15))}),
    compact({"CloudTrailEvent": brief(16).decode()}),
    compact({"a": {}, "Records": [DECOY], "Events": [DECOY]}),
    compact({"eventVersion": "1", "eventID": "no time"}),
    compact({"Records": [], **DECOY}),
    compact({**DECOY, "Records": [DECOY]}),
    b"{}",
    b"null",
    b"12",
    b'"text"',
    b"\xef\xbb\xbf",
]
TOKENS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"\n",
    b" ",
    b"\\",
    b'},{"eventVersion":',
    b']}{"Records":[',
    b'}\n{"',
]
AROUND = [(b'{"Records":[', b"]}")] * 3 + [(b"", b"")] * 2 + [(b"[", b"]"), (b'{ "Records": [\n', b"]\n}")]


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """Files of records, sound or not, with whatever between them."""
    parts = draw(st.lists(st.sampled_from(PARTS), max_size=7))
    between = draw(st.sampled_from([b",", b",", b",", b"\n", b"\n", b", ", b""]))
    opens, closes = draw(st.sampled_from(AROUND))
    for place in draw(st.lists(st.integers(0, len(parts)), max_size=2)):
        parts.insert(place, draw(st.sampled_from(TOKENS)))
    data = bytearray(opens + between.join(parts) + closes)
    for place in draw(st.lists(st.integers(0, len(data)), max_size=2)):
        data[place : place + draw(st.integers(0, 4))] = draw(st.sampled_from([b"", b"x", *TOKENS]))
    return bytes(data)


def chunked(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        size = sizes[position % len(sizes)]
        yield data[position : position + size]
        position += size


def plain(record: Record) -> list[object]:
    values = (getattr(record, field) for field in Record.__struct_fields__)
    return [bytes(value) if isinstance(value, msgspec.Raw) else value for value in values]


def outcome(decoded: Decoded) -> tuple[object, ...]:
    mended = [(plain(record), reason) for record, reason in decoded.mended]
    return [plain(record) for record in decoded.records], mended, decoded.skipped


sizes = st.lists(st.integers(1, 400), min_size=1, max_size=5)


@settings(max_examples=500, deadline=None)
@given(contents(), sizes, st.integers(50, 3000))
@example(b'[[1],"a name that is quite long}\n{":[' + SOUND[0] + b"]]", [20], 3000)
@example(b'{"Records":[' + b",".join([SOUND[0], PARTS[12], SOUND[1]]) + b"]}", [90], 3000)
def test_however_content_comes_in_the_slow_way_alone_would_give_the_same(
    data: bytes, sizes: list[int], near: int
) -> None:
    found = joined(portions(chunked(data, sizes), near))
    assert outcome(found) == outcome(salvage(as_utf8(data)))


def detours(*chunks: bytes, near: int = 1 << 20) -> Counter[Detour]:
    return joined(portions(iter(chunks), near)).detours


WELL = b",".join(SOUND)
ODD = brief(7, userAgent=7)


def test_what_is_sound_takes_no_detour() -> None:
    assert not detours(b'{"Records":[' + WELL + b",", WELL + b"]}")
    assert not detours(WELL.replace(b",{", b"\n{"))


def test_an_odd_record_costs_its_piece_only() -> None:
    chunks = [b'{"Records":[' + WELL, b"," + ODD + b"," + WELL, b"," + WELL, b"," + WELL + b"]}"]
    assert detours(*chunks) == {Detour.REDONE: 1}


def test_a_cut_inside_a_record_costs_its_piece_only() -> None:
    decoy = brief(3, requestParameters=[DECOY, DECOY])
    place = decoy.index(b"},{") + 40
    chunks = [b'{"Records":[' + WELL + b",", decoy[:place], decoy[place:] + b"," + WELL, b"," + WELL + b"]}"]
    assert detours(*chunks) == {Detour.REDONE: 1}


def test_a_record_that_never_ends_is_told_once_however_many_chunks_follow() -> None:
    chunks = [b'{"Records":[' + WELL + b",", b'{"userAgent":"' + b"x" * 300, *[b"," + WELL] * 30]
    assert detours(*chunks, near=2000) == {Detour.REDONE: 3, Detour.HELD: 1, Detour.SEARCHED: 1}


def test_a_file_of_another_form_is_held() -> None:
    assert detours(compact({"Events": [json.loads(SOUND[0])]})) == {Detour.HELD: 1}


def test_a_broken_record_is_searched_behind() -> None:
    assert detours(b'{"Records":[' + SOUND[0][:-1]) == {Detour.REDONE: 1, Detour.SEARCHED: 1}


def test_the_slow_way_gives_records_out_in_portions() -> None:
    wrapped = compact({"a": {}, "Records": [json.loads(SOUND[0])] * 20_000})
    assert max(len(portion.records) for portion in portions(iter((wrapped,)))) < 5000
