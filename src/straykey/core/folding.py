"""Folds records into a ledger, fast.

Most records say again what one before them said: the same session, with the same key, from the same network, by the
same program, the same call, a second later.  Of such a record only its time and its id are news.  `Folding` remembers
what it has folded, and takes the short way for a record that says it again at a later time.

The plain way, `observe` then `Ledger.observe`, is the reference: both lead to the same ledger, and a law says so.

What was folded is remembered by fingerprint, not by text: comparing texts that lie far apart in memory is what such a
memory costs most.  Python's hash of text has 64 bits and a key of its own in every process, so that two texts with one
fingerprint are as good as impossible, and nobody can make them.
"""

import msgspec

from straykey.core.evidence import Sighting
from straykey.core.ledger import Ledger
from straykey.core.moment import RESTS_OF_HOUR
from straykey.core.observation import TELLING, Event, event_of, observe
from straykey.core.record import Identity, Record, Skipped
from straykey.core.sample import NO_CEILING, rank

_MOST_REMEMBERED = 32768

_Fingerprint = int


class _Place(msgspec.Struct, gc=False):
    """A sighting, the hour it was last folded in, and the earliest event of each call and program seen there."""

    sighting: Sighting
    hour: str
    calls: dict[_Fingerprint, Event] = {}


class _Caller(msgspec.Struct, gc=False):
    """Who called from a place with which key, and the earliest time it was folded."""

    place: _Place
    time: str
    access_key: str


class Folding:
    """A ledger that is being filled from records."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._keep = ledger.bounds.events
        self._callers: dict[_Fingerprint, _Caller] = {}
        self._places: dict[int, _Place] = {}  # by the identity of their sighting, which they keep alive
        self._remembered = 0

    def take(self, record: Record) -> Skipped | None:
        """Fold one record; says why if it gave nothing."""
        identity = record.identity
        time = record.time
        event_id = record.event_id
        if identity is None or time is None or not event_id or identity.type != "AssumedRole":
            return self._take_plainly(record)
        # Only if it is later than what was folded can no first time, first event or earliest network come of it.
        caller = self._callers.get(_who_and_where(record, identity))
        if caller is None or time <= caller.time or time[13:] not in RESTS_OF_HOUR:
            return self._take_plainly(record)
        place = caller.place
        call = hash((record.source, record.name, record.agent, record.region))
        like = place.calls.get(call)
        if like is None and record.name not in TELLING and self._remembered < _MOST_REMEMBERED:
            self._take_new_call(record, call, caller, event_of(record, time, caller.access_key))
            return None
        if like is None or time <= like.time or (time[:13] != place.hour and not _enter_hour(place, time[:13])):
            return self._take_plainly(record)
        sighting = place.sighting
        events = sighting.events
        action = record.shared_event_id or event_id
        wanted = events.ceiling == NO_CEILING or rank(action) <= events.ceiling
        if wanted or time >= sighting.last.time:
            # The texts of the like one are used again: an event costs its time and its id.
            event = Event(time, event_id, like.call, like.region, caller.access_key, like.agent, record.error or "")
            if event > sighting.last:  # noqa: PLR1730 - max() is slower
                sighting.last = event
            if wanted:
                events.put(action, event, self._keep)
        return None

    def _take_new_call(self, record: Record, call: _Fingerprint, caller: _Caller, event: Event) -> None:
        """Fold a call that was not seen from there yet, by a caller who was: all but the call is known of it."""
        self._remembered += 1
        sighting, bounds = caller.place.sighting, self.ledger.bounds
        hour = event.time[:13]
        sighting.hours.note(hour, hour, bounds.hours)
        sighting.calls.note(event.call, event.time, bounds.calls)
        sighting.agents.note(event.agent, event, bounds.agents)
        sighting.events.add(record.shared_event_id or event.event_id, event, bounds.events)
        sighting.last = max(sighting.last, event)
        caller.place.hour = hour
        caller.place.calls[call] = event

    def _take_plainly(self, record: Record) -> Skipped | None:
        if record.recipient:
            self.ledger.accounts.add(record.recipient)
        observed = observe(record)
        for other in observed.others:
            self.ledger.observe(other)
        if observed.use is not None:
            sighting = self.ledger.observe_use(observed.use)
            # A record that may tell more is never taken the short way.
            if record.identity is not None and record.name not in TELLING:
                self._remember(record, record.identity, sighting, observed.use.event)
        return observed.skipped

    def _remember(self, record: Record, identity: Identity, sighting: Sighting, event: Event) -> None:
        if self._remembered >= _MOST_REMEMBERED:
            self._callers.clear()
            self._places.clear()
            self._remembered = 0
        self._remembered += 1
        who = _who_and_where(record, identity)
        caller = self._callers.get(who)
        place = self._places.get(id(sighting))
        if place is None:
            place = self._places[id(sighting)] = _Place(sighting, event.time[:13])
        self._callers[who] = _Caller(place, min(event.time, caller.time) if caller else event.time, event.access_key)
        call = hash((record.source, record.name, record.agent, record.region))
        like = place.calls.get(call)
        if like is None or event.time < like.time:
            place.calls[call] = event


def _enter_hour(place: _Place, hour: str) -> bool:
    """True if the hour was folded there before."""
    if hour not in place.sighting.hours.times:
        return False
    place.hour = hour
    return True


def _who_and_where(record: Record, identity: Identity) -> _Fingerprint:
    """With source, name, agent and region: all of a record that folding looks at but its time, ids and error."""
    context = identity.session_context
    issuer = context.issuer if context else None
    attributes = context.attributes if context else None
    scope = identity.in_scope_of
    return hash(
        (
            identity.arn,
            identity.access_key_id,
            record.address,
            record.endpoint,
            record.endpoint_owner,
            record.recipient,
            context.delivery if context else None,
            issuer.arn if issuer else None,
            attributes.creation_date if attributes else None,
            scope.credentials_issued_to if scope else None,
            scope.issuer_type if scope else None,
        )
    )
