"""A plan as Terraform: what its AWS provider has a resource for; the rest as remarks with the command to run.

Terraform reads `${` and `%{` in a text as its own: both are doubled, or a document would say something else.
"""

import json
from collections.abc import Callable, Iterator, Mapping

import msgspec

from straykey.contain.parts import lookups, remarks
from straykey.contain.plan import Call, Lookup, Plan, Step, Value
from straykey.contain.shell_script import command_of
from straykey.formats.text import printable

Arguments = dict[str, str]  # already as Terraform writes them

_HEAD = """\
{remarks}
#
# `terraform apply` does it, `terraform destroy` undoes it.
terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }}
  }}
}}
{provider}
{body}
"""
_PROVIDER = """
provider "aws" {{
  region = {region}
}}
"""


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
        body="\n\n".join(_blocks(plan)) or "# There is nothing to do.",
    )


def quoted(text: str) -> str:
    """A text of Terraform's, in ASCII."""
    return json.dumps(text).replace("${", "$${").replace("%{", "%%{")


def _blocks(plan: Plan) -> Iterator[str]:
    after = ""
    made: dict[str, str] = {}  # what a lookup finds: the address of its resource
    for number, step in enumerate(plan.steps, start=1):
        made_of = _RESOURCES.get(step.call.operation)
        resource = made_of(step.call, made) if made_of else None
        if resource is None:
            yield _by_hand(step, after)
            continue
        name = f"step{number}"
        yield _block(resource, name, printable(step.name), after)
        after = f"{resource.type}.{name}"
        _remember(step, after, made)


def _remember(step: Step, address: str, made: dict[str, str]) -> None:
    for call in step.undo:
        for one in lookups(call):
            if step.call.operation in ("CreateSecurityGroup", "CreateVpcEndpoint"):
                made[one.of] = f"{address}.id"


def _block(resource: Resource, name: str, about: str, after: str) -> str:
    said = resource.said | ({"depends_on": f"[{after}]"} if after else {})
    width = max(map(len, said))
    lines = "\n".join(f"  {key:<{width}} = {value}" for key, value in said.items())
    return f'# {about}\nresource "{resource.type}" "{name}" {{\n{lines}\n}}'


def _by_hand(step: Step, after: str) -> str:
    if step.call.operation == "AddRoleToInstanceProfile":
        return f"# {printable(step.name)}: said with the profile."
    if step.call.operation == "RevokeSecurityGroupEgress":
        return f"# {printable(step.name)}: Terraform makes groups without that rule."
    first = f"after `terraform apply -target={after}` and before the rest, run" if after else "run first"
    back = ["#   To undo it, before `terraform destroy` and the last of these first:"] if step.undo else []
    undo = [*back, *(f"#   {command_of(call)}" for call in step.undo)]
    title = f"# {printable(step.name)}: Terraform has no resource for it; {first}:"
    return "\n".join([title, f"#   {command_of(step.call)}", *undo])


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
