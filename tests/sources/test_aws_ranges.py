"""Ranges from a file, from a cached copy, from a real server on loopback, and from none of them."""

import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from straykey.errors import RangesError, UsageError
from straykey.sources.aws_ranges import from_cache, from_file

NOW = datetime(2026, 5, 4, 10, tzinfo=UTC)
NOBODY_LISTENS = "http://127.0.0.1:9/ip-ranges.json"


def document(token: str) -> bytes:
    prefix = {"ip_prefix": "198.18.0.0/16", "region": "eu-west-1", "service": "EC2"}
    return json.dumps({"syncToken": token, "createDate": "2026-05-02-10-00-00", "prefixes": [prefix]}).encode()


class _Answer(BaseHTTPRequestHandler):
    body = document("fresh")

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/ip-ranges.json"
    server.shutdown()
    thread.join()
    server.server_close()


def cached(folder: Path, *, age: timedelta, content: bytes) -> None:
    copy = folder / "ip-ranges.json"
    copy.write_bytes(content)
    written = (NOW - age).timestamp()
    os.utime(copy, (written, written))


def test_a_file_is_told_with_token_and_age(tmp_path: Path) -> None:
    path = tmp_path / "copy.json"
    path.write_bytes(document("one"))
    obtained = from_file(path, now=NOW)
    assert obtained.ranges is not None
    assert obtained.told == f"token one, created 2026-05-02-10-00-00, 2 days old ({path})"


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        from_file(tmp_path / "none.json", now=NOW)


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(RangesError, match=r"other\.json: not AWS's ip-ranges\.json"):
        from_file(tmp_path / "other.json", now=NOW)


def test_the_first_use_downloads_a_copy(url: str, tmp_path: Path) -> None:
    obtained = from_cache(tmp_path / "new", now=NOW, url=url)
    assert obtained.ranges is not None
    assert obtained.ranges.token == "fresh"
    assert (tmp_path / "new" / "ip-ranges.json").read_bytes() == document("fresh")


def test_a_copy_younger_than_a_week_is_not_fetched_again(tmp_path: Path) -> None:
    cached(tmp_path, age=timedelta(days=6), content=document("old"))
    obtained = from_cache(tmp_path, now=NOW, url=NOBODY_LISTENS)
    assert obtained.ranges is not None
    assert obtained.ranges.token == "old"
    assert "no newer copy" not in obtained.told


def test_a_copy_older_than_a_week_is_replaced(url: str, tmp_path: Path) -> None:
    cached(tmp_path, age=timedelta(days=8), content=document("old"))
    obtained = from_cache(tmp_path, now=NOW, url=url)
    assert obtained.ranges is not None
    assert obtained.ranges.token == "fresh"


def test_without_network_an_old_copy_serves_and_says_so(tmp_path: Path) -> None:
    cached(tmp_path, age=timedelta(days=80), content=document("old"))
    obtained = from_cache(tmp_path, now=NOW, url=NOBODY_LISTENS)
    assert obtained.ranges is not None
    assert "no newer copy: download failed" in obtained.told


def test_without_network_and_copy_ranges_are_unknown_and_it_says_so(tmp_path: Path) -> None:
    obtained = from_cache(tmp_path, now=NOW, url=NOBODY_LISTENS)
    assert obtained.ranges is None
    assert obtained.told.startswith("unknown, every public stray will be of type Unknown (download failed")


def test_a_download_that_is_no_copy_does_not_replace_one(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Answer, "body", b"<html>sign in to the airport's network</html>")
    cached(tmp_path, age=timedelta(days=8), content=document("old"))
    obtained = from_cache(tmp_path, now=NOW, url=url)
    assert obtained.ranges is not None
    assert obtained.ranges.token == "old"


def test_offline_asks_nobody_and_says_so(tmp_path: Path) -> None:
    obtained = from_cache(tmp_path, now=NOW, url="")
    assert obtained.ranges is None
    assert "offline" in obtained.told
