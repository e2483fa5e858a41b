"""The pieces of a perimeter as a script of AWS's command line: `bash FILE`, with a part and what of it is meant.

It does nothing that was not named, only what belongs to the account whose credentials it has, and each part has one
that takes it back.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from straykey.formats.text import as_json, printable
from straykey.harden.pieces import Command, OnEndpoint, OnRole, Opening, Organized, Pieces, Place

_HEAD = """\
#!/usr/bin/env bash
# straykey: what binds the keys of instances to where their instances are.
#
{remarks}
set -euo pipefail
export AWS_PAGER=
saved=straykey-undo
account=
is_found=
has_failed=

usage() {{
  cat >&2 <<'END'
usage: bash FILE PART WHAT...
  list                                all there is, by account
  openings VPC SERVICE...             make endpoints that a VPC lacks, with ids in the variables ROUTE_TABLES, or
                                      SUBNETS and SECURITY_GROUPS (which let port 443 in)
  undo-openings VPC SERVICE...        delete those
  role-policies ROLE...               put each role's own policy on it
  undo-role-policies ROLE...          delete it
  endpoint-policies ENDPOINT...       replace an endpoint's policy; the old one is kept in the folder straykey-undo
  undo-endpoint-policies ENDPOINT...  put the old one back
  create-policies NAME...             create policies of the organization, attached to nothing
  delete-policies NAME...             delete them; what is still attached stays
  attach TARGET NAME...               attach policies to an account, a unit or the root, by its id
  detach TARGET NAME...               take them off
  key-policy ROLE                     deny one role the keys that came by IMDSv1
  undo-key-policy ROLE                delete that policy
  imds STEP KEY...                    one step towards IMDSv2, of instances or regions
  undo-imds STEP KEY...               take it back
Instead of ROLE, SERVICE, ENDPOINT, NAME or KEY: --all, but for attach. Begin with one of each, the canary.
What belongs to another account than that of your credentials is passed over.
END
  exit 2
}}

# Whether the first is among the others.
named() {{
  local key=$1 one
  shift
  for one in "$@"; do
    if [ "$one" = --all ] || [ "$one" = "$key" ]; then
      return 0
    fi
  done
  return 1
}}

# Whether it belongs to the account of the credentials; of some nobody knows.
mine() {{
  [ -z "$1" ] || [ "$1" = "$account" ]
}}

doing() {{
  is_found=1
  printf '%s\\n' "$1" >&2
}}

# One that fails, for the role is gone perhaps, does not keep the others back.
attempt() {{
  "$@" || {{
    has_failed=1
    echo "  failed: the others go on" >&2
  }}
}}

# AWS's answer to a query for ids, without what stands between pages.
ids() {{
  aws "$@" --output text | tr -s '[:space:]' ' ' | sed 's/^ //; s/ $//; s/None//g'
}}

policy() {{
  policy=$(ids organizations list-policies --filter "$1" --query "$2")
}}

create_policy() {{
  policy "$1" "$2"
  if [ -n "$policy" ]; then
    echo "  there is one of that name: left as it is" >&2
  else
    aws organizations create-policy --cli-input-json "$3"
  fi
}}

delete_policy() {{
  policy "$1" "$2"
  if [ -n "$policy" ]; then
    aws organizations delete-policy --policy-id "$policy"
  fi
}}

# attach-policy or detach-policy, a target, a type and a query.
place_policy() {{
  policy "$3" "$4"
  if [ -z "$policy" ]; then
    echo "  there is no policy of that name: create it first" >&2
    exit 1
  fi
  aws organizations "$1" --policy-id "$policy" --target-id "$2"
}}

# A question for endpoints as JSON, a call as JSON, and the way there.
open_endpoint() {{
  local there
  there=$(ids ec2 describe-vpc-endpoints --cli-input-json "$1" --query 'VpcEndpoints[].VpcEndpointId' "${{region[@]}}")
  if [ -n "$there" ]; then
    echo "  there is one: $there" >&2
    return
  fi
  aws ec2 create-vpc-endpoint --cli-input-json "$2" "${{region[@]}}" "${{@:3}}"
}}

close_endpoint() {{
  local there
  there=$(ids ec2 describe-vpc-endpoints --cli-input-json "$1" --query 'VpcEndpoints[].VpcEndpointId' "${{region[@]}}")
  if [ -n "$there" ]; then
    # shellcheck disable=SC2086 - several ids
    aws ec2 delete-vpc-endpoints --vpc-endpoint-ids $there "${{region[@]}}"
  fi
}}

# An id and a call as JSON.
put_endpoint_policy() {{
  if [ ! -e "$saved/$1.json" ]; then
    mkdir -p "$saved"
    aws ec2 describe-vpc-endpoints --vpc-endpoint-ids "$1" --query 'VpcEndpoints[0].PolicyDocument' --output text \\
      "${{region[@]}}" >"$saved/$1.part"
    mv "$saved/$1.part" "$saved/$1.json"
  fi
  aws ec2 modify-vpc-endpoint --cli-input-json "$2" "${{region[@]}}"
}}

