"""The pieces of a perimeter as Terraform: the organization's, which are created and attached to nothing, and accounts'.

What is of an account waits for a variable that names it, and no key is touched before.  The two can be applied apart:
Terraform configures every provider that a file has, also where nothing is named (hashicorp/terraform#33790).  Each
account has a provider that refuses the credentials of any other, for roles have the same names in many accounts.
"""

import hashlib
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from straykey.contain.terraform import quoted
from straykey.formats.text import printable
from straykey.harden.blindness import listed
from straykey.harden.command import aws
from straykey.harden.imds_document import Document
from straykey.harden.imds_plan import Step
from straykey.harden.pieces import Command, OnEndpoint, OnRole, Opening, Organized, Pieces, Place

_HEAD = """\
# straykey: what binds the keys of instances to where their instances are.
#
# `terraform apply` creates the policies of the organization, and attaches none: each other piece waits until a variable
# names it.  Name a canary first, watch for denies, then name more.  To take a piece back, take its name out again.
#
# These are two files in one: a line below parts what is the organization's from what is the accounts'.  Terraform
# configures the provider of every account in a file, also where nothing of it is named.  With credentials of the
# management account alone the accounts' providers refuse (allowed_account_ids), and nothing is applied at all: so put
# what follows that line into a folder of its own, with a copy of the block `terraform`, and apply each apart; or set
# the variable assumed_role to a role that these credentials may assume in every account named here.
#
{remarks}
terraform {{
  required_version = ">= 1.3"
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = ">= 5.81"
    }}
  }}
}}

{organization}

# ---- Here the organization's file ends; what follows is the accounts'. ----

{accounts}
"""
# The name, what it is for, its type, its default.
_Variable = tuple[str, str, str, str]
_TARGETS: _Variable = (
    "targets",
    "Where each policy is attached: its name, and ids of accounts, units or roots.",
    "map(set(string))",
    "{}",
)
_VARIABLES: tuple[_Variable, ...] = (
    (
        "assumed_role",
        "The name of a role to assume in each account; empty where the credentials at hand are of the only account.",
        "string",
        '""',
    ),
    ("roles", "Roles that get their policy, as ACCOUNT/ROLE; all for every role.", "set(string)", "[]"),
    ("endpoint_policies", "VPC endpoints that get their policy, by id; all for every one.", "set(string)", "[]"),
    (
        "vpcs",
        "VPCs that get the endpoints they lack, by id; security_group_ids must let port 443 in.",
        "map(object({ route_table_ids = set(string), subnet_ids = set(string), security_group_ids = set(string) }))",
        "{}",
    ),
    ("canary_roles", "Roles that lose keys of IMDSv1, by account.", "map(set(string))", "{}"),
    ("metadata_defaults", "Where launches require tokens, as ACCOUNT/REGION; all for everywhere.", "set(string)", "[]"),
)
# Where an organization, and IAM, are asked; of a partition that is not here the operator knows.
_HOME = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}
_LABEL_LETTERS = 64


class _Block(msgspec.Struct, frozen=True):
    """`said` are arguments, each already as Terraform writes it."""

    header: str
    said: Mapping[str, str]
    remarks: tuple[str, ...] = ()
    inner: str = ""


def terraform(pieces: Pieces) -> str:
    """For Terraform 1.3, and version 5.81 of the provider `hashicorp/aws`: older ones lack kinds of policies.

    Written as `terraform fmt` would.
    """
    leading = [_variable(_TARGETS), *_leaders(pieces), *(each for one in pieces.organized for each in _organized(one))]
    following = [
        *map(_variable, _VARIABLES),
        *map(_account_provider, sorted(set(_places(pieces)))),
        *_resources(pieces),
    ]
    remarks = "\n".join(f"# {printable(one)}" for one in pieces.remarks)
    return _HEAD.format(
        remarks=remarks or "# Nothing was noted.",
        organization=_joined(leading),
        accounts=_joined(following, _by_hand(pieces)),
    )


def _joined(blocks: Iterable[_Block], more: Iterable[str] = ()) -> str:
    return "\n\n".join([*map(_written, blocks), *more])


def _written(block: _Block) -> str:
    width = max(map(len, block.said), default=0)
    lines = [f"# {printable(one)}" for one in block.remarks]
    lines += [f"{block.header} {{", *(f"  {key:<{width}} = {value}" for key, value in block.said.items())]
    return "\n".join([*lines, *([block.inner] if block.inner else []), "}"])


def _variable(one: _Variable) -> _Block:
    name, about, type_, default = one
    return _Block(f'variable "{name}"', {"description": quoted(about), "type": type_, "default": default})


