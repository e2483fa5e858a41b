"""A plan as a script of AWS's command line: `bash FILE apply`, `bash FILE undo`."""

import json
import shlex
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

_HEAD = r"""#!/usr/bin/env bash
{remarks}
#
# Needs: {permissions}
set -euo pipefail
exec 3>&1

# What is throttled, or fails on its way, the command line itself asks again.
export AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=8 AWS_PAGER=

# Of what is to be undone, or given back something: it is not there any more.
gone='{gone}'

# run PASSING ENOUGH COMMAND...: the refusals PASSING go by in a minute, when what was just made is known everywhere;
# those in ENOUGH say that nothing is left to do; all others end this at once.
run() {{
  local passing=$1 enough=$2 wait said code
  shift 2
  for wait in 5 10 20 30 0; do
    said=$("$@" 2>&1 >&3) && return
    code=
    [[ $said =~ An\ error\ occurred\ \(([^\)]*)\) ]] && code=${{BASH_REMATCH[1]}}
    [[ $wait != 0 && " $passing " == *" ${{code:-?}} "* ]] || break
    sleep "$wait"
  done
  [[ " $enough " != *" ${{code:-?}} "* ]] || return 0
  printf '%s\n' "$said" "stopped at: $*" >&2
  return 1
}}

# The id of what an earlier step made.
found() {{
  local id
  id=$("$@") || return
  [ "$id" != None ] || {{ echo "An error occurred ({missing}): nothing is found by $*" >&2 && return 1; }}
  printf '%s\n' "$id"
}}

# waited STATE COMMAND...: endpoints take minutes until they are there, and until they are gone.
waited() {{
  local wanted=$1 try
  shift
  for ((try = 0; try < 90; try++)); do
    [ "$("$@" | tr '[:upper:]' '[:lower:]')" = "$wanted" ] && return
    sleep 10
  done
  echo "not $wanted after 15 minutes: $*" >&2
  return 1
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
        missing=MISSING,
        gone=" ".join(GONE),
        apply="\n".join(_applied(plan)),
        undo="\n".join(line for call in undoing(plan) for line in _lines(call, passes(call, ()), '"$gone"')),
    )


def command_of(call: Call) -> str:
    """The call on one line, for a reader; what must be looked up stands in it as a sub-shell."""
    return _command(call, {one: f'"$({_query(one, call.region)})"' for one in lookups(call)})


def _applied(plan: Plan) -> Iterator[str]:
    calls = [step.call for step in plan.steps]
    for number, (step, call) in enumerate(zip(plan.steps, calls, strict=True)):
        yield f"  # {printable(step.name)}"
        yield from _lines(call, passes(call, calls[:number]), shlex.quote(" ".join(is_done_by(call))))


def _lines(call: Call, passing: Sequence[str], enough: str) -> Iterator[str]:
    looked = lookups(call)
    names = {one: f'"$id{number}"' for number, one in enumerate(looked)}
    command = _command(call, names)
    run = f"run {shlex.quote(' '.join(passing))} {enough}"
    if looked:
        yield "  call() {"
        yield f"    local {' '.join(f'id{number}' for number in range(len(looked)))}"
        for number, one in enumerate(looked):
            yield f"    id{number}=$(found {_query(one, call.region)}) || return"
        yield f"    {command}"
        yield "  }"
    yield f"  {run} {'call' if looked else command}"
    yield from _waiting(call)


def _command(call: Call, names: dict[Lookup, str]) -> str:
    said = ["aws", call.service, words(call.operation, "-"), *_region(call.region)]
    return f"{shlex.join(said)} --cli-input-json {_quoted(dict(call.parameters), names)}"


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


def _waiting(call: Call) -> Iterator[str]:
    """An endpoint that is not there yet would leave the workload without a way; one that is not gone yet, its group."""
    if call.operation == "CreateVpcEndpoint":
        tag, query, wanted = mark_of(call.parameters["TagSpecifications"]), "VpcEndpoints[0].State", "available"
    elif call.operation == "DeleteVpcEndpoints":
        tag, query, wanted = lookups(call)[0].of, "VpcEndpoints[?State!=`deleted`].State | [0]", "none"
    else:
        return
    said = ["aws", "ec2", "describe-vpc-endpoints", *_region(call.region), "--filters"]
    said += [f"Name=tag:straykey,Values={tag}", "--query", query, "--output", "text"]
    yield f"  waited {wanted} {shlex.join(said)}"
