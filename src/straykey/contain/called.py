"""Evidence, put as calls again.

Of each network there is a sample of its calls, the first and the last, the first of each program and the first of each
kind of call.  Of the last often nothing but the time is left: then what else is not known of it is empty.
"""

from collections.abc import Iterable, Iterator

from straykey.contain.theft import Called
from straykey.core.evidence import Evidence, Sighting
from straykey.core.home import sightings_of
from straykey.core.observation import Event

_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn")


def calls_of(evidence: Evidence) -> list[Called]:
    """All that is known of a session's calls, in order of time."""
    issued = issue_times(evidence)
    sightings = sightings_of(evidence, require_issuance=False)
    return sorted(called for one in sightings for called in _calls_from(one, issued))


def issue_times(evidence: Evidence) -> dict[str, str]:
    """When each key was handed out: by its issuance, else as the records of a network say where it was the only one."""
    lonely = {
        next(iter(one.keys.times)): one.issued
        for one in sorted(evidence.sightings.values(), key=lambda one: one.network, reverse=True)
        if one.issued and len(one.keys.times) == 1
    }
    return lonely | {key: one.time for key, one in evidence.issuances.items()}


def _calls_from(sighting: Sighting, issued: dict[str, str]) -> Iterator[Called]:
    events = list(_events_of(sighting))
    yield from (_called(event, sighting, issued) for event in events)
    keys = sighting.keys.times
    key = next(iter(keys)) if len(keys) == 1 else ""
    for call in sighting.calls.times.keys() - {event.call for event in events}:
        first = Event(sighting.calls.times[call], "", call, "", key, "", "")
        yield _called(first, sighting, issued)


def _events_of(sighting: Sighting) -> Iterable[Event]:
    known = (sighting.first, sighting.last, *sighting.agents.events.values(), *sighting.events.kept.values())
    return {event.event_id: event for event in sorted(known, reverse=True)}.values()


def _called(event: Event, sighting: Sighting, issued: dict[str, str]) -> Called:
    return Called(
        time=event.time,
        event_id=event.event_id,
        call=short(event.call),
        region=event.region,
        access_key=event.access_key,
        issued=issued.get(event.access_key, ""),
        network=sighting.network,
        error=event.error,
    )


def short(call: str) -> str:
    """`s3:ListBuckets`, of `s3.amazonaws.com:ListBuckets`."""
    source, _, name = call.rpartition(":")
    domain = next((one for one in _DOMAINS if source.endswith(one)), "")
    return f"{source.removesuffix(domain)}:{name}"
