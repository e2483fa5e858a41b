"""What speaks for and against a theft, and how sure that makes us.

Severity says how bad it would be, confidence how sure it is; neither hides the other.
"""

from collections.abc import Callable

import msgspec

from straykey.core.agent import family
from straykey.core.beacon import own_agents
from straykey.core.evidence import Evidence, Sighting
from straykey.core.finding import Confidence, Reason

_DENIED = ("AccessDenied", "UnauthorizedOperation")
_BURST = 3


class Comparison(msgspec.Struct, frozen=True):
    """A stray beside the home it left."""

    stray: Sighting
    homes: tuple[Sighting, ...]
    evidence: Evidence
    terminated: str = ""  # when the instance was; empty if it was not, or no record tells

    @property
    def home_keys(self) -> set[str]:
        return {key for home in self.homes for key in home.keys.times}

    @property
    def home_deliveries(self) -> set[str]:
        return {delivery for home in self.homes for delivery in home.deliveries.times}


def reasons_for(case: Comparison) -> list[Reason]:
    """Every reason that holds, in a fixed order."""
    return [Reason(code, text) for code, holds in REASONS if (text := holds(case)) is not None]


def confidence_of(reasons: list[Reason]) -> Confidence:
    """Two places at one time, with something else odd, is theft; a clean move from one place to another may be none.

    Nothing honest calls for an instance that is gone.  An unseen issuance takes one step off: the home itself may be
    the thief's.
    """
    codes = {reason.code for reason in reasons}
    odd = len(codes & _ODD)
    steps = 2 if "overlaps-home" in codes and odd else 1 if "overlaps-home" in codes or odd > 1 else 0
    if "after-termination" in codes:
        return Confidence.CONFIRMED
    if "issuance-unseen" in codes:
        steps = max(0, steps - 1)
    return (Confidence.POSSIBLE, Confidence.LIKELY, Confidence.CONFIRMED)[steps]


def is_denied(error: str) -> bool:
    """AccessDenied, AccessDeniedException, Client.UnauthorizedOperation and their like."""
    return any(word in error for word in _DENIED)


def _after_termination(case: Comparison) -> str | None:
    if not case.terminated or case.stray.last.time <= case.terminated:
        return None
    return f"the instance was terminated at {case.terminated}: whoever called at {case.stray.last.time} is not it"


def _order_turned(case: Comparison) -> str | None:
    """The thief came first: the lock of 2018 would have taken his network for home."""
    if not case.homes or case.stray.first >= min(home.first for home in case.homes):
        return None
    home = min(case.homes, key=lambda one: one.first)
    return (
        f"this network called first, at {case.stray.first.time}, and is not home all the same: the evidence is for "
        f"{home.network.address}, used since {home.first.time}"
    )


def _overlaps_home(case: Comparison) -> str | None:
    stray = case.stray
    for home in case.homes:
        if stray.first.time <= home.last.time and home.first.time <= stray.last.time:
            return f"home {home.network.address} was still in use after this network's first call at {stray.first.time}"
    return None


def _single_switch(case: Comparison) -> str | None:
    if not case.homes or _overlaps_home(case):
        return None
    return "home and this network were never in use at one time: a change of address would look like this too"


def _foreign_key(case: Comparison) -> str | None:
    keys = set(case.stray.keys.times) - {""}
    return "the key used here was never used from home" if case.homes and keys and not keys & case.home_keys else None


def _imdsv1_key(case: Comparison) -> str | None:
    home = case.home_deliveries
    if "1.0" in case.stray.deliveries.times and "2.0" in home and "1.0" not in home:
        return "the key was handed out by IMDSv1, while home uses IMDSv2 only"
    return None


def _new_agent(case: Comparison) -> str | None:
    usual = {family(agent) for home in case.homes for agent in own_agents(home)}
    new = {family(agent) for agent in case.stray.agents.events if agent} - usual
    return f"programs never seen at home: {', '.join(sorted(new)[:5])}" if case.homes and new else None


def _new_calls(case: Comparison) -> str | None:
    new = case.stray.calls.times.keys() - {call for home in case.homes for call in home.calls.times}
    return f"calls never made from home: {', '.join(sorted(new)[:5])}" if case.homes and new else None


def _access_denied(case: Comparison) -> str | None:
    denied = sum(is_denied(event.error) for event in case.stray.events.kept.values())
    many = "Many" if case.stray.events.overflowed else denied
    return f"{many} calls were denied: someone is trying what the key can do" if denied >= _BURST else None


def _issuance_unseen(case: Comparison) -> str | None:
    if not case.homes or case.evidence.was_issued(case.homes[0].first.access_key):
        return None
    return "the home's first key was issued before the logs begin: home is where the logs first show it"


REASONS: tuple[tuple[str, Callable[[Comparison], str | None]], ...] = (
    ("after-termination", _after_termination),
    ("order-turned", _order_turned),
    ("overlaps-home", _overlaps_home),
    ("single-switch", _single_switch),
    ("foreign-key", _foreign_key),
    ("imdsv1-key", _imdsv1_key),
    ("new-user-agent", _new_agent),
    ("new-calls", _new_calls),
    ("access-denied", _access_denied),
    ("issuance-unseen", _issuance_unseen),
)
# Of findings that are no strays; what `service-call` and `egress-moved` say is said as of the explanation.
UNRECOGNIZED_AGENT = "unrecognized-agent"
SPOOFED_NAME = "spoofed-name"
V1_DELIVERY = "imdsv1-delivery"
OTHER_REASONS = (UNRECOGNIZED_AGENT, SPOOFED_NAME, V1_DELIVERY)
_ODD = frozenset({"foreign-key", "imdsv1-key", "new-user-agent", "new-calls", "access-denied"})
