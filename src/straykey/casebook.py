"""What is known of findings in the store that `watch` keeps, and what a person says of them.

All that a person says is written in one transaction, whole or not at all, and takes effect at once; the process that
watches sees it at its next commit, and tells the sinks.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from ipaddress import ip_network
from itertools import pairwise
from typing import TypeVar

from sqlalchemy import Connection

from straykey.core import lifecycle
from straykey.core.finding import Finding, FindingType, Status
from straykey.core.judge import order
from straykey.core.lifecycle import Tracked
from straykey.core.moment import later
from straykey.core.rule import Rule, rule_of
from straykey.errors import UsageError
from straykey.formats import known
from straykey.formats.text import bounded, printable
from straykey.formats.tracked_json import Delivery, Followed, RuleState, Telling
from straykey.stores import findings, outbox
from straykey.stores.database import Database, is_missing, shown
from straykey.stores.sql import SqlStore, Writing

_LONGEST_RULE_SECONDS = 366 * 86_400
_LONGEST_WORDS = 500
_MOST_NAMED = 8
_SHORTEST_ID = 8
_ID = re.compile("[0-9a-f]{1,32}")
_T = TypeVar("_T")


@contextmanager
def opened(where: str) -> Iterator[SqlStore]:
    """A store that is there; none is made."""
    if is_missing(where):
        raise UsageError(
            f"store {shown(where)}: no such file",
            hint="straykey watch makes it; name it by --store or STRAYKEY_STORE",
        )
    database = Database(where)
    try:
        yield SqlStore(database)
    finally:
        database.close()


def tracked_in(store: SqlStore) -> list[Tracked]:
    """All findings, in the order of a scan."""
    with store.reading() as connection:
        return ordered(findings.findings_since(connection, -1).values())


def ordered(tracked: Iterable[Tracked]) -> list[Tracked]:
    return sorted(tracked, key=lambda one: order(one.finding))


def id_length(store: SqlStore) -> int:
    """How much of an id is shown: at least so much that no two findings of this store begin so."""
    with store.reading() as connection:
        ids = findings.finding_ids(connection)
    common = (_common(one, other) for one, other in pairwise(ids))
    return max(_SHORTEST_ID, 1 + max(common, default=0))


def _common(one: str, other: str) -> int:
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))


def followed(store: SqlStore, name: str) -> Followed:
    """Everything that is stored about one finding."""
    with store.reading() as connection:
        tracked = _picked(connection, name)
        rules = {rule.id: rule for rule in findings.rules_of(connection)}
        letters = outbox.letters(connection, outbox.State, tracked.finding.id)
        told = outbox.told_of(connection, tracked.finding.id)
    return Followed(
        tracked,
        rules.get(tracked.rule),
        [Telling(one.at, one.finding.status, _why(one.finding)) for one in told],
        [Delivery(one.sink, one.state, one.posted, one.due, one.tries, one.reason) for one in letters],
    )


def _why(finding: Finding) -> str:
    said = (finding.resolution, finding.acknowledged, finding.suppression)
    return next((one for one in said if isinstance(one, str)), "")


def acknowledge(store: SqlStore, names: Collection[str], note: str, by: str, now: str) -> list[Tracked]:
    """A person has seen them."""

    def seen(one: Tracked) -> Tracked:
        if one.is_over:
            raise _refused(one, "is resolved already", "reopen it first")
        return lifecycle.acknowledged(one, note, by, now)

    return _say(store, names, seen, (note, by))


def resolve(store: SqlStore, names: Collection[str], reason: str, by: str, now: str) -> list[Tracked]:
    """A person says that they are over."""

    def over(one: Tracked) -> Tracked:
        if one.is_over:
            raise _refused(one, "is resolved already", "straykey findings show tells why")
        return lifecycle.resolved(one, reason, by, now)

    return _say(store, names, over, (reason, by))


def reopen(store: SqlStore, names: Collection[str], now: str) -> list[Tracked]:
    """A person takes back what was said of them; what a rule hides stays hidden."""

    def taken_back(one: Tracked) -> Tracked:
        if one.status is Status.OPEN:
            raise _refused(one, "is open", "nothing needs to be done")
        if one.status is Status.SUPPRESSED:
            raise _refused(one, f"is hidden by rule {one.rule}", f"straykey findings unsuppress {one.rule}")
        if one.is_over and not one.by:
            raise _refused(one, "was resolved by the logs", "it opens by itself when they do not explain it any more")
        return lifecycle.reopened(one, now)

    return _say(store, names, taken_back, (), now=now)


def _refused(one: Tracked, what: str, hint: str) -> UsageError:
    return UsageError(f"finding {one.finding.id[:_SHORTEST_ID]} {what}", hint=hint)


def _say(
    store: SqlStore, names: Collection[str], change: Callable[[Tracked], Tracked], words: Iterable[str], now: str = ""
) -> list[Tracked]:
    """All of it or nothing; with `now`, rules apply to what is open afterwards."""
    for said in words:
        _check_words(said)
    with store.writing() as writing:
        found = {one.finding.id: one for one in (_picked(writing.connection, name) for name in names)}
        rules = findings.rules_of(writing.connection) if now else []
        changed = [change(one) for one in found.values()]
        changed = [lifecycle.judged(one, one.finding, rules, now) if now else one for one in changed]
        _keep(writing, changed)
    return changed


def _keep(writing: Writing, changed: list[Tracked]) -> None:
    findings.put_findings(writing.connection, changed, writing.revision)
    findings.note_hidden(writing.connection, changed)


def _check_words(said: str) -> None:
    if len(said) > _LONGEST_WORDS:
        raise UsageError(
            f"that is {len(said)} characters: no more than {_LONGEST_WORDS} are kept", hint="say it in fewer"
        )


def _picked(connection: Connection, name: str) -> Tracked:
    """The one whose id begins so."""
    beginning = name.strip().lower()
    is_id = _ID.fullmatch(beginning) is not None
    found = findings.findings_like(connection, beginning) if is_id else {}
    return _only(found, beginning, "finding", "straykey findings list --all", lambda one: one.finding.title)


def _only(found: Mapping[str, _T], name: str, what: str, where: str, told: Callable[[_T], str]) -> _T:
    if not found:
        raise UsageError(f"no {what} {bounded(name, 40)} in this store", hint=f"{where} shows what there is")
    if len(found) > 1:
        listed = "; ".join(f"{one} ({printable(told(that))})" for one, that in sorted(found.items())[:_MOST_NAMED])
        more = f"; and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        raise UsageError(f"{len(found)} {what}s begin with {name}: {listed}{more}", hint="give more of the id")
    return next(iter(found.values()))


def suppress(
    store: SqlStore, name: str, scope: Mapping[str, str], words: tuple[str, str], now: str, expires: str
) -> tuple[Rule, list[Tracked]]:
    """Make a rule of what is named, and of the finding if one is named; gives the findings it covers, as they are now.

    `words` are the reason, and who gives it.
    """
    reason, by = words
    for said in words:
        _check_words(said)
    _check_time(reason, now, expires)
    with store.writing() as writing:
        about = _picked(writing.connection, name).finding if name else None
        named = {**(scope_of(about) if about else {}), **{field: said for field, said in scope.items() if said}}
        _check_scope(named)
        rule = rule_of(named, reason=reason, by=by, created=now, expires=expires)
        if about and not rule.covers(about):
            raise UsageError("the rule would not cover that finding", hint="leave out what is not so of it")
        findings.put_rule(writing.connection, rule, writing.revision)
        changed = _apply(writing, now, lambda one: rule.covers(one.finding))
    return rule, ordered(changed)


def _check_time(reason: str, now: str, expires: str) -> None:
    if not reason.strip():
        raise UsageError("a rule needs a reason", hint='say why: --reason "red team, until Friday"')
    if expires <= now:
        raise UsageError(f"the rule would be over by {expires}", hint="say a later time, or --for 30d")
    if expires > later(now, _LONGEST_RULE_SECONDS):
        raise UsageError("a rule lasts no longer than a year", hint="make it anew when it is over")


def _check_scope(scope: Mapping[str, str]) -> None:
    if not scope:
        raise UsageError("the rule would hide nothing", hint="name a finding, or what its findings have in common")
    like = _types_like(scope.get("type", "*"))
    if not like:
        told = f"--type {bounded(scope['type'], 80)}: no type of finding is like that"
        raise UsageError(told, hint="docs/output.md lists all types")
    if len(like) == len(FindingType) and set(scope) == {"type"}:
        raise UsageError("the rule would hide every finding", hint="name what those to be hidden have in common")


def _types_like(kind: str) -> list[FindingType]:
    return [one for one in FindingType if fnmatchcase(one, kind)]


def scope_of(finding: Finding) -> dict[str, str]:
    """What a rule about just this names: whose keys, and where they strayed; where that is no address, the type."""
    session, address, instance = finding.session, known.address_of(finding), known.instance_of(finding)
    scope = {"account": session.account, "role": session.role}
    if instance:
        scope["instance"] = instance
    if address:
        return {**scope, "network": str(ip_network(address))}
    return {**scope, "type": finding.type.value}


def unsuppress(store: SqlStore, name: str, now: str) -> tuple[Rule, list[Tracked]]:
    """End a rule; gives the findings it hid, as they are now."""
    with store.writing() as writing:
        rules = {rule.id: rule for rule in findings.rules_of(writing.connection)}
        beginning = name.strip().lower()
        like = {one: rule for one, rule in rules.items() if beginning and one.startswith(beginning)}
        rule = _only(like, beginning, "rule", "straykey findings rules --all", lambda one: one.reason)
        if not rule.is_live(now):
            raise UsageError(f"rule {rule.id} is over since {rule.expires}", hint="it hides nothing any more")
        ended = rule.ended(now)
        findings.put_rule(writing.connection, ended, writing.revision)
        changed = _apply(writing, now, lambda one: one.rule == rule.id)
    return ended, ordered(changed)


def _apply(writing: Writing, now: str, concerns: Callable[[Tracked], bool]) -> list[Tracked]:
    """Hold all rules to what is not over; gives what is concerned, as it is then."""
    rules = findings.rules_of(writing.connection)
    there = findings.findings_since(writing.connection, -1).values()
    concerned = [one for one in there if not one.is_over and concerns(one)]
    after = [lifecycle.judged(one, one.finding, rules, now) for one in concerned]
    _keep(writing, [new for old, new in zip(concerned, after, strict=True) if new != old])
    return after


def rules_in(store: SqlStore, now: str) -> list[RuleState]:
    """All rules in order of their making, with what they hid and hide."""
    with store.reading() as connection:
        return rule_states(connection, findings.findings_since(connection, -1).values(), now)


def rule_states(connection: Connection, tracked: Iterable[Tracked], now: str) -> list[RuleState]:
    ever, current = findings.hidden_by(connection), Counter(one.rule for one in tracked)
    return [
        RuleState(rule, rule.is_live(now), ever.get(rule.id, 0), current[rule.id])
        for rule in findings.rules_of(connection)
    ]
