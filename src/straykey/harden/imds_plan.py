"""How to come to IMDSv2 everywhere, in order: each measure breaks less when those before it are done."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from straykey.formats.text import bounded, printable
from straykey.harden.command import Argv, aws, is_instance, is_region
from straykey.harden.imds import Allows, Host, Survey, V1Role
from straykey.harden.imds_document import Document, declarative_policy, keys_policy, keys_scp, launch_policy
from straykey.harden.posture import Posture

_SHOWN = 200  # letters of a user agent
_DAY_SECONDS = "86400"


class Step(StrEnum):
    """The measures, in order."""

    LOOK = "look"
    REQUIRE = "require-tokens"
    HOPS = "hop-limit"
    UPDATE = "update-agents"
    DEFAULT = "account-default"
    DECLARE = "declarative-policy"
    LAUNCH = "launch-policy"
    DENY = "deny-v1-keys"


class Measure(msgspec.Struct, frozen=True):
    """`commands` are for AWS's command line, `undo` takes them back; `notes` say what else must be known.

    `account` is whose credentials the commands want; empty for what is not about one account.
    """

    step: Step
    text: str
    account: str = ""
    commands: tuple[Argv, ...] = ()
    undo: tuple[Argv, ...] = ()
    documents: tuple[Document, ...] = ()
    notes: tuple[str, ...] = ()


def plan(survey: Survey, postures: Iterable[Posture] = ()) -> tuple[Measure, ...]:
    """All measures that have something to do; of an account that was not read, as far as its records tell."""
    known = {one.account: one for one in postures}
    hosts = _hosts(survey)
    made: list[Measure | None] = []
    for account in sorted(hosts.keys() | known.keys()):
        made += _of_account(account, hosts.get(account, []), survey, known.get(account))
    everybody = [one for some in hosts.values() for one in some]
    made += [_update(survey), _declare(everybody, known.values()), _launch(everybody, survey), _deny(survey)]
    place = {step: number for number, step in enumerate(Step)}
    return tuple(sorted((one for one in made if one is not None), key=lambda one: (place[one.step], one.account)))


def _hosts(survey: Survey) -> dict[str, list[Host]]:
    """By account, those that a command can be about."""
    found: dict[str, list[Host]] = defaultdict(list)
    for role in survey.roles:
        found[role.account] += [one for one in role.hosts if not one.is_gone and _is_named(one)]
    return {account: hosts for account, hosts in found.items() if hosts}


def _of_account(account: str, hosts: list[Host], survey: Survey, posture: Posture | None) -> list[Measure | None]:
    made = [
        _look(survey, hosts),
        _require([one for one in hosts if _is_ready(one)]),
        _hops([one for one in hosts if _is_too_near(one)]),
        _default(hosts, posture),
    ]
    return [replace(one, account=account) for one in made if one is not None]


def _is_named(host: Host) -> bool:
    return is_instance(host.id) and is_region(host.region)


def _is_ready(host: Host) -> bool:
    """Was not seen to use IMDSv1, may, and has its metadata service on: the command would turn it on otherwise."""
    if host.v1 is not None or host.unknown_calls or host.allows_v1 is Allows.NO:
        return False
    is_on = host.v2 is not None if host.is_metadata_on is None else host.is_metadata_on
    return is_on and not _is_too_near(host)


def _is_too_near(host: Host) -> bool:
    """Containers run there, a token would not reach them, and nothing makes them ask for one yet."""
    return bool(host.container_signs) and host.hop_limit == 1 and host.allows_v1 is Allows.YES


def _look(survey: Survey, hosts: list[Host]) -> Measure | None:
    open_ = _once(one for one in hosts if one.allows_v1 is not Allows.NO)
    if not open_ or not survey.since:
        return None
    return Measure(
        Step.LOOK,
        f"Before anything is switched, look at MetadataNoToken of {_many(len(open_), 'instance')}: CloudTrail shows "
        "who used a key that came by IMDSv1, and nothing of a program that asks without a token for anything else",
        commands=tuple(_metric(one, survey) for one in open_),
        notes=(
            "Once tokens are required MetadataNoToken stays at 0 whoever asks; then MetadataNoTokenRejected counts.",
            f"The records read are from {survey.since} to {survey.until}: what runs once a month may not be in them.",
        ),
    )


def _metric(host: Host, survey: Survey) -> Argv:
    said = ("--namespace", "AWS/EC2", "--metric-name", "MetadataNoToken", "--statistics", "Sum")
    when = ("--start-time", survey.since, "--end-time", survey.until, "--period", _DAY_SECONDS)
    of = ("--dimensions", f"Name=InstanceId,Value={host.id}")
    return aws("cloudwatch", "get-metric-statistics", host.region, *said, *of, *when)


def _require(hosts: list[Host]) -> Measure | None:
    ready = _once(hosts)
    if not ready:
        return None
    return Measure(
        Step.REQUIRE,
        f"Require tokens of {_many(len(ready), 'instance')} that used no key of IMDSv1",
        commands=tuple(_tokens(one, "required") for one in ready),
        undo=tuple(_tokens(one, "optional") for one in ready if one.allows_v1 is Allows.YES),
        notes=("It takes effect within seconds and needs no restart. Begin with one instance of each role.",),
    )


def _tokens(host: Host, tokens: str) -> Argv:
    # Older versions of the API refuse tokens where the endpoint is not named.
    return (*_modify(host), "--http-tokens", tokens, "--http-endpoint", "enabled")


def _modify(host: Host) -> Argv:
    return aws("ec2", "modify-instance-metadata-options", host.region, "--instance-id", host.id)


def _hops(hosts: list[Host]) -> Measure | None:
    near = _once(hosts)
    if not near:
        return None
    signs = sorted({sign for one in near for sign in one.container_signs})
    return Measure(
        Step.HOPS,
        f"Containers run on {_many(len(near), 'instance')} with a hop limit of 1 ({', '.join(signs)}): "
        "once tokens are required, those on a bridge get no more answer",
        commands=tuple(
            (*_modify(one), "--http-put-response-hop-limit", "2", "--http-endpoint", "enabled") for one in near
        ),
        undo=tuple((*_modify(one), "--http-put-response-hop-limit", "1", "--http-endpoint", "enabled") for one in near),
        notes=(
            "Better than two hops: a role for each task or pod (task roles, Pod Identity, IRSA), and a limit of 1. "
            "Then no container gets the node's keys, and a stolen pod cannot steal them.",
            "Pods with hostNetwork, and containers in the host's network, need one hop only.",
        ),
    )


def _update(survey: Survey) -> Measure | None:
    using = [(role, host) for role in survey.roles for host in role.hosts if host.v1 is not None and not host.is_gone]
    if not using:
        return None
    return Measure(
        Step.UPDATE,
        f"Keys that came by IMDSv1 are still used on {_many(len(using), 'instance')}: update these programs first, "
        "then require tokens as above",
        notes=tuple(_programs(role, host) for role, host in using),
    )


def _programs(role: V1Role, host: Host) -> str:
    used = host.v1
    agents = [_program(one.user_agent, one.asks_for_tokens) for one in used.agents] if used else []
    where = f"{printable(host.id)} of role {printable(role.role)} in {role.account}"
    return f"{where}: {'; '.join(agents) or 'no program named itself'}"


def _program(user_agent: str, asks_for_tokens: bool | None) -> str:
    why = {
        False: "too old to ask for a token",
        None: "unknown to us",
        True: "could ask for a token: it is told not to, or the token does not reach it",
    }
    return f"{bounded(user_agent, _SHOWN)} ({why[asks_for_tokens]})"


def _default(hosts: list[Host], posture: Posture | None) -> Measure | None:
    """Of regions that were read where that is not said yet; else of those that instances were seen in."""
    read = {one.name: one.defaults for one in posture.regions if one.defaults} if posture else {}
    wanting = {
        name: defaults.http_tokens or "no-preference"
        for name, defaults in read.items()
        if defaults.http_tokens != "required" and defaults.managed_by != _DECLARED and is_region(name)
    }
    wanting |= {one.region: "" for one in hosts if one.region not in read}
    if not wanting:
        return None
    return Measure(
        Step.DEFAULT,
        "Let the account's default require tokens of what is launched; what runs is left as it is",
        commands=tuple(_defaults(region, "required") for region in sorted(wanting)),
        undo=tuple(_defaults(region, before) for region, before in sorted(wanting.items()) if before),
        notes=(
            "To be done in every region of every account, also where nothing runs yet.",
            "A launch that asks for less still gets less. Later, HttpTokensEnforced=enabled refuses it.",
        ),
    )


_DECLARED = "declarative-policy"


def _defaults(region: str, tokens: str) -> Argv:
    return aws("ec2", "modify-instance-metadata-defaults", region, "--http-tokens", tokens)


def _declare(hosts: list[Host], postures: Iterable[Posture]) -> Measure | None:
    told = [one.organization.id for one in postures if one.organization is not None]
    if not hosts or (told and not any(told)):
        return None
    return Measure(
        Step.DECLARE,
        "In an organization say so once for all accounts; no account can then say otherwise",
        documents=(declarative_policy(), declarative_policy(is_enforced=True)),
        notes=(
            "Attach the first to a test OU, then to the root. The second also refuses launches that ask for less: it "
            "comes last.",
        ),
    )


def _launch(hosts: list[Host], survey: Survey) -> Measure | None:
    if not hosts:
        return None
    return Measure(
        Step.LAUNCH,
        "Let nobody launch, or change back, an instance that hands out keys without a token",
        documents=tuple(launch_policy(partition=partition) for partition in _partitions(survey)),
        notes=(
            "Not rehearsed: the ledger keeps no launches. Launch templates, Auto Scaling groups and pipelines must say "
            "HttpTokens=required themselves before it is attached.",
            "An SCP binds neither the management account nor service-linked roles.",
        ),
    )


def _partitions(survey: Survey) -> list[str]:
    return sorted({one.partition for one in survey.roles})


def _deny(survey: Survey) -> Measure | None:
    if not survey.roles:
        return None
    broken = [one for one in survey.roles if one.denials]
    denied = sum(one.denied_calls for one in broken)
    strays = sum(host.stray_v1_calls for role in survey.roles for host in role.hosts)
    unknown = sum(one.unknown_calls for one in survey.roles)
    about = "about " if any(one.is_estimate for one in broken) else ""
    would = (
        f"would have denied {about}{_many(denied, 'call')} of {_many(len(broken), 'role')}"
        if denied
        else ("would have denied no call of any role's own")
    )
    return Measure(
        Step.DENY,
        f"Deny all calls with keys that came by IMDSv1; from {survey.since or '?'} to {survey.until or '?'} it {would}",
        documents=(keys_policy(), keys_scp()),
        notes=tuple(_of_denying(broken, strays, unknown)),
    )


def _of_denying(broken: list[V1Role], strays: int, unknown: int) -> Iterator[str]:
    if strays:
        yield f"It would also have denied {_many(strays, 'call')} by thieves."
    if unknown:
        yield f"Of {_many(unknown, 'call')} the records do not say how the key came; they are in no figure."
    for role in broken:
        calls = ", ".join(f"{bounded(one.call, 80)} {one.calls}" for one in role.denials[:10])
        yield f"{printable(role.role)} in {role.account}: {calls}"
    yield "Begin with the role policy on one role. Keys that are out already are denied at once; IMDSv2 still answers."
    yield "sts:GetCallerIdentity is never denied, nor EC2's own identity role (aws:ec2-instance)."


def _once(hosts: Iterable[Host]) -> list[Host]:
    """An instance may have been used under several roles."""
    return sorted({(one.region, one.id): one for one in hosts}.values(), key=lambda one: (one.region, one.id))


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
