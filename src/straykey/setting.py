"""Every setting of `watch`, and of what looks at its store: what it is called, what it means, what may be written.

The structs are the one list there is: `config` reads by it, and docs/config.md is written from it.
"""

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, get_args

import msgspec

from straykey import entry
from straykey.core.finding import Severity
from straykey.core.network import IPNetwork
from straykey.core.settings import Settings
from straykey.given import Listen, Report
from straykey.logs import Level, LogFormat
from straykey.secret import Secret

_Read = Callable[[object], object]


class Key(msgspec.Struct, frozen=True):
    """What is told of a setting, and how it is read: `read` raises a `UsageError` for what cannot be meant.

    `option` is its name on the command line, where that differs.  A `is_secret` one may also be given as the name of a
    variable (`…_env`) or of a file (`…_file`) that holds it.
    """

    told: str
    read: _Read
    option: str = ""
    is_secret: bool = False


def keys_of(struct: type[msgspec.Struct]) -> dict[str, Key]:
    """By name, all that may be set of it."""
    return {
        field.name: key
        for field in msgspec.structs.fields(struct)
        for key in get_args(field.type)[1:]
        if isinstance(key, Key)
    }


class WebhookFormat(StrEnum):
    """What a webhook is sent."""

    JSON = "json"
    ASFF = "asff"
    OCSF = "ocsf"
    GUARDDUTY = "guardduty"


