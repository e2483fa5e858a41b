"""Evidence packed away in runs, and brought together again."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from straykey.core.calls import TIME, Alike, Calls, rank, thinned
from straykey.core.evidence import Bounds
from straykey.core.folding import Folding
from straykey.core.ledger import Ledger, PackedLedger
from straykey.core.network import network_of
from straykey.core.observation import Caller
from straykey.core.reading import decode
from straykey.core.record import Skipped
from straykey.core.run import Packing
from straykey.core.sample import Events
from straykey.core.session import Session
from straykey.pipeline import Period, fold
from straykey.sources.compression import PACKING
from tests.core.test_ledger_laws import TIGHT, drawn, histories, read, told
from tests.records import RawRecord, trail, use_record


def packed(records: list[RawRecord], bounds: Bounds = TIGHT, packing: Packing = PACKING) -> PackedLedger:
    """Each record in a run of its own."""
    folding = Folding(bounds, packing, held=1)
    for record in records:
        fold([decode(trail(record))], folding, Period())
    return folding.ledger()


@settings(max_examples=200, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.integers(1, 4))
def test_any_number_of_runs_from_any_number_of_readers_come_to_what_the_plain_way_does(
    records: list[RawRecord], rng: random.Random, readers: int
) -> None:
    shares: list[list[RawRecord]] = [[] for _ in range(readers)]
    for record in records:
        for share in rng.sample(shares, k=rng.randint(1, readers)):
            share.append(record)
    whole = PackedLedger.empty(TIGHT, PACKING)
    for share in shares:
        whole.absorb(packed(share))
    whole.settle()
    assert told(whole) == told(read(records))


@settings(max_examples=50, deadline=None)
@given(histories())
def test_a_session_looked_up_is_the_one_met_on_the_way_through_all(records: list[RawRecord]) -> None:
    sessions = packed(records).sessions
    assert list(sessions) == sorted(sessions)
    assert [(arn, drawn(sessions[arn])) for arn in sessions] == [(arn, drawn(one)) for arn, one in sessions.items()]
    assert len(sessions) == len(list(sessions.values()))


def test_a_session_that_is_not_there_is_not_found() -> None:
    sessions = packed([use_record()]).sessions
    for arn in ("", "arn:aws:sts::111122223333:assumed-role/web-role/i-0", "~"):
        assert sessions.get(arn) is None


def of_one_session(count: int, addresses: int = 1) -> list[RawRecord]:
    return [
        use_record(
            event_id=f"{n:08x}-0000-4000-8000-000000000000",
            address=f"203.0.{n % addresses >> 8}.{n % addresses & 255}",
            time=f"2026-05-04T1{n // 3600 % 10}:{n // 60 % 60:02}:{n % 60:02}Z",
        )
        for n in range(count)
    ]


def size(ledger: PackedLedger) -> int:
    return sum(len(run.blocks[at]) for run in ledger.sessions.runs for at in range(len(run.blocks)))


@pytest.mark.parametrize("calls_from_each", [1, 8000])
def test_what_is_kept_of_one_session_is_bounded(calls_from_each: int) -> None:
    def kept(count: int) -> int:
        folding = Folding(Bounds(), Packing())
        records = of_one_session(count, addresses=max(1, count // calls_from_each))
        fold([decode(trail(*records))], folding, Period())
        return size(folding.ledger())

    assert kept(8000) < 1.1 * kept(4000)


def test_keys_renewed_for_years_do_not_add_up() -> None:
    def kept(count: int) -> int:
        folding = Folding(Bounds(), Packing())
        records = [record | {"userIdentity": with_key(record, n)} for n, record in enumerate(of_one_session(count))]
        fold([decode(trail(*records))], folding, Period())
        return size(folding.ledger())

    assert kept(6000) < 1.1 * kept(3000)


def with_key(record: RawRecord, number: int) -> RawRecord:
    return {**record["userIdentity"], "accessKeyId": f"ASIAEXAMPLE{number:09}"}


LONG_TEXTS = ["userAgent", "eventID", "sourceIPAddress", "awsRegion", "vpcEndpointId", "eventSource", "errorCode"]
LONG_OF_CALLERS = ["accessKeyId", "ec2RoleDelivery", "vpcEndpointAccountId"]


def with_long(field: str, number: int, **more: Any) -> RawRecord:
    """A record with a text of 100 kB."""
    text = f"{number:0>100000}"
    # From a private address, or else the endpoint is not kept.
    record = use_record(event_id=str(number), **more, **({"address": "10.0.0.7"} if "vpc" in field else {}))
    if field == "vpcEndpointAccountId":
        record["vpcEndpointId"] = "vpce-0aaa"
    if field == "accessKeyId":
        return record | {"userIdentity": record["userIdentity"] | {field: text}}
    if field == "ec2RoleDelivery":
        context = record["userIdentity"]["sessionContext"] | {field: text}
        return record | {"userIdentity": record["userIdentity"] | {"sessionContext": context}}
    return record | {field: text}


@pytest.mark.parametrize("long", [*LONG_TEXTS, *LONG_OF_CALLERS])
def test_records_with_long_texts_are_packed_away_sooner(long: str) -> None:
    folding = Folding(Bounds(), Packing())
    for number in range(800):
        fold([decode(trail(with_long(long, number)))], folding, Period())
    assert len(folding.ledger().sessions.runs) > 1


@pytest.mark.parametrize("long", ["userAgent", "awsRegion", "accessKeyId"])
def test_so_are_those_that_are_folded_the_plain_way(long: str) -> None:
    folding = Folding(Bounds(), Packing())
    for number in range(800):
        fold([decode(trail(with_long(long, number, sharedEventID="shared")))], folding, Period())
    assert len(folding.ledger().sessions.runs) > 1


@settings(max_examples=100, deadline=None)
@given(histories())
def test_what_gives_nothing_is_counted_as_the_plain_way_counts_it(records: list[RawRecord]) -> None:
    odd = [use_record(sourceIPAddress=None), use_record(sourceIPAddress="999.1.1.1"), *records]
    ledger, folding, counted = Ledger(TIGHT), Folding(TIGHT, Packing()), Counter[Skipped]()
    plainly = Counter(why for record in decode(trail(*odd, *odd)).records if (why := ledger.take(record)))
    for share in (odd, odd):
        skipped = folding.take(decode(trail(*share)).records)
        assert all(skipped.values())
        counted.update(skipped)
    assert counted == plainly


def test_one_more_than_the_sample_stays_or_it_would_not_show_that_there_were_more() -> None:
    stamps = [f"2026-05-04T10:00:{number:02}Zevent-{number}" for number in range(9)]
    stamps.sort(key=lambda stamp: rank(stamp[TIME:]))
    # First and last in time are among the lowest, so that neither of them is the one more.
    times = [f"2026-05-04T10:00:{second:02}Z" for second in (0, 59, 30, *range(31, 37))]
    kept = sorted(time + stamp[TIME:] for time, stamp in zip(times, stamps, strict=True))
    session = Session("arn:aws:sts::111122223333:assumed-role/web-role/i-0", "aws", "111122223333", "web-role", "i-0")
    caller = Caller(session, network_of("198.18.0.10"), "ASIAEXAMPLE", "", "", "", "")
    few = thinned([Calls(caller, [Alike("s3:ListBuckets", "", "", "", kept)])], keep=3)
    sample = Events(undrawn=few, most=3)
    assert (sample.count(3) > 3, sample.overflowed) == (True, True)


def test_a_session_that_is_in_every_run_is_kept_in_few_of_them() -> None:
    sessions = packed(of_one_session(200), Bounds()).sessions
    assert len(sessions.runs) < 40
    plain = read(of_one_session(200), into=Ledger())
    plain.settle()
    assert {arn: drawn(evidence) for arn, evidence in sessions.items()} == plain.sessions


def test_a_program_named_like_a_call_does_not_hide_when_that_call_was_made_first() -> None:
    name = "s3.amazonaws.com:GetObject"
    calls = of_one_session(40)
    for number, record in enumerate(calls):
        record["userAgent"] = name if number < 20 else "aws-cli/2.17.0"
        record["eventName"] = "GetObject" if number > 20 else "ListBuckets"
    assert told(packed([])) != told(packed(calls))
    folding = Folding(TIGHT, Packing())
    fold([decode(trail(*calls))], folding, Period())
    assert told(folding.ledger()) == told(read(calls))
