"""What becomes of findings while records come in, and what sinks are told of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from msgspec.structs import replace

from straykey.core import lifecycle
from straykey.core.finding import Finding, Severity, Status
from straykey.core.lifecycle import Tracked
from straykey.core.rule import Rule
from straykey.errors import StoreError
from straykey.ports import Notification
from straykey.stores import findings, outbox
from straykey.stores.database import Database
from straykey.stores.outbox import State
from straykey.stores.sql import SqlStore, Writing
from straykey.watch.feed import Parcel
from straykey.watch.verdict import Audience
from tests.ec2 import allocate, associate
from tests.records import RawRecord, use_record
from tests.watch.records_in import Process, Shelf

HOME, THIEF = "198.18.0.10", "203.0.113.66"
AT_HOME = [use_record(address=HOME, time=f"2026-05-04T10:{n:02}:00Z", event_id=f"home{n}") for n in range(4)]
STOLEN = use_record(address=THIEF, time="2026-05-04T10:05:00Z", event_id="stolen0")
SINKS = {"all": Severity.INFORMATIONAL, "high": Severity.HIGH}


@pytest.fixture
def watching(database: Database) -> "Watching":
    return Watching(database)


class Watching:
    """A process that is given records, and what one sees of what it did."""

    def __init__(self, database: Database) -> None:
        self.shelf = Shelf()
        self.process = Process(database, self.shelf)
        self._objects = 0

    def sees(self, *records: RawRecord, at: str = "2026-05-04T12:00:00Z") -> None:
        self._objects += 1
        parcels = [Parcel("m", objects=(self.shelf.put(f"o{self._objects}", records),))] if records else []
        self.process.take(parcels, now=at, sinks=SINKS)

    @property
    def kept(self) -> list[Tracked]:
        with self.process.store.reading() as connection:
            return list(findings.findings_since(connection, -1).values())

    @property
    def only(self) -> Tracked:
        (one,) = self.kept
        return one

    def told(self, sink: str = "all") -> list[Notification]:
        """All that waits for a sink; it is taken from there."""
        found: list[Notification] = []
        with self.process.store.writing() as writing:
            while some := outbox.claim(writing.connection, sink, 100, "2026-06", "2026-06"):
                outbox.delivered(writing.connection, [one.number for one in some])
                found += [one.notification for one in some]
        return found

    def says(self, does: Callable[[Tracked], Tracked]) -> None:
        """A person says something of the one finding, by another process."""
        with self.process.store.writing() as writing:
            findings.put_findings(writing.connection, [does(self.only)], writing.revision)

    def rules(self, rule: Rule) -> None:
        with self.process.store.writing() as writing:
            findings.put_rule(writing.connection, rule, writing.revision)


def statuses(told: list[Notification]) -> list[str]:
    return [one.finding.status for one in told]


def test_a_theft_opens_a_finding_and_every_sink_that_wants_it_is_told_once(watching: Watching) -> None:
    watching.sees(*AT_HOME)
    assert watching.kept == []
    watching.sees(STOLEN)
    watching.sees(STOLEN)
    watching.sees()
    assert watching.only.status is Status.OPEN
    assert [statuses(watching.told(sink)) for sink in SINKS] == [["open"], ["open"]]


class Unheard(SqlStore):
    """Its first commit is made, and the answer is lost."""

    is_lost = True

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        with super().writing() as writing:
            yield writing
        if self.is_lost:
            self.is_lost = False
            raise StoreError("store: connection lost")


def test_what_was_committed_though_nobody_heard_is_told_once(watching: Watching, database: Database) -> None:
    watching.process.store = Unheard(database)
    with pytest.raises(StoreError):
        watching.sees(*AT_HOME, STOLEN)
    watching.sees(*AT_HOME, STOLEN)
    assert watching.only.finding.stray.count == 1
    assert [statuses(watching.told(sink)) for sink in SINKS] == [["open"], ["open"]]


def test_more_calls_are_stored_at_once_and_told_after_a_quarter_of_an_hour(watching: Watching) -> None:
    watching.sees(*AT_HOME, STOLEN)
    watching.told()
    watching.sees(STOLEN | {"eventID": "stolen1"}, at="2026-05-04T12:01:00Z")
    assert watching.only.finding.stray.count == 2
    assert watching.told() == []
    watching.sees(at="2026-05-04T12:15:00Z")
    (told,) = watching.told()
    assert told.finding.stray.count == 2
    assert told.is_known


def test_a_grant_that_comes_late_resolves_the_finding_and_sinks_are_told_why(watching: Watching) -> None:
    watching.sees(*AT_HOME, STOLEN)
    watching.told()
    watching.told("high")
    given = {"address": THIEF, "time": "2026-05-04T10:04:00Z"}
    watching.sees(allocate(**given), associate(time="2026-05-04T10:04:30Z"))
    assert watching.only.status is Status.RESOLVED
    for sink in SINKS:
        (told,) = watching.told(sink)
        assert told.finding.status == "resolved"
        assert str(told.finding.resolution).startswith("address-grant: ")


def test_who_was_told_of_a_finding_hears_its_end_however_mild_it_had_become(watching: Watching) -> None:
    watching.sees(*AT_HOME, STOLEN)
    one = watching.only
    mild = replace(one, finding=replace(one.finding, severity_score=5.0))
    told, _ = lifecycle.telling(mild, "2026-05-04T12:01:00Z")
    over = lifecycle.explained(told, "a grant", "2026-05-04T12:02:00Z")
    assert Audience(SINKS).for_whom(over) == ["all", "high"]


def test_what_a_person_resolved_opens_again_when_the_keys_are_used_again(watching: Watching) -> None:
    watching.sees(*AT_HOME, STOLEN)
    watching.says(lambda one: lifecycle.resolved(one, "was me", "ann", "2026-05-04T12:01:00Z"))
    watching.sees()
    assert watching.only.is_over
    watching.sees(use_record(address=THIEF, time="2026-05-04T11:00:00Z"), at="2026-05-04T12:02:00Z")
    assert watching.only.status is Status.OPEN
    assert statuses(watching.told()) == ["open", "resolved", "open"]


def test_more_of_the_same_does_not_open_what_a_person_acknowledged(watching: Watching) -> None:
    watching.sees(*AT_HOME, STOLEN)
    watching.says(lambda one: lifecycle.acknowledged(one, "looking", "ann", "2026-05-04T12:01:00Z"))
    watching.sees(STOLEN | {"eventID": "stolen1"}, at="2026-05-04T12:02:00Z")
    assert watching.only.status is Status.ACKNOWLEDGED
    assert statuses(watching.told()) == ["open", "acknowledged"]


def test_what_gets_worse_opens_though_a_person_acknowledged_it(watching: Watching) -> None:
    watching.sees(*AT_HOME, STOLEN)
    watching.says(lambda one: lifecycle.acknowledged(one, "looking", "ann", "2026-05-04T12:01:00Z"))
    other_key = use_record(address=THIEF, time="2026-05-04T10:06:00Z", key="ASIAEXAMPLEKEY000002")
    watching.sees(other_key, at="2026-05-04T12:02:00Z")
    assert watching.only.status is Status.OPEN


RULE = Rule(
    id="r1",
    reason="red team",
    by="ann",
    created="2026-05-04T00:00:00Z",
    expires="2026-05-05T00:00:00Z",
    network="203.0.113.0/24",
)


def test_what_a_rule_hides_is_stored_and_counted_and_not_told(watching: Watching) -> None:
    watching.rules(RULE)
    watching.sees(*AT_HOME, STOLEN)
    watching.sees(STOLEN | {"eventID": "stolen1"})
    assert watching.only.status is Status.SUPPRESSED
    assert watching.told() == []
    with watching.process.store.reading() as connection:
        assert findings.hidden_by(connection) == {"r1": 1}


def test_a_rule_made_later_hides_what_was_open_and_sinks_are_told(watching: Watching) -> None:
    watching.sees(*AT_HOME, STOLEN)
    watching.rules(RULE)
    watching.sees()
    assert statuses(watching.told()) == ["open", "suppressed"]


def test_a_rule_that_expires_hides_nothing_any_more(watching: Watching) -> None:
    watching.rules(RULE)
    watching.sees(*AT_HOME, STOLEN)
    watching.sees(at="2026-05-05T00:00:00Z")
    assert watching.only.status is Status.OPEN
    assert statuses(watching.told()) == ["open"]


def test_a_sink_is_told_of_one_finding_in_order(watching: Watching) -> None:
    watching.sees(*AT_HOME, STOLEN)
    watching.says(lambda one: lifecycle.acknowledged(one, "looking", "ann", "2026-05-04T12:01:00Z"))
    watching.sees()
    store = watching.process.store
    with store.writing() as writing:
        (first,) = outbox.claim(writing.connection, "all", 100, "2026-06", "2026-07")
        outbox.refused(writing.connection, first.number, reason="down", due="2026-07", is_final=False)
        assert outbox.claim(writing.connection, "all", 100, "2026-06", "2026-07") == []
        (again,) = outbox.claim(writing.connection, "all", 100, "2026-08", "2026-09")
        assert (again.number, again.tries) == (first.number, 1)


def test_what_is_claimed_is_given_to_nobody_else_until_its_time_is_over(watching: Watching) -> None:
    watching.sees(*AT_HOME, STOLEN)
    with watching.process.store.writing() as writing:
        claimed = outbox.claim(writing.connection, "all", 9, "2026-06-01T00:00:00Z", "2026-06-01T00:05:00Z")
        assert len(claimed) == 1
        assert outbox.claim(writing.connection, "all", 9, "2026-06-01T00:04:59Z", "2026-06-02") == []
        assert outbox.claim(writing.connection, "all", 9, "2026-06-01T00:05:00Z", "2026-06-02") == claimed


def test_what_another_delivered_meanwhile_stays_delivered(watching: Watching) -> None:
    watching.sees(*AT_HOME, STOLEN)
    with watching.process.store.writing() as writing:
        (slow,) = outbox.claim(writing.connection, "all", 9, "2026-06", "2026-07")
        (other,) = outbox.claim(writing.connection, "all", 9, "2026-07", "2026-08")
        outbox.delivered(writing.connection, [other.number])
        outbox.refused(writing.connection, slow.number, reason="too slow", due="2026-09", is_final=True)
        (letter,) = (one for one in outbox.letters(writing.connection, State) if one.sink == "all")
    assert letter.state is State.DELIVERED


def test_what_was_given_up_is_seen_with_its_reason_and_tried_again_on_demand(watching: Watching) -> None:
    watching.sees(*AT_HOME, STOLEN)
    with watching.process.store.writing() as writing:
        (one,) = outbox.claim(writing.connection, "all", 9, "2026-06", "2026-07")
        outbox.refused(writing.connection, one.number, reason="400: no", due="2026-07", is_final=True)
        (letter,) = outbox.letters(writing.connection, [State.PARKED])
        assert (letter.sink, letter.reason) == ("all", "400: no")
        assert outbox.unpark(writing.connection, "all", "2026-06") == 1
        assert len(outbox.claim(writing.connection, "all", 9, "2026-06", "2026-07")) == 1


def shown(tracked: Tracked) -> Finding:
    return tracked.shown()


def test_a_finding_shows_its_status_and_who_gave_it_why(watching: Watching) -> None:
    watching.sees(*AT_HOME, STOLEN)
    one = watching.only
    assert shown(lifecycle.acknowledged(one, "looking", "ann", "2026-05-04T13")).acknowledged == "ann: looking"
    assert shown(lifecycle.resolved(one, "was me", "ann", "2026-05-04T13")).resolution == "ann: was me"
    assert shown(one) == one.finding
