"""`receiver` is somebody's web server."""

from collections.abc import Iterator

import pytest

from tests.sinks.receiver import Receiver, listening


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as receiver:
        yield receiver
