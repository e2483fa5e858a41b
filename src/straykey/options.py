"""What a user may say on the command line, and what is meant by it.

The text of an option becomes settings, ranges, a period here, or a `UsageError` that names the option.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from platformdirs import user_cache_path

from straykey import given, pipeline
from straykey.core.moment import later, moment
from straykey.core.settings import Settings
from straykey.errors import ConfigError, UsageError
from straykey.formats.text import printable
from straykey.given import Report
from straykey.sources import aws_ranges

if TYPE_CHECKING:
    from straykey.setting import WatchSettings

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
Beacons = Annotated[
    list[str],
    typer.Option(
        "--beacon",
        metavar="ROLE",
        help="A role whose instances all send the beacon of straykey harden, ACCOUNT/ROLE, or * for all; repeatable.",
    ),
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


Reports = Annotated[
    list[Report],
    typer.Option(
        "--report",
        metavar="WHAT",
        help="Report for information, too: service-calls, the AWS services that acted for instances. Repeatable.",
    ),
]


Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings in TOML; default: $STRAYKEY_CONFIG.")
]
Store = Annotated[
    str, typer.Option("--store", metavar="FILE|URL", help="The database: a file, or postgresql://USER@HOST/NAME.")
]


def store_of(config: Path | None, store: str) -> str:
    """The address of the store that `watch` keeps, with the password if it has one: never to be shown."""
    return watch_settings(config, {"store": store}, only=("store",)).store.reveal()


def now() -> str:
    """In the form of `core.moment`."""
    return moment(_now().isoformat()) or ""


def end_of(lasting: str, until: str, since: str) -> str:
    """When something ends that is to last so long (`30d`), or until a day; exactly one of both must be said."""
    if bool(lasting) == bool(until):
        raise UsageError("say either --for or --until", hint="a rule must end: --for 30d, or --until 2026-06-01")
    if until:
        return time_of("--until", until)
    with _named("--for"):
        return later(since, int(given.duration(lasting).total_seconds()))


def duration_of(option: str, text: str) -> int:
    """In seconds."""
    with _named(option):
        return int(given.duration(text).total_seconds())


def network_of(cidr: str) -> str:
    """A network as the rules that hide findings have it."""
    with _named("--network"):
        return str(given.network(cidr))


def ranges_of(ip_ranges: Path | None, *, offline: bool = False) -> aws_ranges.Obtained:
    """AWS's ranges from the file named, else from the cache, which a download fills unless `offline`."""
    if ip_ranges is not None:
        return aws_ranges.from_file(ip_ranges, now=_now())
    folder = user_cache_path("straykey", appauthor=False)
    return aws_ranges.from_cache(folder, now=_now(), url="" if offline else aws_ranges.PUBLISHED_AT)


class Ours(msgspec.Struct, frozen=True):
    """What the user says of his own, as he says it: accounts, networks, and roles that send beacons."""

    accounts: str
    trusted: list[str]
    beacons: list[str]


def request_of(
    ranges: aws_ranges.Obtained,
    ours: Ours,
    since: str,
    until: str,
    *,
    require_issuance: bool = False,
    agents: Path | None = None,
    report: Collection[Report] = (),
) -> pipeline.Request:
    """What was asked of a scan, in values."""
    period = pipeline.Period(time_of("--since", since), time_of("--until", until))
    if period.until and period.since >= period.until:
        raise UsageError("--since is not before --until: no record can lie between", hint="swap them")
    with _named("--accounts"):
        accounts = given.accounts(ours.accounts)
    with _named("--trusted-network"):
        networks = tuple(map(given.network, ours.trusted))
    with _named("--agents"):
        programs = given.programs(agents) if agents else {}
    with _named("--beacon"):
        senders = frozenset(map(given.role, ours.beacons))
    settings = Settings(
        accounts=accounts,
        trusted=networks,
        require_issuance=require_issuance,
        agents=programs,
        report_service_calls=Report.SERVICE_CALLS in report,
        beacon_roles=senders,
    )
    return pipeline.Request(settings=settings, ranges=ranges.ranges, period=period)


def watch_settings(
    config: Path | None,
    overrides: Mapping[str, object],
    required: Collection[str] = (),
    only: Collection[str] = (),
) -> "WatchSettings":
    """What the command line, the environment and the file that either names set; see `settings_of`."""
    from straykey.config import FILE_VARIABLE, settings_of  # noqa: PLC0415 - logs with it: a tenth of the start

    named = str(config or os.environ.get(FILE_VARIABLE, ""))
    try:
        text = Path(named).read_text("utf-8-sig") if named else ""
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no UTF-8"
        hint = f"name a file of settings, by --config or {FILE_VARIABLE}"
        raise ConfigError([f"{printable(named)}: {why}: {hint}"]) from error
    file = printable(named) or "straykey.toml"
    return settings_of(text, os.environ, overrides, file=file, required=required, only=only)


@contextmanager
def _named(option: str) -> Iterator[None]:
    """Let a complaint name the option it is about."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{option} {error}", hint=error.hint) from error


def time_of(option: str, text: str) -> str:
    """A time in the form of `core.moment`; empty where nothing was said."""
    time = moment(text) if text else ""
    if time is None:
        raise UsageError(
            f"{option} {printable(text)}: no time", hint="give a time such as 2026-05-04T10:00Z; UTC is meant"
        )
    return time


def _now() -> datetime:
    return datetime.now(UTC)
