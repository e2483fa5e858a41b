"""What sessions tell of each other, kept as they come, change and go.

The same as `core.survey` finds by looking over all of them, found by looking at what changed.
"""

from collections.abc import Callable, Iterator, Mapping, Set

import msgspec

from straykey.core.clan import Clans
from straykey.core.doorway import Doorways
from straykey.core.evidence import Evidence
from straykey.core.fact import Facts
from straykey.core.fleet import Ask, Fleet
from straykey.core.glance import Glance, glance_of
from straykey.core.grant import Grant
from straykey.core.holding import Holdings
from straykey.core.household import Household, household_of
from straykey.core.index import Index
from straykey.core.lodging import Lodgings
from straykey.core.making import Made
from straykey.core.masquerade import Masquerade, Masquerades
from straykey.core.neighbour import together
from straykey.core.pivot import Makings, user_key
from straykey.core.quiet import gone_since
from straykey.core.ranges import AwsRanges
from straykey.core.residence import Resident
from straykey.core.settings import Settings
from straykey.core.whereabouts import Whereabouts

_NOTHING: frozenset[str] = frozenset()


class Change(msgspec.Struct, frozen=True):
    """What is not as it was: `sessions` by themselves, and what may be asked of the fleet for others."""

    sessions: set[str]
    asks: set[Ask]
    has_new_grants: bool
    has_new_spoofed: bool


class _Known(msgspec.Struct, frozen=True, gc=False):
    """A session; `keys` are all that were seen in its use and may be found to be `spoofed`."""

    glance: Glance
    keys: frozenset[str]
    household: Household | None


