"""Every call that a step may make has its permissions, and codes are kept only for calls that there are."""

from straykey.contain.needs import NEEDS
from straykey.contain.operations import OPERATIONS


def test_every_call_that_may_be_made_has_its_permissions_and_no_other_has() -> None:
    assert {name.partition(":")[2] for name in OPERATIONS} == NEEDS.keys()


def test_names_of_operations_tell_one_from_another_without_their_service() -> None:
    assert len({name.partition(":")[2] for name in OPERATIONS}) == len(OPERATIONS)
