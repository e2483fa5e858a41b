"""Honest changes of one instance's public address.

Each writes what EC2 would write of it, before the first call from the new address.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from straykey.sim import grant, identifier, route
from straykey.sim.address import Network
from straykey.sim.company import Instance
from straykey.sim.stage import Stage
from straykey.sim.workload import Life

_SOON = timedelta(seconds=20)
_STOPPED = timedelta(minutes=4)


def eip_by_allocation(stage: Stage) -> None:
    """AllocateAddress tells the address, AssociateAddress only the allocation."""
    it, at, after = stage.instance(stage.vpc("public")), stage.moment(), stage.tenant()
    allocation, record = grant.allocate(stage.builder, at, it.vpc, after.address)
    target = {"allocationId": allocation, "instanceId": it.id}
    stage.records += [record, grant.associate(stage.builder, at + _SOON, it.vpc, target)]
    _moves(stage, it, after, at)


def eip_by_address(stage: Stage) -> None:
    """AssociateAddress names the address, which was allocated before the logs or within them."""
    it, at, after = stage.instance(stage.vpc("public")), stage.moment(), stage.tenant()
    if stage.coin():
        stage.records.append(grant.allocate(stage.builder, at, it.vpc, after.address)[1])
    target = {"publicIp": after.address, "instanceId": it.id}
    stage.records.append(grant.associate(stage.builder, at + _SOON, it.vpc, target))
    _moves(stage, it, after, at)


def eip_by_interface(stage: Stage) -> None:
    """AssociateAddress names the interface alone: it is known from the launch, or from having been attached."""
    at, after, vpc = stage.moment(), stage.tenant(), stage.vpc("public")
    is_launched = stage.coin()
    it = stage.instance(vpc, launched=stage.moment(0.03, 0.08) if is_launched else None)
    # A second interface has no public address until it is given this one.
    interface = stage.launch(it) if is_launched else _attached(stage, it, stage.moment(0.1, 0.2))
    allocation, record = grant.allocate(stage.builder, at, vpc, after.address)
    target = {"allocationId": allocation, "networkInterfaceId": interface}
    stage.records += [record, grant.associate(stage.builder, at + _SOON, vpc, target)]
    _moves(stage, it, after, at)


def eip_unresolved(stage: Stage) -> None:
    """The address was allocated before the logs, so that nothing tells which one it is."""
    it, at, after = stage.instance(stage.vpc("public")), stage.moment(), stage.tenant()
    target = {"allocationId": identifier.resource_id(stage.rng, "eipalloc"), "instanceId": it.id}
    stage.records.append(grant.associate(stage.builder, at, it.vpc, target))
    _moves(stage, it, after, at)


def late_delivery(stage: Stage) -> None:
    """An elastic address whose records come hours after the calls they explain."""
    eip_by_allocation(stage)
    stage.late.update(r["eventID"] for r in stage.records if r["eventName"] in ("AllocateAddress", "AssociateAddress"))


def stop_start(stage: Stage) -> None:
    """Stopped and started again, an instance has another address of AWS, and other keys."""
    it, at = stage.instance(stage.vpc("public")), stage.moment()
    again = restarted(stage, it, at)
    stage.changed([it.session_arn], [str(again.public_address)], at)


def restarted(stage: Stage, it: Instance, at: datetime) -> Instance:
    """Let `it` live until it is stopped at `at`, and live on as the instance that is returned."""
    begin = at + _STOPPED
    again = replace(
        it,
        launched=begin,
        launch_request=identifier.guid(stage.rng),
        public_address=stage.plan.tenant(stage.region),
    )
    stage.records += [grant.stop(stage.builder, at, it), grant.start(stage.builder, begin, again)]
    stage.live(it, Life(end=at))
    stage.live(again)
    return again


def interface_attached(stage: Stage) -> None:
    """A second interface with a public address that no record names."""
    it, at, after = stage.instance(stage.vpc("public")), stage.moment(), stage.tenant()
    _attached(stage, it, at)
    _moves(stage, it, after, at)


def _attached(stage: Stage, it: Instance, at: datetime) -> str:
    address = stage.plan.private(it.vpc.prefix)
    interface, record = grant.create_interface(stage.builder, at, it.vpc, address)
    stage.records += [record, grant.attach_interface(stage.builder, at + _SOON, it, interface)]
    return interface


def _moves(stage: Stage, it: Instance, after: Network, at: datetime) -> None:
    begin = at + 2 * _SOON
    stage.live(it, Life(route=route.moved(route.of(it), route.steady(after), begin)))
    stage.changed([it.session_arn], [after.address], at)
