"""Trails in few words."""

from straykey.contain.account import Endpoint
from straykey.harden.posture import BasicSelector, Gate, Organization, Posture, Region, Selector, Trail

ACCOUNT, REGION, LEADER = "111122223333", "eu-west-1", "us-east-1"


def trail(
    name: str = "main",
    *basic: BasicSelector,
    advanced: tuple[Selector, ...] = (),
    home: str = REGION,
    is_multi_region: bool = True,
    has_global_events: bool = True,
    is_logging: bool | None = True,
    delivery_error: str = "",
    is_organization: bool = False,
) -> Trail:
    return Trail(
        name=name,
        arn=f"arn:aws:cloudtrail:{home}:{ACCOUNT}:trail/{name}",
        home_region=home,
        is_multi_region=is_multi_region,
        has_global_events=has_global_events,
        is_organization=is_organization,
        is_logging=is_logging,
        delivery_error=delivery_error,
        basic=basic,
        advanced=advanced,
    )


def posture(*trails: Trail, organization: Organization | None = None, services: tuple[str, ...] = ()) -> Posture:
    gates = tuple(
        Gate(Endpoint(f"vpce-{name}", "vpc-0ddd", f"com.amazonaws.{REGION}.{name}", "Interface", "available"), True)
        for name in services
    )
    return Posture(ACCOUNT, organization=organization, regions=(Region(REGION, gates=gates),), trails=trails)
