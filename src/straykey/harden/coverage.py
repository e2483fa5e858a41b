"""What the detector cannot see of an account, told from the settings of its trails and from the records themselves.

Records show what is there.  Of what is not there they prove little: a region without records may be one where nothing
happens.  So what only records tell is worded so, and of a key that must have been issued while records were read, and
whose issuance is not among them, it is said outright.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from straykey.contain.called import issue_times, short
from straykey.core import coverage as core
from straykey.core.coverage import Covered, Seen
from straykey.core.evidence import Evidence, instance_of, workload_of
from straykey.core.ledger import Settled
from straykey.core.moment import later
from straykey.core.network import is_account
from straykey.core.session import IDENTITY_ROLE
from straykey.core.workload import INSTANCE
from straykey.harden.blindness import Blind, Gap, Sign
from straykey.harden.command import is_region
from straykey.harden.delivery import delivery_of
from straykey.harden.posture import Posture
from straykey.harden.trail_gap import trail_gaps

_LIFE_SECONDS = 12 * 3600  # no role's keys live longer; EC2's live under 7 hours
_DATA_CALLS = re.compile(
    r"s3:(?:Get|Head|Put|Delete|Copy|Upload)(?:Object|Part)\w*|lambda:Invoke\w*"
    r"|dynamodb:(?:Batch\w+Item|(?:Get|Put|Update|Delete)Item|Query|Scan)"
)
_BLIND = {
    core.Gap.MANAGEMENT: Blind.MANAGEMENT,
    core.Gap.READ: Blind.READ,
    core.Gap.WRITE: Blind.WRITE,
    core.Gap.ISSUANCE: Blind.ISSUANCE,
    core.Gap.DATA: Blind.DATA,
    core.Gap.SILENT: Blind.SILENT,
}


def coverage_gaps(
    ledger: Settled, seen: Mapping[Covered, Seen] | None = None, postures: Iterable[Posture] = ()
) -> tuple[Gap, ...]:
    """All gaps, by account: first what settings say, then what records show.

    `seen` is what a store, or `core.coverage.covered`, tells of the kinds of records that were read.
    """
    known = {one.account: one for one in postures}
    told = _told(ledger)
    found = [gap for one in known.values() for gap in trail_gaps(one, told.get(one.account, _Told()).regions)]
    found += _by_kind(seen) if seen is not None else _by_calls(told)
    found += [*_unissued(told, seen), *_strangers(told, ledger), *_quiet_regions(told, seen, known.values())]
    return tuple(sorted(found, key=lambda one: (one.account, one.sign is Sign.RECORDS)))


class _Told(msgspec.Struct):
    """What the sessions of an account's instances tell, gathered."""

    calls: set[str] = msgspec.field(default_factory=set)
    begun: dict[str, str] = msgspec.field(default_factory=dict)  # regions in which they were seen, and since when
    has_issuances: bool = False
    keys: dict[str, tuple[str, str]] = msgspec.field(default_factory=dict)  # unissued: when made, and in which region

    @property
    def regions(self) -> set[str]:
        return set(self.begun)


def _told(ledger: Settled) -> dict[str, _Told]:
    found: dict[str, _Told] = defaultdict(_Told)
    for arn in sorted(ledger.sessions):
        evidence = ledger.sessions[arn]
        account = evidence.session.account
        if is_account(account) and workload_of(evidence)[0] is INSTANCE and evidence.session.role != IDENTITY_ROLE:
            _note(found[account], evidence)
    return dict(found)


def _note(told: _Told, evidence: Evidence) -> None:
    sightings = evidence.sightings.values()
    told.calls |= {short(call) for one in sightings for call in one.calls.times}
    told.has_issuances |= bool(evidence.issuances)
    for region, time in _whereabouts(evidence):
        if is_region(region):
            told.begun[region] = min(told.begun.get(region, time), time)
    # Of a key that no metadata service handed out EC2 made no record.
    delivered = delivery_of(evidence).keys.keys()
    region, made = instance_of(evidence)[1], _made_since(evidence)
    told.keys |= {key: (made[key], region) for key in made.keys() & delivered if not evidence.was_issued(key)}


