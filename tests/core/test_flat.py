"""Judging does no more work for each session, network or grant where there are many of them."""

from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from straykey.core.evidence import Evidence
from straykey.core.finding import Finding
from straykey.core.holding import Holdings
from straykey.core.judge import judge
from straykey.core.ledger import Ledger
from straykey.core.network import network_of
from straykey.core.settings import Settings
from straykey.core.survey import looked_over
from tests import crowds


class Counted(Mapping[str, Evidence]):
    """Sessions that note how often each is handed out."""

    def __init__(self, sessions: Mapping[str, Evidence]) -> None:
        self._sessions = sessions
        self.handed_out: Counter[str] = Counter()

    def __getitem__(self, arn: str) -> Evidence:
        self.handed_out[arn] += 1
        return self._sessions[arn]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sessions)

    def __len__(self) -> int:
        return len(self._sessions)


def counted(ledger: Ledger) -> Counter[str]:
    """How often judging asks for each session."""
    sessions = Counted(ledger.sessions)
    ledger.sessions = sessions  # type: ignore[assignment]
    judge(ledger, Settings(), crowds.ranges())
    return sessions.handed_out


def judged(ledger: Ledger) -> list[Finding]:
    ledger.settle()
    return judge(ledger, Settings(), crowds.ranges())


def test_a_quiet_session_is_looked_at_once() -> None:
    assert set(counted(crowds.single(50)).values()) == {1}


def test_a_session_with_two_networks_is_looked_at_twice() -> None:
    assert set(counted(crowds.paired(50)).values()) == {2}


def test_of_those_who_share_an_address_only_the_first_is_looked_at_again() -> None:
    ledger = crowds.one_address(9)  # all but the first have the one address
    assert sorted(counted(ledger).values()) == [1] * 8 + [3]


def test_addresses_that_one_session_has_alone_are_not_kept() -> None:
    fleet = looked_over(crowds.single(50), Settings(), crowds.ranges()).fleet
    assert not fleet.residents
    assert not fleet.populations


def test_of_a_pool_two_members_are_kept_however_many_there_are() -> None:
    ledger = Ledger()
    for number in range(5):
        for turn in range(2):
            crowds.use(ledger, crowds.session(number), network_of(crowds.address(turn)), times=(turn, 4000 + turn))
    fleet = looked_over(ledger, Settings(), crowds.ranges()).fleet
    assert [len(whos) for there in fleet.pools.values() for whos in there.values()] == [2]


@pytest.mark.parametrize("corner", ["granted", "restarted"])
def test_grants_are_looked_at_no_more_often_where_there_are_more_networks(
    corner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[str] = Counter()
    is_unnamed = Holdings._is_unnamed

    def count(self: Holdings, instance: str, grant: object) -> bool:
        asked[instance] += 1
        return is_unnamed(self, instance, grant)  # type: ignore[arg-type]

    monkeypatch.setattr(Holdings, "_is_unnamed", count)
    judged(crowds.CROWDS[corner][0](100))
    assert 0 < max(asked.values()) <= 100


def test_a_heap_that_many_thefts_end_in_is_told_once() -> None:
    findings = [one for one in judged(crowds.pivot_shared(6)) if one.pivots]
    told = [len(one.pivots) for one in findings]
    assert told[0] == 256
    assert max(told[1:]) <= 1 + 16 + 1
    assert {one.pivots_count for one in findings} == {2001}


def test_what_is_told_again_is_the_nearest() -> None:
    for one in judged(crowds.pivot_shared(3)):
        if one.pivots:
            assert one.pivots[0].depth == 1
            assert sorted(pivot.depth for pivot in one.pivots) == [pivot.depth for pivot in one.pivots]


def test_a_chain_of_ten_thousand_pivots_is_followed_to_its_end() -> None:
    (finding,) = (one for one in judged(crowds.pivot_chain(10_000)) if one.pivots)
    assert finding.pivots_count == 10_000
