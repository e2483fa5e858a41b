"""A plan as Terraform: what its AWS provider has a resource for; the rest as remarks with the command to run.

Terraform reads `${` and `%{` in a text as its own: both are doubled, or a document would say something else.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby

import msgspec

from straykey.contain.parts import lookups, remarks
from straykey.contain.plan import Call, Lookup, Plan, Step, Value
from straykey.contain.shell_script import command_of
from straykey.formats.text import printable

# What JSON escapes and Terraform would not understand: pairs of surrogates, \b and \f; not what follows a backslash.
_ESCAPE = re.compile(r"(\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|\\.")
Arguments = dict[str, str]  # already as Terraform writes them

_HEAD = """\
{remarks}
#
{how}
terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }}
  }}
}}
{provider}{variable}
{body}
"""
_PROVIDER = """
provider "aws" {{
  region = {region}
}}
"""
_VARIABLE = """
variable "contain" {
  description = "Whether the Deny is there."
  type        = bool
  default     = true
}
"""
_SWITCHED = "var.contain ? 1 : 0"
# What a resource stands for without saying so.
_IMPLIED = {
    "AddRoleToInstanceProfile": "said with the profile",
    "RevokeSecurityGroupEgress": "Terraform makes groups without that rule",
}
_LEFT = ("StopInstances",)  # Terraform leaves it as it is when its resource is destroyed


class Resource(msgspec.Struct, frozen=True):
    """One block; `said` are its arguments."""

    type: str
    said: Arguments


def terraform(plan: Plan) -> str:
    """For Terraform 1 and version 5 or newer of the provider `hashicorp/aws`."""
    regions = sorted({step.call.region for step in plan.steps} - {""})
    return _HEAD.format(
        remarks="\n".join(f"# {line}" for line in remarks(plan)),
        provider="".join(_PROVIDER.format(region=quoted(region)) for region in regions[:1]),
        how="\n".join(f"# {line}" for line in _how(plan)),
        variable=_VARIABLE if any(_is_deny(plan, step) for step in plan.steps) else "",
        body="\n\n".join(_blocks(plan)) or "# There is nothing to do.",
    )


def quoted(text: str) -> str:
    """A text of Terraform's, in ASCII."""
    return _ESCAPE.sub(_escaped, json.dumps(text)).replace("${", "$${").replace("%{", "%%{")


def _escaped(found: re.Match[str]) -> str:
    if found[1]:
        char: str = json.loads(f'"{found[1]}"')
        return f"\\U{ord(char):08x}"
    return {"\\b": "\\u0008", "\\f": "\\u000c"}.get(found[0], found[0])


def _how(plan: Plan) -> Iterator[str]:
    """What Terraform does of it, what not, and in which order."""
    if not plan.steps:
        return
    by_hand = [step for step in plan.steps if _is_by_hand(step)]
    done = [printable(step.name) for step in plan.steps if step not in by_hand]
    left = [*by_hand, *(step for step in plan.steps if _is_left(step))]
    yield f"Terraform does: {'; '.join(done) or 'nothing of this'}."
    if by_hand:
        told = "; ".join(printable(step.name) for step in by_hand)
        yield f"By hand, with the commands that stand at their places below: {told}."
    yield f"To do it: {', then '.join(_in_order(plan)) or 'nothing'}."
    off = any(_is_deny(plan, step) for step in plan.steps)
    if off:
        yield "To take the Deny away, and nothing else: `terraform apply -var contain=false`."
    undo = ["`terraform apply -var contain=false`"] if off and left else []
    undo += ['the commands under "To undo it" below, the last first'] if any(step.undo for step in left) else []
    yield f"To undo all: {', then '.join([*undo, *(['`terraform destroy`'] if done else [])])}."


def _in_order(plan: Plan) -> Iterator[str]:
    """Runs of what Terraform does, and of what is done by hand."""
    numbered = groupby(enumerate(plan.steps, start=1), lambda one: _is_by_hand(one[1]))
    runs = [(is_hand, list(steps)) for is_hand, steps in numbered]
    for place, (is_hand, steps) in enumerate(runs, start=1):
        made = [(number, step) for number, step in steps if step.call.operation not in _IMPLIED]
        if is_hand:
            yield f"by hand: {'; '.join(printable(step.name) for _, step in steps)}"
        elif all(hand for hand, _ in runs[place:]):
            yield "`terraform apply`"
        elif made:
            number, step = made[-1]
            yield f"`terraform apply -target={_type_of(step)}.step{number}`"


def _type_of(step: Step) -> str:
    return _RESOURCES[step.call.operation](step.call, defaultdict(str)).type


def _is_by_hand(step: Step) -> bool:
    return step.call.operation not in _RESOURCES and step.call.operation not in _IMPLIED


def _is_left(step: Step) -> bool:
    """Whether what was there before does not come back when the resource is destroyed."""
    return step.call.operation in _LEFT or any(call.operation == step.call.operation for call in step.undo)


def _is_deny(plan: Plan, step: Step) -> bool:
    """Policies that are put on a role that the plan did not make are all Denies."""
    made = {one.call.parameters["RoleName"] for one in plan.steps if one.call.operation == "CreateRole"}
    return step.call.operation in _POLICIES and step.call.parameters.get("RoleName") not in made


def _blocks(plan: Plan) -> Iterator[str]:
    after = ""
    made: dict[str, str] = {}  # what a lookup finds: the address of its resource
    for number, step in enumerate(plan.steps, start=1):
        made_of = _RESOURCES.get(step.call.operation)
        if made_of is None:
            yield _by_hand(step)
            continue
        resource, name = made_of(step.call, made), f"step{number}"
        about = [f"# {printable(step.name)}", *(_undoing(step) if _is_left(step) else [])]
        switch = {"count": _SWITCHED} if _is_deny(plan, step) else {}
        yield "\n".join([*about, _block(resource, name, switch, after)])
        after = f"{resource.type}.{name}"
        _remember(step, after, made)


