"""A log line is one line, whatever is in it, and nobody can log in with what stands there."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from straykey.errors import SourceError
from straykey.logs import Level, LogFormat, configure, harmless
from straykey.secret import Secret

HOSTILE = 'web\n{"level":"info","event":"all is well"}\x1b[2J\u202eelor'
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE" + "Ab1+/" * 40
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
Begin = Callable[..., io.StringIO]


def noon() -> datetime:
    return datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Begin a log into memory; all is put back as it was."""
    root = logging.getLogger()

    def begun(level: Level = Level.INFO, how: LogFormat = LogFormat.JSON) -> io.StringIO:
        stream = io.StringIO()
        configure(level, how, stream, noon)
        root.handlers = [handler for handler in root.handlers if is_ours(handler)]  # pytest's complain themselves
        return stream

    yield begun
    root.handlers = [handler for handler in root.handlers if not is_ours(handler)]
    structlog.reset_defaults()


def is_ours(handler: logging.Handler) -> bool:
    return type(handler).__module__ == configure.__module__


def test_a_line_is_an_object_with_time_level_and_event(begin: Begin) -> None:
    written = begin()
    structlog.get_logger().info("committed", records=5, seconds=0.25, sink=None, names=["a", "b"])
    assert written.getvalue() == (
        '{"time": "2026-05-04T12:00:00.000Z", "level": "info", "event": "committed", '
        '"records": 5, "seconds": 0.25, "sink": null, "names": ["a", "b"]}\n'
    )


def test_as_text_a_line_is_read_at_a_glance(begin: Begin) -> None:
    written = begin(how=LogFormat.TEXT)
    structlog.get_logger().warning("object was put aside", object="s3://b/k.json.gz", why="broken JSON", tries=5)
    assert written.getvalue() == (
        '2026-05-04T12:00:00.000Z warning object was put aside object=s3://b/k.json.gz why="broken JSON" tries=5\n'
    )


@pytest.mark.parametrize("how", list(LogFormat))
def test_a_hostile_role_name_cannot_forge_a_line_or_act_on_a_terminal(begin: Begin, how: LogFormat) -> None:
    written = begin(how=how)
    structlog.get_logger().info("opened", role=HOSTILE, deep={"list": [HOSTILE], HOSTILE: 1})
    structlog.get_logger().info(HOSTILE)
    logging.getLogger("library").warning("of %s", HOSTILE)
    text = written.getvalue()
    assert text.count("\n") == 3
    assert all(char == "\n" or char.isprintable() for char in text)


def test_a_hostile_role_name_cannot_forge_a_field(begin: Begin) -> None:
    written = begin(how=LogFormat.TEXT)
    structlog.get_logger().info("opened", role="web severity=LOW")
    logging.getLogger("library").warning("of web severity=LOW")
    assert 'role="web severity=LOW"' in written.getvalue()
    assert ' "of web severity=LOW" ' in written.getvalue()


@pytest.mark.parametrize("name", ["session_token", "Secret", "db_password", "Authorization", "signature", "apiKey"])
def test_what_is_named_as_a_secret_is_masked_whatever_it_is(begin: Begin, name: str) -> None:
    written = begin()
    structlog.get_logger().info("called", **{name: "abc"}, request={"headers": [{name: ["abc"]}]})
    assert "abc" not in written.getvalue()
    assert written.getvalue().count("***") == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"token {TOKEN} refused", "token *** refused"),
        (f"key {SECRET_KEY}.", "key ***."),
        (f"aws_secret_access_key={SECRET_KEY}", "aws_secret_access_key=***"),
        ("postgresql://straykey:h@sh@db.example/straykey", "postgresql://***@db.example/straykey"),
        ("https://hooks.slack.com/services/T0/B0/hush", "https://hooks.slack.com/***"),
        ("GET /k?X-Amz-Signature=0a1b2c&X-Amz-Expires=60", "GET /k?X-Amz-Signature=***&X-Amz-Expires=60"),
        ('{"sessionToken": "hush", "a": 1}', '{"sessionToken": "***", "a": 1}'),
        ("Authorization: Basic aHVzaA==", "Authorization: ***"),
        ("Authorization: AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=0a1b", "Authorization: ***, Signature=***"),
        ("Bearer aHVzaA", "Bearer ***"),
        ("password: hush", "password: ***"),
    ],
)
def test_what_looks_like_a_secret_is_masked_within_a_text(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "s3://acme-trail/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/04/111122223333_CloudTrail_x.json.gz",
        "arn:aws:sts::111122223333:assumed-role/web-role/i-0123456789abcdef0",
        "ASIAEXAMPLEKEY000001",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "https://sqs.eu-west-1.amazonaws.com/111122223333/trail",
    ],
)
def test_what_is_needed_to_find_things_stays(text: str) -> None:
    assert harmless(text) == text


