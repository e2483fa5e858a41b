"""The CloudFormation template, deployed to moto; what moto does not know of it is made from what the template says."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import boto3
from cfnlint.decode import decode_str

from tests.aws import BUCKET, Aws
from tests.conftest import ROOT

TEXT = (ROOT / "deploy/cloudformation/straykey.yaml").read_text()
ACCOUNT = "123456789012"  # moto's
REGION = "us-east-1"
IMAGE = "ami-12c6146b"  # one of moto's: to have it list them takes seconds


@cache
def template() -> Any:
    """The template with its short forms written out; not to be changed."""
    document, complaints = decode_str(TEXT)
    assert not complaints
    return document


class Stack(NamedTuple):
    """What was deployed: parameters, what each resource is called, and what is told of it."""

    parameters: Mapping[str, Any]
    names: Mapping[str, str]
    outputs: Mapping[str, str]

    def properties(self, resource: str) -> Any:
        """As CloudFormation would hand them on."""
        return self._resolved(template()["Resources"][resource]["Properties"])

    def has(self, resource: str) -> bool:
        condition = template()["Resources"][resource].get("Condition")
        return condition is None or self._holds(condition)

    @property
    def user_data(self) -> str:
        return str(self.properties("Instance")["UserData"]["Fn::Base64"])

    def _holds(self, condition: str) -> bool:
        return bool(self._resolved(template()["Conditions"][condition]))

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, list):
            return [one for one in map(self._resolved, value) if one is not _NOTHING]
        if not isinstance(value, dict):
            return value
        name, given = next(iter(value.items()), ("", None))
        if len(value) == 1 and name in _FUNCTIONS and not (name == "Condition" and isinstance(given, dict)):
            return _FUNCTIONS[name](self, given)
        resolved = {name: self._resolved(part) for name, part in value.items()}
        return {name: part for name, part in resolved.items() if part is not _NOTHING}

    def ref(self, name: str) -> Any:
        pseudo = {
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::StackName": "straykey",
            "AWS::NoValue": _NOTHING,
        }
        return {**self.names, **self.parameters, **pseudo}[name]

    def attribute(self, path: Any) -> str:
        resource, attribute = path if isinstance(path, list) else path.split(".")
        name = self.names[resource].rpartition("/")[2]
        arns = {
            "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
            "AWS::Events::Rule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}",
            "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        }
        return arns[template()["Resources"][resource]["Type"]] if attribute == "Arn" else name

    def chosen(self, given: Any) -> Any:
        return self._resolved(given[1] if self._holds(given[0]) else given[2])

    def substituted(self, given: Any) -> str:
        text, variables = given if isinstance(given, list) else (given, {})
        values = self._resolved(variables)

        def value(name: str) -> str:
            return str(values[name]) if name in values else self.attribute(name) if "." in name else self.ref(name)

        return re.sub(r"\$\{([A-Za-z0-9:.]+)\}", lambda found: value(found[1]), text)

    def joined(self, given: Any) -> str:
        return str(given[0]).join(self._resolved(given[1]))

    def same(self, given: Any) -> bool:
        one, other = self._resolved(given)
        return bool(one == other)


_NOTHING = object()
_FUNCTIONS: dict[str, Any] = {
    "Ref": Stack.ref,
    "Fn::GetAtt": Stack.attribute,
    "Fn::If": Stack.chosen,
    "Fn::Sub": Stack.substituted,
    "Fn::Join": Stack.joined,
    "Fn::Split": lambda stack, given: stack._resolved(given[1]).split(given[0]),
    "Fn::Equals": Stack.same,
    "Fn::Or": lambda stack, given: any(stack._resolved(given)),
    "Condition": lambda stack, given: stack._holds(given),
    "Fn::Not": lambda stack, given: not stack._resolved(given[0]),
}


def deployed(aws: Aws, **parameters: str) -> Stack:
    """The whole template, in a bucket's account; moto leaves out the policy of the queue and the subscription."""
    ec2 = boto3.client("ec2")
    given = {
        "TrailBucket": BUCKET,
        "VpcId": ec2.describe_vpcs()["Vpcs"][0]["VpcId"],
        "SubnetId": ec2.describe_subnets()["Subnets"][0]["SubnetId"],
        "Image": IMAGE,
        **parameters,
    }
    client = boto3.client("cloudformation")
    client.create_stack(
        StackName="straykey",
        TemplateBody=TEXT,
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    (told,) = client.describe_stacks(StackName="straykey")["Stacks"]
    assert told["StackStatus"] == "CREATE_COMPLETE"
    resources = client.describe_stack_resources(StackName="straykey")["StackResources"]
    # Of what it left out, moto tells no name.
    names = {str(one["LogicalResourceId"]): one["PhysicalResourceId"] for one in resources if len(one) > 4}
    stack = Stack(_typed(given), names, {one["OutputKey"]: one["OutputValue"] for one in told["Outputs"]})
    _complete(aws, stack)
    return stack


def _typed(given: Mapping[str, str]) -> dict[str, Any]:
    """With those that were not given, and lists as lists."""
    values = {name: given.get(name, one.get("Default")) for name, one in template()["Parameters"].items()}
    kinds = {name: one["Type"] for name, one in template()["Parameters"].items()}
    return {name: text.split(",") if "List" in kinds[name] else text for name, text in values.items()}


def _complete(aws: Aws, stack: Stack) -> None:
    policy = stack.properties("QueuePolicy")
    for url in policy["Queues"]:
        aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy["PolicyDocument"])})
    if stack.has("Subscription"):
        one = stack.properties("Subscription")
        boto3.client("sns").subscribe(
            TopicArn=one["TopicArn"],
            Protocol=one["Protocol"],
            Endpoint=one["Endpoint"],
            Attributes={"RawMessageDelivery": str(one["RawMessageDelivery"]).lower()},
        )


def seen_by_the_machine(stack: Stack) -> str:
    """What moto gives the instance to run."""
    told = boto3.client("ec2").describe_instance_attribute(InstanceId=stack.outputs["InstanceId"], Attribute="userData")
    return base64.b64decode(told["UserData"]["Value"]).decode()
