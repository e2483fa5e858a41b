"""A plan as a Python program: `python FILE apply`, `python FILE undo`; needs boto3."""

from collections.abc import Iterator, Sequence

from straykey.contain.parts import (
    GONE,
    LOOKUPS,
    MISSING,
    filters,
    is_done_by,
    lookups,
    mark_of,
    passes,
    remarks,
    undoing,
    words,
)
from straykey.contain.plan import Call, Lookup, Plan, Value
from straykey.formats.text import printable

_HEAD = '''\
{remarks}
#
# Needs: {permissions}
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# What is throttled, or fails on its way, boto3 itself asks again.
patient = Config(retries={{"mode": "standard", "max_attempts": 8}})
{clients}

# Of what is to be undone, or given back something: it is not there any more.
GONE = {gone}


class MissingError(Exception):
    response = {{"Error": {{"Code": {missing}}}}}


def run(call, passing=(), done=()):
    """Refusals in `passing` go by in a minute, those in `done` say that nothing is left to do; all others end this."""
    for seconds in (5, 10, 20, 30, 0):
        try:
            call()
            return
        except (ClientError, MissingError) as error:
            code = error.response["Error"]["Code"]
            if code in passing and seconds:
                time.sleep(seconds)
            elif code in done:
                return
            else:
                sys.exit(f"stopped: {{error}}")


def find(call, listed, wanted, filters):
    """The id of what an earlier step made."""
    found = call(Filters=[{{"Name": name, "Values": [value]}} for name, value in filters.items()])[listed]
    if not found:
        raise MissingError(f"nothing is found by {{filters}}")
    return found[0][wanted]


def wait(client, tag, wanted):
    """Endpoints take minutes until they are there, and until they are gone."""
    for _ in range(90):
        found = client.describe_vpc_endpoints(Filters=[{{"Name": "tag:straykey", "Values": [tag]}}])["VpcEndpoints"]
        states = {{one["State"].lower() for one in found}} - {{"deleted"}}
        if states == wanted:
            return
        time.sleep(10)
    sys.exit(f"stopped: endpoint {{tag}} is {{states or 'not there'}} after 15 minutes")


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
    reverted = [line for call in undoing(plan) for line in _lines(call, passes(call, ()), "GONE")]
    return _HEAD.format(
        remarks="\n".join(f"# {line}" for line in remarks(plan)),
        permissions=", ".join(plan.permissions) or "nothing",
        missing=ascii(MISSING),
        gone=ascii(GONE),
        clients="\n".join(_clients(plan)),
        apply="\n".join(_applied(plan)) or "    pass",
        undo="\n".join(reverted) or "    pass",
    )


def _clients(plan: Plan) -> list[str]:
    calls = [*(step.call for step in plan.steps), *undoing(plan)]
    used = sorted({(call.service, call.region) for call in calls})
    return [f"{service} = boto3.client({', '.join(_client(service, region))})" for service, region in used]


def _client(service: str, region: str) -> list[str]:
    return [ascii(service), "config=patient", *([f"region_name={region!a}"] if region else [])]


def _applied(plan: Plan) -> Iterator[str]:
    calls = [step.call for step in plan.steps]
    for number, (step, call) in enumerate(zip(plan.steps, calls, strict=True)):
        yield f"    # {printable(step.name)}"
        yield from _lines(call, passes(call, calls[:number]), ascii(is_done_by(call)))


def _lines(call: Call, passing: Sequence[str], done: str) -> Iterator[str]:
    said = ", ".join(f"{name}={_literal(value)}" for name, value in call.parameters.items())
    yield f"    run(lambda: {call.service}.{words(call.operation, '_')}({said}), {passing!a}, {done})"
    if call.operation == "CreateVpcEndpoint":
        yield f"    wait(ec2, {mark_of(call.parameters['TagSpecifications'])!a}, {{'available'}})"
    if call.operation == "DeleteVpcEndpoints":
        yield f"    wait(ec2, {lookups(call)[0].of!a}, set())"


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
