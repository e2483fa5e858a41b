"""A comparison for a terminal: first which option, then each in full."""

import json
from collections.abc import Iterable, Iterator, Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from straykey.contain.catalogue import ABOUT
from straykey.contain.comparison import Comparison, Weighed
from straykey.contain.outage import over_since
from straykey.contain.plan import Call, Deny, Lookup, Option, Plan, Value
from straykey.contain.rehearse import NEVER_DENIED, Counted, Tally
from straykey.contain.theft import Theft
from straykey.core.network import Network
from straykey.formats.text import as_json, bounded, printable

_TITLE = "Recorded calls put to each option: of a network with many, a sample of 64 and the first of each kind"
_MOST_CALLS = 8
_MOST_MADE = 4
_MOST_TWICE = 2  # statements
_MOST_VALUE = 100


def render(comparison: Comparison) -> RenderableType:
    """All options at a glance, then each with all that must be known before it is applied."""
    parts: list[RenderableType] = [_theft(comparison), Text(), glance(comparison)]
    shown: dict[str, str] = {}
    for one in comparison.options:
        parts.append(in_full(one, shown))
        said = ((statement, deny.name) for deny in one.plan.denies for statement in _statements(deny))
        shown |= {statement: name for statement, name in said if statement not in shown}
    return Group(*parts)


def glance(comparison: Comparison) -> Table:
    table = Table(box=None, padding=(0, 2), title=_TITLE, title_justify="left")
    for name in ("option", "thief stopped", "workload broken", "others broken", "workload out until", "can be applied"):
        table.add_column(name, overflow="fold")
    for one in comparison.options:
        table.add_row(*map(Text, map(printable, _row(one))))
    return table


def _row(one: Weighed) -> Iterator[str]:
    found, plan = one.rehearsal, one.plan
    yield plan.option.value
    if plan.option.is_companion:
        yield from ("no key that is out", "-", "-")
    elif found is None:
        yield from ("not rehearsed", "-", "-")
    else:
        yield _share(_sum(found.thief, found.heirs))
        yield _share((found.workload.denied, found.workload.unknown, found.workload.calls))
        hit = f", {found.sisters.callers_hit} of {found.sisters.callers} sessions" if found.sisters.callers else ""
        yield _share((found.sisters.denied, found.sisters.unknown, found.sisters.calls)) + hit
    yield _until(one)
    yield "no" if plan.troubles else "yes"


def _sum(*tallies: Tally) -> tuple[int, int, int]:
    return tuple(map(sum, zip(*((one.denied, one.unknown, one.calls) for one in tallies), strict=True)))  # type: ignore[return-value]


def _share(counts: tuple[int, int, int]) -> str:
    denied, unknown, calls = counts
    return f"{denied}/{calls}" + (f", {unknown} unknown" if unknown else "")


def _until(one: Weighed) -> str:
    if one.outage is None:
        return "-"
    ends = [end for end in (one.outage.until_earliest, one.outage.until_latest) if end]
    is_for_good = one.plan.option in (Option.DENY_ALL, Option.ISOLATE, Option.STOP)
    return " to ".join(dict.fromkeys(ends)) or ("it is undone" if is_for_good else "unknown: see below")


def _theft(comparison: Comparison) -> RenderableType:
    theft = comparison.theft
    rows = Table.grid(padding=(0, 2))
    told = {
        "finding": theft.finding,
        "role": theft.role_arn,
        "session": theft.workload.arn,
        "home": _networks(theft.homes),
        "stray": _networks(theft.strays),
        "keys": ", ".join(key.access_key for key in theft.keys) + _ended(comparison),
        "made": _made(theft),
        "logs end": theft.as_of,
        "account": _account(comparison),
        "not put": " ".join(_not_put(comparison)),
    }
    for name, value in told.items():
        if value:
            rows.add_row(Text(name), Text(printable(value)))
    return Group(Text(printable(theft.title), style="bold"), rows)


def _ended(comparison: Comparison) -> str:
    """What denies keys of the past denies nothing."""
    over = over_since(comparison.theft, comparison.at)
    return f"; all over since {over}: only what they made, and keys issued later, can still be used" if over else ""


def _made(theft: Theft) -> str:
    if not theft.created:
        return ""
    shown = [bounded(f"{one.call} {one.made}".strip(), _MOST_VALUE) for one in theft.created[:_MOST_MADE]]
    more = len(theft.created) - len(shown)
    things = "one thing" if len(theft.created) == 1 else f"{len(theft.created)} things"
    return f"the thief made {things} with these keys: {', '.join(shown)}" + (f" and {more} more" if more else "")


def _not_put(comparison: Comparison) -> Iterator[str]:
    """What is in no number of the table: of all options the same."""
    found = next((one.rehearsal for one in comparison.options if one.rehearsal), None)
    if found is not None:
        thiefs = found.thief.never_denied + found.heirs.never_denied
        counts = {
            "the thief's": thiefs,
            "the workload's": found.workload.never_denied,
            "others'": found.sisters.never_denied,
        }
        if said := ", ".join(f"{count} of {whose}" for whose, count in counts.items() if count):
            yield f"{NEVER_DENIED}, which no policy denies ({said})."
    if comparison.theft.sisters_left_out:
        yield f"{comparison.theft.sisters_left_out} more sessions of the role."


