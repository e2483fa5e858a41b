"""An instance in China that gets an elastic address there."""

from straykey.sim import change_address, china
from straykey.sim.stage import Stage


def elastic_in_china(stage: Stage) -> None:
    """Nothing but the partition differs from the same change elsewhere."""
    change_address.eip_by_allocation(stage)
    china.translate(stage)
