"""Keys of roles that are not the instance's own but bear its id: EC2's identity role, and host management.

Host management keys come from Systems Manager in exchange for the identity role's; EC2 writes no issuance for either.
"""

from straykey.sim import identifier, identity, operation, spree
from straykey.sim.company import Instance, Role
from straykey.sim.record import Call, Document
from straykey.sim.spree import Spree
from straykey.sim.stage import Stage
from straykey.sim.workload import SSM_AGENT, Route, scene_of

MANAGED_ROLE = "AWSSystemsManagerDefaultEC2InstanceManagementRole"
_MANAGED_CALLS = (operation.UPDATE_INSTANCE_INFORMATION, operation.LIST_INSTANCE_ASSOCIATIONS)


def identity_session(stage: Stage, it: Instance) -> Document:
    """A key of `aws:ec2-instance`, which any process on the instance can take from IMDS."""
    account = it.vpc.account
    role = Role(account, "aws:ec2-instance", "/", f"{account}:aws:ec2-instance")
    who = identity.session(role, it.id, identifier.access_key(stage.rng), stage.window.start)
    who["sessionContext"]["ec2RoleDelivery"] = "2.0"
    return who


def managed_session(stage: Stage, it: Instance) -> Document:
    role = stage.world.role(it.vpc.account, MANAGED_ROLE, "/service-role/")
    return identity.session(role, it.id, identifier.access_key(stage.rng), stage.window.start)


def work(stage: Stage, it: Instance, who: Document, route: Route) -> list[Document]:
    """What the SSM agent does with a key of either kind, all the window long."""
    is_identity = "ec2RoleDelivery" in who["sessionContext"]
    calls: tuple[Call, ...] = (operation.REQUEST_HOST_TOKEN,) if is_identity else _MANAGED_CALLS
    at_work = Spree(who=spree.as_ever(who), route=route, agent=SSM_AGENT, scene=scene_of(it), calls=calls)
    moments = spree.within(stage.rng, stage.moment(0.01, 0.03), stage.window.at(0.98), 14)
    records = spree.made(stage.rng, at_work, moments)
    stage.worked(it, who["arn"], records)
    return records
