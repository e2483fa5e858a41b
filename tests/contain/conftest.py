"""`here` is an account with an instance and its role; `journal` keeps what is done in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from straykey.stores.database import Database
from straykey.stores.journal import SqlJournal
from tests.aws import Aws
from tests.contain.applying import SIMULATE, simulation
from tests.contain.grounds import Scene, scene


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqlJournal]:
    database = Database(str(tmp_path / "store.db"))
    yield SqlJournal(database)
    database.close()


@pytest.fixture
def here(aws: Aws) -> Scene:
    made = scene()
    aws.answer_xml(SIMULATE, simulation("allowed"))  # moto has no such thing
    aws.actions.clear()
    return made
