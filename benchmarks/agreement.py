"""What a scan keeps of a folder, counted and summed in the form in which `limit.cpp` prints it.

    python -m benchmarks.agreement FOLDER

Programs that see other sessions than these do other work, and then their times cannot be compared.  The bounds of a
scan, but that of events, are lifted here: `limit.cpp` has none of them.
"""

import json
import sys
from collections.abc import Iterator
from zlib import crc32

from straykey.core.evidence import Bounds, Evidence, Sighting
from straykey.core.folding import Folding
from straykey.core.ledger import Settled
from straykey.core.observation import Event
from straykey.core.sample import Firsts
from straykey.pipeline import Period, fold
from straykey.sources.compression import PACKING
from straykey.sources.files import Files, find

_MANY = 1 << 20
_BOUNDS = Bounds(networks=_MANY, calls=_MANY, agents=_MANY, keys=_MANY, hours=_MANY, issuances=_MANY, names=_MANY)


def kept_of(ledger: Settled) -> dict[str, int]:
    """Counts of a settled ledger; of the sessions of roles where a rival knows only these."""
    roles = [evidence for evidence in ledger.sessions.values() if evidence.session.role and evidence.sightings]
    sightings = [seen for evidence in ledger.sessions.values() for seen in evidence.sightings.values()]
    lines = (line for evidence in ledger.sessions.values() for line in _lines(evidence))
    return {
        "sessions": len(roles),
        "networks": sum(len(evidence.sightings) for evidence in roles),
        "events": sum(len(seen.events.kept) for seen in sightings),
        "checksum": sum(crc32(line.encode()) for line in lines),
    }


def _lines(evidence: Evidence) -> Iterator[str]:
    arn = evidence.session.arn
    for key, sighting in evidence.sightings.items():
        yield from _lines_of_sighting(f"{arn} {key}", sighting)
    for lane, (event, _) in evidence.earliest.items():
        yield _line(f"{arn} {lane.value}", event)
    for issuance in evidence.issuances.values():
        yield f"{arn} {issuance.access_key} {issuance.time} {issuance.event_id}"
    yield from _lines_of_firsts(arn, evidence.role_arns)
    yield from _lines_of_firsts(arn, evidence.scopes)


def _lines_of_sighting(of: str, sighting: Sighting) -> Iterator[str]:
    yield from (_line(of, sighting.first), _line(of, sighting.last), f"{of} {sighting.issued}")
    for identity, event in sighting.events.kept.items():
        yield _line(f"{of} {identity}", event)
    for agent, event in sighting.agents.events.items():
        yield _line(f"{of} {agent}", event)
    for firsts in (sighting.hours, sighting.keys, sighting.calls, sighting.deliveries):
        yield from _lines_of_firsts(of, firsts)


def _line(of: str, event: Event) -> str:
    return f"{of} {event.time} {event.event_id} {event.call}"


def _lines_of_firsts(of: str, firsts: Firsts) -> Iterator[str]:
    for name, time in firsts.times.items():
        yield f"{of} {name} {time}"


def main(folder: str) -> None:
    folding = Folding(_BOUNDS, PACKING)
    for batch in Files(find([folder])).batches():
        fold(batch.portions, folding, Period())
    print(json.dumps(kept_of(folding.ledger())))


if __name__ == "__main__":
    main(sys.argv[1])
