"""Where values end, told without parsing them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from straykey.core.scan import end_of_value, members

texts = st.text() | st.text('"\\a{', min_size=1)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
indents = st.sampled_from([None, 0, 2])


@given(json_values | texts, texts, indents, st.booleans(), st.sampled_from([b"", b",", b"\n", b" }", b"]"]))
def test_values_end_where_pythons_decoder_says(
    value: object, before: str, indent: int | None, ascii_only: bool, after: bytes
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    lead = before.encode()
    data = lead + text.encode() + after
    _, end = json.JSONDecoder().raw_decode(text)
    assert end_of_value(data, len(lead)) == len(lead) + len(text[:end].encode())


@given(st.dictionaries(texts, json_values, max_size=5), indents)
def test_members_are_those_pythons_decoder_sees(document: dict[str, object], indent: int | None) -> None:
    found = members(json.dumps(document, indent=indent).encode())
    assert {json.loads(key): json.loads(value) for key, value in found} == document


@given(st.binary() | st.text('{}[]"\\,: a').map(str.encode), st.integers(0, 20), st.integers(0, 20))
def test_no_end_lies_beyond_the_limit(data: bytes, start: int, limit: int) -> None:
    end = end_of_value(data, start, limit)
    assert end is None or start < end <= limit


@pytest.mark.parametrize("value", [b'{"a":1', b'["a', b'"a\\"', b"[" * 100_000, b"", b"]", b'{"a":"}'])
def test_what_has_no_end_gives_none(value: bytes) -> None:
    assert end_of_value(value, 0) is None


def test_deep_nesting_has_an_end() -> None:
    deep = b'{"a":[' * 100_000 + b'"]"' + b"]}" * 100_000
    assert end_of_value(deep + b",1", 0) == len(deep)


@pytest.mark.parametrize("broken", [b'{"a":1', b'{"a" 1}', b"{a:1}", b'{"a":1]', b'{"a":1}}', b'{"a":1,}'])
def test_a_broken_object_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="no end, or no name"):
        list(members(broken))
