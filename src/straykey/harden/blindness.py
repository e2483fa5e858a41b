"""What the detector cannot see, and the setting that mends it, as values."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from straykey.harden.command import Argv

# How to take it back by hand, by operation.
_BACK: Mapping[str, str] = {
    "create-trail": "delete-trail deletes it. It does not log before start-logging",
    "start-logging": "stop-logging stops it",
    "update-trail": "say to update-trail what get-trail said before",
    "put-event-selectors": "say to put-event-selectors what get-event-selectors said before",
}


class Blind(StrEnum):
    """Kinds of blindness, the worst first."""

    NO_TRAIL = "no-trail"
    NOT_LOGGING = "not-logging"
    NOT_DELIVERING = "not-delivering"
    MANAGEMENT = "management-events"
    READ = "reading-calls"
    WRITE = "writing-calls"
    ISSUANCE = "ec2-issuance"
    REGION = "region"
    ACCOUNT = "account"
    GLOBAL = "global-services"
    EXCLUDED = "excluded-sources"
    SILENT = "silent"
    ORGANIZATION = "organization"
    DATA = "data-events"
    NETWORK = "network-activity"


class Sign(StrEnum):
    """What tells of it."""

    SETTING = "setting"  # of a trail: that is so
    RECORDS = "records"  # what was read, or what was not: the settings are not known from it


class Gap(msgspec.Struct, frozen=True):
    """`unseen` is what the detector cannot see, `mend` the setting in words, `command` the call that sets it.

    `covered_by` names other trails of the account that record it: then it is a gap only for who reads this trail.
    `also` names others that leave it out as well: one trail that records it is enough.
    `adds` names all that the command lets the trail record besides what it does.  `owner` is whose credentials the
    command wants.  `cost` warns where the mend is charged for.
    """

    blind: Blind
    sign: Sign
    account: str
    unseen: str
    mend: str
    trail: str = ""
    regions: tuple[str, ...] = ()
    command: Argv = ()
    adds: tuple[str, ...] = ()
    owner: str = ""
    cost: str = ""
    covered_by: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


def listed(gap: Gap) -> str:
    """All that must be known before it is run."""
    where = f" in {', '.join(gap.regions)}" if gap.regions else ""
    said = [f"Not seen of {gap.account}{where}: {gap.unseen}. To mend it: {gap.mend}"]
    said += [f"It adds {', '.join(gap.adds)}"] if gap.adds else []
    said += [gap.cost] if gap.cost else []
    said += [f"Recorded already by {', '.join(gap.covered_by)}: read that one"] if gap.covered_by else []
    said += [f"Left out by {', '.join(gap.also)} as well: one is enough"] if gap.also else []
    back = _BACK.get(gap.command[2], "note first how it is set") if gap.command else ""
    return (
        ". ".join([*said, f"Nothing here takes it back: {back}" if gap.command else "There is no command for it"]) + "."
    )