def _account(comparison: Comparison) -> str:
    if comparison.account is None:
        return "not read: planned from the logs alone"
    unread = comparison.account.unread
    return "read" + (f", but for: {'; '.join(unread)}" if unread else "")


def _networks(networks: Iterable[Network]) -> str:
    return ", ".join(_network(one) for one in networks) or "none known"


def _network(network: Network) -> str:
    return network.address + (f" through {network.endpoint}" if network.endpoint else "")


def in_full(one: Weighed, shown: Mapping[str, str] = {}) -> RenderableType:
    """One option, with nothing left out; `shown` are statements that stand above already, by which policy's name."""
    plan = one.plan
    parts = [Text(f"\n{plan.option.value}", style="bold"), *_listed("", [ABOUT[plan.option].does])]
    troubles = [f"{trouble.text}{f': {trouble.hint}' if trouble.hint else ''}" for trouble in plan.troubles]
    parts += _listed("Cannot be applied", troubles)
    parts += _listed("Breaks", [ABOUT[plan.option].breaks, *_broken(one)])
    parts += _listed("Outage", [one.outage.why] if one.outage else [])
    parts += _listed("Does not stop", [*plan.limits, *_passed(one)])
    parts += _listed("Note", plan.notes)
    parts += _listed("By hand", plan.manual)
    parts += _documents(plan, shown)
    parts += _listed(
        "Calls, in order", [f"{n}. {step.name}: {_call(step.call)}" for n, step in enumerate(plan.steps, 1)]
    )
    undo = [_call(call) for step in reversed(plan.steps) for call in step.undo]
    parts += _listed("Undo", [ABOUT[plan.option].undo, *undo])
    parts += _listed("Permissions", [", ".join(plan.permissions)] if plan.permissions else [])
    return Group(*parts)


def _broken(one: Weighed) -> Iterator[str]:
    found = one.rehearsal
    if found is None:
        return
    for whose, tally in (("the workload", found.workload), ("others of this role", found.sisters)):
        if tally.denied:
            yield f"Of {whose}: {_calls(tally.denied_calls)}"
        if tally.unknown:
            yield f"Of {whose}, perhaps: {_calls(tally.unknown_calls)}; it hangs on {', '.join(tally.hangs_on)}"
    if found.sisters.hit:
        yield f"Sessions hit: {', '.join(found.sisters.hit)}"


def _passed(one: Weighed) -> Iterator[str]:
    found = one.rehearsal
    if found is None or one.plan.option.is_companion:
        return
    for whose, tally in (("the thief", found.thief), ("what he made", found.heirs)):
        if tally.passed:
            yield f"Of {whose}: {_calls(tally.passed_calls)}"
        if tally.unknown:
            yield f"Of {whose}, perhaps: {_calls(tally.unknown_calls)}; it hangs on {', '.join(tally.hangs_on)}"


def _calls(counted: tuple[Counted, ...]) -> str:
    shown = [f"{one.call} from {_network(one.network)} ({one.count})" for one in counted[:_MOST_CALLS]]
    return ", ".join(shown) + (f" and {len(counted) - _MOST_CALLS} more kinds" if len(counted) > _MOST_CALLS else "")


def _documents(plan: Plan, shown: Mapping[str, str]) -> Iterator[RenderableType]:
    for deny in plan.denies:
        where = f"{'Boundary' if deny.is_boundary else 'Policy'} {deny.name}, for role {deny.role} of {deny.account}"
        yield from _listed(where, _document(deny, shown))


def _document(deny: Deny, shown: Mapping[str, str]) -> Iterator[str]:
    """A long policy stands once: of another with the same statements only what is its own."""
    statements = _statements(deny)
    known = [one for one in statements if one in shown]
    if len(known) < _MOST_TWICE:
        yield from as_json(json.loads(deny.document), indent=2).splitlines()
        return
    for name in dict.fromkeys(shown[one] for one in known):
        sids = ", ".join(str(json.loads(one)["Sid"]) for one in known if shown[one] == name)
        yield f"As in {name}, letter by letter: {sids}"
    for one in statements:
        if one not in shown:
            yield from as_json(json.loads(one), indent=2).splitlines()


def _statements(deny: Deny) -> list[str]:
    return [as_json(one) for one in json.loads(deny.document)["Statement"]]


def _call(call: Call) -> str:
    given = " ".join(f"{name}={_value(value)}" for name, value in call.parameters.items())
    return f"{call.service}:{call.operation} {given}"


def _value(value: Value) -> str:
    if isinstance(value, Lookup):
        return f"<the {value.sought.value} of {value.of}>"
    text = value if isinstance(value, str) else as_json(_plain(value))
    return text if len(text) <= _MOST_VALUE else f"{text[:_MOST_VALUE]}…"


def _plain(value: Value) -> object:
    if isinstance(value, Lookup):
        return _value(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return {name: _plain(one) for name, one in value.items()}


def _listed(head: str, lines: Iterable[str]) -> Iterator[RenderableType]:
    shown = [Text(printable(line)) for line in lines]
    if shown and head:
        yield Padding(Text(printable(head), style="bold"), (0, 0, 0, 2))
    yield from (Padding(line, (0, 0, 0, 4 if head else 2)) for line in shown)
