"""A comparison as JSON: the contract of docs/contain.md; fields are added, never renamed."""

import msgspec

from straykey.contain.catalogue import ABOUT
from straykey.contain.comparison import Comparison, Weighed
from straykey.formats.text import as_json


def to_document(comparison: Comparison) -> str:
    """The theft and all options, best first."""
    theft = comparison.theft
    whole = {
        "finding": theft.finding,
        "title": theft.title,
        "role_arn": theft.role_arn,
        "session": theft.workload.arn,
        "home": msgspec.to_builtins(theft.homes),
        "stray": msgspec.to_builtins(theft.strays),
        "keys": msgspec.to_builtins(theft.keys),
        "created": msgspec.to_builtins(theft.created),
        "sisters_left_out": theft.sisters_left_out,
        "logs_end": theft.as_of,
        "planned": comparison.at,
        "account_read": comparison.account is not None,
        "account_unread": list(comparison.account.unread) if comparison.account else [],
        "options": [_option(one) for one in comparison.options],
    }
    return as_json(whole, indent=2)


def _option(one: Weighed) -> dict[str, object]:
    plan = msgspec.to_builtins(one.plan)
    return {
        **plan,
        "does": ABOUT[one.plan.option].does,
        "breaks": ABOUT[one.plan.option].breaks,
        "undo": ABOUT[one.plan.option].undo,
        "is_companion": one.plan.option.is_companion,
        "can_be_applied": not one.plan.troubles,
        "permissions": list(one.plan.permissions),
        "rehearsal": msgspec.to_builtins(one.rehearsal),
        "outage": msgspec.to_builtins(one.outage),
    }
