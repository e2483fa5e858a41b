"""A plan names the permissions that applying it takes."""

import pytest

from straykey.contain.needs import NEEDS
from straykey.contain.operations import OPERATIONS


@pytest.mark.parametrize("name", NEEDS)
def test_a_step_needs_what_applying_it_asks_for(name: str) -> None:
    (operation,) = (one for key, one in OPERATIONS.items() if key.partition(":")[2] == name)
    assert set(operation.needs) <= set(NEEDS[name])


def test_every_call_that_may_be_made_can_be_planned() -> None:
    assert {name.partition(":")[2] for name in OPERATIONS} >= NEEDS.keys()
