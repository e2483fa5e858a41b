"""What a session runs, which instance and where: asked of every session, so found out once, and fast."""

import msgspec

from straykey.core.evidence import Evidence, Sighting, instance_of, workload_of
from straykey.core.session import is_instance_id
from straykey.core.workload import INSTANCE, Home, Workload, by_name


class Tenant(msgspec.Struct, frozen=True, gc=False):
    """`instance` and `region` are empty where unknown; `workload` is None for people and services."""

    arn: str
    workload: Workload | None
    instance: str
    region: str

    @property
    def who(self) -> str:
        """Whom the session belongs to: an instance has several, and is still but one."""
        return self.instance or self.arn

    @property
    def is_locked(self) -> bool:
        return self.workload is not None and self.workload.home is Home.LOCKED


def tenant_of(evidence: Evidence) -> Tenant:
    """What `workload_of` and `instance_of` tell; the short way is for sessions that no `inScopeOf` names."""
    session = evidence.session
    if evidence.scopes.times:
        return Tenant(session.arn, workload_of(evidence)[0], *instance_of(evidence))
    instance = session.name if is_instance_id(session.name) else ""
    region = min((one.region for one in evidence.issuances.values() if one.region), default="")
    return Tenant(session.arn, _workload(evidence), instance, region)


def _workload(evidence: Evidence) -> Workload | None:
    for one in evidence.sightings.values():
        if one.deliveries.times:
            return INSTANCE
    return workload_of(evidence)[0] if evidence.issuances else by_name(evidence.session)


def only_sighting(evidence: Evidence) -> Sighting | None:
    """The one network a session is known from; None if there are several, or one that fell out of the bounds."""
    if len(evidence.sightings) != 1 or len(evidence.earliest) != 1:
        return None
    ((key, sighting),) = evidence.sightings.items()
    ((_, network),) = evidence.earliest.values()
    return sighting if network.key == key else None
