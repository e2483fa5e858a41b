"""A finding as a message for a Slack webhook, for somebody whom it woke: what, whose, from where, how sure, what now.

No text from a log acts in Slack: none mentions anybody, is a link, or leaves the code marks it stands in.  So every
such text goes through `_code` or `_plain`, and Slack is told to make nothing of what looks like a link.
"""

import re
import shlex
from collections.abc import Sequence
from itertools import accumulate, takewhile

from straykey.core.finding import Finding, FindingType
from straykey.formats import known
from straykey.formats.text import printable

_LONGEST_HEADER = 150
_LONGEST_VALUE = 180
_LONGEST_REASON = 400
_LONGEST_COMMAND = 500
_LONGEST_ENTITY = 5
_MOST_REASONS = 6
_MOST_KEYS = 3
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BACKTICK = "\u02cb"
_ARN = re.compile(r"arn:[a-z0-9-]+:sts::[0-9]*:assumed-role/[\w+=,.@-]{1,64}/[\w+=,.@-]{1,64}", re.ASCII)


def to_message(finding: Finding, arguments: Sequence[str] = ()) -> dict[str, object]:
    """`arguments`: the paths and options of the scan, for the command that explains it."""
    head = _headline(finding)
    return {
        "text": head,
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": head, "emoji": False}},
            _section(_facts(finding)),
            _section(_why(finding)),
            _section(["*Next*", f"```{_command(finding, arguments)}```"]),
            {"type": "context", "elements": [_marked(f"{_code(finding.type.value)} id {_code(finding.id)}")]},
        ],
    }


def _headline(finding: Finding) -> str:
    status = "" if finding.status == "open" else f"{finding.status.upper()}: "
    return _plain(f"{status}{finding.severity.value}, {finding.confidence.value}: {finding.title}", _LONGEST_HEADER)


def _section(lines: Sequence[str]) -> dict[str, object]:
    return {"type": "section", "text": _marked("\n".join(lines))}


def _marked(text: str) -> dict[str, object]:
    """`verbatim`: Slack shall not make links and mentions of what looks like them."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _facts(finding: Finding) -> list[str]:
    """What is not known has no line."""
    session, stray = finding.session, finding.stray
    keys = finding.access_keys[:_MOST_KEYS]
    more = f" and {len(finding.access_keys) - len(keys)} more" if len(finding.access_keys) > len(keys) else ""
    facts = {
        "Whose": _whose(finding),
        "Account": f"{_code(session.account)}{f' in {_code(session.region)}' if session.region else ''}",
        "From": _place(finding),
        "Seen": f"{_code(stray.first_seen)} to {_code(stray.last_seen)}",
        "Calls": f"{'about ' if stray.count_is_estimate else ''}{stray.count}, {stray.errors} failed",
        "Keys": f"{', '.join(map(_code, keys))}{more}",
        "Made with them": f"{finding.pivots_count} sessions, keys or users",
    }
    left_out = {
        "Calls": not stray.calls,
        "Keys": not keys,
        "From": not stray.address,
        "Made with them": not finding.pivots_count,
    }
    return [f"*{name}*  {text}" for name, text in facts.items() if not left_out.get(name)]


def _whose(finding: Finding) -> str:
    session, count = finding.session, len(finding.sessions)
    if known.is_about_many(finding):
        return f"{count} session{'s' * (count != 1)}, such as {_code(session.arn)}"
    if finding.type is FindingType.SPOOFED_NAME:
        return f"role {_code(session.role)}, in the name of {_code(session.instance_id or session.arn)}"
    return f"role {_code(session.role)}, {session.workload} {_code(session.instance_id or session.arn)}"


def _place(finding: Finding) -> str:
    stray = finding.stray
    parts = [_code(stray.address or "")]
    if stray.vpc_endpoint:
        parts.append(f"through {_code(stray.vpc_endpoint)}")
    if stray.aws_region:
        parts.append(f"in AWS {_code(stray.aws_region)}")
    if stray.account:
        parts.append(f"of account {_code(stray.account)} ({'ours' if stray.affiliated else 'not ours'})")
    return " ".join(parts)


def _why(finding: Finding) -> list[str]:
    told = [f"• {_code(reason.text, _LONGEST_REASON)}" for reason in finding.reasons[:_MOST_REASONS]]
    more = len(finding.reasons) - len(told)
    return [f"*Why {finding.confidence.value}*", *told, *([f"• and {more} more"] if more else [])]


def _command(finding: Finding, arguments: Sequence[str]) -> str:
    """What may be pasted into a shell: whole and unchanged, and of the log only what AWS allows in a name.

    What cannot be shown so is a word in capitals.
    """
    arn = finding.session.arn
    session = known.instance_of(finding) or (arn if _ARN.fullmatch(arn) else "SESSION")
    command = shlex.join(["straykey", "explain", session, *(arguments or ["PATH"])])
    is_as_meant = len(command) <= _LONGEST_COMMAND and printable(command) == command and "`" not in command
    command = command if is_as_meant else f"straykey explain {session} PATH"
    return _plain(command, len(command) * _LONGEST_ENTITY)


def _code(text: str, most: int = _LONGEST_VALUE) -> str:
    """Text from a log between code marks, which nothing in it can end."""
    return f"`{_plain(text, most) or 'unknown'}`"


def _plain(text: str, most: int) -> str:
    """Text from a log as it must be written in a message; cut, if need be, between two characters."""
    written = [_ENTITIES.get(char, char) for char in printable(text).replace("`", _BACKTICK)]
    if sum(map(len, written)) <= most:
        return "".join(written)
    lengths = takewhile(lambda length: length < most, accumulate(map(len, written)))
    return "".join(written[: sum(1 for _ in lengths)]) + "…"
