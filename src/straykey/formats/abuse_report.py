"""A report for AWS Trust & Safety, in plain text: what they ask for, and nothing of which they need not know.

What to say: https://repost.aws/knowledge-center/report-aws-abuse
"""

from collections.abc import Iterator

from straykey.core.finding import Finding, FindingType
from straykey.errors import UsageError
from straykey.formats.text import printable

MAIL = "trustandsafety@support.aws.com"
FORM = "https://support.aws.amazon.com/#/contacts/report-abuse"
_OUTSIDE = frozenset({FindingType.OUTSIDE_AWS, FindingType.RESOURCE_OUTSIDE_AWS})
_UNKNOWN = frozenset({FindingType.UNKNOWN, FindingType.RESOURCE_UNKNOWN})
_MOST_AGENTS = 8


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
    if finding.type in _OUTSIDE:
        return "the address is none of AWS's: report it to whom it belongs to (whois); AWS can do nothing about it"
    if finding.type in _UNKNOWN:
        return "whether the address is AWS's is not known: scan with --ip-ranges, and look before you send this"
    return ""


def _lines(finding: Finding) -> Iterator[str]:
    stray, session = finding.stray, finding.session
    yield f"To: {MAIL} (or by the form: {FORM})"
    yield f"Subject: Stolen AWS credentials used from {stray.address}"
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
