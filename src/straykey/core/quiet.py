"""Sessions that need no weighing: their own evidence says that all of it is home.

Most sessions have one network, which is home by first use.  What weighing them would say is known beforehand, and only
what they tell of others is kept.
"""

from straykey.core.evidence import Evidence, Sighting
from straykey.core.holding import Holds
from straykey.core.moment import later
from straykey.core.network import LOCKABLE, Lane
from straykey.core.settings import Settings
from straykey.core.tenant import only_sighting
from straykey.core.workload import Home, Workload

GRACE_SECONDS = 900  # an instance may call on while it shuts down


def gone_since(instance: str, holdings: Holds) -> str:
    """When an instance was terminated for good, and 15 minutes; empty where no record tells."""
    grant = holdings.terminated(instance) if instance else None
    return later(grant.time, GRACE_SECONDS) if grant else ""


def only_home(
    evidence: Evidence, workload: Workload, settings: Settings, *, gone: str, spoofed: frozenset[str]
) -> Sighting | None:
    """The one network a session could be at home in, where `weigh` would find it home, and nothing else of note."""
    home = _only_lockable(evidence) if workload.home is Home.LOCKED and _is_told(evidence, settings) else None
    if home is None or home.keys.overflowed or not spoofed.isdisjoint(home.keys.times):
        return None
    is_in_time = is_before_end(home.last.time, gone)
    is_issued = not settings.require_issuance or any(map(evidence.was_issued, home.keys.times))
    return home if is_in_time and is_issued else None


def is_before_end(last: str, gone: str) -> bool:
    """True for what was used last while its instance lived."""
    return not gone or last <= gone


def _only_lockable(evidence: Evidence) -> Sighting | None:
    only = only_sighting(evidence)
    if only is not None:
        return only if only.network.lane in LOCKABLE else None
    lockable = [one for one in evidence.sightings.values() if one.network.lane in LOCKABLE]
    return lockable[0] if len(lockable) == 1 and _is_all(evidence, lockable[0]) else None


def _is_told(evidence: Evidence, settings: Settings) -> bool:
    """False where services that acted are to be reported, and one did."""
    if not settings.report_service_calls:
        return True
    return all(lane is not Lane.SERVICE for lane in evidence.earliest)


def _is_all(evidence: Evidence, home: Sighting) -> bool:
    """True if no other network of these lanes fell out of the bounds."""
    key = home.network.key
    return all(network.key == key for _, network in evidence.earliest.values() if network.lane in LOCKABLE)
