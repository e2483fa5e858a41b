"""Which way a recorded call would take once a plan's endpoints stand: not always the one it took.

Endpoints are made before anything is denied.  From then on the whole VPC reaches their services through them, and what
was recorded from a NAT gateway's address comes through the VPC.  That is known of the robbed instance and of those seen
in its VPC; where it is not, both ways are possible, and nothing is guessed.
"""

from enum import Enum

from msgspec.structs import replace

from straykey.contain.pattern import Gap, Said
from straykey.contain.plan import Rerouted
from straykey.contain.policy import Request
from straykey.contain.request import SOURCE_IP, SOURCE_VPC, SOURCE_VPCE, VPC_SOURCE_IP
from straykey.contain.theft import Called, Caller, Theft
from straykey.core.network import Lane


class Way(Enum):
    """How a call will come."""

    RECORDED = "as it came"
    ENDPOINT = "through an endpoint of the home VPC"
    EITHER = "one or the other: nobody knows where the caller lives, or which region it called"


def way_of(caller: Caller, called: Called, theft: Theft, rerouted: Rerouted) -> Way:
    """Of a call of the workload, or of another session of its role; the thief's stay as they are."""
    if not _is_touched(called, rerouted) or called.network in theft.strays:
        return Way.RECORDED
    is_inside = _is_inside(caller, called, theft, rerouted)
    if is_inside is False:
        return Way.RECORDED
    return Way.ENDPOINT if is_inside and called.region else Way.EITHER


def _is_inside(caller: Caller, called: Called, theft: Theft, rerouted: Rerouted) -> bool | None:
    """Whether the caller is in the VPC; None where nobody knows."""
    if not caller.instance or caller.is_from_console:
        return None
    if caller.arn == theft.workload.arn:
        return called.network in theft.homes
    if caller.instance in rerouted.inside:
        return True
    is_elsewhere = caller.instance in rerouted.outside or caller.region not in ("", rerouted.region)
    return False if is_elsewhere else None


def _is_touched(called: Called, rerouted: Rerouted) -> bool:
    """Whether an endpoint takes such calls.  Those that are made have no IPv6, which goes on past them."""
    service = called.call.partition(":")[0].partition(".")[0]
    is_of_service = service in rerouted.services and called.region in ("", rerouted.region)
    return is_of_service and called.network.lane is Lane.PUBLIC


def sent(request: Request, way: Way, vpc: str) -> Request:
    """The request as it will come."""
    if way is Way.RECORDED:
        return request
    inside: dict[str, Said] = {VPC_SOURCE_IP: Gap.PRESENT, SOURCE_VPCE: Gap.PRESENT, SOURCE_VPC: vpc}
    if way is Way.EITHER:
        inside = dict.fromkeys((SOURCE_IP, *inside), Gap.UNKNOWN)
    kept = {key: said for key, said in request.context.items() if key != SOURCE_IP}
    return replace(request, context=kept | inside)