def label(*parts: str) -> str:
    """A name for Terraform that stays the same and is like no other; a digest tells apart what does not fit in one."""
    whole = "_".join(parts)
    plain = re.sub(r"[^0-9A-Za-z_-]", "_", whole)[:_LABEL_LETTERS]
    is_told = plain == whole and "_" not in "".join(parts[:-1]) and plain[:1].isalpha()
    digest = hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:12]
    return plain if is_told else f"x_{plain}_{digest}"


def _alias(place: Place) -> str:
    return label(f"a{place.account}", place.region or _HOME.get(place.partition, ""))


def _provider(place: Place) -> dict[str, str]:
    return {"provider": f"aws.{_alias(place)}"}


def _leaders(pieces: Pieces) -> Iterator[_Block]:
    others = sorted({one.partition for one in pieces.organized} - {"aws"})
    yield _Block(
        'provider "aws"',
        {"region": quoted(_HOME["aws"])},
        ("The organization's management account, or one that policies are delegated to.",),
    )
    for partition in others:
        said = {"alias": quoted(label("organization", partition))} | _region(_HOME.get(partition, ""))
        yield _Block('provider "aws"', said, ("The same of another partition.",))


def _account_provider(place: Place) -> _Block:
    arn = f'format("arn:%s:iam::%s:role/%s", {quoted(place.partition)}, {quoted(place.account)}, assume_role.value)'
    return _Block(
        'provider "aws"',
        {
            "alias": quoted(_alias(place)),
            **_region(place.region or _HOME.get(place.partition, "")),
            "allowed_account_ids": f"[{quoted(place.account)}]",
        },
        inner=(
            '\n  dynamic "assume_role" {\n'
            '    for_each = var.assumed_role == "" ? [] : [var.assumed_role]\n'
            f"    content {{\n      role_arn = {arn}\n    }}\n  }}"
        ),
    )


def _region(region: str) -> dict[str, str]:
    return {"region": quoted(region)} if region else {}


def _places(pieces: Pieces) -> Iterator[Place]:
    """Those that a resource names; where nobody knows an account, there is none."""
    yield from (_home(one.place) for one in pieces.roles)
    yield from (_home(one) for one in pieces.accounts if pieces.keys)
    yield from filter(_is_known, (one.place for one in pieces.endpoints))
    yield from filter(_is_known, (one.place for one in pieces.openings))
    yield from (place for _, place in _defaults(pieces))


def _home(place: Place) -> Place:
    return msgspec.structs.replace(place, region=_HOME.get(place.partition, ""))


def _is_known(place: Place) -> bool:
    return bool(place.account and place.region)


def _resources(pieces: Pieces) -> Iterator[_Block]:
    for account in sorted({one.place.account for one in pieces.roles}):
        yield from (_on_role(one) for one in pieces.roles if one.place.account == account)
    yield from (_canaries(place, document) for document in pieces.keys for place in pieces.accounts)
    yield from (_opening(one) for one in pieces.openings if _is_known(one.place))
    yield from (_on_endpoint(one) for one in pieces.endpoints if _is_known(one.place))
    yield from (_default(command, place) for command, place in _defaults(pieces))


def _organized(policy: Organized) -> Iterator[_Block]:
    name = label(policy.name)
    provider = {} if policy.partition == "aws" else {"provider": f"aws.{label('organization', policy.partition)}"}
    yield _Block(
        f'resource "aws_organizations_policy" "{name}"',
        {**provider, "name": quoted(policy.name), "type": quoted(policy.type), "content": quoted(policy.document)},
        (policy.about,),
    )
    yield _Block(
        f'resource "aws_organizations_policy_attachment" "{name}"',
        {
            "for_each": f"toset(try(var.targets[{quoted(policy.name)}], []))",
            **provider,
            "policy_id": f"aws_organizations_policy.{name}.id",
            "target_id": "each.value",
        },
    )


def _if_named(variable: str, key: str) -> dict[str, str]:
    return {"count": f'length(setintersection(var.{variable}, ["all", {quoted(key)}])) == 0 ? 0 : 1'}


def _on_role(policy: OnRole) -> _Block:
    account = policy.place.account
    return _Block(
        f'resource "aws_iam_role_policy" "{label("perimeter", account, policy.role)}"',
        {
            **_if_named("roles", f"{account}/{policy.role}"),
            **_provider(_home(policy.place)),
            "role": quoted(policy.role),
            "name": quoted(policy.name),
            "policy": quoted(policy.document),
        },
        (f"{policy.role} in {account}: {policy.about}",),
    )


def _canaries(place: Place, document: Document) -> _Block:
    return _Block(
        f'resource "aws_iam_role_policy" "{label("keys", place.account)}"',
        {
            "for_each": f"toset(try(var.canary_roles[{quoted(place.account)}], []))",
            **_provider(_home(place)),
            "role": "each.value",
            "name": quoted(document.name),
            "policy": quoted(document.text),
        },
        (f"Keys of IMDSv1 are good for nothing, in {place.account}.",),
    )


