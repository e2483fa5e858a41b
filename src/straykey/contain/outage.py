"""How long the workload is out, where a plan denies the keys it holds.

New keys come in two steps, and neither hears of a denial: EC2 puts new ones into the metadata service about every hour,
at the latest 5 minutes before the old ones end; and a program asks for them when those it holds are about to end, as
botocore does: it tries from 15 minutes before on, and must have them 10 minutes before.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
https://github.com/boto/botocore/blob/develop/botocore/credentials.py
"""

from itertools import pairwise
from statistics import median_low

import msgspec
from msgspec.structs import replace

from straykey.contain.plan import Option, Plan
from straykey.contain.theft import Key, Theft
from straykey.core.moment import later, seconds
from straykey.core.session import IDENTITY_ROLE

_ADVISORY_SECONDS = 15 * 60
_TOGETHER_SECONDS = 30  # keys handed out so close are one renewal: EC2 gives one for each version of IMDS
_USUAL_SECONDS = 3600
_MOST_SECONDS = 7 * 3600  # EC2's keys were seen to live for 6 h to 6 h 35 min; no page says for how long
_UNTIL_UNDONE = {
    Option.DENY_ALL: "All keys of the role are denied, new ones too, until the policy is taken away again.",
    Option.ISOLATE: "The instance reaches nothing, and nothing reaches it, until it has its security groups back.",
    Option.STOP: "The instance is off until it is started again.",
}


class Outage(msgspec.Struct, frozen=True):
    """`until_earliest`: when what asks for new keys then, by a restart say, works again; `until_latest`: when all does.

    Empty where there is no telling, or no end until the plan is undone; `why` says which, in full sentences.
    """

    until_earliest: str
    until_latest: str
    why: str


def outage_of(theft: Theft, plan: Plan, at: str) -> Outage | None:
    """How long the workload is out if the plan is applied at that time; None for what takes no keys from it.

    A call that a plan breaks by where it comes from is no outage: that is the rehearsal's to say.
    """
    if theft.gone_since:
        return None  # nothing is left that could be out
    if plan.option in _UNTIL_UNDONE and not _is_free(theft, plan.option):
        return Outage("", "", _UNTIL_UNDONE[plan.option])
    if plan.option not in (Option.REVOKE, Option.SWAP_ROLE) or _is_free(theft, plan.option):
        return None
    reckoned = {key: _with_end(theft, key) for key in theft.keys if key.issued < at}
    held = [key for key in reckoned.values() if not key.expires or key.expires > at]
    said = f" {_RECKONED}" if any(key != as_told for as_told, key in reckoned.items()) else ""
    if not held:
        why = f"No key of the workload is known that was handed out before {at} and is still good then."
        return Outage("", "", why + said)
    found = _renewal(theft, plan.option, at, held)
    return replace(found, why=found.why + said)


_RECKONED = (
    "Where the logs do not tell a key's end, it is taken to be 7 hours after its issue at the latest, as EC2's are."
)


def over_since(theft: Theft, at: str) -> str:
    """When the last of the session's keys ended, if all have by then; empty if one may still be good."""
    ends = [_with_end(theft, key).expires for key in theft.keys]
    return max(ends) if ends and all(ends) and max(ends) < at else ""


def _with_end(theft: Theft, key: Key) -> Key:
    """The same, with the latest end it can have where the logs tell none: else last week's keys were held for ever.

    It was issued before it was used, so the first use that is known will do.
    """
    used = min((one.time for one in theft.workload.calls if one.access_key == key.access_key), default="")
    since = key.issued or used
    if key.expires or not since or not theft.workload.is_delivered_by_ec2:
        return key
    return replace(key, expires=later(since, _MOST_SECONDS))


def _is_free(theft: Theft, option: Option) -> bool:
    """True where no policy applies, so none takes a key away."""
    return theft.workload.role == IDENTITY_ROLE and not option.is_companion


def _renewal(theft: Theft, option: Option, at: str, held: list[Key]) -> Outage:
    """Out until new keys come, which are good."""
    is_ec2 = theft.workload.is_delivered_by_ec2
    latest, why_latest = _latest(theft, at, held, _ADVISORY_SECONDS if is_ec2 else 0)
    if not is_ec2:
        return Outage("", latest, f"When its service hands out new keys the logs do not say. {why_latest}")
    if option is Option.SWAP_ROLE:
        why = "IMDS serves keys of the new role as soon as it is in place: what is restarted works at once."
        return Outage(at, latest, f"{why} {why_latest}")
    earliest, why = _next_renewal(theft, at)
    return Outage(earliest, latest, f"{why} {why_latest}")


def _next_renewal(theft: Theft, at: str) -> tuple[str, str]:
    """When IMDS will have new keys, if it goes on as before."""
    issued = sorted({key.issued for key in theft.keys if "" < key.issued < at})
    if not issued:
        return "", "IMDS serves the revoked keys until EC2 renews them; when it last did the logs do not say."
    gap, is_known = _gap(issued)
    behind = max(0, seconds(at) - seconds(issued[-1]))
    earliest = later(issued[-1], max(1, -(-behind // gap)) * gap)
    pace = f"every {round(gap / 60)} minutes, as it did" if is_known else "about every hour, as it usually does"
    return earliest, (
        f"IMDS serves the revoked keys until EC2 renews them. If it goes on to do so {pace}, what is restarted works "
        f"again from {earliest} on; EC2 may take until 5 minutes before they end."
    )


def _gap(issued: list[str]) -> tuple[int, bool]:
    """Seconds from one renewal to the next, and whether the logs tell."""
    gaps = [seconds(after) - seconds(before) for before, after in pairwise(issued)]
    told = [gap for gap in gaps if gap > _TOGETHER_SECONDS]
    return (median_low(told), True) if told else (_USUAL_SECONDS, False)


def _latest(theft: Theft, at: str, held: list[Key], before: int) -> tuple[str, str]:
    """When the last program will have asked for new keys: so many seconds before the last of the old ones ends."""
    known = [key for key in held if key.expires and key.issued]
    newest = max(known, key=lambda key: (key.issued, key.expires), default=None)
    if newest is None or _outlives(theft, held, newest):
        return (
            "",
            "A program that runs on holds its keys until shortly before they end; when that is the logs do not say.",
        )
    last = max(key.expires for key in held)
    unseen = later(at, seconds(newest.expires) - seconds(newest.issued))
    gap, _ = _gap(sorted({key.issued for key in known}))
    is_behind = at > later(newest.issued, gap)
    latest = max(at, later(max(last, unseen) if is_behind else last, -before))
    why = (
        f"A program that runs on may hold its keys until {latest}: no denial makes it ask for new ones, a restart does."
    )
    if is_behind:
        why += f" The logs end at {theft.as_of}; keys handed out since then, which they do not show, are reckoned with."
    return latest, why


def _outlives(theft: Theft, held: list[Key], newest: Key) -> bool:
    """True if a key whose end is unknown may end after the newest: it is in use since, and was not in use before."""
    first_used: dict[str, str] = {}
    for called in theft.workload.calls:
        first_used.setdefault(called.access_key, called.time)
    unknown = [key for key in held if not key.expires and key.access_key in first_used]
    return any((key.issued or first_used[key.access_key]) > newest.issued for key in unknown)
