"""What is taken in piece by piece comes to what one scan of all of it finds, byte for byte."""

import random

import msgspec
import pytest

from straykey.core.finding import Finding, Status
from straykey.core.judge import judge
from straykey.core.ranges import parse_ranges
from straykey.core.settings import Settings
from straykey.formats.finding_json import to_document
from straykey.sim.trial import world
from straykey.stores import findings
from straykey.stores.database import Database
from straykey.watch.feed import Parcel
from straykey.watch.mirror import Judging
from tests.records import RawRecord
from tests.seen import ledger_of
from tests.watch.records_in import Process, Shelf


def parcels_of(records: list[RawRecord], shelf: Shelf, rng: random.Random, size: int = 40) -> list[Parcel]:
    """Objects of some records each, some of them given out twice, in no order."""
    shuffled = rng.sample(records, len(records))
    pieces = [shuffled[at : at + size] for at in range(0, len(shuffled), size)]
    parcels = [Parcel(f"m{n}", objects=(shelf.put(f"o{n}", piece),)) for n, piece in enumerate(pieces)]
    parcels += [Parcel(f"again {one.name}", objects=one.objects) for one in rng.sample(parcels, len(parcels) // 4)]
    return rng.sample(parcels, len(parcels))


def told(found: list[Finding]) -> str:
    return to_document(found, {})


@pytest.mark.parametrize("seed", range(3))
def test_processes_that_share_a_store_reach_what_a_scan_finds(database: Database, seed: int) -> None:
    scenario = world(seed)
    records: list[RawRecord] = list(scenario.records)
    ranges = parse_ranges(msgspec.json.encode(scenario.ip_ranges))
    rng, shelf = random.Random(seed), Shelf()
    judging = Judging(Settings(), ranges)
    processes = [Process(database, shelf, f"p{n}", judging=judging) for n in range(3)]
    left = parcels_of(records, shelf, rng)
    while left:
        some, left = left[: (n := rng.randint(1, 12))], left[n:]
        rng.choice(processes).take(some)
    expected = told(judge(ledger_of(records), Settings(), ranges))
    for process in processes:
        process.take([])
        assert told(process.mirror.docket.judged().findings) == expected
    with processes[0].store.reading() as connection:
        kept = findings.findings_since(connection, -1)
    open_ones = {one.finding.id: one.finding for one in kept.values() if one.status is Status.OPEN}
    ids = [one.id for one in judge(ledger_of(records), Settings(), ranges)]
    assert told([open_ones[name] for name in ids]) == expected
    assert set(open_ones) == set(ids)
