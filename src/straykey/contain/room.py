"""How long policies may be: what IAM would refuse in the middle is told at the beginning."""

import json
from collections.abc import Iterator, Sequence

from straykey import aws
from straykey.contain.clients import Reach, iam_pages
from straykey.contain.execute import Hands
from straykey.contain.plan import Step, Trouble
from straykey.contain.refusal import is_not_there
from straykey.formats.text import printable

_INLINE, _MANAGED, _ATTACHED = 10_240, 6_144, 10
_ANOTHER = "take another option, or make room"


def too_long(steps: Sequence[Step], hands: Hands) -> Iterator[Trouble | str]:
    """Of each role: all its inline policies together, and how many are attached; and each managed policy."""
    put: dict[str, dict[str, str]] = {}
    attached: dict[str, set[str]] = {}
    for call in (step.call for step in steps):
        named = {name: str(value) for name, value in call.parameters.items()}
        if call.operation == "PutRolePolicy":
            put.setdefault(named["RoleName"], {})[named["PolicyName"]] = named["PolicyDocument"]
        elif call.operation == "AttachRolePolicy":
            attached.setdefault(named["RoleName"], set()).add(named["PolicyArn"])
        elif call.operation == "CreatePolicy" and letters(named["PolicyDocument"]) > _MANAGED:
            yield Trouble(
                f"policy {printable(named['PolicyName'])} is too long: IAM takes {_MANAGED:,} characters", _ANOTHER
            )
    for role, documents in sorted(put.items()):
        yield from _too_long_inline(role, documents, hands)
    for role, arns in sorted(attached.items()):
        yield from _too_many(role, arns, hands)


def _too_long_inline(role: str, documents: dict[str, str], hands: Hands) -> Iterator[Trouble]:
    needs = ("iam:ListRolePolicies", "iam:GetRolePolicy")
    there = hands.ask(lambda at: inline_policies(at, role), needs)
    count = sum(map(letters, {**there, **documents}.values()))
    if count > _INLINE:
        told = f"role {printable(role)} would have {count:,} characters of inline policies: IAM takes {_INLINE:,}"
        yield Trouble(told, _ANOTHER)


def _too_many(role: str, arns: set[str], hands: Hands) -> Iterator[str]:
    there = hands.ask(lambda at: attached_policies(at, role), ("iam:ListAttachedRolePolicies",))
    if (count := len(arns.union(there))) > _ATTACHED:
        told = f"role {printable(role)} would have {count} policies attached"
        yield f"{told}; IAM takes {_ATTACHED}, unless the quota was raised"


def inline_policies(at: Reach, role: str) -> dict[str, str]:
    """By name, without white space; of a role that is not there, none."""
    try:
        names = list(iam_pages(at.iam.list_role_policies, "PolicyNames", RoleName=role))
        return {
            name: minified(at.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]) for name in names
        }
    except aws.failures() as error:
        if is_not_there(aws.code_of(error)):
            return {}
        raise


def attached_policies(at: Reach, role: str) -> list[str]:
    """ARNs; of a role that is not there, none."""
    try:
        listed = iam_pages(at.iam.list_attached_role_policies, "AttachedPolicies", RoleName=role)
        return [one["PolicyArn"] for one in listed]
    except aws.failures() as error:
        if is_not_there(aws.code_of(error)):
            return []
        raise


def minified(document: object) -> str:
    """JSON without white space, its letters as they are."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def letters(document: str) -> int:
    """As IAM counts them: without white space."""
    return sum(not character.isspace() for character in document)
