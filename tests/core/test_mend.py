"""One odd record, read field by field."""

import json

import pytest

from straykey.core.mend import mend
from straykey.core.record import Record, Skipped
from tests.records import compact, use_record

DEEP = "[" * 100_000 + "]" * 100_000


def odd(field: str, raw: str | bytes) -> bytes:
    """A sound record but for one field, whose value is `raw` as it stands."""
    value = raw if isinstance(raw, bytes) else raw.encode()
    return compact(use_record() | {field: "HERE"}).replace(b'"HERE"', value)


ODD_VALUES = [
    ('"\\ud800"', Skipped.BAD_SURROGATE),
    (b'"\xff"', Skipped.BAD_UTF8),
    (b'"\xed\xa0\x80"', Skipped.BAD_UTF8),
    ("NaN", Skipped.ODD_JSON),
    ("-Infinity", Skipped.ODD_JSON),
    ('"a\x01b"', Skipped.ODD_JSON),
    (DEEP, Skipped.TOO_DEEP),
    ("[1]", Skipped.WRONG_TYPE),
    ("true", Skipped.WRONG_TYPE),
    ("1" * 100_000, Skipped.WRONG_TYPE),
]


@pytest.mark.parametrize(("raw", "reason"), ODD_VALUES, ids=lambda value: repr(value)[:20])
def test_an_odd_field_costs_that_field_only(raw: str | bytes, reason: Skipped) -> None:
    mended, told = mend(odd("userAgent", raw), Record)
    sound = json.loads(compact(use_record()))
    assert told is reason
    assert mended.identity is not None
    assert (mended.time, mended.address) == (sound["eventTime"], sound["sourceIPAddress"])
    assert mended.identity.arn == sound["userIdentity"]["arn"]


@pytest.mark.parametrize(("raw", "reason"), ODD_VALUES[:7], ids=lambda value: repr(value)[:20])
def test_what_is_odd_in_a_field_nobody_needs_costs_nothing_but_is_told(raw: str | bytes, reason: Skipped) -> None:
    mended, told = mend(odd("tlsDetails", raw), Record)
    assert told is reason
    assert mended.agent == "aws-cli/2.17.0"


@pytest.mark.parametrize("raw", ["tru", '"a', '{"a" 1}', "'a'", "01", ""])
def test_a_record_that_is_not_json_is_not_read_in_part(raw: str) -> None:
    assert mend(odd("tlsDetails", raw), Record) == (Record(), Skipped.BAD_JSON)


def test_deep_nesting_does_not_hide_that_the_rest_is_broken() -> None:
    data = odd("tlsDetails", DEEP).replace(b'"userAgent":', b'"userAgent" ')
    assert mend(data, Record) == (Record(), Skipped.BAD_JSON)


def test_an_odd_field_inside_the_identity_costs_that_field_only() -> None:
    record = use_record()
    record["userIdentity"]["sessionContext"] = "HERE"
    mended, reason = mend(compact(record).replace(b'"HERE"', DEEP.encode()), Record)
    assert reason is Skipped.WRONG_TYPE or reason is Skipped.TOO_DEEP
    assert mended.time == record["eventTime"]


def test_an_account_that_was_taken_for_a_number_is_read() -> None:
    mended, reason = mend(odd("recipientAccountId", "111122223333"), Record)
    assert (mended.recipient, reason) == ("111122223333", Skipped.WRONG_TYPE)


def test_the_last_of_two_equal_keys_counts_as_for_sound_records() -> None:
    mended, _ = mend(b'{"eventName":"A","userAgent":NaN,"event\\u004eame":"B"}', Record)
    assert mended.name == "B"
