"""Work done ahead keeps its order and its bounds."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from straykey.sources import ahead as module
from straykey.sources.ahead import ahead

MEGABYTE = 1 << 20


@given(st.lists(st.integers(0, 100 * MEGABYTE), max_size=100))
def test_what_comes_out_keeps_the_order_of_what_goes_in(sizes: list[int]) -> None:
    numbered = list(enumerate(sizes))
    done = list(ahead(numbered, lambda one: one[0], lambda one: one[1]))
    assert done == [(one, one[0]) for one in numbered]


@pytest.mark.parametrize(("weight", "at_most"), [(0, module._MOST), (16 * MEGABYTE, 4), (100 * MEGABYTE, 1)])
def test_no_more_is_done_ahead_than_the_bounds_allow(weight: int, at_most: int) -> None:
    begun: list[int] = []
    results = ahead(range(100), begun.append, lambda _: weight)
    for taken in range(100):
        next(results)
        # Besides what waits, what was just taken.
        assert len(begun) <= taken + 1 + at_most
    results.close()


def test_threads_are_gone_when_it_is_closed_early() -> None:
    results = ahead(range(100), lambda number: number, lambda _: 0)
    next(results)
    results.close()
    assert not [one.name for one in threading.enumerate() if "ThreadPool" in one.name]