class Sink(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Where findings are sent; what any kind of sink has."""

    name: Annotated[
        str, Key("Its name in logs, metrics and `status`: small letters, digits and hyphens; unique.", entry.sink_name)
    ]
    min_severity: Annotated[
        Severity,
        Key("Send findings at least this severe: `HIGH`, `MEDIUM`, `LOW` or `INFORMATIONAL`.", entry.one_of(Severity)),
    ] = Severity.LOW


class _FileSink(Sink, frozen=True, kw_only=True):
    path: Annotated[Path, Key("The file that findings are added to, one on each line.", entry.path)]
    max_megabytes: Annotated[int, Key("Begin a new file when this one has so many million bytes.", entry.whole)] = 100
    keep: Annotated[int, Key("How many full files stay beside it.", entry.whole)] = 5


class JsonlSink(_FileSink, frozen=True, kw_only=True, tag="jsonl"):
    """A file of findings in straykey's own form ([output](output.md))."""


class OcsfSink(_FileSink, frozen=True, kw_only=True, tag="ocsf"):
    """A file of OCSF detection findings (class 2004)."""


class WebhookSink(Sink, frozen=True, kw_only=True, tag="webhook"):
    """An address of the web, told by POST, each message signed (HMAC-SHA256)."""

    url: Annotated[
        Secret, Key("Where to send to: `https://…`; `http://…` on this machine only.", entry.url, is_secret=True)
    ]
    secret: Annotated[
        Secret, Key("What messages are signed with; 16 characters at least.", entry.signing_secret, is_secret=True)
    ]
    format: Annotated[
        WebhookFormat,
        Key("What is sent: `json` (straykey's own), `asff`, `ocsf`, `guardduty`.", entry.one_of(WebhookFormat)),
    ] = WebhookFormat.JSON
    allow_private: Annotated[
        bool,
        Key("Send to private addresses, too: this machine, the VPC. Link-local ones are always refused.", entry.switch),
    ] = False


class SlackSink(Sink, frozen=True, kw_only=True, tag="slack"):
    """A channel of Slack, by an incoming webhook."""

    url: Annotated[Secret, Key("The incoming webhook's address.", entry.url, is_secret=True)]


class SnsSink(Sink, frozen=True, kw_only=True, tag="sns"):
    """A topic of Amazon SNS."""

    topic_arn: Annotated[str, Key("The topic's ARN; its region is used.", entry.topic)]


class EventBridgeSink(Sink, frozen=True, kw_only=True, tag="eventbridge"):
    """A bus of Amazon EventBridge, told in GuardDuty's form."""

    bus: Annotated[str, Key("The bus: its name or its ARN.", entry.bus)] = "default"
    region: Annotated[str | None, Key("The bus's region; AWS's own configuration if none.", entry.region)] = None


class SecurityHubSink(Sink, frozen=True, kw_only=True, tag="securityhub"):
    """AWS Security Hub, in its finding format (ASFF)."""

    region: Annotated[str | None, Key("The hub's region; AWS's own configuration if none.", entry.region)] = None


AnySink = JsonlSink | OcsfSink | WebhookSink | SlackSink | SnsSink | EventBridgeSink | SecurityHubSink
KINDS: dict[str, type[AnySink]] = {str(one.__struct_config__.tag): one for one in get_args(AnySink)}


class WatchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All that `watch`, `findings`, `status` and `drill` are told.  Its repr shows no secret."""

    sources: Annotated[
        tuple[str, ...],
        Key(
            "Where records come from: `sqs://…`, `s3://BUCKET/PREFIX`, `history:[REGION,…]`.",
            entry.sources,
            option="SOURCE",
        ),
    ] = ()
    buckets: Annotated[
        frozenset[str],
        Key(
            "The buckets whose objects are fetched when a queue names them; none others are. Needed with `sqs://`; "
            "`[]` where the queue carries records only.",
            entry.buckets,
            option="--bucket",
        ),
    ] = frozenset()
    store: Annotated[
        Secret,
        Key("The database: a file's path, or `postgresql://USER:PASSWORD@HOST/NAME`.", entry.store, is_secret=True),
    ] = Secret("straykey.db")
    ttl: Annotated[
        timedelta, Key("How long a session stays after its last key expired: `90s`, `30m`, `6h`, `2d`.", entry.duration)
    ] = timedelta(hours=6)
    look_back: Annotated[
        timedelta,
        Key("How far the first listing of a bucket, and the first look into the history, go back.", entry.duration),
    ] = timedelta(days=7)
    tries: Annotated[int, Key("How often an object is tried before it is put in quarantine.", entry.whole)] = 5
    accounts: Annotated[
        frozenset[str],
        Key("Accounts of yours besides those whose records are read; or a file of them.", entry.accounts),
    ] = frozenset()
    ip_ranges: Annotated[
        Path | None,
        Key(
            "AWS's ip-ranges.json; without it a copy is downloaded where there is none of the last week. Read at the "
            "start: restart `watch` once a week, and after a failed download.",
            entry.path,
        ),
    ] = None
    offline: Annotated[bool, Key("Never download the ranges; use the cached copy if any.", entry.switch)] = False
    trusted_networks: Annotated[
        tuple[IPNetwork, ...],
        Key("Networks that are fine for every session: `203.0.113.0/24`.", entry.networks, option="--trusted-network"),
    ] = ()
    require_issuance: Annotated[
        bool, Key("Judge only keys whose issuance was read, as the 2018 method does.", entry.switch)
    ] = False
    agents: Annotated[
        dict[str, frozenset[str]],
        Key("A file of the programs each role may use ([programs](agents.md)).", entry.programs),
    ] = {}
    beacon_roles: Annotated[
        frozenset[str],
        Key(
            "Roles whose instances all send the [beacon](harden.md#first-boot-beacon): `web-role`, "
            "`111122223333/web-role`, or `*` for all.",
            entry.roles,
            option="--beacon",
        ),
    ] = frozenset()
    report: Annotated[
        frozenset[Report], Key("What else is reported, for information: `service-calls`.", entry.reports)
    ] = frozenset()
    listen: Annotated[
        Listen | None, Key("Where `/metrics` and `/healthz` answer: HOST:PORT, or `off`.", entry.listen)
    ] = Listen("127.0.0.1", 9466)
    listen_anywhere: Annotated[
        bool,
        Key("Allow `listen` to be an address that others reach. What answers asks nobody who they are.", entry.switch),
    ] = False
    log_level: Annotated[Level, Key("What is logged: `debug`, `info`, `warning` or `error`.", entry.one_of(Level))] = (
        Level.INFO
    )
    log_format: Annotated[
        LogFormat, Key("How it is logged: `json`, an object on each line, or `text`.", entry.one_of(LogFormat))
    ] = LogFormat.JSON
    sinks: tuple[AnySink, ...] = ()

    @property
    def judging(self) -> Settings:
        """What of it judging goes by."""
        return Settings(
            accounts=self.accounts,
            trusted=self.trusted_networks,
            require_issuance=self.require_issuance,
            agents=self.agents,
            report_service_calls=Report.SERVICE_CALLS in self.report,
            beacon_roles=self.beacon_roles,
        )
