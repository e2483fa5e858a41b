"""What is the same in every script of `straykey harden`: its usage, its functions, and how what waits is written."""

import shlex
from collections.abc import Iterable, Iterator

from straykey.formats.text import printable

# Braces are doubled, but for those of what is filled in.
FRAME = """\
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
is_all=
is_restored=
is_unsaved=

usage() {{
  cat >&2 <<'END'
usage: bash FILE PART WHAT...
  list                                all there is, by account
  openings VPC SERVICE...             make endpoints that a VPC lacks, with ids in the variables ROUTE_TABLES, or
                                      SUBNETS and SECURITY_GROUPS (which let port 443 in)
  undo-openings VPC SERVICE...        delete those
  role-policies ROLE...               put each role's own policy on it
  undo-role-policies ROLE...          delete it
  endpoint-policies ENDPOINT...       replace an endpoint's policy; the old one is kept in the folder straykey-undo,
                                      and must be merged by hand first where it is stricter
  undo-endpoint-policies ENDPOINT...  put the old one back
  create-policies NAME...             create policies of the organization, attached to nothing
  delete-policies NAME...             delete them; what is still attached stays
  attach TARGET NAME...               attach policies to an account, a unit or the root, by its id
  detach TARGET NAME...               take them off
  key-policy ROLE...                  deny roles the keys that came by IMDSv1
  undo-key-policy ROLE...             delete that policy
  imds STEP KEY...                    one step towards IMDSv2, of instances or regions; how they were is kept in the
                                      folder straykey-undo
  undo-imds STEP KEY...               set them as they were: require-tokens, hop-limit, account-default; of look there
                                      is nothing to take back
  trails NUMBER...                    let a trail record what it does not, with what it costs; no part takes it back,
                                      but the trail's settings are kept in the folder straykey-undo
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

# A name and a query: AWS's answer is kept, unless something is: a second change would take the first for how it was.
keep() {{
  local file=$saved/$1.txt
  if [ ! -e "$file" ]; then
    mkdir -p "$saved"
    aws "${{@:2}}" --output text >"$file.part" || return
    mv "$file.part" "$file"
  fi
}}

# Whether it is kept how something was.
is_kept() {{
  if [ ! -e "$saved/$1.txt" ]; then
    is_unsaved=1
    echo "  $saved/$1.txt is not here: left as it is; run this where it was changed" >&2
    return 1
  fi
}}

forget() {{
  is_restored=1
  rm "$saved/$1.txt"
}}

# An id and a call as JSON.
put_endpoint_policy() {{
  keep "$1" ec2 describe-vpc-endpoints --vpc-endpoint-ids "$1" --query 'VpcEndpoints[0].PolicyDocument' \
    "${{region[@]}}" || return
  aws ec2 modify-vpc-endpoint --cli-input-json "$2" "${{region[@]}}"
}}

restore_endpoint_policy() {{
  is_kept "$1" || return 0
  aws ec2 modify-vpc-endpoint --vpc-endpoint-id "$1" --policy-document "file://$saved/$1.txt" "${{region[@]}}" || return
  forget "$1"
}}

# A step, an instance, its region and a command.
change_instance() {{
  local its='[HttpEndpoint, HttpTokens, to_string(HttpPutResponseHopLimit)]'
  keep "$1-$2" ec2 describe-instances --region "$3" --instance-ids "$2" \\
    --query "Reservations[0].Instances[0].MetadataOptions.$its" || return
  if [[ $(cat "$saved/$1-$2.txt") != enabled* ]]; then
    rm "$saved/$1-$2.txt"
    echo "  its metadata service is not on: left as it is" >&2
    return 1
  fi
  "${{@:4}}"
}}

# A step, an instance and its region.
restore_instance() {{
  local tokens hops option
  is_kept "$1-$2" || return 0
  read -r _ tokens hops <"$saved/$1-$2.txt" || return
  option=(--http-tokens "$tokens")
  if [ "$1" = hop-limit ]; then
    option=(--http-put-response-hop-limit "$hops")
  fi
  aws ec2 modify-instance-metadata-options --region "$3" --instance-id "$2" "${{option[@]}}" --http-endpoint enabled ||
    return
  forget "$1-$2"
}}

# A step, a region, the region and a command; of a default that nobody set AWS says nothing.
change_default() {{
  keep "$1-$account-$2" ec2 get-instance-metadata-defaults --region "$3" --query AccountLevel.HttpTokens || return
  "${{@:4}}"
}}

restore_default() {{
  local tokens
  is_kept "$1-$account-$2" || return 0
  read -r tokens <"$saved/$1-$account-$2.txt" || return
  if [ "$tokens" = None ]; then
    tokens=no-preference
  fi
  aws ec2 modify-instance-metadata-defaults --region "$3" --http-tokens "$tokens" || return
  forget "$1-$account-$2"
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
if [[ "$part" = attach || "$part" = trails ]] && named --all "$@"; then
  usage
fi
if named --all "$@"; then
  is_all=1
fi
account=$(aws sts get-caller-identity --query Account --output text)
part_"${{part//-/_}}" "$@"
if [ -z "$is_found" ]; then
  echo "nothing of that name belongs to account $account" >&2
  exit 1
fi
# Of all, some may not have been changed; but what was named, or nothing at all?
if [ -n "$is_unsaved" ] && {{ [ -z "$is_all" ] || [ -z "$is_restored" ]; }}; then
  exit 1
fi
[ -z "$has_failed" ]
"""


def word(text: str) -> str:
    """One word of bash's that shows, and holds, no character that acts; names that AWS takes stay as they are."""
    return shlex.quote(printable(text))


def when(account: str, key: str, said: str, lines: Iterable[str], among: str = '"$@"') -> Iterator[str]:
    """Lines that wait until the key is named, by credentials of the account."""
    yield f"if mine {word(account)} && named {word(key)} {among}; then"
    yield f"  doing {word(said)}"
    yield from (f"  {line}" for line in lines)
    yield "fi"
