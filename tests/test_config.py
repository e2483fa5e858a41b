"""What is set is what was meant, or all that was wrong is told at once and no secret with it."""

import pickle
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from straykey.config import settings_of
from straykey.core.finding import Severity
from straykey.errors import ConfigError
from straykey.given import Listen, Report
from straykey.logs import Level, LogFormat
from straykey.options import watch_settings
from straykey.secret import Secret
from straykey.setting import (
    EventBridgeSink,
    JsonlSink,
    SecurityHubSink,
    SlackSink,
    SnsSink,
    WatchSettings,
    WebhookFormat,
    WebhookSink,
)
from straykey.sim.drill import THIEF
from tests.conftest import ROOT

QUEUE = "sqs://sqs.eu-west-1.amazonaws.com/111122223333/trail"
HUSH = "hush-hush-hush-hush"
SLACK_URL = "https://hooks.slack.com/services/T0/B0/hush"
WEBHOOK = f"""
[[sinks]]
name = "pager"
kind = "webhook"
url = "https://pager.example/in"
secret = "{HUSH}"
"""


def settings(text: str = "", environment: Mapping[str, str] | None = None, **overrides: object) -> WatchSettings:
    return settings_of(text, environment or {}, overrides)


def complaints(text: str = "", environment: Mapping[str, str] | None = None, **overrides: object) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        settings(text, environment, **overrides)
    return caught.value.complaints


def complaint(text: str = "", environment: Mapping[str, str] | None = None, **overrides: object) -> str:
    (only,) = complaints(text, environment, **overrides)
    return only


def test_nothing_set_is_what_is_built_in() -> None:
    assert settings() == WatchSettings()


def test_a_file_sets_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "agents.json").write_text('{"roles": {"111122223333/web-role": ["boto3"]}}')
    told = settings(
        f"""
        sources = ["{QUEUE}", "history:eu-west-1,us-east-1"]
        buckets = ["acme-trail"]
        store = "/var/lib/straykey/straykey.db"
        ttl = "90m"
        look_back = "1d"
        tries = 3
        accounts = ["012345678901"]
        ip_ranges = "/etc/straykey/ip-ranges.json"
        offline = true
        trusted_networks = ["203.0.113.0/24", "2001:db8::/32"]
        require_issuance = true
        agents = "{tmp_path}/agents.json"
        beacon_roles = ["web-role", "111122223333/batch"]
        report = ["service-calls"]
        listen = "[::1]:9000"
        log_level = "warning"
        log_format = "text"
        """
    )
    assert told == WatchSettings(
        sources=(QUEUE, "history:eu-west-1,us-east-1"),
        buckets=frozenset({"acme-trail"}),
        store=Secret("/var/lib/straykey/straykey.db"),
        ttl=timedelta(minutes=90),
        look_back=timedelta(days=1),
        tries=3,
        accounts=frozenset({"012345678901"}),
        ip_ranges=Path("/etc/straykey/ip-ranges.json"),
        offline=True,
        trusted_networks=(ip_network("203.0.113.0/24"), ip_network("2001:db8::/32")),
        require_issuance=True,
        agents={"111122223333/web-role": frozenset({"boto3"})},
        beacon_roles=frozenset({"web-role", "111122223333/batch"}),
        report=frozenset({Report.SERVICE_CALLS}),
        listen=Listen("::1", 9000),
        log_level=Level.WARNING,
        log_format=LogFormat.TEXT,
    )
    assert told.judging.report_service_calls
    assert told.judging.trusted == told.trusted_networks
    assert told.judging.beacon_roles == told.beacon_roles


