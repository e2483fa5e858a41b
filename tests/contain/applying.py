"""Apply and take back as a command does, but for time, which passes only while somebody sleeps."""

from __future__ import annotations

from straykey.contain.apply import Applied, Hook, Point, apply, no_hook
from straykey.contain.check import Order
from straykey.contain.patience import Clock
from straykey.contain.plan import Plan
from straykey.contain.rollback import RolledBack, roll_back
from straykey.ports import Containment, Phase
from straykey.stores.journal import SqlJournal, containments_for
from tests.contain.grounds import ACCOUNT, REGION, clients

ORDER = Order("f" * 32, ACCOUNT, REGION, "2026-05-04T10:41:00Z")
SIMULATE = "Action=SimulatePrincipalPolicy"


class Time:
    """Passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.seconds, self.sleep)


class CrashError(BaseException):
    """The process ends."""


class CrashAfter:
    """A hook that lets so many points pass."""

    def __init__(self, points: int) -> None:
        self.left = points

    def __call__(self, _: Point, __: int) -> None:
        if not self.left:
            raise CrashError
        self.left -= 1


def applied(plan: Plan, journal: SqlJournal, hook: Hook = no_hook, time: Time | None = None) -> Applied:
    return apply(plan, ORDER, journal, clients(), (time or Time()).clock, step_hook=hook)


def taken_back(
    identity: str, journal: SqlJournal, hook: Hook = no_hook, *, time: Time | None = None, is_forced: bool = False
) -> RolledBack:
    clock = (time or Time()).clock
    return roll_back(identity, journal, clients(), clock, step_hook=hook, is_forced=is_forced)


def latest(journal: SqlJournal) -> Containment:
    """The one that is not rolled back, or any."""
    with journal._database.snapshot() as connection:
        kept = containments_for(connection, ORDER.finding)
    return next((one for one in kept if one.phase is not Phase.ROLLED_BACK), kept[-1])


def simulation(decision: str, missing: str = "", action: str = "iam:PutRolePolicy") -> str:
    """What IAM says of a call, and which condition it does not know."""
    lacking = f"<MissingContextValues><member>{missing}</member></MissingContextValues>" if missing else ""
    said = f"<EvalActionName>{action}</EvalActionName><EvalDecision>{decision}</EvalDecision>{lacking}"
    results = f"<EvaluationResults><member>{said}</member></EvaluationResults>"
    answer = "SimulatePrincipalPolicy"
    return f"<{answer}Response><{answer}Result>{results}</{answer}Result></{answer}Response>"