def _opening(one: Opening) -> _Block:
    its = f"var.vpcs[{quoted(one.vpc)}]"
    ways = {"route_table_ids": f"{its}.route_table_ids"}
    if not one.is_gateway:
        ways = {
            "subnet_ids": f"{its}.subnet_ids",
            "security_group_ids": f"{its}.security_group_ids",
            "private_dns_enabled": "true",
        }
    return _Block(
        f'resource "aws_vpc_endpoint" "{label("opening", one.vpc, one.service)}"',
        {
            "count": f"contains(keys(var.vpcs), {quoted(one.vpc)}) ? 1 : 0",
            **_provider(one.place),
            "vpc_id": quoted(one.vpc),
            "service_name": quoted(one.service),
            "vpc_endpoint_type": quoted("Gateway" if one.is_gateway else "Interface"),
            **ways,
            "tags": '{ straykey = "harden" }',
        },
        (one.about,),
    )


def _on_endpoint(policy: OnEndpoint) -> _Block:
    return _Block(
        f'resource "aws_vpc_endpoint_policy" "{label(policy.endpoint)}"',
        {
            **_if_named("endpoint_policies", policy.endpoint),
            **_provider(policy.place),
            "vpc_endpoint_id": quoted(policy.endpoint),
            "policy": quoted(policy.document),
        },
        (
            policy.about,
            "Taken back, the endpoint lets everything through: keep the old policy.",
        ),
    )


def _defaults(pieces: Pieces) -> list[tuple[Command, Place]]:
    partitions = {one.account: one.partition for one in pieces.accounts}
    return [
        (one, Place(one.account, one.region, partitions.get(one.account, "aws")))
        for one in pieces.commands
        if one.step is Step.DEFAULT
    ]


def _default(command: Command, place: Place) -> _Block:
    read = f"aws ec2 get-instance-metadata-defaults --region {command.region}"
    undo = f"Taken back, the account says nothing of it any more: note first what it says ({read})."
    return _Block(
        f'resource "aws_ec2_instance_metadata_defaults" "{label("defaults", place.account, place.region)}"',
        {
            **_if_named("metadata_defaults", f"{place.account}/{place.region}"),
            **_provider(place),
            "http_tokens": quoted("required"),
        },
        (f"{place.account}, {command.region}: what is launched must require tokens. {undo}",),
    )


def _by_hand(pieces: Pieces) -> Iterator[str]:
    """What Terraform has no resource for, and what belongs to nobody knows whom."""
    others = [one for one in pieces.commands if one.step is not Step.DEFAULT]
    yield from _lines("Terraform has no resource for these", others)
    yield from _lines("To take them back", [one for one in pieces.undo if one.step is not Step.DEFAULT])
    yield from _lines("Nobody knows how these are set: note it first, to take it back", _unknown(pieces))
    yield from _unseen(pieces)
    lost = [
        *(f"{one.service} of {one.vpc}" for one in pieces.openings if not _is_known(one.place)),
        *(f"the policy of {one.endpoint} in {one.vpc}" for one in pieces.endpoints if not _is_known(one.place)),
    ]
    if lost:
        said = "\n".join(f"#   {printable(one)}" for one in lost)
        yield f"# Several accounts use these VPCs, or none is known: whose they are must be looked up.\n{said}"


def _unknown(pieces: Pieces) -> list[Command]:
    """What tells how an instance is set, of each that nothing takes back as it was."""
    known = {(one.step, one.key) for one in pieces.undo}
    query = ("--query", "Reservations[].Instances[].MetadataOptions")
    return [
        msgspec.structs.replace(
            one, argv=aws("ec2", "describe-instances", one.region, "--instance-ids", one.key, *query)
        )
        for one in pieces.commands
        if one.step in (Step.REQUIRE, Step.HOPS) and (one.step, one.key) not in known
    ]


def _unseen(pieces: Pieces) -> Iterator[str]:
    for number, gap in enumerate(pieces.gaps, 1):
        said = [f"# What trails do not record, {number}:", f"#   {printable(listed(gap))}"]
        said += [f"#   {printable(shlex.join(gap.command))}"] if gap.command else []
        yield "\n".join(said)


def _lines(title: str, commands: Sequence[Command]) -> Iterable[str]:
    for step, account in dict.fromkeys((one.step, one.account) for one in commands):
        some = [one for one in commands if (one.step, one.account) == (step, account)]
        said = "\n".join(f"#   {printable(shlex.join(one.argv))}" for one in some)
        yield f"# {title} ({step.value}, account {printable(account)}):\n{said}"
