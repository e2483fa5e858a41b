"""The honest changes there are.  `CHANGES` is the one place to add a kind.

Each is played on a stage of its own, and is explained by what is recorded there, or by what others do there.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from straykey.sim import (
    change_address,
    change_container,
    change_egress,
    change_lane,
    change_partition,
    change_session,
)
from straykey.sim.stage import Stage

CHANGES: Mapping[str, Callable[[Stage], None]] = MappingProxyType(
    {
        "eip-by-allocation": change_address.eip_by_allocation,
        "nat-pool": change_egress.nat_pool,
        "role-chaining": change_session.role_chaining,
        "eip-by-address": change_address.eip_by_address,
        "dual-stack": change_lane.dual_stack,
        "ecs-tasks": change_container.ecs_tasks,
        "stop-start": change_address.stop_start,
        "egress-moved": change_egress.egress_moved,
        "service-calls": change_session.service_calls,
        "eip-by-interface": change_address.eip_by_interface,
        "endpoint-added": change_lane.endpoint_added,
        "lambda": change_container.function,
        "interface-attached": change_address.interface_attached,
        "nat-replaced-recorded": change_egress.nat_replaced_recorded,
        "host-management": change_session.host_management,
        "china": change_partition.elastic_in_china,
        "ipv6-assigned": change_lane.ipv6_assigned,
        "eks-pod-identity": change_container.eks_pod_identity,
        "eip-unresolved": change_address.eip_unresolved,
        "central-egress": change_egress.central_egress,
        "terminated": change_session.terminated,
        "private-added": change_lane.private_added,
        "hub-endpoints": change_egress.hub_endpoints,
        "irsa": change_container.irsa,
        "late-delivery": change_address.late_delivery,
        "on-premises-egress": change_egress.on_premises_egress,
        "own-tool": change_session.own_tool,
        "nat-address-added": change_egress.nat_address_added,
        "lambda-in-vpc": change_container.function_in_vpc,
    }
)
