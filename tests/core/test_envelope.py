"""What the fast way takes, and what it leaves to the slow one."""

import codecs

import pytest

from straykey.core.envelope import as_utf8, decode_strict
from tests.records import compact, lines, trail, use_record

ONE = use_record(event_id="one")
TWO = use_record(event_id="two")


def ids(data: bytes) -> list[str | None] | None:
    records = decode_strict(data)
    return None if records is None else [record.event_id for record in records]


@pytest.mark.parametrize("data", [trail(ONE, TWO), lines(ONE, TWO), lines(ONE, TWO).replace(b"\n", b"\r\n\n")])
def test_a_trails_file_and_lines_are_taken_at_once(data: bytes) -> None:
    assert ids(data) == ["one", "two"]


def test_a_file_without_records_is_sound() -> None:
    assert ids(trail()) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        compact([ONE]),
        compact({"detail": ONE}),
        compact({"Records": [ONE], "Events": [TWO]}),
        compact({"Records": [ONE, None]}),
        lines(ONE, {"eventName": "no identity"}),
        trail(ONE).replace(b"ListBuckets", b"\xff"),
        trail(ONE).replace(b"ListBuckets", b"\\ud800"),
        trail(ONE)[:-1],
    ],
    ids=lambda data: repr(data)[:24],
)
def test_all_else_is_left_to_the_slow_way(data: bytes) -> None:
    assert ids(data) is None


@pytest.mark.parametrize(
    "data",
    [codecs.BOM_UTF8 + b"{}", "{}".encode("utf-16"), codecs.BOM_UTF16_BE + "{}".encode("utf-16-be"), b"{}"],
)
def test_byte_order_marks_and_utf_16_are_undone(data: bytes) -> None:
    assert as_utf8(data) == b"{}"


def test_broken_utf_16_is_no_error() -> None:
    assert as_utf8(codecs.BOM_UTF16_LE + b"{\0\0\xd8}") == "{\ufffd".encode() or as_utf8(codecs.BOM_UTF16_LE + b"{")


# Beyond eight megabytes content is decoded in pieces.
MANY = [use_record(event_id=f"{place}", requestParameters={"text": "},{[" * 800}) for place in range(4000)]


@pytest.mark.parametrize("data", [trail(*MANY), trail(*MANY) + b"\n", lines(*MANY), lines(*MANY)[:-1]])
def test_large_content_gives_every_record(data: bytes) -> None:
    assert len(data) > 12_000_000
    assert ids(data) == [f"{place}" for place in range(4000)]


@pytest.mark.parametrize(
    "data",
    [
        trail(*MANY, {"requestParameters": [ONE] * 20_000}),
        trail(*MANY).replace(b',{"eventVersion"', b'],"Records":[{"eventVersion"', 1),
        b'{"Records":[' + b"{}," * 4_000_000 + b"{}]}",
        b"{}\n" * 4_000_000,
        lines(*MANY) + b"{}\n",
        trail(*MANY)[:-1],
        b"[" + b"1," * 5_000_000 + b"1]",
    ],
    ids=["records in a record", "two lists", "trifles", "lines of trifles", "one trifle", "cut", "numbers"],
)
def test_large_content_that_cannot_be_cut_safely_is_left_to_the_slow_way(data: bytes) -> None:
    assert ids(data) is None
