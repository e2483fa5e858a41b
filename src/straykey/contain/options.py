"""All ways to contain one theft, each as a plan: nothing here touches AWS."""

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec.structs import replace

from straykey.contain.account import Account
from straykey.contain.broad import deny_all, revoke
from straykey.contain.catalogue import ABOUT
from straykey.contain.companions import imdsv2, isolate, stop
from straykey.contain.endpoints import vpc_endpoint
from straykey.contain.everywhere import pin_everywhere
from straykey.contain.ground import Draft, Ground, other_account, standing, undeniable, wrong_names
from straykey.contain.pin import pin
from straykey.contain.plan import Option, Plan, Trouble
from straykey.contain.swap import swap_role
from straykey.contain.theft import Theft
from straykey.errors import UsageError

_MAKING: Mapping[Option, Callable[[Ground], Draft]] = {
    Option.PIN: pin,
    Option.PIN_EVERYWHERE: pin_everywhere,
    Option.VPC_ENDPOINT: vpc_endpoint,
    Option.REVOKE: revoke,
    Option.SWAP_ROLE: swap_role,
    Option.DENY_ALL: deny_all,
    Option.ISOLATE: isolate,
    Option.IMDSV2: imdsv2,
    Option.STOP: stop,
}
_ON_INSTANCE = frozenset({Option.VPC_ENDPOINT, Option.SWAP_ROLE, Option.ISOLATE, Option.IMDSV2, Option.STOP})


def plans_of(theft: Theft, account: Account | None, at: str) -> list[Plan]:
    """One plan for every option, in the order of `Option`; what cannot be applied says why in its troubles.

    `at` is the time of planning, in UTC, as `2026-05-04T10:41:00Z`.  Without an account the plans say what could not
    be checked.  Raises UsageError where `at` is no time.
    """
    if not _is_time(at):
        raise UsageError("the time of planning is no time in a zone", hint="such as 2026-05-04T10:41:00Z")
    ground = Ground(theft, account, at)
    return [_plan(ground, option) for option in Option]


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _plan(ground: Ground, option: Option) -> Plan:
    hopeless = _hopeless(ground, option)
    draft = Draft(troubles=hopeless) if hopeless else _MAKING[option](ground)
    if option in _ON_INSTANCE and not ground.theft.workload.instance and not hopeless:
        hint = "pin, revoke and deny-all need no instance"
        nowhere = Trouble("The stolen keys are of no EC2 instance: there is none to act on", hint)
        draft = replace(draft, steps=(), troubles=(nowhere,))  # its denies can be rehearsed all the same
    if not option.is_companion and ground.role is None and not ground.theft.is_role_arn_known:
        draft = replace(draft, notes=(*draft.notes, "The role's path is in no record: its ARN may be another."))
    if not option.is_companion:
        draft = replace(draft, notes=(*draft.notes, *standing(ground, option)))
    return draft.plan(option, ABOUT[option].limits)


def _hopeless(ground: Ground, option: Option) -> tuple[Trouble, ...]:
    """Why no plan can be made at all."""
    said = (*wrong_names(ground), *other_account(ground))
    if option in _ON_INSTANCE and ground.theft.workload.instance and not ground.theft.workload.region:
        said = (*said, Trouble("The logs do not name the instance's region", "give --ip-ranges, or more of the logs"))
    return said if option.is_companion else (*said, *undeniable(ground))
