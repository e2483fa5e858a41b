"""What the summary says, and what it leaves out."""

from collections import Counter

from straykey.core.envelope import Detour
from straykey.core.tally import Tally
from straykey.formats import summary


def told(tally: Tally) -> list[str]:
    lines = summary.lines(tally, [], sessions=0, instances=0, ranges="none", seconds=1)
    return [line for line in lines if line.startswith("slow")]


def test_detours_are_counted_each_in_its_unit() -> None:
    tally = Tally(detours=Counter({Detour.SEARCHED: 1, Detour.HELD: 1200, Detour.REDONE: 2}))
    expected = "slow      2 pieces read record by record, 1,200 files held in memory as a whole, "
    assert told(tally) == [expected + "1 broken file searched for records"]


def test_where_all_was_read_at_once_nothing_is_told_of_detours() -> None:
    assert told(Tally()) == []
