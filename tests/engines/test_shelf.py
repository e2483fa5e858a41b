"""Blocks that find no room in memory, and where they lie then."""

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from straykey.core.evidence import Bounds
from straykey.core.ledger import PackedLedger
from straykey.core.run import Packing
from straykey.engines.shelf import Room
from straykey.errors import StraykeyError
from tests.core.test_ledger_laws import told
from tests.core.test_run import of_one_session, packed
from tests.records import use_record

BLOCKS = [bytes([number]) * 10 for number in range(8)]


def test_blocks_come_back_as_they_were_put_there_whether_there_was_room_for_them_or_not() -> None:
    shelf = Room(35).shelf()
    for block in BLOCKS:
        shelf.append(block)
    assert [shelf[at] for at in range(len(shelf))] == BLOCKS


def test_what_there_is_room_for_touches_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.TemporaryFile", None)
    shelf = Room(80).shelf()
    for block in BLOCKS:
        shelf.append(block)
    with pytest.raises(TypeError):
        shelf.append(b"one more")


def test_room_that_a_block_took_is_there_again_once_it_is_let_go() -> None:
    room = Room(10)
    shelf, other = room.shelf(), room.shelf()
    shelf.append(BLOCKS[0])
    assert not room.take(1)
    shelf[0] = b""
    other.append(BLOCKS[1])
    assert (shelf[0], other[0]) == (b"", BLOCKS[1])
    assert not room.take(1)


def test_a_block_on_disk_is_let_go_too() -> None:
    shelf = Room(0).shelf()
    shelf.append(BLOCKS[0])
    shelf[0] = b""
    assert shelf[0] == b""


def test_all_shelves_share_one_room() -> None:
    room = Room(10)
    shelves = [room.shelf() for _ in range(3)]
    for shelf, block in zip(shelves, BLOCKS, strict=False):
        shelf.append(block)
    assert [shelf[0] for shelf in shelves] == BLOCKS[:3]
    assert not room.take(1)


def test_evidence_is_the_same_with_room_for_all_and_with_room_for_nothing() -> None:
    records = of_one_session(300, addresses=7)
    ample, none = Packing(), Packing(shelf=Room(0).shelf)
    assert told(packed(records, Bounds(), none)) == told(packed(records, Bounds(), ample))


@pytest.fixture
def full_disk() -> Iterator[Callable[[], None]]:
    """A file of this process cannot grow beyond 15 bytes, as if the disk were full in the midst of a block.

    What it gives makes room again.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (15, before[1]))
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_room_that_a_run_took_is_there_again_once_another_shelf_has_its_blocks() -> None:
    room = Room(1 << 20)
    ledger = packed([use_record()], Bounds(), Packing(shelf=room.shelf))
    whole = PackedLedger.empty(Bounds(), Packing(shelf=room.shelf))
    before = held(room)
    whole.absorb(ledger)
    assert held(room) == before > 0


def held(room: Room) -> int:
    """How many bytes of a megabyte are taken."""
    left = 0
    while room.take(1):
        left += 1
    room.give_back(left)
    return (1 << 20) - left


def test_a_block_that_the_disk_had_no_room_for_spoils_none_that_comes_later(full_disk: Callable[[], None]) -> None:
    shelf = Room(0).shelf()
    shelf.append(BLOCKS[0])
    with pytest.raises(StraykeyError):
        shelf.append(BLOCKS[1])
    full_disk()
    shelf.append(BLOCKS[2])
    assert [shelf[at] for at in range(len(shelf))] == [BLOCKS[0], BLOCKS[2]]


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_told_with_what_to_do_about_it() -> None:
    shelf = Room(0).shelf()
    shelf.append(BLOCKS[0])
    with pytest.raises(StraykeyError, match="too much evidence for memory") as told_of:
        shelf.append(BLOCKS[1])
    assert "TMPDIR" in told_of.value.hint


def test_nothing_is_left_on_disk_that_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shelf = Room(0).shelf()
    shelf.append(BLOCKS[0])
    assert list(tmp_path.iterdir()) == []