restore_endpoint_policy() {{
  if [ ! -e "$saved/$1.json" ]; then
    echo "  $saved/$1.json is not here: run this where the policy was replaced" >&2
    exit 1
  fi
  aws ec2 modify-vpc-endpoint --vpc-endpoint-id "$1" --policy-document "file://$saved/$1.json" "${{region[@]}}"
  rm "$saved/$1.json"
}}

{functions}

[ $# -gt 0 ] || usage
part=$1
shift
case "$part" in
list)
  list
  exit
  ;;
{several})
  [ $# -gt 1 ] || usage
  ;;
{simple})
  [ $# -gt 0 ] || usage
  ;;
*)
  usage
  ;;
esac
if [ "$part" = attach ] && named --all "$@"; then
  usage
fi
account=$(aws sts get-caller-identity --query Account --output text)
part_"${{part//-/_}}" "$@"
if [ -z "$is_found" ]; then
  echo "nothing of that name belongs to account $account" >&2
  exit 1
fi
[ -z "$has_failed" ]
"""
_SEVERAL = ("openings", "undo-openings", "attach", "detach", "imds", "undo-imds")
_SIMPLE = (
    "role-policies",
    "undo-role-policies",
    "endpoint-policies",
    "undo-endpoint-policies",
    "create-policies",
    "delete-policies",
    "key-policy",
    "undo-key-policy",
)


def shell_script(pieces: Pieces) -> str:
    """For bash, and version 1 or 2 of AWS's command line."""
    bodies = {
        "list": list(_list(pieces)),
        "part_openings": [line for one in pieces.openings for line in _open(one)],
        "part_undo_openings": [line for one in pieces.openings for line in _close(one)],
        "part_role_policies": [line for one in pieces.roles for line in _put(one)],
        "part_undo_role_policies": [line for one in pieces.roles for line in _delete(one)],
        "part_endpoint_policies": [line for one in pieces.endpoints for line in _on_endpoint(one)],
        "part_undo_endpoint_policies": [line for one in pieces.endpoints for line in _off_endpoint(one)],
        "part_create_policies": [line for one in pieces.organized for line in _create(one)],
        "part_delete_policies": [line for one in pieces.organized for line in _destroy(one)],
        "part_attach": [line for one in pieces.organized for line in _placed(one, "attach-policy")],
        "part_detach": [line for one in pieces.organized for line in _placed(one, "detach-policy")],
        "part_key_policy": list(_key_policy(pieces)),
        "part_undo_key_policy": list(_no_key_policy(pieces)),
        "part_imds": [line for one in pieces.commands for line in _command(one)],
        "part_undo_imds": [line for one in pieces.undo for line in _command(one)],
    }
    return _HEAD.format(
        remarks="\n".join(f"# {printable(one)}" for one in pieces.remarks) or "# Nothing was noted.",
        functions="\n\n".join(_function(name, body) for name, body in bodies.items()),
        several=" | ".join(_SEVERAL),
        simple=" | ".join(_SIMPLE),
    )


def _function(name: str, body: Sequence[str]) -> str:
    return "\n".join([f"{name}() {{", *(f"  {line}" for line in body or [":"]), "}"])


def _word(text: str) -> str:
    """One word of bash's that shows, and holds, no character that acts; names that AWS takes stay as they are."""
    return shlex.quote(printable(text))


def _json(**parameters: object) -> str:
    return shlex.quote(as_json(parameters))


def _if(account: str, key: str, said: str, lines: Iterable[str], among: str = '"$@"') -> Iterator[str]:
    yield f"if mine {_word(account)} && named {_word(key)} {among}; then"
    yield f"  doing {_word(said)}"
    yield from (f"  {line}" for line in lines)
    yield "fi"


def _in(place: Place) -> str:
    return f"local region=({f'--region {_word(place.region)}' if place.region else ''})"


def _list(pieces: Pieces) -> Iterator[str]:
    for one in pieces.openings:
        yield _told(one.place, f"openings {one.vpc} {one.service}", one.about)
    for role in pieces.roles:
        yield _told(role.place, f"role-policies {role.role}", role.about)
    for gate in pieces.endpoints:
        yield _told(gate.place, f"endpoint-policies {gate.endpoint}", gate.about)
    for policy in pieces.organized:
        yield _told(Place("organization"), f"create-policies {policy.name}", policy.about)
    for command in pieces.commands:
        yield _told(Place(command.account), f"imds {command.step.value} {command.key}", "")


def _told(place: Place, what: str, about: str) -> str:
    said = f"{place.account or 'of some account'}: {what}. {about}".rstrip()
    return f"printf '%s\\n' {_word(said)}"


def _put(one: OnRole) -> Iterator[str]:
    call = _json(RoleName=one.role, PolicyName=one.name, PolicyDocument=one.document)
    said = f"policy {one.name} on role {one.role}"
    yield from _if(one.place.account, one.role, said, [f"attempt aws iam put-role-policy --cli-input-json {call}"])