def test_variables_set_the_same() -> None:
    environment = {
        "STRAYKEY_CONFIG": "/etc/straykey.toml",
        "STRAYKEY_SOURCES": f"{QUEUE} history:eu-west-1,us-east-1",
        "STRAYKEY_BUCKETS": "acme-trail,acme-other",
        "STRAYKEY_TRIES": "3",
        "STRAYKEY_OFFLINE": "true",
        "STRAYKEY_TTL": "2d",
        "STRAYKEY_ACCOUNTS": "012345678901 111122223333",
        "STRAYKEY_BEACON_ROLES": "*",
        "HOME": "/root",
    }
    told = settings("", environment)
    assert told.sources == (QUEUE, "history:eu-west-1,us-east-1")
    assert told.buckets == {"acme-trail", "acme-other"}
    assert (told.tries, told.offline, told.ttl) == (3, True, timedelta(days=2))
    assert told.accounts == {"012345678901", "111122223333"}
    assert told.beacon_roles == {"*"}


def test_the_command_line_goes_before_the_environment_and_that_before_the_file() -> None:
    text = 'tries = 1\nttl = "1h"\nstore = "of-file.db"'
    environment = {"STRAYKEY_TRIES": "2", "STRAYKEY_TTL": "2h"}
    told = settings(text, environment, tries=3)
    assert (told.tries, told.ttl, told.store) == (3, timedelta(hours=2), Secret("of-file.db"))


def test_an_option_that_nobody_gave_and_an_empty_variable_set_nothing() -> None:
    text = 'offline = true\nstore = "here.db"\nsources = ["history:"]'
    told = settings(text, {"STRAYKEY_STORE": ""}, offline=False, sources=[], store=None, accounts="", report=())
    assert (told.offline, told.store, told.sources) == (True, Secret("here.db"), ("history:",))


