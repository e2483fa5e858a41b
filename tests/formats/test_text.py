"""Nothing an attacker wrote acts on a terminal."""

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from straykey.formats.text import as_json, bounded, printable

any_text = st.text(st.characters())  # surrogates and controls included


@given(any_text)
def test_printable_text_holds_no_character_that_acts(text: str) -> None:
    acting = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not acting & {unicodedata.category(char) for char in printable(text)}


@given(st.text(st.characters(categories=["L", "N", "P"], max_codepoint=0x24F)))
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_control_characters_are_shown_as_codes() -> None:
    assert printable("a\x1b[31mb\u202ec\n") == "a\\x1b[31mb\\u202ec\\x0a"


@given(st.dictionaries(any_text, any_text))
def test_json_is_plain_ascii_and_reads_back(value: dict[str, str]) -> None:
    text = as_json(value)
    assert all(" " <= char < "\x7f" for char in text)
    assert json.loads(text) == value


@given(any_text, st.integers(min_value=1, max_value=40))
def test_bounded_text_is_printable_and_no_longer_than_allowed(text: str, most: int) -> None:
    shown = bounded(text, most)
    assert len(shown) <= most
    assert shown == printable(text) or (shown[-1] == "…" and printable(text).startswith(shown[:-1]))
