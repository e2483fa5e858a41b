"""What the fast way takes, and what it leaves to the slow one."""

import codecs
import json

import pytest

from straykey.core.envelope import as_utf8
from straykey.core.reading import decode, portions
from straykey.core.salvage import joined, salvage
from tests.records import compact, lines, trail, use_record

ONE = use_record(event_id="one")
TWO = use_record(event_id="two")


def ids(data: bytes) -> list[str | None] | None:
    """The ids of all records, if they were read at once."""
    decoded = decode(data)
    return None if decoded.detours else [record.event_id for record in decoded.records]


@pytest.mark.parametrize(
    "data",
    [
        trail(ONE, TWO),
        lines(ONE, TWO),
        lines(ONE, TWO).replace(b"\n", b"\r\n\n"),
        compact([ONE, TWO]),
        json.dumps({"Records": [ONE, TWO]}, indent=4).encode(),
    ],
)
def test_a_trails_file_lists_and_lines_are_taken_at_once(data: bytes) -> None:
    assert ids(data) == ["one", "two"]


def test_a_file_without_records_is_sound() -> None:
    assert ids(trail()) == []


@pytest.mark.parametrize(
    "data",
    [
        compact({"detail": ONE}),
        compact({"Records": [ONE], "Events": [TWO]}),
        compact({"Records": [ONE, None]}),
        compact({"Records": [{"detail": ONE}]}),
        b'{"Records": ' + compact([ONE]) + b', "Records": ' + compact([TWO]) + b"}",
        lines(ONE, {"eventName": "no time"}),
        trail(ONE).replace(b"ListBuckets", b"\xff"),
        trail(ONE).replace(b"ListBuckets", b"\\ud800"),
        trail(ONE)[:-1],
        b"[" + compact(ONE) + b"}",
        compact(ONE) + b"]",
    ],
    ids=lambda data: repr(data)[:24],
)
def test_all_else_is_left_to_the_slow_way(data: bytes) -> None:
    assert ids(data) is None
    assert decode(data).records == salvage(data).records


def test_of_two_lists_under_one_name_both_are_read() -> None:
    twice = b'{"Records": ' + compact([ONE]) + b', "Records": ' + compact([TWO]) + b"}"
    assert [record.event_id for record in decode(twice).records] == ["one", "two"]


@pytest.mark.parametrize(
    "data",
    [codecs.BOM_UTF8 + b"{}", "{}".encode("utf-16"), codecs.BOM_UTF16_BE + "{}".encode("utf-16-be"), b"{}"],
)
def test_byte_order_marks_and_utf_16_are_undone(data: bytes) -> None:
    assert as_utf8(data) == b"{}"


def test_broken_utf_16_is_no_error() -> None:
    assert as_utf8(codecs.BOM_UTF16_LE + b"{\0\0\xd8}") == "{\ufffd".encode() or as_utf8(codecs.BOM_UTF16_LE + b"{")


CHUNK = 1 << 16
MANY = [use_record(event_id=f"{place}", requestParameters={"text": "},{[" * 800}) for place in range(1500)]


def many_ids(data: bytes) -> list[str | None] | None:
    chunks = (data[start : start + CHUNK] for start in range(0, len(data), CHUNK))
    decoded = joined(portions(chunks))
    assert (decoded.skipped, decoded.mended) == (salvage(data).skipped, salvage(data).mended)
    assert [one.event_id for one in decoded.records] == [one.event_id for one in salvage(data).records]
    return None if decoded.detours else [record.event_id for record in decoded.records]


@pytest.mark.parametrize("data", [trail(*MANY), trail(*MANY) + b"\n", lines(*MANY), lines(*MANY)[:-1]])
def test_large_content_is_taken_at_once(data: bytes) -> None:
    assert len(data) > 4 << 20
    assert many_ids(data) == [f"{place}" for place in range(1500)]


@pytest.mark.parametrize(
    "data",
    [
        trail(*MANY, {"requestParameters": [ONE] * 10_000}),
        trail(*MANY).replace(b',{"eventVersion"', b'],"Records":[{"eventVersion"', 1),
        b'{"Records":[' + b"{}," * 1_000_000 + b"{}]}",
        b"{}\n" * 1_000_000,
        b'{"Records":[' + b'{"eventTime":""},' * 100_000 + b"{}]}",
        lines(*MANY) + b"{}\n",
        trail(*MANY)[:-1],
        b"[" + b"1," * 2_500_000 + b"1]",
    ],
    ids=["records in a record", "two lists", "trifles", "lines of trifles", "tiny", "one trifle", "cut", "numbers"],
)
def test_large_content_that_cannot_be_cut_safely_is_left_to_the_slow_way(data: bytes) -> None:
    assert many_ids(data) is None
