"""A plan as a script of AWS's command line: `bash FILE apply`, `bash FILE undo`."""

import json
import shlex
from collections.abc import Iterator

from straykey.contain.parts import LOOKUPS, filters, is_only_where_v6, lookups, remarks, undoing, words
from straykey.contain.plan import Call, Lookup, Plan, Step, Value
from straykey.formats.text import printable

_HEAD = """\
#!/usr/bin/env bash
{remarks}
#
# Needs: {permissions}
set -euo pipefail

# IAM and EC2 take a while to know what was just made.
again() {{
  local try
  for try in 1 2 3 4 5 6; do
    "$@" && return
    sleep 10
  done
  return 1
}}

# What is not there need not be taken away.
undone() {{
  again "$@" || echo "look at this: $*" >&2
}}

apply() {{
  :
{apply}
}}

undo() {{
  :
{undo}
}}

case "${{1:-}}" in
apply) apply ;;
undo) undo ;;
*)
  echo "usage: bash $0 apply|undo" >&2
  exit 2
  ;;
esac
"""


def shell_script(plan: Plan) -> str:
    """For bash."""
    return _HEAD.format(
        remarks="\n".join(f"# {line}" for line in remarks(plan)),
        permissions=", ".join(plan.permissions) or "nothing",
        apply="\n".join(line for step in plan.steps for line in _applied(step)),
        undo="\n".join(line for call in undoing(plan) for line in _lines(call, "undone")),
    )


def command_of(call: Call) -> str:
    """The call on one line, for a reader; what must be looked up stands in it as a sub-shell."""
    return _command(call, {one: f'"$({_query(one, call.region)})"' for one in lookups(call)})


def _applied(step: Step) -> list[str]:
    run = "undone" if is_only_where_v6(step.call) else "again"
    return [f"  # {printable(step.name)}", *_lines(step.call, run), *_waiting(step.call)]


def _lines(call: Call, run: str) -> list[str]:
    found = lookups(call)
    names = {one: f'"$id{number}"' for number, one in enumerate(found)}
    looked = [f"  local id{number}" for number in range(len(found))]
    looked += [f"  id{number}=$({_query(one, call.region)})" for number, one in enumerate(found)]
    return [*looked, f"  {run} {_command(call, names)}"]


def _command(call: Call, names: dict[Lookup, str]) -> str:
    said = ["aws", call.service, words(call.operation, "-"), *_region(call.region)]
    return f"{shlex.join(said)} --no-cli-pager --cli-input-json {_quoted(dict(call.parameters), names)}"


def _region(region: str) -> list[str]:
    return ["--region", region] if region else []


def _quoted(parameters: dict[str, Value], names: dict[Lookup, str]) -> str:
    """The parameters as JSON in single quotes, with what is to be looked up between."""
    said = ""
    plain = ""
    for piece in _pieces(parameters):
        if isinstance(piece, str):
            plain += piece
        else:
            said += shlex.quote(plain) + names[piece]
            plain = ""
    return said + shlex.quote(plain)


def _pieces(value: Value) -> Iterator[str | Lookup]:
    """JSON in pieces, so that no text from a log can be taken for a place to fill in."""
    if isinstance(value, Lookup):
        yield from ('"', value, '"')
    elif isinstance(value, tuple):
        yield "["
        for number, one in enumerate(value):
            yield ", " if number else ""
            yield from _pieces(one)
        yield "]"
    elif isinstance(value, dict):
        yield "{"
        for number, (key, one) in enumerate(value.items()):
            yield f"{', ' if number else ''}{json.dumps(key)}: "
            yield from _pieces(one)
        yield "}"
    else:
        yield json.dumps(value)


def _query(lookup: Lookup, region: str) -> str:
    operation, _, listed, wanted = LOOKUPS[lookup.sought]
    said = [f"Name={name},Values={value}" for name, value in filters(lookup)]
    query = f"{listed}[0].{wanted}"
    where = ["aws", "ec2", words(operation, "-"), *_region(region), "--filters", *said]
    return shlex.join([*where, "--query", query, "--output", "text"])


def _waiting(call: Call) -> list[str]:
    """An endpoint that is not there yet would leave the workload without a way."""
    if call.operation != "CreateVpcEndpoint":
        return []
    tags = call.parameters["TagSpecifications"]
    mark = shlex.quote(f"Name=tag:straykey,Values={_tag(tags)}")
    where = shlex.join(["aws", "ec2", "describe-vpc-endpoints", *_region(call.region)])
    query = "--query 'VpcEndpoints[0].State' --output text"
    return [f'  until [ "$({where} --filters {mark} {query})" = available ]; do sleep 10; done']


def _tag(value: Value) -> str:
    """The value of the one tag that all of ours have."""
    first = value[0] if isinstance(value, tuple) else None
    tags = first["Tags"] if isinstance(first, dict) else None
    tag = tags[0] if isinstance(tags, tuple) else None
    return str(tag["Value"]) if isinstance(tag, dict) else ""
