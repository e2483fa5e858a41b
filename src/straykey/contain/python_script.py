"""A plan as a Python program: `python FILE apply`, `python FILE undo`; needs boto3."""

from collections.abc import Iterator

from straykey.contain.parts import LOOKUPS, filters, is_only_where_v6, remarks, undoing, words
from straykey.contain.plan import Call, Lookup, Plan, Step, Value
from straykey.formats.text import printable

_HEAD = '''\
{remarks}
#
# Needs: {permissions}
import sys
import time

import boto3
from botocore.exceptions import ClientError

{clients}


def again(call, **parameters):
    """IAM and EC2 take a while to know what was just made."""
    for seconds in (5, 10, 20, 30, 0):
        try:
            return call(**parameters)
        except ClientError as error:
            if not seconds:
                raise
            print(error, file=sys.stderr)
            time.sleep(seconds)


def undone(call, **parameters):
    """What is not there need not be taken away."""
    try:
        again(call, **parameters)
    except ClientError as error:
        print("look at this:", error, file=sys.stderr)


def find(call, listed, wanted, filters):
    """The id of what an earlier step made."""
    found = call(Filters=[{{"Name": name, "Values": [value]}} for name, value in filters.items()])[listed]
    return found[0][wanted] if found else "none"


def available(endpoint):
    while endpoint and endpoint["State"].lower() != "available":
        time.sleep(10)
        endpoint = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])["VpcEndpoints"][0]


def apply():
{apply}


def undo():
{undo}


if __name__ == "__main__":
    if sys.argv[1:] not in (["apply"], ["undo"]):
        sys.exit("usage: python FILE apply|undo")
    apply() if sys.argv[1] == "apply" else undo()
'''


def python_script(plan: Plan) -> str:
    """For Python 3 and boto3."""
    applied = [line for step in plan.steps for line in _applied(step)] or ["    pass"]
    reverted = [_line(call, "undone") for call in undoing(plan)] or ["    pass"]
    return _HEAD.format(
        remarks="\n".join(f"# {line}" for line in remarks(plan)),
        permissions=", ".join(plan.permissions) or "nothing",
        clients="\n".join(_clients(plan)),
        apply="\n".join(applied),
        undo="\n".join(reverted),
    )


def _clients(plan: Plan) -> list[str]:
    calls = [*(step.call for step in plan.steps), *undoing(plan)]
    used = sorted({(call.service, call.region) for call in calls})
    return [f"{service} = boto3.client({', '.join(_client(service, region))})" for service, region in used]


def _client(service: str, region: str) -> list[str]:
    return [ascii(service), *([f"region_name={region!a}"] if region else [])]


def _applied(step: Step) -> Iterator[str]:
    yield f"    # {printable(step.name)}"
    call = _line(step.call, "undone" if is_only_where_v6(step.call) else "again")
    yield call if step.call.operation != "CreateVpcEndpoint" else f'    available({call.strip()}["VpcEndpoint"])'


def _line(call: Call, run: str) -> str:
    said = [f"{call.service}.{words(call.operation, '_')}"]
    said += [f"{name}={_literal(value)}" for name, value in call.parameters.items()]
    return f"    {run}({', '.join(said)})"


def _literal(value: Value) -> str:
    if isinstance(value, Lookup):
        return _find(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!a}: {_literal(one)}' for key, one in value.items())}}}"
    return ascii(value)


def _find(lookup: Lookup) -> str:
    operation, _, listed, wanted = LOOKUPS[lookup.sought]
    named = [f"{name!a}: {value!a}" for name, value in filters(lookup)]
    return f"find(ec2.{words(operation, '_')}, {listed!a}, {wanted!a}, {{{', '.join(named)}}})"
