"""One option: `--update` writes golden files and generated pages anew, to be read as a diff.

`aws` is AWS as far as a test needs it: a server on this machine, empty at the beginning of each test.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import settings

from tests.aws import Aws
from tests.databases import database, postgres_server, postgres_url, url

__all__ = ["aws", "aws_server", "database", "golden", "postgres_server", "postgres_url", "url"]

# Time belongs to the machine: no example fails for being slow.
settings.register_profile("straykey", deadline=None)
settings.load_profile("straykey")

ROOT = Path(__file__).parent.parent


class Golden(Protocol):
    def __call__(self, name: str, text: str) -> None: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write golden files and generated pages anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with a file of the repository, or write that file."""

    def compare(name: str, text: str) -> None:
        path = ROOT / name
        if request.config.getoption("--update"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert text == path.read_text(), f"{name} differs: look, then `make docs`"

    return compare


@pytest.fixture(scope="session")
def aws_server() -> Iterator[Aws]:
    with Aws.started() as server:
        yield server


@pytest.fixture
def aws(aws_server: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    aws_server.reset()
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in aws_server.environment.items():
        monkeypatch.setenv(name, value)
    return aws_server
