"""The command that watches.

What it takes is imported where it is used: a scan need not pay for it.
"""

import os
import random
import secrets
import signal
import socket
import sys
import time
from datetime import UTC, datetime
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from straykey.options import (
    Accounts,
    Agents,
    Beacons,
    Config,
    IpRanges,
    Offline,
    Reports,
    RequireIssuance,
    Store,
    Trusted,
    ranges_of,
    watch_settings,
)
from straykey.terminal import say

if TYPE_CHECKING:
    from straykey.setting import WatchSettings

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog="Example: straykey watch sqs://sqs.eu-west-1.amazonaws.com/111122223333/straykey "
    "--bucket example-trail-bucket --store straykey.db"
)
def watch(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE", help="sqs://QUEUE-URL, s3://BUCKET/PREFIX or history:[REGION,…]."),
    ] = None,
    config: Config = None,
    store: Store = "",
    buckets: Annotated[
        list[str] | None,
        typer.Option("--bucket", metavar="NAME", help="A bucket a queue may name objects of; repeatable."),
    ] = None,
    ttl: Annotated[
        str, typer.Option("--ttl", metavar="TIME", help="How long sessions stay after their last key expired: 6h.")
    ] = "",
    look_back: Annotated[
        str, typer.Option("--look-back", metavar="TIME", help="How far a bucket or the history is first read back: 7d.")
    ] = "",
    tries: Annotated[
        int | None, typer.Option("--tries", min=1, help="How often an object is tried before quarantine.")
    ] = None,
    ip_ranges: IpRanges = None,
    offline: Offline = False,
    accounts: Accounts = "",
    trusted: Trusted = [],  # noqa: B006 - typer copies it
    require_issuance: RequireIssuance = False,
    agents: Agents = None,
    beacons: Beacons = [],  # noqa: B006 - typer copies it
    report: Reports = [],  # noqa: B006 - typer copies it
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT|off", help="Where /metrics and /healthz answer.")
    ] = "",
) -> None:
    """Watch logs as they arrive: judge at once, keep findings in a store, and tell sinks."""
    overrides: dict[str, object] = {
        "sources": sources,
        "store": store,
        "buckets": buckets,
        "ttl": ttl,
        "look_back": look_back,
        "tries": tries,
        "ip_ranges": str(ip_ranges) if ip_ranges else None,
        "offline": offline,
        "accounts": accounts,
        "trusted_networks": trusted,
        "require_issuance": require_issuance,
        "agents": str(agents) if agents else None,
        "beacon_roles": beacons,
        "report": [one.value for one in report],
        "listen": listen,
    }
    settings = watch_settings(config, overrides, required=("sources",))
    _watch(settings)


@app.command(epilog="Example: straykey drill --config straykey.toml")
def drill(
    config: Config = None,
    store: Store = "",
    wait: Annotated[int, typer.Option("--wait", metavar="SECONDS", min=1, help="How long each step may take.")] = 120,
) -> None:
    """Put a marked, invented theft in where logs come from, and wait until every sink has it.

    A watch process must be running. Then the theft is taken out again: sinks hear that it is over, and the store
    forgets it. Exit code 1 if anything did not arrive. It takes sqs:SendMessage, or s3:PutObject and s3:DeleteObject.
    """
    from straykey import casebook, logs  # noqa: PLC0415 - see above
    from straykey.watch import drill as drills  # noqa: PLC0415

    logs.configure(logs.Level.WARNING, logs.LogFormat.TEXT, sys.stderr, _now)
    settings = watch_settings(config, {"store": store}, required=("sources",))
    patience = drills.Patience(_now, time.monotonic, time.sleep, wait)
    with casebook.opened(settings.store.reveal()) as opened:
        outcome = drills.run(settings, opened, patience, random.SystemRandom(), typer.echo)
    for line in outcome.missing:
        say(f"straykey: {line}")
    if outcome.missing:
        raise typer.Exit(1)
    typer.echo("all of it arrived")


def _watch(settings: "WatchSettings") -> None:
    import structlog  # noqa: PLC0415 - see above

    from straykey import logs  # noqa: PLC0415
    from straykey.watch.assembly import assembled, monitored  # noqa: PLC0415

    logs.configure(settings.log_level, settings.log_format, sys.stderr, _now)
    ranges = ranges_of(settings.ip_ranges, offline=settings.offline)
    log = structlog.get_logger("straykey.watch")
    log.info("ranges", told=ranges.told)
    with assembled(settings, ranges.ranges, _name(), _now) as one, monitored(one, settings):
        for number in (signal.SIGTERM, signal.SIGINT):
            # By a thread: what the signal broke into may hold the very lock that is needed.
            signal.signal(number, lambda *_: Thread(target=one.watch.stop, daemon=True).start())
        log.info("watching", sources=list(settings.sources), sinks=[sink.name for sink in settings.sinks])
        one.watch.run()


def _name() -> str:
    """Of this process, among those that share a store."""
    return f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(3)}"


def _now() -> datetime:
    return datetime.now(UTC)
