"""All options for one theft side by side, best first: what each stops, what it breaks, and for how long."""

import msgspec

from straykey.contain.account import Account
from straykey.contain.options import plans_of
from straykey.contain.outage import Outage, outage_of
from straykey.contain.plan import Plan
from straykey.contain.recorded import with_role_id
from straykey.contain.rehearse import Rehearsal, best_first, rehearse
from straykey.contain.theft import Theft


class Weighed(msgspec.Struct, frozen=True):
    """One option; without an `outage` it takes no keys from the workload.

    `rehearsal` is None where there ought to be a policy to put to the calls, and the plan's troubles say why not.
    """

    plan: Plan
    rehearsal: Rehearsal | None
    outage: Outage | None


class Comparison(msgspec.Struct, frozen=True):
    """`account` is None where plans were made from the logs alone."""

    theft: Theft
    account: Account | None
    at: str
    options: tuple[Weighed, ...]


def compared(theft: Theft, account: Account | None, at: str) -> Comparison:
    """Plan and rehearse every option at that time, in the form of `core.moment`."""
    if account is not None and account.role is not None:
        theft = with_role_id(theft, account.role.id)
    endpoints = account.endpoints if account else ()
    plans = plans_of(theft, account, at)
    rehearsed = best_first((plan, rehearse(theft, plan, endpoints) if _has_say(plan) else None) for plan in plans)
    weighed = (Weighed(plan, rehearsal, outage_of(theft, plan, at)) for plan, rehearsal in rehearsed)
    return Comparison(theft, account, at, tuple(weighed))


def _has_say(plan: Plan) -> bool:
    """False for a plan that is one by name only: that it lets all calls pass would be no answer."""
    return plan.option.is_companion or bool(plan.denies)
