"""Who lives behind which endpoint, kept as sessions come, change and go."""

from collections import defaultdict

from straykey.core.fleet import Ask
from straykey.core.neighbour import Residents
from straykey.core.residence import Residence, Resident


class Lodgings:
    """The first few residents of each endpoint, by account, to be read in place."""

    def __init__(self) -> None:
        self._residents = Residents()
        self.by_place = self._residents.by_place
        self.changed: set[Ask] = set()  # since it was emptied last
        self._all: dict[tuple[str, str], dict[str, Resident]] = defaultdict(dict)  # by account and place, by session

    def put(self, account: str, before: tuple[Residence, ...], after: tuple[Residence, ...]) -> None:
        """Take where a session lives now for where it lived before; public places are left out."""
        old, new = ({one for one in them if not one.is_public} for them in (before, after))
        for one in old - new:
            self._leave(account, one)
        for one in new - old:
            self._all[account, one.place][one.resident.arn] = one.resident
            self._residents.add(account, one)
            self.changed.add(("residents", one.place))

    def _leave(self, account: str, one: Residence) -> None:
        there = self._all[account, one.place]
        del there[one.resident.arn]
        if not there:
            del self._all[account, one.place]
        self._residents.drop(account, one, there.values)
        self.changed.add(("residents", one.place))
