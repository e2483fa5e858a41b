"""Whose a recorded call is: the workload's, the thief's, or of somebody who was given another key for the same name.

Where the session is at home is as the finding says, never judged anew: with other settings it might come out
differently, and then what is rehearsed would not be what was read.
"""

from collections import defaultdict
from enum import Enum

import msgspec

from straykey.contain.called import calls_of
from straykey.contain.theft import Called
from straykey.core.evidence import Evidence, instance_of, workload_of
from straykey.core.finding import Finding, FindingType
from straykey.core.holding import Holdings
from straykey.core.ledger import Settled
from straykey.core.masquerade import strange_issuances
from straykey.core.network import LOCKABLE, PUBLIC_LANES, Network
from straykey.core.pivot import Taints
from straykey.core.quiet import gone_since
from straykey.core.workload import Home

_BLIND = FindingType.RESOURCE_UNKNOWN


class Homes(msgspec.Struct, frozen=True):
    """Where the robbed session is at home.

    `keys` are those of its networks, `gone` is when its instance was terminated.  `is_blind`: without AWS's ranges
    nobody could say of a function's public addresses whether they are strange.
    """

    keys: frozenset[str]
    gone: str
    is_blind: bool

    def is_stray(self, network: Network, time: str) -> bool:
        """True for a call that the thief made; of a service, or from where nobody can read, it is not known to be."""
        if network.lane not in LOCKABLE:
            return False
        if self.gone and time > self.gone:
            return True
        is_unknown = self.is_blind and network.lane in PUBLIC_LANES
        return network.key not in self.keys and not is_unknown


def homes_of(finding: Finding, evidence: Evidence, ledger: Settled) -> Homes:
    """The homes that the finding names."""
    workload, _ = workload_of(evidence)
    return Homes(
        keys=frozenset(f"{home.lane} {home.vpc_endpoint or ''} {home.address}" for home in finding.home),
        gone=gone_since(instance_of(evidence)[0], Holdings(ledger.grants)),
        is_blind=workload is not None and workload.home is Home.REGION and finding.type is _BLIND,
    )


class Hands(Enum):
    """How a key came to who uses it: by who runs the workload, by an API that somebody called, by the console."""

    OWN = "own"
    MADE = "made"
    CONSOLE = "console"


class Group(msgspec.Struct, frozen=True):
    """Calls of one session whose keys came the same way, all of them the thief's or none."""

    hands: Hands
    is_thiefs: bool


Grouped = dict[Group, list[Called]]


class Whose(msgspec.Struct, frozen=True):
    """All that tells whose a call is.  `made`: by key the API that made it; `tainted`: what is the thief's of that."""

    robbed: str
    homes: Homes
    made: dict[str, str]
    tainted: Taints

    def group(self, arn: str, called: Called, strange: frozenset[str]) -> Group:
        """Of a call by `arn`; `strange` are keys which a service was given that had no business to."""
        key = called.access_key
        api = self.made.get(key, "AssumeRole" if key in strange else "")
        hands = Hands.CONSOLE if api == "GetSigninToken" else Hands.MADE if api else Hands.OWN
        is_robbed = arn == self.robbed and self.homes.is_stray(called.network, called.time)
        return Group(hands, is_robbed or self.tainted.covers(arn, key, called.time))


def grouped(evidence: Evidence, whose: Whose) -> Grouped:
    """A session's calls, in order of time, by whose they are."""
    strange = frozenset(one.access_key for one in strange_issuances(evidence))
    found: Grouped = defaultdict(list)
    for called in calls_of(evidence):
        found[whose.group(evidence.session.arn, called, strange)].append(called)
    return dict(found)
