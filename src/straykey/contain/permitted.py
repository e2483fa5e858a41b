"""Whether who runs straykey may do what a plan says, asked without a change.

EC2 answers that itself.  IAM has no such question; it can simulate what a role or user may do, if that is allowed.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from straykey import aws
from straykey.contain.execute import Hands, NotDoneError
from straykey.contain.lookup import AbsentError, resolved
from straykey.contain.needs import permissions_of
from straykey.contain.operations import operation_of, subject_of
from straykey.contain.patience import patiently
from straykey.contain.plan import Call, Step, Trouble
from straykey.contain.state import Kind, Subject
from straykey.formats.text import printable

_WOULD_BE_DONE = "DryRunOperation"
_MAKES = frozenset({"CreateInstanceProfile", "CreatePolicy", "CreateRole"})
SIMULATE = "iam:SimulatePrincipalPolicy"


def dry_runs(steps: Sequence[Step], hands: Hands) -> Iterator[Trouble | str]:
    """What EC2 says of the calls that can be named already; the rest is told."""
    for step in steps:
        for call in (step.call, *step.undo):
            if _has_dry_run(call):
                yield from _dry_run(call, hands)


def _has_dry_run(call: Call) -> bool:
    """EC2 has none for whose profile an instance has."""
    return call.service == "ec2" and subject_of(call).kind is not Kind.ASSOCIATION


def _dry_run(call: Call, hands: Hands) -> Iterator[Trouble | str]:
    reach = hands.clients.at(call.region)
    name = f"{call.service}:{call.operation}"
    try:
        parameters = patiently(hands.clock, lambda: resolved(reach, call.parameters))
        method = operation_of(call).method(reach)
        patiently(hands.clock, lambda: method(**parameters, DryRun=True))
    except AbsentError:
        yield f"whether {name} is allowed was not checked: what it is about is not there yet"
    except aws.failures() as error:
        code = aws.code_of(error)
        if aws.is_denial(error):
            told = aws.refusal(error, name, " and ".join(permissions_of(call)))
            yield Trouble(str(told), told.hint)
        elif code != _WOULD_BE_DONE:
            yield f"whether {name} is allowed was not checked: {printable(code)}"


def simulated(calls: Iterable[Call], caller: str, hands: Hands) -> Iterator[Trouble | str]:
    """What IAM says that `caller`, an ARN, may do of what has no dry run."""
    if caller.endswith(":root"):
        return
    try:
        asked = _actions([call for call in calls if not _has_dry_run(call)], caller, hands)
        principal = _principal(caller, hands) if asked else ""
        for resource, actions in sorted(asked.items()):
            yield from _simulate(principal, resource, sorted(actions), hands)
    except NotDoneError as error:
        yield f"what IAM allows was not checked: {error}"


def _principal(caller: str, hands: Hands) -> str:
    """A session is simulated as its role, whose path its ARN does not tell."""
    kind, _, name = caller.split(":", 5)[5].partition("/")
    if kind != "assumed-role":
        return caller
    role = name.partition("/")[0]
    return str(hands.ask(lambda at: at.iam.get_role(RoleName=role)["Role"]["Arn"], ("iam:GetRole",)))


class _Thing(msgspec.Struct, frozen=True):
    kind: str  # as ARNs have it
    name: str


def _thing(call: Call) -> _Thing:
    """What a call of IAM is made on."""
    for kind, field in (("instance-profile", "InstanceProfileName"), ("role", "RoleName"), ("policy", "PolicyName")):
        if field in call.parameters:
            return _Thing(kind, str(call.parameters[field]))
    return _Thing("policy", str(subject_of(call).names[0]))


def _actions(calls: Sequence[Call], caller: str, hands: Hands) -> dict[str, set[str]]:
    """By the ARN of what is called: what is called on it."""
    _, partition, _, _, account, _ = caller.split(":", 5)
    made = {_thing(call): call.parameters.get("Path", "/") for call in calls if call.operation in _MAKES}
    asked: dict[str, set[str]] = {}
    for call in calls:
        if call.service == "ec2":
            region = call.region or hands.clients.region
            arn = f"arn:{partition}:ec2:{region}:{account}:instance/{subject_of(call).names[0]}"
        else:
            thing = _thing(call)
            path = made.get(thing) or _path(thing, hands)
            arn = f"arn:{partition}:iam::{account}:{thing.kind}{path}{thing.name}"
        asked.setdefault(arn, set()).add(f"{call.service}:{call.operation}")
    return asked


def _path(thing: _Thing, hands: Hands) -> str:
    kinds = {"role": (Kind.ROLE, "iam:GetRole"), "instance-profile": (Kind.PROFILE, "iam:GetInstanceProfile")}
    if thing.kind not in kinds:
        return "/"
    kind, needs = kinds[thing.kind]
    there = hands.seen(Subject(kind, (thing.name,)), (needs,))
    return str(there["Path"]) if isinstance(there, dict) else "/"


def _simulate(principal: str, resource: str, actions: list[str], hands: Hands) -> Iterator[Trouble | str]:
    asked: dict[str, Any] = {"PolicySourceArn": principal, "ActionNames": actions, "ResourceArns": [resource]}
    answer = hands.ask(lambda at: at.iam.simulate_principal_policy(**asked), (SIMULATE,))
    for one in answer["EvaluationResults"]:
        told = f"{one['EvalActionName']} is not allowed on {resource}, as IAM simulates it"
        if one["EvalDecision"] == "allowed":
            continue
        if one.get("MissingContextValues"):
            yield f"{told}, but some condition was not known to it"
        else:
            yield Trouble(told, f"grant {one['EvalActionName']} to who runs straykey")
