"""What is kept of containments: all of it, in one process or in two at once."""

import pytest
from msgspec.structs import replace

from straykey.errors import ContainError
from straykey.ports import Containment, Entry, Phase, StepState
from straykey.stores.database import Database
from straykey.stores.journal import SqlJournal, containments_for

FINDING = "f" * 32
STEPS = tuple(
    Entry(number, f"step {number} of é", StepState.PLANNED, b'[{"service":"iam"}]', b'"\\u0000"')
    for number in range(12)
)
BEGUN = Containment(
    finding=FINDING,
    option="pin",
    account="111122223333",
    region="eu-west-1",
    begun="2026-05-04T10:41:00Z",
    plan=b'{"option":"pin"}',
    phase=Phase.APPLYING,
    entries=STEPS,
)
UNFINISHED = [Phase.APPLYING, Phase.STOPPED, Phase.ROLLING_BACK]
OPEN = [*UNFINISHED, Phase.APPLIED]


@pytest.fixture
def journal(database: Database) -> SqlJournal:
    return SqlJournal(database)


def test_what_is_opened_is_read_as_it_was_by_another_process(journal: SqlJournal, url: str) -> None:
    opened = journal.open(BEGUN)
    assert replace(opened, id="") == BEGUN
    other = Database(url)
    assert SqlJournal(other).read(opened.id) == opened
    other.close()


def test_a_step_is_written_anew_and_the_others_stay(journal: SqlJournal) -> None:
    identity = journal.open(BEGUN).id
    noted = replace(STEPS[3], state=StepState.BEGUN, undo=b"[]", found=b"null")
    journal.note(identity, Phase.APPLYING, noted)
    assert journal.read(identity).entries == (*STEPS[:3], noted, *STEPS[4:])


@pytest.mark.parametrize("phase", UNFINISHED)
def test_what_is_unfinished_is_not_begun_again(phase: Phase, journal: SqlJournal) -> None:
    identity = journal.open(BEGUN).id
    journal.move(identity, phase, out_of=[Phase.APPLYING])
    with pytest.raises(ContainError, match=f"begun already, and is {phase} .{identity}") as told:
        journal.open(replace(BEGUN, begun="2026-05-05T00:00:00Z"))
    assert "roll it back" in told.value.hint


def test_what_was_applied_may_be_applied_again_and_is_taken_back_after_what_came_later(journal: SqlJournal) -> None:
    # Of one second; and the last by a clock that is behind.
    opened = []
    for begun in (BEGUN.begun, BEGUN.begun, "2026-05-04T10:00:00Z"):
        opened.append(journal.open(replace(BEGUN, begun=begun)).id)
        journal.move(opened[-1], Phase.APPLIED, out_of=[Phase.APPLYING])
    with journal._database.snapshot() as connection:
        assert [one.id for one in containments_for(connection, FINDING)] == opened
    for earlier in opened[:2]:
        with pytest.raises(ContainError, match=f"applied again since, and that is applied .{opened[2]}"):
            journal.move(earlier, Phase.ROLLING_BACK, out_of=OPEN)
    for one in reversed(opened):
        journal.move(one, Phase.ROLLING_BACK, out_of=OPEN)
        journal.move(one, Phase.ROLLED_BACK, out_of=OPEN)


def test_what_was_rolled_back_may_be_begun_again_in_the_same_second_and_both_are_kept(
    journal: SqlJournal, database: Database
) -> None:
    first = journal.open(BEGUN).id
    journal.move(first, Phase.ROLLED_BACK, out_of=OPEN)
    second = journal.open(BEGUN).id
    with database.snapshot() as connection:
        kept = containments_for(connection, FINDING)
    assert {(one.id, one.phase) for one in kept} == {(first, Phase.ROLLED_BACK), (second, Phase.APPLYING)}


def test_other_options_and_other_findings_are_begun_beside_it(journal: SqlJournal, database: Database) -> None:
    opened = [BEGUN, replace(BEGUN, option="stop"), replace(BEGUN, finding="other")]
    ids = {journal.open(one).id for one in opened}
    with database.snapshot() as connection:
        assert {one.id for one in containments_for(connection, "")} == ids
        assert [one.option for one in containments_for(connection, "other")] == ["pin"]


def test_who_is_overtaken_writes_no_more(journal: SqlJournal) -> None:
    identity = journal.open(BEGUN).id
    journal.move(identity, Phase.ROLLING_BACK, out_of=[Phase.APPLYING])
    with pytest.raises(ContainError, match="is rolling-back, not applying"):
        journal.note(identity, Phase.APPLYING, replace(STEPS[0], state=StepState.DONE))
    with pytest.raises(ContainError, match="is rolling-back, not applying"):
        journal.move(identity, Phase.APPLIED, out_of=[Phase.APPLYING])
    assert journal.read(identity) == replace(BEGUN, id=identity, phase=Phase.ROLLING_BACK)


def test_what_is_not_there_is_told_and_its_name_shown_harmless(journal: SqlJournal) -> None:
    with pytest.raises(ContainError, match=r"no containment \\x1b"):
        journal.read("\x1b[2J")
    with pytest.raises(ContainError, match="is not there"):
        journal.note("none", Phase.APPLYING, STEPS[0])