def test_all_that_is_wrong_is_told_at_once() -> None:
    told = complaints(
        'ttl = "soon"\ntries = 0\ntrys = 4\n[[sinks]]\nname = "hub"\nkind = "security-hub"',
        {"STRAYKEY_LISTEN": "9466", "STRAYKEY_STOER": "x.db"},
        accounts="12",
    )
    assert [one.partition(" ")[0].rstrip(":") for one in told] == [
        "STRAYKEY_STOER",
        "straykey.toml",
        "straykey.toml",
        "straykey.toml",
        "--accounts",
        "STRAYKEY_LISTEN",
        "straykey.toml",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("trys = 4", "straykey.toml: trys: no such setting: did you mean tries?"),
        ("trusted-networks = []", "straykey.toml: trusted-networks: no such setting: did you mean trusted_networks?"),
        ('ttl = "soon"', "straykey.toml: ttl: “soon” is no duration: give a number and its unit: 90s, 30m, 6h or 2d"),
        ("ttl = 6", "straykey.toml: ttl: is a number, not a text: write a text in quotes"),
        ("ttl = 06:00:00", "straykey.toml: ttl: is something else, not a text: write a text in quotes"),
        ("tries = true", "straykey.toml: tries: is no whole number from 1 on: write one, such as 5"),
        ("offline = 1", "straykey.toml: offline: is neither true nor false: write true or false"),
        ("accounts = [111122223333]", "straykey.toml: accounts: holds something else than texts: write a list of"),
        ('sources = ["https://x"]', "straykey.toml: sources: “https://x” is no place that records come from: write"),
        ('store = "mysql://u:hush@h/d"', "straykey.toml: store: is no database that is known: write the path"),
        ('listen = "0.0.0.0:9466"', "listen: 0.0.0.0:9466 can be reached by others, and asks nobody who they are: "),
        ('listen = "9466"', "straykey.toml: listen: “9466” is no address and port: give 127.0.0.1:9466"),
        ('log_level = "loud"', "straykey.toml: log_level: “loud” is none of its values: write one of debug, info, "),
        ('trusted_networks = ["10.0.0.1/8"]', "straykey.toml: trusted_networks: 10.0.0.1/8 has host bits set: give a"),
        (
            'beacon_roles = ["role/web"]',
            "straykey.toml: beacon_roles: “role/web” is no role: give a role's name without",
        ),
        (f'sources = ["{QUEUE}"]', "buckets: is missing, and a queue may name any bucket: name the trail's buckets"),
        ('agents = "no-such.json"', "straykey.toml: agents: no-such.json: No such file or directory: name a file"),
        ("tries =", "straykey.toml: no TOML: Invalid value (at end of document)"),
        ("sinks = 3", "straykey.toml: sinks: is no list of tables: write [[sinks]] above each"),
        ("[sinks]", "straykey.toml: sinks: is no list of tables: write [[sinks]] above each"),
        ('[[sinks]]\nname="x"', "straykey.toml: sink 1 (x): has no kind: write one of jsonl, ocsf, webhook, slack"),
        ('[[sinks]]\nname="x"\nkind="smtp"', "straykey.toml: sink 1 (x): “smtp” is no kind of sink: write one of"),
        ('[[sinks]]\nname="x"\nkind="sns"', "straykey.toml: sink 1 (x): has no topic_arn: kind sns needs one"),
        ('[[sinks]]\nkind="securityhub"', "straykey.toml: sink 1: has no name: kind securityhub needs one"),
        (WEBHOOK + "colour = 1", "straykey.toml: sink 1 (pager): colour: no such setting: there are name, min_sev"),
        (WEBHOOK + "ttl = '6h'", "straykey.toml: sink 1 (pager): ttl: no such setting: it belongs above the first"),
        (WEBHOOK + WEBHOOK, "straykey.toml: sinks: 2 are called “pager”: give each a name of its own"),
        (WEBHOOK.replace("pager.example", "10.0.0.1"), "sink pager: its url is a private address: set allow_private"),
        (WEBHOOK.replace("https", "http"), "straykey.toml: sink 1 (pager): url: is not encrypted, and findings would"),
        (WEBHOOK.replace("https", "ftp"), "straykey.toml: sink 1 (pager): url: is no address of the web: write"),
        (WEBHOOK.replace(HUSH, "hush"), "straykey.toml: sink 1 (pager): secret: is shorter than 16 characters: make"),
        (WEBHOOK + "secret_env = 'X'", "straykey.toml: sink 1 (pager): secret: stands beside secret_env: give one of"),
        (WEBHOOK.replace("pager", "Pager", 1), "straykey.toml: sink 1 (Pager): name: “Pager” is no name: write small"),
    ],
)
def test_a_complaint_says_where_and_what_and_how_to_mend_it(text: str, told: str) -> None:
    assert complaint(text).startswith(told)


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("STRAYKEY_STOER", "STRAYKEY_STOER: means nothing here: did you mean STRAYKEY_STORE?"),
        ("STRAYKEY_TRIES", "STRAYKEY_TRIES: is no whole number from 1 on: write one, such as 5"),
        ("STRAYKEY_SINK_PAGER_TOPIK_ARN", "STRAYKEY_SINK_PAGER_TOPIK_ARN: names no sink and key of it: did you mean "
         "STRAYKEY_SINK_PAGER_TOPIC_ARN?"),
        ("STRAYKEY_SINK_PAGER_URL", "STRAYKEY_SINK_PAGER_*: has no kind: write one of jsonl, "),
        ("STRAYKEY_SINK_URL", "STRAYKEY_SINK_URL: names no sink and key of it: write STRAYKEY_SINK_NAME_KEY"),
    ],
)  # fmt: skip
def test_a_variable_that_means_nothing_is_a_complaint(variable: str, told: str) -> None:
    assert complaint("", {variable: "x"}).startswith(told)


def test_what_kubernetes_sets_for_a_service_of_our_name_is_let_be() -> None:
    environment = {
        "STRAYKEY_SERVICE_HOST": "10.0.0.1",
        "STRAYKEY_SERVICE_PORT_METRICS": "9466",
        "STRAYKEY_PORT": "tcp://10.0.0.1:9466",
        "STRAYKEY_WATCH_PORT_9466_TCP_ADDR": "10.0.0.1",
    }
    assert settings("", environment) == WatchSettings()
    assert "STRAYKEY_PORT: means nothing" in complaint("", {"STRAYKEY_PORT": "9466"})