@given(st.text(alphabet="ab \n=:/@", max_size=40), st.text(alphabet="ab \n=:/@", max_size=40))
def test_a_session_token_never_comes_through(before: str, after: str) -> None:
    assert TOKEN[:40] not in harmless(f"{before} {TOKEN} {after}")


def test_a_long_text_is_cut_after_masking() -> None:
    text = harmless("a" * 980 + " " + SECRET_KEY + " " + "b" * 1000)
    assert len(text) == 1000
    assert SECRET_KEY[:10] not in text


def test_what_is_large_or_deep_is_cut(begin: Begin) -> None:
    written = begin()
    structlog.get_logger().info("x", many=list(range(10_000)), deep=[[[[[["bottom"]]]]]])
    assert len(written.getvalue()) < 1000
    assert "bottom" not in written.getvalue()


def test_of_an_unknown_thing_only_its_type_is_told(begin: Begin) -> None:
    class Client(msgspec.Struct):
        credentials: str

    written = begin()
    structlog.get_logger().info(
        "x", client=Client("hush"), body=b"hush", url=Secret("hush"), file=Path("a/b"), level_=Level.INFO
    )
    told = json.loads(written.getvalue())
    assert "hush" not in written.getvalue()
    assert (told["client"], told["body"], told["url"]) == ("<Client>", "4 bytes", "***")
    assert (told["file"], told["level_"]) == ("a/b", "info")


def refused() -> None:
    try:
        int("hush")
    except ValueError as error:
        raise SourceError("queue: access denied") from error


def test_of_an_error_not_ours_only_kind_and_place_are_told(begin: Begin) -> None:
    written = begin()
    try:
        refused()
    except SourceError as error:
        structlog.get_logger().exception("stopped", cause=error.__cause__)
    told = json.loads(written.getvalue())
    assert told["error"] == "SourceError: queue: access denied < ValueError"
    assert told["at"][-1].startswith("refused (test_logs.py:")
    assert told["cause"] == "ValueError"


def test_libraries_are_heard_from_warning_on(begin: Begin) -> None:
    written = begin(Level.DEBUG)
    library = logging.getLogger("botocore.parsers")
    library.setLevel(logging.DEBUG)
    library.debug("Response body: %s", TOKEN)
    library.warning("token %s", TOKEN)
    library.error("bad arguments %s %s", "hush")
    library.setLevel(logging.NOTSET)
    first, second = map(json.loads, written.getvalue().splitlines())
    assert (first["level"], first["event"], first["logger"]) == ("warning", "token ***", "botocore.parsers")
    assert (second["level"], second["event"]) == ("error", "bad arguments %s %s")


def test_what_is_below_the_level_is_not_logged(begin: Begin) -> None:
    written = begin(Level.WARNING)
    structlog.get_logger().info("x")
    assert not written.getvalue()


def test_beginning_again_does_not_tell_everything_twice(begin: Begin) -> None:
    begin()
    written = begin()
    logging.getLogger("library").warning("once")
    assert written.getvalue().count("once") == 1
