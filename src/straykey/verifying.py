"""`straykey contain --verify`: what records made since say of the thief, and of whom the containment breaks besides.

What it takes is imported where it is used: a scan need not pay for it.
"""

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec
import typer

from straykey import pipeline
from straykey.errors import UsageError
from straykey.formats.text import as_json, printable
from straykey.options import duration_of, time_of
from straykey.terminal import EXIT_NOT_DONE, TableOrJson, say

if TYPE_CHECKING:
    from straykey.contain.theft import Theft
    from straykey.contain.verify import Broken, Verified
    from straykey.core.finding import Finding
    from straykey.ports import Containment

_POLL_SECONDS = 60
_MOST_LINES = 20


class Since(msgspec.Struct, frozen=True):
    """When it was contained, and by what as far as the journal tells."""

    began: str
    applied: "tuple[Containment, ...]" = ()


def verify(
    where: str, finding: "Finding", theft: "Theft", paths: list[str], since: str, wait: str, form: TableOrJson
) -> None:
    """Print the verdict; exits 1 unless the thief is locked out."""
    from straykey import containment  # noqa: PLC0415
    from straykey.contain.verify import Outcome  # noqa: PLC0415

    contained = _since(where, finding, since)
    until = time.monotonic() + (duration_of("--wait", wait) if wait else 0)
    places = paths or [f"history:{','.join(containment.regions_of(theft))}"]
    if not paths:
        say(f"reading {places[0]}: the event history has no data events, such as S3's GetObject")
    period = pipeline.Period(since=contained.began)
    who = containment.watched(theft, contained.began, contained.applied)
    while True:
        told = containment.verification(pipeline.source_of(places, period, say), who, period).verified()
        if told.outcome is Outcome.CONTAINED or time.monotonic() + _POLL_SECONDS > until:
            break
        say(f"{told.outcome.value}: {printable(told.why)}")
        time.sleep(_POLL_SECONDS)
    _tell(told, form)
    if told.outcome is not Outcome.CONTAINED:
        raise typer.Exit(EXIT_NOT_DONE)


def _since(where: str, finding: "Finding", since: str) -> Since:
    """As the user says, or as the journal does: by a Deny, if one was applied, for nothing else stops a key."""
    from straykey import containment  # noqa: PLC0415
    from straykey.contain.plan import Option  # noqa: PLC0415

    if since:
        return Since(time_of("--since", since))
    begun = tuple(containment.standing(containment.begun_for(where, finding.id)))
    if not begun:
        raise UsageError(
            "nothing was applied for this finding, as far as the store's journal says",
            hint="name the store that it was applied with, by --store, or say when it was contained, by --since",
        )
    for one in begun:
        say(f"{one.option} ({one.phase}) was begun at {one.begun}")
    denying = [one for one in begun if not Option(one.option).is_companion]
    if not denying:
        say("that stops no key that is out: a Deny does (pin, revoke, deny-all)")
    return Since(min(one.begun for one in denying or begun), begun)


def _tell(told: "Verified", form: TableOrJson) -> None:
    if form is TableOrJson.JSON:
        document = {
            "outcome": told.outcome,
            "why": told.why,
            "is_likely": told.is_likely,
            "broken": [
                msgspec.structs.asdict(one.event)
                | {"session": one.session, "whose": one.victim, "had_succeeded": one.had_succeeded}
                for one in told.broken
            ],
            "unsure": [msgspec.structs.asdict(one) for one in told.unsure],
            "live": told.live,
            "open": told.open,
            "newest": told.newest,
        }
        typer.echo(as_json(document, indent=2))
        return
    typer.echo(f"{told.outcome.value}: {printable(told.why)}")
    _echo(_broken(told.broken))
    _echo(f"refused from a network nobody knows: {one.call} at {one.time}: the workload's?" for one in told.unsure)
    _echo(f"open: {one}, which the thief made: no call of it that succeeded is known" for one in told.open)
    if not (told.broken or told.unsure):
        typer.echo("broken: nothing that these records tell of")
    typer.echo(f"newest record: {told.newest or 'none'}")
    if any(one.victim == "copy" for one in told.broken):
        say("policies of buckets, keys and other roles that name the old role must name the copy, too")
    if told.broken:
        say("--rollback takes back what was applied; stolen keys that are still good work again then")


def _broken(broken: "Iterable[Broken]") -> Iterator[str]:
    """A line for each kind of call of each session: the last."""
    last = {(one.victim, one.session, one.event.call): one for one in sorted(broken)}
    for (victim, session, call), one in sorted(last.items(), key=lambda item: (_VICTIMS.index(item[0][0]), item)):
        role, _, name = session.partition("assumed-role/")[2].partition("/")
        whose = _WHOSE[victim].format(name=name, role=role)
        known = "" if one.had_succeeded else "; it is not known to have succeeded before"
        yield f"broken: {call} of {whose} was refused, last at {one.event.time}{known}"


_WHOSE = {
    "workload": "the workload {name}",
    "copy": "the workload {name}, which now has role {role},",
    "sister": "{name}, which shares role {role},",
}
_VICTIMS = tuple(_WHOSE)


def _echo(lines: Iterable[str]) -> None:
    every = list(lines)
    for line in every[:_MOST_LINES]:
        typer.echo(printable(line))
    if len(every) > _MOST_LINES:
        typer.echo(f"and {len(every) - _MOST_LINES} more: --format json has them all")
