"""What becomes of parcels once they were folded, or could not be: acknowledged, tried again, or put aside."""

from collections.abc import Mapping, Sequence

import msgspec

from straykey.sources.delivery import UnavailableError, name_of
from straykey.sources.notice import ObjectRef
from straykey.stores.troubles import State, Trouble
from straykey.watch.feed import Feed, Parcel
from straykey.watch.inbox import Held

_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS = 15, 900
_CRASHES = 3  # times as often as it is tried: so often nobody lived to say why it failed


class Sorted(msgspec.Struct, frozen=True):
    """`done` is to be acknowledged once `troubles` are stored; `again` is to be given out again, after some seconds."""

    done: list[Held]
    again: list[tuple[Held, int]]
    troubles: dict[str, Trouble]


def sort_out(parcels: Sequence[Held], failed: Mapping[str, list[UnavailableError]], tries: int, now: str) -> Sorted:
    """`failed` is by parcel what could not be had; it is asked for `tries` times.

    Where a queue has a dead-letter queue of its own, what fails is left to it; it is named here all the same.
    """
    outcome = Sorted([], [], {})
    for held in parcels:
        feed, parcel = held
        errors = failed.get(parcel.name, [])
        troubles = [*_refusals(parcel, now), *_breakage(parcel, now)]
        is_last = parcel.tries >= (feed.gives_up_after or tries)
        troubles += [_failure(one, parcel, feed, is_last=is_last, now=now) for one in errors]
        outcome.troubles.update({one.name: one for one in troubles})
        if (not errors and not parcel.broken) or _is_ours(feed, errors, is_last=is_last):
            outcome.done.append(held)
        else:
            outcome.again.append((held, _delay(held, errors) if errors else 0))
    return outcome


def _is_ours(feed: Feed, errors: list[UnavailableError], *, is_last: bool) -> bool:
    """True for what is put aside here and now."""
    return feed.gives_up_after is None and (not errors or (is_last and not any(one.is_passing for one in errors)))


def _delay(held: Held, errors: list[UnavailableError]) -> int:
    feed, parcel = held
    if feed.gives_up_after is not None and parcel.tries > 1 and all(one.is_passing for one in errors):
        return _LONGEST_DELAY_SECONDS  # each time counts there: an outage must not use them up in minutes
    return int(min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2 ** min(parcel.tries - 1, 10)))


def _failure(error: UnavailableError, parcel: Parcel, feed: Feed, *, is_last: bool, now: str) -> Trouble:
    is_aside = is_last and (feed.gives_up_after is not None or not error.is_passing)
    told = f"{error.reason.value}{_to_dead_letters(feed) if is_aside else ''}"
    state = State.QUARANTINED if is_aside else State.TRYING
    return Trouble(name_of(error.ref), state, told, parcel.tries, now, now)


def _to_dead_letters(feed: Feed) -> str:
    return "; left to the dead-letter queue" if feed.gives_up_after is not None else ""


def _breakage(parcel: Parcel, now: str) -> list[Trouble]:
    if not parcel.broken:
        return []
    return [Trouble(parcel.name, State.QUARANTINED, "; ".join(sorted(set(parcel.broken))), parcel.tries, now, now)]


def _refusals(parcel: Parcel, now: str) -> list[Trouble]:
    """One for each bucket and reason: a bucket that holds other things, too, may name thousands of them."""
    return [
        Trouble(_name_of_refusal(ref, reason), State.QUARANTINED, f"{reason}: {ref.key}", 1, now, now)
        for ref, reason in parcel.refused
    ]


def _name_of_refusal(ref: ObjectRef, reason: str) -> str:
    return f"s3://{ref.bucket}/ ({reason})"


def suspected(held: Held, tries: int, told: Mapping[str, int]) -> bool:
    """True for what was given out so often without anybody telling of it: whoever read it may have died of it.

    `told` says by name at which try somebody told last.  But all that a process has in hand when it dies comes again,
    and of that one object at most is to blame; so nothing may be put aside for that, only read by itself.  Where there
    is a dead-letter queue that begins early: or all of it would be there before.
    """
    feed, parcel = held
    lived = max((told.get(name_of(ref), 0) for ref in parcel.objects), default=0)
    most = _CRASHES * tries
    if feed.gives_up_after is not None:
        most = min(most, max(1, feed.gives_up_after // 2))
    return parcel.tries - lived > most


def deadly(held: Held, deaths: int, now: str) -> dict[str, Trouble]:
    """Of what so many died of, though they read nothing else."""
    feed, parcel = held
    told = f"{deaths} times whoever read it, and nothing else, did not live to tell{_to_dead_letters(feed)}"
    names = [name_of(ref) for ref in parcel.objects] or [parcel.name]
    return {name: Trouble(name, State.QUARANTINED, told, parcel.tries, now, now) for name in names}
