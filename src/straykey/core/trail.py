"""What the thief made with a key, and how much of that he used: the pivots of a finding."""

from collections.abc import Callable, Iterable

import msgspec

from straykey.core.evidence import Bounds, Evidence, Sighting
from straykey.core.finding import PivotUse
from straykey.core.making import Made
from straykey.core.pivot import Makings, Pivot, Taints, follow, taints, user_key
from straykey.core.portrait import scaled
from straykey.core.whereabouts import Whereabouts

_MOST_PIVOTS = 256
_MOST_ADDRESSES = 16


class Followed(msgspec.Struct, frozen=True):
    """What was made, and how much there was of it: `pivots` may be but a part."""

    pivots: tuple[PivotUse, ...]
    count: int


class Trails:
    """Follows makings through a ledger, to where what was made was used."""

    def __init__(
        self, makings: Makings, whereabouts: Whereabouts, evidence_of: Callable[[str], Evidence], bounds: Bounds
    ) -> None:
        self._makings = makings
        self._whereabouts = whereabouts
        self._evidence_of = evidence_of
        self._bounds = bounds

    def made_from(self, arn: str, network: str, since: str = "") -> list[Made]:
        """What a session made from one network; `since`: after that time."""
        return [made for made in self._makings.from_network(arn, network) if made.time > since]

    def follow(self, seeds: Iterable[Made]) -> Followed:
        """All that came of these, the nearest first; of more than 256 what is no mere session goes before."""
        pivots = follow(seeds, self._makings)
        kept = sorted(pivots, key=lambda one: one.made.api == "AssumeRole")[:_MOST_PIVOTS]
        ordered = sorted(kept, key=lambda one: (one.depth, one.made.time, one.made.identity))
        return Followed(tuple(self._used(pivot) for pivot in ordered), len(pivots))

    def _used(self, pivot: Pivot) -> PivotUse:
        made, tainted = pivot.made, taints([pivot.made])
        parts = [(one, self._uses(one, tainted)) for one in self._seen(made, tainted)]
        used = [(one, uses) for one, uses in parts if uses]
        return PivotUse(
            time=made.time,
            call=made.call,
            made=made.made or None,
            access_key=made.access_key or None,
            uses=sum(uses for _, uses in used),
            depth=pivot.depth,
            account=made.account or None,
            region=made.region or None,
            event_id=made.event_id,
            addresses=sorted({one.network.address for one, _ in used})[:_MOST_ADDRESSES],
            first_used=min((max(one.first.time, made.time) for one, _ in used), default=None),
            last_used=max((one.last.time for one, _ in used), default=None),
        )

    def _seen(self, made: Made, tainted: Taints) -> list[Sighting]:
        if made.access_key:
            return self._whereabouts.of_key(made.access_key, self._evidence_of)
        is_user = tainted.users or tainted.passwords
        return self._whereabouts.of_user(user_key(made.made), self._evidence_of) if is_user else []

    def _uses(self, sighting: Sighting, tainted: Taints) -> int:
        """How many of the uses seen there are the thief's: counted where all are, else read off the sample."""
        if tainted.keys and sighting.keys.times.keys() <= tainted.keys:
            return sighting.events.count(self._bounds.events)
        arns = [*tainted.users, *tainted.passwords] or [""]
        theirs = sum(
            any(tainted.covers(arn, event.access_key, event.time) for arn in arns)
            for event in sighting.events.kept.values()
        )
        is_seen = bool(tainted.keys & sighting.keys.times.keys())
        return max(int(is_seen), scaled(theirs, sighting, self._bounds))