def _remember(step: Step, address: str, made: dict[str, str]) -> None:
    for call in step.undo:
        for one in lookups(call):
            if step.call.operation in ("CreateSecurityGroup", "CreateVpcEndpoint"):
                made[one.of] = f"{address}.id"


def _block(resource: Resource, name: str, switch: Arguments, after: str) -> str:
    said = resource.said | ({"depends_on": f"[{after}]"} if after else {})
    lines = [*(f"  {key} = {value}" for key, value in switch.items()), *([""] if switch else [])]
    width = max(map(len, said))
    lines += [f"  {key:<{width}} = {value}" for key, value in said.items()]
    return "\n".join([f'resource "{resource.type}" "{name}" {{', *lines, "}"])


def _by_hand(step: Step) -> str:
    if told := _IMPLIED.get(step.call.operation):
        return f"# {printable(step.name)}: {told}."
    title = f"# By hand, as Terraform has no resource for it: {printable(step.name)}"
    return "\n".join([title, f"#   {command_of(step.call)}", *_undoing(step)])


def _undoing(step: Step) -> list[str]:
    commands = [f"#   {command_of(call)}" for call in step.undo]
    return ["#   To undo it:", *commands] if commands else []


def _text(value: Value) -> str:
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def _listed(value: Value, made: Mapping[str, str]) -> str:
    values = value if isinstance(value, tuple) else ()
    return f"[{', '.join(_id(one, made) for one in values)}]"


def _id(value: Value, made: Mapping[str, str]) -> str:
    return made[value.of] if isinstance(value, Lookup) else _text(value)


def _tags(value: Value) -> str:
    """Pairs of Key and Value as a map."""
    pairs = [one for one in value if isinstance(one, dict)] if isinstance(value, tuple) else []
    said = ", ".join(" = ".join((_text(one["Key"]), _text(one["Value"]))) for one in pairs)
    return f"{{ {said} }}"


def _spec(value: Value) -> str:
    """The tags of the one thing that TagSpecifications are about."""
    first = value[0] if isinstance(value, tuple) else None
    return _tags(first["Tags"]) if isinstance(first, dict) else "{}"


def _named(type_: str, names: Mapping[str, str]) -> Callable[[Call, Mapping[str, str]], Resource]:
    """A resource whose arguments are the call's parameters under other names."""

    def made_of(call: Call, made: Mapping[str, str]) -> Resource:
        return Resource(type_, {names[key]: _said(key, value, made) for key, value in call.parameters.items()})

    return made_of


def _said(key: str, value: Value, made: Mapping[str, str]) -> str:
    if key == "Tags":
        return _tags(value)
    if key == "TagSpecifications":
        return _spec(value)
    return _listed(value, made) if isinstance(value, tuple) else _id(value, made)


def _profile(call: Call, _: Mapping[str, str]) -> Resource:
    """With its role, which a call of its own puts there."""
    name = _text(call.parameters["InstanceProfileName"])
    return Resource("aws_iam_instance_profile", {"name": name, "path": _text(call.parameters["Path"]), "role": name})


def _ingress(call: Call, made: Mapping[str, str]) -> Resource:
    said = {"security_group_id": _id(call.parameters["GroupId"], made), "cidr_ipv4": quoted("0.0.0.0/0")}
    return Resource(
        "aws_vpc_security_group_ingress_rule",
        said | {"ip_protocol": quoted("tcp"), "from_port": "443", "to_port": "443"},
    )


def _stopped(call: Call, _: Mapping[str, str]) -> Resource:
    ids = call.parameters["InstanceIds"]
    (one,) = ids if isinstance(ids, tuple) else ("",)
    return Resource("aws_ec2_instance_state", {"instance_id": _text(one), "state": quoted("stopped")})


_RESOURCES: Mapping[str, Callable[[Call, Mapping[str, str]], Resource]] = {
    "PutRolePolicy": _named(
        "aws_iam_role_policy", {"RoleName": "role", "PolicyName": "name", "PolicyDocument": "policy"}
    ),
    "CreatePolicy": _named("aws_iam_policy", {"PolicyName": "name", "PolicyDocument": "policy"}),
    "AttachRolePolicy": _named("aws_iam_role_policy_attachment", {"RoleName": "role", "PolicyArn": "policy_arn"}),
    "CreateRole": _named(
        "aws_iam_role",
        {
            "RoleName": "name",
            "Path": "path",
            "AssumeRolePolicyDocument": "assume_role_policy",
            "MaxSessionDuration": "max_session_duration",
            "Description": "description",
            "PermissionsBoundary": "permissions_boundary",
            "Tags": "tags",
        },
    ),
    "CreateInstanceProfile": _profile,
    "CreateSecurityGroup": _named(
        "aws_security_group",
        {"GroupName": "name", "Description": "description", "VpcId": "vpc_id", "TagSpecifications": "tags"},
    ),
    "AuthorizeSecurityGroupIngress": _ingress,
    "CreateVpcEndpoint": _named(
        "aws_vpc_endpoint",
        {
            "VpcId": "vpc_id",
            "ServiceName": "service_name",
            "VpcEndpointType": "vpc_endpoint_type",
            "TagSpecifications": "tags",
            "RouteTableIds": "route_table_ids",
            "SubnetIds": "subnet_ids",
            "SecurityGroupIds": "security_group_ids",
            "PrivateDnsEnabled": "private_dns_enabled",
        },
    ),
    "StopInstances": _stopped,
}
_POLICIES = ("AttachRolePolicy", "CreatePolicy", "PutRolePolicy")
