"""A message tells what matters, and nothing from a log acts in it."""

import re
import shlex
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from straykey.core.finding import FindingType
from straykey.formats import slack
from straykey.formats.text import as_json
from tests.conftest import Golden
from tests.formats import variants


def texts(message: Any) -> Iterator[dict[str, Any]]:
    """Every text object of a message."""
    for block in message["blocks"]:
        yield from ([block["text"]] if "text" in block else block["elements"])


def whole(message: Any) -> str:
    return "\n".join([message["text"], *(text["text"] for text in texts(message))])


def command_of(message: Any) -> list[str]:
    (command,) = re.findall(r"```(.*)```", whole(message))
    return shlex.split(unescape(command))


def test_a_theft_in_slack(golden: Golden) -> None:
    messages = [slack.to_message(finding, ["logs/"]) for finding in (variants.stolen(), variants.delivered())]
    golden("tests/golden/findings.slack.json", as_json(messages, indent=2) + "\n")


@pytest.mark.parametrize("kind", variants.TYPES)
@pytest.mark.parametrize("status", variants.STATUSES)
@pytest.mark.parametrize("make", [variants.full, variants.bare])
def test_every_finding_is_a_message_within_slacks_limits(make: Any, kind: Any, status: str) -> None:
    message: Any = slack.to_message(make(kind, status))
    assert len(message["blocks"]) <= 50
    for text in texts(message):
        assert 0 < len(text["text"]) <= (150 if text["type"] == "plain_text" else 3000)


@pytest.mark.parametrize("length", [1, 3, 100])
def test_overlong_text_is_held_to_slacks_limits(length: int) -> None:
    for text in texts(slack.to_message(variants.hostile(length), ["x" * 10_000])):
        assert len(text["text"]) <= (150 if text["type"] == "plain_text" else 3000)


def test_nothing_from_a_log_mentions_links_or_leaves_its_code_marks() -> None:
    message = slack.to_message(variants.hostile())
    told = whole(message)
    assert not set("<>\x1b\u202e") & set(told)
    assert "&lt;!here&gt;" in told
    marked = [text["text"] for text in texts(message) if text["type"] == "mrkdwn"]
    for line in "\n".join(marked).splitlines():
        assert line.count("`") % 2 == 0
        outside = re.sub(r"```.*?```|`[^`]*`", "", line)
        assert not re.search(r"evil|[@&~]", outside)


def test_slack_is_told_to_make_no_links() -> None:
    message: Any = slack.to_message(variants.hostile())
    assert (message["mrkdwn"], message["unfurl_links"], message["unfurl_media"]) == (False, False, False)
    for text in texts(message):
        assert text.get("verbatim") if text["type"] == "mrkdwn" else text["emoji"] is False


@given(st.text(st.characters(), max_size=60), st.integers(min_value=2, max_value=80))
def test_text_is_cut_between_characters_and_never_within_an_entity(text: str, most: int) -> None:
    shown = slack._plain(text, most)
    assert len(shown) <= most
    assert re.fullmatch(r"(?:[^&<>`]|&(?:amp|lt|gt);)*", shown, re.DOTALL)


def test_the_command_names_the_instance_and_what_was_scanned() -> None:
    message = slack.to_message(variants.stolen(), ["my logs/", "--ip-ranges", "a&b.json"])
    assert command_of(message) == [
        "straykey", "explain", "i-0123456789abcdef0", "my logs/", "--ip-ranges", "a&b.json",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["x`;touch owned;`", "$(reboot)", "x'; touch owned; '", "x\ny", "`" * 3])
def test_no_text_of_a_log_that_aws_allows_in_no_name_gets_into_the_command(name: str) -> None:
    finding = variants.bare()
    arn = f"arn:aws:sts::111122223333:assumed-role/web-role/{name}"
    message = slack.to_message(replace(finding, session=replace(finding.session, arn=arn)))
    assert command_of(message) == ["straykey", "explain", "SESSION", "PATH"]


@pytest.mark.parametrize("path", ["a`b", "x" * 1000, "a\x1bb"])
def test_arguments_that_cannot_be_shown_as_they_are_are_left_out(path: str) -> None:
    assert command_of(slack.to_message(variants.stolen(), [path]))[-1] == "PATH"


def test_the_headline_tells_a_status_that_is_not_open() -> None:
    message = slack.to_message(variants.full(status="resolved"))
    assert str(message["text"]).startswith("RESOLVED: HIGH, confirmed: Keys of i-0123456789abcdef0 used from")
    assert str(slack.to_message(variants.full())["text"]).startswith("HIGH, confirmed: ")


def test_the_owner_of_the_remote_network_is_told() -> None:
    stolen = variants.stolen()
    stray = replace(
        stolen.stray, account="999988887777", affiliated=False, vpc_endpoint="vpce-1", aws_region="us-east-1"
    )
    told = whole(slack.to_message(replace(stolen, stray=stray)))
    assert "`203.0.113.66` through `vpce-1` in AWS `us-east-1` of account `999988887777` (not ours)" in told


def test_whose_name_was_taken_is_not_said_to_have_done_it() -> None:
    told = whole(slack.to_message(variants.full(FindingType.SPOOFED_NAME)))
    assert "role `web-role`, in the name of `i-0123456789abcdef0`" in told


def test_of_many_sessions_the_number_is_told() -> None:
    one = variants.delivered()
    told = whole(slack.to_message(replace(one, sessions=["a", "b", "c"])))
    assert f"3 sessions, such as `{one.session.arn}`" in told


def test_many_keys_and_reasons_are_counted() -> None:
    told = whole(slack.to_message(variants.hostile()))
    assert "and 125 more" in told
    assert "• and 6 more" in told
