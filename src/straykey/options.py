"""What a user may say on the command line, and what is meant by it.

The text of an option becomes settings, ranges, a period here, or a `UsageError` that names the option.
"""

import ipaddress
from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from platformdirs import user_cache_path

from straykey import pipeline
from straykey.core.moment import moment
from straykey.core.network import IPNetwork, is_account
from straykey.core.settings import Settings
from straykey.errors import UsageError
from straykey.formats import allow_list
from straykey.formats.text import printable
from straykey.sources import aws_ranges

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH",
        help="CloudTrail files, folders of them, - for stdin, s3://bucket/prefix, "
        "or history:[REGION,…] for AWS's own 90 days.",
    ),
]
IpRanges = Annotated[
    Path | None,
    typer.Option("--ip-ranges", metavar="FILE", help="AWS's ip-ranges.json; default: a copy downloaded once a week."),
]
Offline = Annotated[bool, typer.Option("--offline", help="Never download the ranges; use the cached copy if any.")]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", metavar="N", min=1, help="Processes that read; default: as many as processors."),
]
Accounts = Annotated[
    str,
    typer.Option("--accounts", metavar="IDS|FILE", help="Accounts of ours besides those whose records are read."),
]
Trusted = Annotated[
    list[str],
    typer.Option("--trusted-network", metavar="CIDR", help="A network that is fine for every session; repeatable."),
]
Since = Annotated[
    str, typer.Option("--since", metavar="TIME", help="Read records from this time on (2026-05-04T10:00Z).")
]
Until = Annotated[str, typer.Option("--until", metavar="TIME", help="Read records before this time.")]
RequireIssuance = Annotated[
    bool,
    typer.Option("--require-issuance", help="Judge only keys whose issuance was read, as the 2018 method does."),
]
Agents = Annotated[
    Path | None,
    typer.Option(
        "--agents", metavar="FILE", help="The programs each role may use, as straykey agents --write lists them."
    ),
]


class Report(StrEnum):
    """What is reported only on request."""

    SERVICE_CALLS = "service-calls"


Reports = Annotated[
    list[Report],
    typer.Option(
        "--report",
        metavar="WHAT",
        help="Report for information, too: service-calls, the AWS services that acted for instances. Repeatable.",
    ),
]


def ranges_of(ip_ranges: Path | None, *, offline: bool = False) -> aws_ranges.Obtained:
    """AWS's ranges from the file named, else from the cache, which a download fills unless `offline`."""
    if ip_ranges is not None:
        return aws_ranges.from_file(ip_ranges, now=_now())
    folder = user_cache_path("straykey", appauthor=False)
    return aws_ranges.from_cache(folder, now=_now(), url="" if offline else aws_ranges.PUBLISHED_AT)


def request_of(
    ranges: aws_ranges.Obtained,
    accounts: str,
    trusted: list[str],
    since: str,
    until: str,
    *,
    require_issuance: bool = False,
    agents: Path | None = None,
    report: Collection[Report] = (),
) -> pipeline.Request:
    """What was asked of a scan, in values."""
    period = pipeline.Period(_time("--since", since), _time("--until", until))
    if period.until and period.since >= period.until:
        raise UsageError("--since is not before --until: no record can lie between", hint="swap them")
    return pipeline.Request(
        settings=Settings(
            accounts=_accounts(accounts),
            trusted=tuple(_network(cidr) for cidr in trusted),
            require_issuance=require_issuance,
            agents=_agents(agents) if agents else {},
            report_service_calls=Report.SERVICE_CALLS in report,
        ),
        ranges=ranges.ranges,
        period=period,
    )


def _accounts(text: str) -> frozenset[str]:
    """Ids separated by commas or white space, given here or in a file."""
    ids = text.replace(",", " ").split()
    if not all(map(is_account, ids)):
        ids = _accounts_in_file(text)
    return frozenset(ids)


def _accounts_in_file(name: str) -> list[str]:
    hint = "give twelve digits each, separated by commas, or a file of them"
    try:
        lines = Path(name).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        told = f"--accounts {printable(name)}: neither account ids nor a file that can be read"
        raise UsageError(told, hint=hint) from error
    ids = [one for line in lines for one in line.partition("#")[0].replace(",", " ").split()]
    for one in ids:
        if not is_account(one):
            raise UsageError(f"--accounts {printable(name)}: {printable(one)} is no account id", hint=hint)
    return ids


def _agents(file: Path) -> dict[str, frozenset[str]]:
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no UTF-8"
        hint = "name a file that straykey agents --write wrote"
        raise UsageError(f"--agents {printable(str(file))}: {why}", hint=hint) from error
    return allow_list.parse(text, f"--agents {file}")


def _network(cidr: str) -> IPNetwork:
    try:
        return ipaddress.ip_network(cidr)
    except ValueError as error:
        raise UsageError(
            f"--trusted-network {printable(str(error))}", hint="give a network such as 203.0.113.0/24"
        ) from error


def _time(option: str, text: str) -> str:
    time = moment(text) if text else ""
    if time is None:
        raise UsageError(
            f"{option} {printable(text)}: no time", hint="give a time such as 2026-05-04T10:00Z; UTC is meant"
        )
    return time


def _now() -> datetime:
    return datetime.now(UTC)
