"""A report of a stolen key's use for who can stop the caller, in plain text: nothing of which they need not know.

That is AWS Trust & Safety where the address is AWS's, else the network that holds it.
What to say: https://repost.aws/knowledge-center/report-aws-abuse
"""

from collections.abc import Iterator
from enum import Enum

from straykey.core.finding import Finding, FindingType, Stray
from straykey.core.network import Lane
from straykey.errors import UsageError
from straykey.formats.text import printable

MAIL = "trustandsafety@support.aws.com"
FORM = "https://support.aws.amazon.com/#/contacts/report-abuse"
_OUTSIDE = frozenset({FindingType.OUTSIDE_AWS, FindingType.RESOURCE_OUTSIDE_AWS})
_INSIDE = frozenset({FindingType.INSIDE_AWS, FindingType.RESOURCE_INSIDE_AWS})
_OF_AWS = frozenset({Lane.ENDPOINT.value, Lane.PRIVATE.value})  # only AWS knows who is behind these
_MOST_AGENTS = 8


class Holder(Enum):
    """Whose network the thief's address is."""

    AWS = "AWS's"
    OTHERS = "none of AWS's"
    UNKNOWN = "not known"


def render(finding: Finding) -> str:
    """The whole report.  Raises `UsageError` for a finding that tells of no address."""
    if not finding.stray.address:
        raise UsageError(
            f"finding {finding.id[:12]}: it tells of no address",
            hint="only the use of a key from elsewhere can be reported",
        )
    return "\n".join(printable(line) for line in _lines(finding)) + "\n"


def warning(finding: Finding) -> str:
    """What to think of before it is sent; empty if nothing."""
    strike = "it names your account and role: strike out what they need not know"
    match _holder(finding):
        case Holder.OTHERS:
            return (
                f"the address is none of AWS's, and AWS can do nothing about it: send this to whom it belongs to "
                f"(whois {printable(finding.stray.address or '')}); {strike}"
            )
        case Holder.UNKNOWN:
            return f"whether the address is AWS's is not known: scan with --ip-ranges, or ask whois; {strike}"
        case Holder.AWS if finding.stray.affiliated:
            return f"account {printable(finding.stray.account or '')} is one of yours: look there before you send this"
    return ""


def _holder(finding: Finding) -> Holder:
    if finding.type in _OUTSIDE:
        return Holder.OTHERS
    stray = finding.stray
    is_aws = finding.type in _INSIDE or stray.account or stray.aws_region or stray.vpc_endpoint or stray.lane in _OF_AWS
    return Holder.AWS if is_aws else Holder.UNKNOWN


def _head(finding: Finding) -> Iterator[str]:
    """To whom, about what, and whose address it is as far as anybody knows."""
    address, holder = finding.stray.address, _holder(finding)
    aws = f"{MAIL} (or by the form: {FORM})"
    network = f"the abuse contact of the network that holds {address} (whois or RDAP names it: abuse-c)"
    match holder:
        case Holder.AWS:
            yield f"To: {aws}"
        case Holder.OTHERS:
            yield f"To: {network}"
        case Holder.UNKNOWN:
            yield f"To: {network}; if that is AWS: {aws}"
    yield f"Subject: Stolen AWS credentials used from {address}"
    yield f"Whose address: {_whose(holder, finding.stray)}"


def _whose(holder: Holder, stray: Stray) -> str:
    if holder is Holder.OTHERS:
        return "none of AWS's, by the address ranges that AWS publishes"
    if holder is Holder.UNKNOWN:
        return "not known to us"
    if stray.account:
        ours = {True: ", another account of ours", False: ", which is not ours", None: ""}[stray.affiliated]
        return f"in AWS, used by account {stray.account}{ours}"
    return "in AWS"


def _lines(finding: Finding) -> Iterator[str]:
    stray, session = finding.stray, finding.session
    yield from _head(finding)
    yield ""
    yield "Type of abuse: use of stolen credentials (intrusion). All times are UTC."
    yield ""
    yield from _about("Source address", stray.address)
    yield from _about("Through VPC endpoint", stray.vpc_endpoint)
    yield from _about("AWS account the calls came from", stray.account)
    yield from _about("AWS region of the address", stray.aws_region)
    yield from _about("First seen", stray.first_seen)
    yield from _about("Last seen", stray.last_seen)
    yield from _about("Calls", f"{'about ' if stray.count_is_estimate else ''}{stray.count}, {stray.errors} refused")
    yield from _about("Programs", "; ".join(stray.user_agents[:_MOST_AGENTS]))
    yield ""
    yield from _about("Our account", session.account)
    yield from _about("Whose credentials", session.arn)
    yield from _about("Access keys", ", ".join(finding.access_keys))
    yield ""
    yield f"These are temporary keys of a workload of ours ({session.workload}), used from where it does not run."
    yield "How we know:"
    yield from (f"- {reason.text}" for reason in finding.reasons)
    yield ""
    yield "AWS CloudTrail of our account (time, source, call, region, outcome, event id):"
    for event in finding.events:
        place = event.region or "-"
        yield f"{event.time} {stray.address} {event.call} {place} {event.error or 'succeeded'} {event.event_id}"
    yield ""
    yield f"Our reference: finding {finding.id}"


def _about(name: str, value: str | None) -> Iterator[str]:
    if value:
        yield f"{name}: {value}"