def _made_since(evidence: Evidence) -> dict[str, str]:
    """Of each key a time before which it was not made: when it was, if that is known."""
    used: dict[str, str] = {}
    for one in evidence.sightings.values():
        for key, time in one.keys.times.items():
            used[key] = min(used.get(key, time), time)
    return {key: later(time, -_LIFE_SECONDS) for key, time in used.items()} | issue_times(evidence)


def _whereabouts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    for one in evidence.sightings.values():
        yield from ((event.region, event.time) for event in (one.first, *one.events.kept.values()))
    yield from ((one.region, one.time) for one in evidence.issuances.values())


def _gap(blind: Blind, account: str, unseen: str, mend: str, regions: Iterable[str] = ()) -> Gap:
    return Gap(blind, Sign.RECORDS, account, unseen, mend, regions=tuple(sorted(regions)))


def _by_kind(seen: Mapping[Covered, Seen]) -> list[Gap]:
    """What core.coverage finds; its sentences end in the setting."""
    found = []
    for kind, accounts in core.gaps(seen).items():
        unseen, _, mend = kind.value.partition("; ")
        found += [_gap(_BLIND[kind], account, unseen, mend) for account in accounts]
    return found


def _by_calls(told: Mapping[str, _Told]) -> list[Gap]:
    """The little that calls of instances show where nobody noted which kinds of records there were."""
    found = []
    for account, one in sorted(told.items()):
        if one.calls and not any(map(_DATA_CALLS.fullmatch, one.calls)):
            unseen = "no instance was seen to read or write an object, a function or a table"
            found.append(_gap(Blind.DATA, account, unseen, "record data events, unless none does"))
        if one.calls and not one.has_issuances and not any(_is_reading(call) for call in one.calls):
            unseen = "of all instances writing calls alone were seen, and no AssumeRole"
            found.append(_gap(Blind.READ, account, unseen, "set ReadWriteType to All, if it is WriteOnly"))
    return found


def _is_reading(call: str) -> bool:
    return call.partition(":")[2].startswith(("Get", "List", "Describe", "Head", "Search", "Query", "Scan", "Lookup"))


def _unissued(told: Mapping[str, _Told], seen: Mapping[Covered, Seen] | None) -> Iterator[Gap]:
    """Keys made when records of their region were read already, by records that are not there."""
    for account, one in sorted(told.items()):
        begun = dict(one.begun)
        for covered, when in (seen or {}).items():
            if covered.account == account:
                begun[covered.region] = min(begun.get(covered.region, when.first), when.first)
        # Of a key of which nobody knows where it was made, all regions must have been read.
        everywhere = max(begun.values(), default="~")
        missing = {key: region for key, (time, region) in one.keys.items() if time > begun.get(region, everywhere)}
        if missing:
            yield _gap(
                Blind.ISSUANCE,
                account,
                f"{len(missing)} key{'s' * (len(missing) != 1)} of instances came while records were read, and the "
                "AssumeRole by EC2 that made them is not among these",
                "let the trail record reading calls (ReadWriteType All) in all regions, and read all of it",
                set(filter(is_region, missing.values())),
            )


def _strangers(told: Mapping[str, _Told], ledger: Settled) -> Iterator[Gap]:
    for account in sorted(told.keys() - set(ledger.accounts)):
        yield _gap(
            Blind.ACCOUNT,
            account,
            "none of its own records was read: its instances are known from other accounts' records only",
            "read this account's trail, or the organization's",
        )


def _quiet_regions(
    told: Mapping[str, _Told], seen: Mapping[Covered, Seen] | None, postures: Iterable[Posture]
) -> Iterator[Gap]:
    """Regions in which instances with a role run, and of which nothing was read."""
    for posture in postures:
        running = {one.region for one in posture.machines() if one.profile and one.state == "running"}
        heard = {one.region for one in seen or {} if one.account == posture.account}
        heard |= told[posture.account].regions if posture.account in told else set()
        if running - heard:
            yield _gap(
                Blind.REGION,
                posture.account,
                "instances with a role run there, and no record of there was read",
                "let one trail record all regions, and read all of it",
                running - heard,
            )