def test_what_a_command_needs_and_nobody_set_is_a_complaint_among_the_others() -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of("tries = 0", {}, {}, file="/etc/s.toml", required=("sources",))
    assert caught.value.complaints == (
        "/etc/s.toml: tries: is no whole number from 1 on: write one, such as 5",
        "sources: is missing: set it in /etc/s.toml, by STRAYKEY_SOURCES, or by SOURCE",
    )


def test_no_bucket_at_all_may_be_allowed_where_a_queue_carries_records() -> None:
    assert settings(f'sources = ["{QUEUE}"]\nbuckets = []').buckets == frozenset()


def test_an_address_that_others_reach_must_be_meant() -> None:
    assert settings('listen = "0.0.0.0:80"\nlisten_anywhere = true').listen == Listen("0.0.0.0", 80)
    assert settings('listen = "localhost:0"').listen == Listen("localhost", 0)
    assert settings('listen = "off"').listen is None


def test_sinks_of_every_kind() -> None:
    text = f"""
    [[sinks]]
    name = "file"
    kind = "jsonl"
    path = "findings.jsonl"
    min_severity = "INFORMATIONAL"
    keep = 9
    {WEBHOOK}
    format = "ocsf"
    [[sinks]]
    name = "people"
    kind = "slack"
    url = "{SLACK_URL}"
    [[sinks]]
    name = "topic"
    kind = "sns"
    topic_arn = "arn:aws:sns:eu-west-1:111122223333:findings"
    [[sinks]]
    name = "bus"
    kind = "eventbridge"
    region = "eu-west-1"
    [[sinks]]
    name = "hub"
    kind = "securityhub"
    """
    assert settings(text).sinks == (
        JsonlSink(name="file", path=Path("findings.jsonl"), min_severity=Severity.INFORMATIONAL, keep=9),
        WebhookSink(
            name="pager", url=Secret("https://pager.example/in"), secret=Secret(HUSH), format=WebhookFormat.OCSF
        ),
        SlackSink(name="people", url=Secret(SLACK_URL)),
        SnsSink(name="topic", topic_arn="arn:aws:sns:eu-west-1:111122223333:findings"),
        EventBridgeSink(name="bus", region="eu-west-1"),
        SecurityHubSink(name="hub"),
    )


def test_a_sink_may_be_made_of_variables_alone() -> None:
    environment = {
        "STRAYKEY_SINK_ON_CALL_KIND": "slack",
        "STRAYKEY_SINK_ON_CALL_URL": SLACK_URL,
        "STRAYKEY_SINK_ON_CALL_MIN_SEVERITY": "high",
    }
    sink = SlackSink(name="on-call", url=Secret(SLACK_URL), min_severity=Severity.HIGH)
    assert settings("", environment).sinks == (sink,)


def test_a_variable_changes_one_key_of_a_sink_of_the_file() -> None:
    (sink,) = settings(WEBHOOK, {"STRAYKEY_SINK_PAGER_SECRET_ENV": "MINE", "MINE": "another-secret-of-mine"}).sinks
    assert isinstance(sink, WebhookSink)
    assert sink.secret == Secret("another-secret-of-mine")
    assert sink.url == Secret("https://pager.example/in")