def _delete(one: OnRole) -> Iterator[str]:
    call = _json(RoleName=one.role, PolicyName=one.name)
    said = f"policy {one.name} off role {one.role}"
    yield from _if(one.place.account, one.role, said, [f"attempt aws iam delete-role-policy --cli-input-json {call}"])


def _key_policy(pieces: Pieces) -> Iterator[str]:
    yield from (f"# {printable(one.name)}" for one in pieces.keys)
    for one in pieces.keys:
        call = _json(PolicyName=one.name, PolicyDocument=one.text)
        yield 'doing "keys of IMDSv1 are denied to $1"'
        yield f'aws iam put-role-policy --role-name "$1" --cli-input-json {call}'


def _no_key_policy(pieces: Pieces) -> Iterator[str]:
    for one in pieces.keys:
        yield 'doing "keys of IMDSv1 are no longer denied to $1"'
        yield f'aws iam delete-role-policy --role-name "$1" --cli-input-json {_json(PolicyName=one.name)}'


def _on_endpoint(one: OnEndpoint) -> Iterator[str]:
    call = _json(VpcEndpointId=one.endpoint, PolicyDocument=one.document)
    lines = [_in(one.place), f"put_endpoint_policy {_word(one.endpoint)} {call}"]
    yield from _if(one.place.account, one.endpoint, f"policy of {one.endpoint} in {one.vpc}", lines)


def _off_endpoint(one: OnEndpoint) -> Iterator[str]:
    lines = [_in(one.place), f"restore_endpoint_policy {_word(one.endpoint)}"]
    yield from _if(one.place.account, one.endpoint, f"old policy of {one.endpoint} in {one.vpc}", lines)


def _query(one: Organized) -> str:
    """JMESPath for the policy's id; a literal between back quotes is JSON."""
    literal = as_json(one.name).replace("`", "\\`")
    return f"{_word(one.type)} {shlex.quote(f'Policies[?Name==`{literal}`].Id')}"


def _create(one: Organized) -> Iterator[str]:
    call = _json(Name=one.name, Type=one.type, Description="By straykey", Content=one.document)
    yield from _if("", one.name, f"create {one.type} {one.name}", [f"create_policy {_query(one)} {call}"])


def _destroy(one: Organized) -> Iterator[str]:
    yield from _if("", one.name, f"delete {one.type} {one.name}", [f"delete_policy {_query(one)}"])


def _placed(one: Organized, how: str) -> Iterator[str]:
    said = f"{how} {one.name}"
    yield from _if("", one.name, said, [f'place_policy {how} "$1" {_query(one)}'], '"${@:2}"')


def _open(one: Opening) -> Iterator[str]:
    tags = {"ResourceType": "vpc-endpoint", "Tags": [{"Key": "straykey", "Value": "harden"}]}
    call: Mapping[str, object] = {
        "VpcId": one.vpc,
        "ServiceName": one.service,
        "VpcEndpointType": "Gateway" if one.is_gateway else "Interface",
        "TagSpecifications": [tags],
        **({} if one.is_gateway else {"PrivateDnsEnabled": True}),
    }
    there = _asked(one, {"vpc-endpoint-state": ["available", "pending", "pendingAcceptance"]})
    line = f"open_endpoint {there} {_json(**call)}"
    wanted = ["ROUTE_TABLES"] if one.is_gateway else ["SUBNETS", "SECURITY_GROUPS"]
    options = {
        "ROUTE_TABLES": "--route-table-ids",
        "SUBNETS": "--subnet-ids",
        "SECURITY_GROUPS": "--security-group-ids",
    }
    # Several ids are several words.
    ways = " ".join(f"{options[name]} ${{{name}:?}}" for name in wanted)
    yield from _at_vpc(one, f"endpoint for {one.service} in {one.vpc}", [f"{line} {ways}"])


def _close(one: Opening) -> Iterator[str]:
    there = _asked(one, {"tag:straykey": ["harden"]})
    yield from _at_vpc(one, f"no endpoint for {one.service} in {one.vpc}", [f"close_endpoint {there}"])


def _at_vpc(one: Opening, said: str, lines: Sequence[str]) -> Iterator[str]:
    yield f'if [ "$1" = {_word(one.vpc)} ]; then'
    inner = _if(one.place.account, one.service, said, [_in(one.place), *lines], '"${@:2}"')
    yield from (f"  {line}" for line in inner)
    yield "fi"


def _asked(one: Opening, more: Mapping[str, Sequence[str]]) -> str:
    filters = {"vpc-id": [one.vpc], "service-name": [one.service], **more}
    return _json(Filters=[{"Name": name, "Values": list(values)} for name, values in filters.items()])


def _command(one: Command) -> Iterator[str]:
    said = f"{one.step.value} {one.key}"
    yield f'if [ "$1" = {_word(one.step.value)} ]; then'
    inner = _if(one.account, one.key, said, [" ".join(["attempt", *map(_word, one.argv)])], '"${@:2}"')
    yield from (f"  {line}" for line in inner)
    yield "fi"
