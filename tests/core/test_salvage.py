"""Laws of reading: any wrapping, any break, and nothing lost but what is broken."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from straykey.core.envelope import Decoded
from straykey.core.observation import observe
from straykey.core.reading import decode
from straykey.core.record import Skipped
from straykey.core.salvage import salvage
from tests.records import RawRecord, compact, lines, trail, use_record

Wrapping = Callable[[list[RawRecord]], bytes]
DEEP = b"[" * 20_000  # 100,000 levels: in test_files


def _event_bridge(record: RawRecord) -> RawRecord:
    return {
        "version": "0",
        "id": "00000000-0000-4000-8000-0000000000e1",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.s3",
        "time": record["eventTime"],
        "resources": [],
        "detail": record,
    }


def _looked_up(record: RawRecord) -> RawRecord:
    return {"EventId": record["eventID"], "Resources": [], "CloudTrailEvent": json.dumps(record)}


WRAPPINGS: dict[str, Wrapping] = {
    "a trail's file": lambda records: trail(*records),
    "a pretty trail's file": lambda records: json.dumps({"Records": records}, indent=4).encode(),
    "a trail's file with sorted keys": lambda records: json.dumps({"Records": records}, sort_keys=True).encode(),
    "records not first": lambda records: compact({"a": {"b": [1]}, "Records": records, "c": {"d": 2}}),
    "lines": lambda records: lines(*records),
    "lines with blank ones": lambda records: b"\r\n\n".join(map(compact, records)),
    "pretty records in a row": lambda records: "\n".join(json.dumps(one, indent=2) for one in records).encode(),
    "records in a row": lambda records: b"".join(map(compact, records)),
    "a list": compact,
    "a list of texts": lambda records: compact([json.dumps(record) for record in records]),
    "EventBridge's lines": lambda records: lines(*map(_event_bridge, records)),
    "a list of EventBridge's": lambda records: compact(list(map(_event_bridge, records))),
    "LookupEvents' output": lambda records: compact({"Events": list(map(_looked_up, records)), "NextToken": "x"}),
    "pretty LookupEvents' output": lambda records: json.dumps(
        {"Events": list(map(_looked_up, records))}, indent=4
    ).encode(),
    "LookupEvents' entries with objects": lambda records: lines(*({"CloudTrailEvent": one} for one in records)),
    "files in a row": lambda records: b"".join(trail(record) for record in records),
    "files in a row with byte order marks": lambda records: b"\n".join(b"\xef\xbb\xbf" + trail(one) for one in records),
    "two lists in one object": lambda records: compact({"Records": records[:1], "Events": records[1:]}),
    "UTF-16": lambda records: trail(*records).decode().encode("utf-16"),
}
wrappings = st.sampled_from(list(WRAPPINGS.values()))

texts = st.text(max_size=12) | st.sampled_from(['"', "\\", '\\"', '},{"eventVersion":', "[{]}", "\n{", "é\u2028"])
decoy = {"eventVersion": "1.11", "eventName": "Decoy", "eventTime": "2026-05-04T10:00:00Z"}
requests = st.none() | st.dictionaries(texts, texts | st.just([decoy, decoy]), max_size=3)


@st.composite
def sound_records(draw: st.DrawFn, min_size: int = 0) -> list[RawRecord]:
    parts = draw(st.lists(st.tuples(texts, requests), min_size=min_size, max_size=5))
    return [
        use_record(agent=agent, requestParameters=request, event_id=f"sound-{place}")
        for place, (agent, request) in enumerate(parts)
    ]


def plain(decoded: Decoded) -> list[Any]:
    documents = [json.loads(msgspec.json.encode(record)) for record in decoded.records]
    return [{name: value for name, value in document.items() if value is not None} for document in documents]


def ids(decoded: Decoded) -> list[str | None]:
    return [record.event_id for record in decoded.records] + [record.event_id for record, _ in decoded.mended]


def losses(decoded: Decoded) -> Counter[Skipped]:
    """All that a scan would name: what the reading lost, and what its records turn out to be."""
    seen = [observe(record) for record in decoded.records]
    lost = Counter(one.skipped for one in seen if one.skipped)
    lost += decoded.skipped + Counter(reason for _, reason in decoded.mended)
    return Counter({reason: count for reason, count in lost.items() if reason.is_loss})


@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS)
@given(records=sound_records(min_size=1))
def test_every_wrapping_gives_the_same_records(wrap: Wrapping, records: list[RawRecord]) -> None:
    decoded = decode(wrap(records))
    assert plain(decoded) == plain(decode(trail(*records)))
    assert ids(decoded) == [record["eventID"] for record in records]
    assert not losses(decoded)


@given(wrappings, sound_records(min_size=1))
def test_the_slow_way_gives_what_the_fast_way_gives(wrap: Wrapping, records: list[RawRecord]) -> None:
    data = wrap(records)
    if not data.startswith(b"\xff\xfe"):
        assert plain(salvage(data)) == plain(decode(data))
        assert salvage(data).skipped == decode(data).skipped


def _with(raw: bytes, field: str = "userIdentity") -> bytes:
    return compact(use_record(event_id="broken") | {field: "HERE"}).replace(b'"HERE"', raw)


BROKEN: dict[str, bytes] = {
    "identity is null": _with(b"null"),
    "no identity": compact({"eventVersion": "1.11", "eventTime": "2026-05-04T10:00:00Z", "eventName": "ListBuckets"}),
    "identity is a text": _with(b'"root"'),
    "identity is a list": _with(b"[{}]"),
    "address is a number": _with(b"1", "sourceIPAddress"),
    "an impossible address": _with(b'"999.1.1.1"', "sourceIPAddress"),
    "no date": _with(b'"2026-13-45"', "eventTime"),
    "time is a number": _with(b"1777888800", "eventTime"),
    "a lone surrogate": _with(b'"\\ud800"', "userAgent"),
    "not a number": _with(b"NaN", "requestParameters"),
    "invalid UTF-8": _with(b'"\xff\xfe"', "userAgent"),
    "a raw control character": _with(b'"a\nb"', "userAgent"),
    "a huge number": _with(b"9" * 10_000, "userAgent"),
    "nested deep": _with(DEEP + b"]" * len(DEEP)),
    "nested deep without end": _with(DEEP),
    "half a word": _with(b"tru", "userAgent"),
    "no closing bracket": compact(use_record())[:-1],
    "no closing quote": _with(b'"a', "userAgent"),
    "no opening quote": _with(b'a"', "userAgent"),
    "no colon": _with(b"1", "userAgent").replace(b'"userAgent":', b'"userAgent"'),
    "a bracket too many": compact(use_record()) + b"}",
    "the wrong bracket": _with(b"[1}", "resources"),
    "cut in a text": compact(use_record())[:90],
    "cut in the identity": compact(use_record())[:200],
    "null": b"null",
    "a number": b"12",
    "a text": b'"x"',
    "an empty object": b"{}",
    "no JSON": b"<html>",
}


def _without_decoys(records: Iterable[RawRecord]) -> list[RawRecord]:
    return [record | {"requestParameters": None} for record in records]


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@given(records=sound_records(), place=st.integers(0, 5), sort=st.booleans(), in_lines=st.booleans())
def test_a_broken_record_costs_that_record(
    broken: bytes, records: list[RawRecord], place: int, sort: bool, in_lines: bool
) -> None:
    parts = [json.dumps(record, sort_keys=sort).encode() for record in records]
    parts.insert(place, broken)
    decoded = decode(b"\n".join(parts) if in_lines else b'{"Records":[' + b",".join(parts) + b"]}")
    assert [one for one in ids(decoded) if one and one.startswith("sound")] == [one["eventID"] for one in records]
    assert losses(decoded) or broken == BROKEN["a bracket too many"]  # the record before that bracket is whole


@given(st.sampled_from([name for name in WRAPPINGS if name != "UTF-16"]), sound_records(), st.integers(0, 4))
def test_an_odd_record_costs_no_other_in_any_wrapping(name: str, records: list[RawRecord], place: int) -> None:
    records.insert(place, use_record(agent="HERE", event_id="odd"))
    decoded = decode(WRAPPINGS[name](records).replace(b"HERE", b"\\ud800"))
    assert sorted(filter(None, ids(decoded))) == sorted(record["eventID"] for record in records)
    assert losses(decoded) == {Skipped.BAD_SURROGATE: 1}


@given(sound_records(min_size=1), st.data(), st.booleans())
def test_a_cut_loses_only_what_ends_after_it(records: list[RawRecord], data: st.DataObject, in_lines: bool) -> None:
    records = _without_decoys(records)
    whole = lines(*records) if in_lines else trail(*records)
    ends = [whole.index(compact(record)) + len(compact(record)) for record in records]
    cut = data.draw(st.integers(0, len(whole)) | st.sampled_from(ends))
    decoded = decode(whole[:cut])
    assert ids(decoded) == [record["eventID"] for record, end in zip(records, ends, strict=True) if end <= cut]
    if not in_lines:
        assert bool(losses(decoded)) == (cut < len(whole) - 1)  # all but the last bracket


SOUND = compact(use_record(event_id="sound"))
HOLDING_SOUND = (SOUND, BROKEN["a bracket too many"])  # the record before that bracket is whole


@given(st.lists(st.sampled_from([*BROKEN.values(), SOUND]), min_size=1, max_size=12))
def test_nothing_is_lost_uncounted(parts: list[bytes]) -> None:
    decoded = decode(b"\n".join(parts))
    assert ids(decoded).count("sound") == parts.count(SOUND)
    assert bool(losses(decoded)) == any(part not in HOLDING_SOUND for part in parts)


@given(st.binary() | st.text('{}[]",:\\ned1').map(str.encode))
def test_no_bytes_raise(data: bytes) -> None:
    decode(data)


@given(wrappings, sound_records(min_size=1), st.data())
def test_no_mutation_raises(wrap: Wrapping, records: list[RawRecord], data: st.DataObject) -> None:
    mutated = bytearray(wrap(records))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(mutated)))
        end = data.draw(st.integers(start, min(len(mutated), start + 8)))
        mutated[start:end] = data.draw(st.binary(max_size=8))
    decode(bytes(mutated))


def test_many_records_that_never_end_cost_no_sound_one() -> None:
    cut = compact(use_record())[:200]
    decoded = decode(b"\n".join([cut, compact(use_record(event_id="sound"))] * 500))
    assert ids(decoded) == ["sound"] * 500
    assert losses(decoded) == {Skipped.BAD_JSON: 500}


def test_a_quote_that_was_lost_does_not_swallow_the_records_after_it() -> None:
    resync = use_record(agent='an escaped \\" quote " here', event_id="third")
    parts = [_with(b'"a', "userAgent"), compact(use_record(event_id="second")), compact(resync)]
    decoded = decode(b'{"Records":[' + b",".join(parts) + b"]}")
    assert ids(decoded) == ["second", "third"]


def test_what_a_request_holds_is_no_record() -> None:
    decoded = salvage(trail(use_record(event_id="real", requestParameters={"list": [decoy], "one": decoy})))
    assert ids(decoded) == ["real"]


def test_what_a_record_says_in_a_text_is_no_record() -> None:
    posing = use_record(agent=json.dumps(use_record(event_id="posing")), event_id="real", detail=use_record())
    assert ids(salvage(trail(posing))) == ["real"]


@pytest.mark.parametrize("depth", [1, 3, 200])
def test_texts_in_texts_are_read_to_some_depth(depth: int) -> None:
    record: RawRecord = use_record(event_id="inner")
    for _ in range(min(depth, 8)):
        record = {"CloudTrailEvent": json.dumps(record)}
    decoded = decode(compact(record))
    assert ids(decoded) == (["inner"] if depth <= 4 else [])
    assert losses(decoded) == ({} if depth <= 4 else {Skipped.TOO_DEEP: 1})


REASONS: list[tuple[bytes, Skipped]] = [
    (b"", Skipped.EMPTY),
    (b" \n", Skipped.EMPTY),
    (b"[]", Skipped.EMPTY),
    (b"[[[", Skipped.BAD_JSON),
    (b'{"CloudTrailEvent":" "}', Skipped.EMPTY),
    (b'{"Records":[', Skipped.BAD_JSON),
    (b'{"Records":[{}', Skipped.NOT_A_RECORD),
    (b"{}", Skipped.NOT_A_RECORD),
    (b"[1,2]", Skipped.NOT_A_RECORD),
    (b'{"Records":1}', Skipped.WRONG_TYPE),
    (b'{"Records":{}}', Skipped.NOT_A_RECORD),
    (b'{"digestStartTime":"2026-05-04T10:00:00Z","logFiles":[{"s3Bucket":"b"}]}', Skipped.DIGEST),
    (b'{"syncToken":"1","prefixes":[{"ip_prefix":"198.18.0.0/15"}]}', Skipped.OTHER_DOCUMENT),
    (b'{"$schema":"https://example.com","type":"object"}', Skipped.OTHER_DOCUMENT),
    (b"<html></html>", Skipped.NOT_JSON),
    (b"\x89PNG\r\n", Skipped.NOT_JSON),
    (b'{"a":', Skipped.BAD_JSON),
    (b'"a', Skipped.BAD_JSON),
]


@pytest.mark.parametrize(("data", "reason"), REASONS, ids=lambda value: repr(value)[:30])
def test_what_gives_no_record_says_why(data: bytes, reason: Skipped) -> None:
    decoded = decode(data)
    assert not ids(decoded)
    assert reason in decoded.skipped


# What once took quadratic time or more; each would now run for hours, were it so again.
HOSTILE = {
    "open brackets": b"{" * 2_000_000,
    "new lines in a broken text": b'{"a' + b"\n" * 2_000_000,
    "records that never end": b'\n{"eventVersion":' * 100_000,
    "objects that never end": b"{\n" * 500_000,
    "crossed brackets": b"]{" * 200_000,
    "keys after lists": b'[]"a":{\n{}' * 100_000,
    "numbers": b"1 " * 500_000,
    "empty texts": b'"",' * 500_000,
    "broken records in broken records": b'{"eventVersion":x,\n' * 50_000 + b"}" * 50_000,
    "openings": b'{"Records":[' * 100_000,
    "bytes that are no text": b"\xff" * 2_000_000,
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_content_comes_to_an_end(data: bytes) -> None:
    assert losses(decode(data))