def test_a_secret_may_stand_in_a_variable_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"{SLACK_URL}\n")
    text = f'store_env = "STRAYKEY_DB"\n[[sinks]]\nname="x"\nkind="slack"\nurl_file = "{tmp_path}/url"'
    told = settings(text, {"STRAYKEY_DB": "postgresql://u:hush@h/d"})
    assert told.store.reveal() == "postgresql://u:hush@h/d"
    assert told.sinks == (SlackSink(name="x", url=Secret(SLACK_URL)),)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("url_env = 'ABSENT'", "url_env: the variable ABSENT is not set, or empty: set it to the secret"),
        ("url_env = 'https://hush'", "url_env: the variable it names is not set, or empty: set it to the secret"),
        ("url_file = '/no/hush'", "url_file: the file it names cannot be read: No such file or directory: write"),
        ("url_file = '/dev/null'", "url_file: the file it names is empty: put the secret into it"),
        ("url_env = 5", "url_env: is no text: write a name in quotes"),
    ],
)
def test_a_secret_that_is_not_where_it_was_said_to_be_is_a_complaint(line: str, told: str) -> None:
    text = f"[[sinks]]\nname='x'\nkind='slack'\n{line}"
    assert complaint(text).startswith(f"straykey.toml: sink 1 (x): {told}")


def test_no_complaint_repeats_what_may_be_a_secret() -> None:
    text = 'store = "mysql://u:hush@h/d"\n[[sinks]]\nname="x"\nkind="webhook"\nurl="ftp://hush@h/hush"\nsecret="hush"'
    environment = {"STRAYKEY_SINK_Y_KIND": "slack", "STRAYKEY_SINK_Y_URL": "http://h/hush", "STRAYKEY_SINK_Z": "hush"}
    told = "\n".join(complaints(text, environment))
    assert told.count("\n") == 4
    assert "hush" not in told


def test_settings_show_no_secret() -> None:
    told = settings(WEBHOOK + f'[[sinks]]\nname="x"\nkind="slack"\nurl="{SLACK_URL}"', {"STRAYKEY_STORE": "p:hush"})
    assert "hush" not in repr(told)
    assert "hush" not in f"{told.store} {told.store!r} {told.store!s:>20}"


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(HUSH))


def test_hostile_names_are_shown_as_codes() -> None:
    assert complaint('"\\u001b[2J" = 1').startswith("straykey.toml: \\x1b[2J: no such setting")


def test_the_example_can_be_used() -> None:
    environment = {"STRAYKEY_PAGER_SECRET": HUSH, "SLACK_WEBHOOK": SLACK_URL}
    told = settings_of((ROOT / "docs/straykey.toml").read_text(), environment, {}, required=("sources",))
    assert {type(sink).__struct_config__.tag for sink in told.sinks} == {"jsonl", "webhook", "slack", "eventbridge"}
    assert not any(ip_address(THIEF.address) in network for network in told.trusted_networks), "no drill would be found"


def test_who_wants_the_store_alone_needs_no_sinks_secret_and_no_other_file() -> None:
    text = """
store = "kept.db"
agents = "none.json"
[[sinks]]
name = "people"
kind = "slack"
url_file = "none"
"""
    assert len(complaints(text)) == 2
    environment = {"STRAYKEY_SINK_PAGER_URL_FILE": "none", "STRAYKEY_SINK_PEOPLE_MIN_SEVERITY": "HIGH"}
    assert settings_of(text, environment, {}, only=("store",)) == WatchSettings(store=Secret("kept.db"))


def test_who_wants_the_store_alone_is_told_what_is_misspelt_above_the_sinks() -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of('stroe = "kept.db"', {"STRAYKEY_STROE": "kept.db"}, {}, only=("store",))
    assert sorted(caught.value.complaints) == [
        "STRAYKEY_STROE: means nothing here: did you mean STRAYKEY_STORE?",
        "straykey.toml: stroe: no such setting: did you mean store?",
    ]


def test_a_file_is_read_that_the_command_line_names(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_bytes(b"\xef\xbb\xbftries = 7\r\n")
    assert watch_settings(tmp_path / "s.toml", {"ttl": "1h"}).tries == 7
    with pytest.raises(ConfigError, match=r"none\.toml: No such file or directory: name a file of settings"):
        watch_settings(tmp_path / "none.toml", {})
