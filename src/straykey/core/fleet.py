"""What sessions say about each other: whose address, whose endpoint, who lives where.

Read from the first pass, in which the first use in each lane is home; judging one session reads this
and nothing of other sessions' verdicts, so that the verdicts do not depend on the order of judging.
"""

from collections.abc import Container, Hashable, Mapping

import msgspec

from straykey.core.evidence import Sighting
from straykey.core.holding import Holds
from straykey.core.masquerade import Masquerade
from straykey.core.move import Move
from straykey.core.network import PUBLIC_LANES, Lane, Network, is_account
from straykey.core.pivot import Makings
from straykey.core.residence import Resident

Members = dict[str, tuple[str, ...]]  # by account: two are enough
Pools = dict[tuple[str, str], Members]
Ask = tuple[str, Hashable]  # a part of a fleet, by its field's name, and a key there


class Population(msgspec.Struct, gc=False):
    """Of one account at one public address: who is settled there, and who only comes by from a settled home.

    Nobody is both.
    """

    settled: set[str] = set()
    lasting: set[str] = set()
    visitors: set[str] = set()

    def is_home_of_others(self, who: str, *, is_usual: bool) -> bool:
        """Two or more others live there, and no more come by than live there: one thief with ten keys lives nowhere.

        Where it would not be usual for the asking session to live, they must have lived there for an hour.
        """
        there = self.settled if is_usual else self.lasting
        residents = len(there) - (who in there)
        return residents > 1 and residents >= len(self.visitors)


class Fleet(msgspec.Struct):
    """All sessions at a glance.

    Of public addresses only those have residents, populations and pools that more than one session was used from.
    """

    affiliated: Container[str]
    endpoint_owners: Mapping[str, str]
    endpoints: Mapping[tuple[str, str], set[str]]  # by account and service: all that its instances called it through
    naming: Container[str]  # services whose records name the owner of an endpoint, of any account's
    residents: Mapping[str, dict[str, list[Resident]]]  # by public address or endpoint, then by account: the first few
    populations: Mapping[tuple[str, str], Population]  # by account and public address
    pools: Mapping[tuple[str, str], Members]  # by two addresses: of those who live at one and also use the other
    moves: Mapping[tuple[str, str], Move]
    holdings: Holds
    makings: Makings
    masquerades: list[Masquerade]
    spoofed: frozenset[str]  # keys that were never a workload's, whatever name their session bears

    def is_ours(self, account: str, session_account: str) -> bool:
        return account == session_account or account in self.affiliated

    def endpoint_owner(self, network: Network) -> str:
        """The endpoint's owner as this or any other record names it; empty where none does."""
        return network.endpoint_owner or self.endpoint_owners.get(network.endpoint, "")

    def is_only_endpoint(self, endpoint: str, services: frozenset[str], account: str) -> bool:
        """True if the account's instances reach these services through no other endpoint."""
        return all(self.endpoints.get((account, service)) == {endpoint} for service in services)

    def names_owners(self, services: frozenset[str]) -> bool:
        """True if one of these is known to name the owners of endpoints: here it would have, were it ours."""
        return any(service in self.naming for service in services)

    def lives_behind(self, account: str, network: Network) -> bool:
        """True if other instances of the account live behind this endpoint.

        Each must have a private address of its own: one thief with many keys has but his.  One that is mostly there is
        enough, else it takes two.
        """
        there = self.residents.get(network.endpoint, {}).get(account, ())
        others = [one for one in there if one.address != network.address]
        return len(others) > 1 or any(one.is_settled for one in others)

    def is_home_of_others(self, address: str, account: str, who: str, *, is_usual: bool) -> bool:
        """True if two or more other instances of the account live at this public address."""
        population = self.populations.get((account, address))
        return population is not None and population.is_home_of_others(who, is_usual=is_usual)

    def shares_pool(self, address: str, home: str, account: str, who: str) -> bool:
        """True if another instance of ours lives at this address and also uses that home."""
        there = self.pools.get((address, home), {})
        ours = (members for theirs, members in there.items() if self.is_ours(theirs, account))
        return any(other != who for members in ours for other in members)

    def has_moved(self, old: str, new: str) -> bool:
        """True if a fleet left one address for the other."""
        return self.moves.get((old, new)) is not None

    def owner_of(self, network: Network, since: str, arn: str) -> str:
        """The account whose network this is, which a session was used from since then; empty where no evidence tells.

        Never guessed from ranges.
        """
        if network.lane is Lane.ENDPOINT:
            owner = self.endpoint_owner(network)
            accounts = [one for one in self.residents.get(network.endpoint, {}) if self.lives_behind(one, network)]
            return owner if is_account(owner) else accounts[0] if len(accounts) == 1 else ""
        if network.lane not in PUBLIC_LANES:
            return ""
        return self.holdings.owner_of(network.address, since) or self._account_at(network.address, since, arn)

    def _account_at(self, address: str, since: str, arn: str) -> str:
        accounts = {
            account
            for account, there in self.residents.get(address, {}).items()
            if any(one.arn != arn and one.is_settled and one.since < since for one in there)
        }
        return accounts.pop() if len(accounts) == 1 else ""

    def neighbours_in_words(self, place: str, account: str, arn: str) -> str:
        """A few others of the account that live at a place, by name."""
        there = self.residents.get(place, {}).get(account, ())
        names = sorted({one.arn.rpartition("/")[2] for one in there if one.arn != arn})
        return ", ".join(names[:3])

    def move_in_words(self, old: str, new: str) -> str:
        """How a fleet left one address for the other."""
        move = self.moves[old, new]
        return f"{len(move.arns)} sessions that shared {old} left it for this address from {move.since} on"


def services_of(sighting: Sighting) -> frozenset[str]:
    """The services called from there."""
    return frozenset([call.split(":", 1)[0] for call in sighting.calls.times])