class Register:
    """All sessions at a glance, and the fleet they make; true once it is `settled`."""

    def __init__(self, settings: Settings, ranges: AwsRanges | None, evidence_of: Callable[[str], Evidence]) -> None:
        self._settings, self._ranges, self._evidence_of = settings, ranges, evidence_of
        self._known: dict[str, _Known] = {}
        self._sessions: set[str] = set()  # changed since it was settled
        self._asks: set[Ask] = set()
        self._by_key: Index[str] = Index()
        self._by_user: Index[str] = Index()  # by `user_key`
        self._by_instance: Index[str] = Index()
        self._clans = Clans(ranges)
        self._doorways = Doorways({})
        self._lodgings = Lodgings()
        self._strange: set[str] = set()  # sessions named after instances by what may not
        self._facts: tuple[Facts[Grant], Facts[Made], Set[str]] | None = (Facts(), Facts(), frozenset())
        self._ours: frozenset[str] = frozenset()
        self._holdings = Holdings(())
        self._makings = Makings(())
        self._masquerades: list[Masquerade] = []
        self._is_unmasked = True  # else these are to be found anew
        self._spoofed: frozenset[str] = frozenset()
        self.workloads = 0

    def glance(self, arn: str) -> Glance | None:
        known = self._known.get(arn)
        return known.glance if known else None

    def is_quiet(self, glance: Glance) -> bool:
        return glance.is_quiet(gone_since(glance.tenant.instance, self._holdings))

    def note(self, arn: str, evidence: Evidence) -> None:
        """Take in what is known of a session now."""
        glance = glance_of(evidence, self._settings, self._ranges, self._spoofed)
        is_locked = glance.tenant.is_locked
        household = household_of(evidence, glance.tenant, glance.residences) if is_locked else None
        self._put(arn, glance.account, _Known(glance, _keys_of(evidence), household))

    def forget(self, arn: str) -> None:
        known = self._known.get(arn)
        if known is not None:
            self._put(arn, known.glance.account, None)

    def set_facts(self, grants: Facts[Grant], makings: Facts[Made], accounts: Set[str]) -> None:
        self._facts = grants, makings, accounts

    def settled(self) -> Change:
        """Bring up to what was noted: what is not as it was when this was asked last."""
        has_new_grants = self._facts is not None
        if self._facts is not None:
            self._take_facts(*self._facts)
            self._facts = None
        spoofed = self._spoofed
        while not self._is_unmasked:
            self._is_unmasked = True
            self._masquerades = self._unmasked()
        asks = self._asks | self._clans.settled() | self._doorways.changed | self._lodgings.changed
        change = Change(self._sessions, asks, has_new_grants, spoofed != self._spoofed)
        self._sessions, self._asks = set(), set()
        self._doorways.changed.clear()
        self._lodgings.changed.clear()
        return change

    def fleet(self) -> Fleet:
        """As of when it was settled."""
        return Fleet(
            affiliated=self._ours,
            endpoint_owners=self._doorways.owners,
            endpoints=self._doorways.by_service,
            naming=self._doorways.naming,
            residents=_Residents(self._lodgings.by_place, self._clans.residents),
            populations=self._clans.populations,
            pools=self._clans.pools,
            moves=self._clans.moves,
            holdings=self._holdings,
            makings=self._makings,
            masquerades=self._masquerades,
            spoofed=self._spoofed,
        )

    def whereabouts(self) -> Whereabouts:
        return Whereabouts(self._by_key, self._by_user)

    def _take_facts(self, grants: Facts[Grant], makings: Facts[Made], accounts: Set[str]) -> None:
        terminated = self._holdings.all_terminated
        self._holdings, self._makings = Holdings(grants), Makings(makings)
        self._doorways.grant(self._holdings.endpoint_owners)
        for instance, _ in terminated.items() ^ self._holdings.all_terminated.items():
            self._sessions.update(self._by_instance.get(instance))
        ours = self._settings.accounts | frozenset(accounts)
        self._asks.update(("affiliated", account) for account in ours ^ self._ours)
        self._ours = ours
        self._is_unmasked = False

    def _unmasked(self) -> list[Masquerade]:
        """Who took whose name; sessions are looked at again that bear keys of which it matters."""
        found = Masquerades(self._makings, self._ours)
        for arn in self._strange:
            glance = self._known[arn].glance
            found.note(glance.session, glance.strange)
        before, self._spoofed = self._spoofed, found.access_keys()
        for arn in {arn for key in before ^ self._spoofed for arn in self._by_key.get(key)}:
            self.note(arn, self._evidence_of(arn))
        return found.all()

    def _put(self, arn: str, account: str, new: _Known | None) -> None:
        old = self._known.pop(arn, None)
        self._sessions.add(arn)
        before, after = old.glance if old else None, new.glance if new else None
        self._file(arn, old, new)
        self._watch(arn, before, after)
        self._doorways.put(before, after)
        self._lodgings.put(account, before.residences if before else (), after.residences if after else ())
        self._settle_in(account, before, after)
        if new is None:
            self._clans.forget(arn)
        else:
            self._known[arn] = new
            self._clans.put(arn, new.glance.addresses, new.household)

    def _settle_in(self, account: str, before: Glance | None, after: Glance | None) -> None:
        """Count it where it is to be counted."""
        self.workloads += (after is not None and after.is_workload) - (before is not None and before.is_workload)
        more_behind = (after is not None and after.is_behind) - (before is not None and before.is_behind)
        if more_behind:
            self._clans.live_behind(account, more_behind)

    def _file(self, arn: str, old: _Known | None, new: _Known | None) -> None:
        """Put it where it is found by its keys, its instance or its user."""
        _refile(self._by_key, arn, old.keys if old else _NOTHING, new.keys if new else _NOTHING)
        instances, users = (
            [frozenset({name(one.glance)} - {""}) if one else _NOTHING for one in (old, new)]
            for name in (_instance, _user)
        )
        _refile(self._by_instance, arn, *instances)
        _refile(self._by_user, arn, *users)

    def _watch(self, arn: str, before: Glance | None, after: Glance | None) -> None:
        """Note who bears the name of an instance, given by what may not."""
        told = after.strange if after else ()
        if told != (before.strange if before else ()):
            self._is_unmasked = False
            if told:
                self._strange.add(arn)
            else:
                self._strange.discard(arn)


def _refile(index: Index[str], arn: str, before: frozenset[str], after: frozenset[str]) -> None:
    for key in before - after:
        index.discard(key, arn)
    for key in after - before:
        index.add(key, arn)


def _instance(glance: Glance) -> str:
    return glance.tenant.instance


def _user(glance: Glance) -> str:
    return "" if glance.session.role else user_key(glance.session.arn)


def _keys_of(evidence: Evidence) -> frozenset[str]:
    keys = {event.access_key for event, _ in evidence.earliest.values()}
    for sighting in evidence.sightings.values():
        keys.update(sighting.keys.times)
        keys.update(event.access_key for event in sighting.agents.events.values())
    return frozenset(keys - {""})


class _Residents(Mapping[str, dict[str, list[Resident]]]):
    """Those of endpoints and those of public addresses; nobody hinders an endpoint from being named like an address."""

    def __init__(
        self, behind: Mapping[str, dict[str, list[Resident]]], public: Mapping[str, dict[str, list[Resident]]]
    ) -> None:
        self._behind = behind
        self._public = public

    def __getitem__(self, place: str) -> dict[str, list[Resident]]:
        behind, public = self._behind.get(place), self._public.get(place)
        if behind and public:
            return together(behind, public)
        found = behind or public
        if not found:
            raise KeyError(place)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter({**self._behind, **self._public})

    def __len__(self) -> int:
        return len({**self._behind, **self._public})
