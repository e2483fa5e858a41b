"""`straykey contain --apply` and `--rollback`: what changes an account, once somebody agreed.

What it takes is imported where it is used: a scan need not pay for it.
"""

import sys
from typing import TYPE_CHECKING

import typer

from straykey.errors import ContainError, UsageError
from straykey.formats.text import printable
from straykey.options import now
from straykey.terminal import EXIT_NOT_DONE, say, show

if TYPE_CHECKING:
    from straykey.contain.apply import Applied
    from straykey.contain.comparison import Weighed
    from straykey.contain.theft import Theft
    from straykey.ports import Containment

AS_TYPED = 8  # letters of the id
_ID = f"the first {AS_TYPED} letters of the finding's id"


def apply(where: str, theft: "Theft", weighed: "Weighed", *, is_agreed: bool) -> None:
    """Do what was planned; exits 1 where it had to stop on its way."""
    from straykey import containment  # noqa: PLC0415
    from straykey.contain import apply as doing  # noqa: PLC0415
    from straykey.contain import comparison_table  # noqa: PLC0415
    from straykey.contain.check import Order, check  # noqa: PLC0415

    if weighed.plan.option.is_companion:
        say("this stops no key that is out: a Deny does (pin, revoke, deny-all)")
    clients = containment.clients_for(theft)
    order = Order(theft.finding, theft.workload.account, clients.region, now())
    checked = check(weighed.plan, order, clients)
    if checked.troubles:
        listed = "".join(f"\n  {one.text}" + (f": {one.hint}" if one.hint else "") for one in checked.troubles)
        there = f"account {theft.workload.account}, {clients.region}"
        raise ContainError(f"{weighed.plan.option.value} cannot be applied to {there}, and nothing was changed{listed}")
    for note in checked.notes:
        say(f"note: {note}")
    for step, reason in checked.left:
        say(f"note: will be left out: {step}: {reason}")
    show(comparison_table.in_full(weighed))
    agree(f"This changes account {theft.workload.account}.", _ID, theft.finding[:AS_TYPED], is_agreed=is_agreed)
    try:
        with containment.journal_in(where) as journal:
            done = doing.apply(weighed.plan, order, journal, clients)
    except KeyboardInterrupt:
        say(f"broken off, and perhaps half done: straykey contain {theft.finding[:AS_TYPED]} --rollback")
        raise
    tell_applied(done, f"straykey contain {theft.finding[:AS_TYPED]} --rollback")
    if weighed.plan.option.is_companion:
        say("applied; the thief's keys go on working: a Deny stops them")
    else:
        say(f"applied; straykey contain {theft.finding[:AS_TYPED]} --verify says whether the thief is locked out")


def tell_applied(done: "Applied", undoing: str) -> None:
    """What was done, and where it had to stop, exits 1; `undoing` is the command that takes it back."""
    for step in done.done:
        say(f"done: {step}{' (was so already)' if step in done.already else ''}")
    for one in done.skipped:
        say(f"left out, see to it by hand: {one.step}: {one.reason}" + (f"; {one.hint}" if one.hint else ""))
        if one.is_in_doubt:
            say("that step may have changed something")
    if done.stop is None and set(done.done) <= set(done.already):
        say("nothing was changed: all of it was so already")
    if done.stop is not None:
        say(f"stopped at: {done.stop.step}: {done.stop.reason}" + (f"; {done.stop.hint}" if done.stop.hint else ""))
        if done.stop.is_in_doubt:
            say("that step may have changed something")
        say(f"not done: {', '.join(done.left) or 'nothing else'}")
        say(f"{undoing} takes back what was done")
        raise typer.Exit(EXIT_NOT_DONE)


def agree(what: str, named: str, word: str, *, is_agreed: bool, saying: str = "--yes") -> None:
    """Ask whoever is there to type a word, which `named` says in words."""
    if is_agreed:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to agree, and nothing was changed", hint=f"say {saying}")
    typed = typer.prompt(f"{what} Type {named} to go on", err=True)
    if typed.strip().lower() != word.lower():
        raise UsageError(f"that is not {named}; nothing was changed")


def roll_back(where: str, name: str, option: str, *, is_forced: bool, is_agreed: bool) -> None:
    """Undo what the journal has of a finding, or of one option if it is named; exits 1 where it had to stop."""
    begun = _begun(where, name, option)
    _agree_to_undo(begun, is_forced=is_forced, is_agreed=is_agreed)
    undo(where, begun, is_forced=is_forced)


def undo(where: str, begun: "list[Containment]", *, is_forced: bool) -> None:
    """Undo these, the last first; exits 1 where it had to stop."""
    from straykey import aws, containment  # noqa: PLC0415
    from straykey.contain import rollback  # noqa: PLC0415
    from straykey.contain.clients import Clients  # noqa: PLC0415

    for one in reversed(begun):
        with containment.journal_in(where) as journal:
            rolled = rollback.roll_back(one.id, journal, Clients(aws.session(), one.region), is_forced=is_forced)
        for thing in rolled.removed:
            say(f"taken off by force: {printable(thing)}")
        for step in rolled.undone:
            say(f"undone: {step}{' (was not there any more)' if step in rolled.gone else ''}")
        if rolled.stop is not None:
            say(f"stopped at: {rolled.stop.step}: {rolled.stop.reason}; {rolled.stop.hint}")
            say(f"not undone: {', '.join(rolled.left) or 'nothing else'}; --rollback goes on from here")
            raise typer.Exit(EXIT_NOT_DONE)
    say("rolled back")


def _begun(where: str, name: str, option: str) -> "list[Containment]":
    from straykey import containment  # noqa: PLC0415

    begun = [one for one in containment.standing(containment.begun_for(where, name)) if option in ("", one.option)]
    if not begun:
        raise ContainError(
            "nothing was applied for this finding, or all of it was rolled back already",
            hint="the journal is in the store: name the one it was applied with, by --store or STRAYKEY_STORE",
        )
    return begun


def _agree_to_undo(begun: "list[Containment]", *, is_forced: bool, is_agreed: bool) -> None:
    """Nobody reads what a script is warned of: with --yes, --force must say that the thief may come back."""
    from straykey import containment  # noqa: PLC0415

    say(f"this undoes {', '.join(f'{one.option} ({one.phase}, begun {one.begun})' for one in begun)}")
    until = containment.good_until(begun, now())
    if until:
        say(f"stolen keys that it stops may be good until {until}, and work again after this")
    if until and is_agreed and not is_forced:
        raise UsageError(
            "--yes alone does not let stolen keys work again, and nothing was changed",
            hint=f"wait until {until}, say --yes --force, or leave --yes out and be asked",
        )
    saying = "--yes --force" if until else "--yes"
    what = f"This changes account {begun[0].account}."
    agree(what, _ID, begun[0].finding[:AS_TYPED], is_agreed=is_agreed, saying=saying)
