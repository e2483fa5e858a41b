#!/usr/bin/env bash
# straykey: pin-everywhere
# Limit: A thief on the instance itself, or behind the same address, is not told apart from the workload.
# Limit: Tokens minted already go on until they expire (ECR 12 hours, EKS, RDS, CodeArtifact, web identity), and so do sessions open by SSM or SSH.
# Limit: What is listed for you to delete works until you have deleted it.
# Note: Of the roles the thief assumed nothing was read: what policy of this name they have, and whether their inline policies leave room.
# Note: Keys issued from 2026-05-04T10:41:01Z on work. That is when this was planned, by this machine's clock: keys issued between then and now are not denied, so apply at once; where the clock is ahead, new keys fail as long.
# Note: Plan once more when this is applied: what the thief made meanwhile is not in it.
# By hand: In account 444455556666, put this policy on role remote: {"Version":"2012-10-17","Statement":[{"Sid":"MadeByThief","Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-05-04T10:41:01Z"},"StringLike":{"aws:userid":"*:loot"}}}]}
# By hand: sts:AssumeRole of 2026-05-04T10:05:00Z in 111122223333 gave arn:aws:sts::111122223333:assumed-role/admin/loot: its role is denied by this plan where the session's name is known; else revoke that role's sessions.
# By hand: iam:CreateUser of 2026-05-04T10:05:00Z in 111122223333 gave arn:aws:iam::111122223333:user/backup: delete its keys, password and policies, then `aws iam delete-user --user-name backup`; to begin with, `aws iam attach-user-policy --user-name backup --policy-arn arn:aws:iam::aws:policy/AWSDenyAll`.
# By hand: iam:CreateAccessKey of 2026-05-04T10:05:00Z in 111122223333 gave arn:aws:iam::111122223333:user/backup: `aws iam update-access-key --user-name backup --access-key-id AKIAEXAMPLEKEY000001 --status Inactive`, then `aws iam delete-access-key --user-name backup --access-key-id AKIAEXAMPLEKEY000001`.
#
# Needs: iam:DeleteRolePolicy, iam:GetRolePolicy, iam:PutRolePolicy
set -euo pipefail
exec 3>&1

# What is throttled, or fails on its way, the command line itself asks again.
export AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=8 AWS_PAGER=

# Of what is to be undone, or given back something: it is not there any more.
gone='InvalidAssociationID.NotFound InvalidGroup.NotFound InvalidInstanceID.NotFound InvalidNetworkInterfaceID.NotFound InvalidPermission.NotFound InvalidVpcEndpoint.NotFound InvalidVpcEndpointId.NotFound Missing NoSuchEntity'

# run PASSING ENOUGH COMMAND...: the refusals PASSING go by in a minute, when what was just made is known everywhere;
# those in ENOUGH say that nothing is left to do; all others end this at once.
run() {
  local passing=$1 enough=$2 wait said code
  shift 2
  for wait in 5 10 20 30 0; do
    said=$("$@" 2>&1 >&3) && return
    code=
    [[ $said =~ An\ error\ occurred\ \(([^\)]*)\) ]] && code=${BASH_REMATCH[1]}
    [[ $wait != 0 && " $passing " == *" ${code:-?} "* ]] || break
    sleep "$wait"
  done
  [[ " $enough " != *" ${code:-?} "* ]] || return 0
  printf '%s\n' "$said" "stopped at: $*" >&2
  return 1
}

# The id of what an earlier step made.
found() {
  local id
  id=$("$@") || return
  [ "$id" != None ] || { echo "An error occurred (Missing): nothing is found by $*" >&2 && return 1; }
  printf '%s\n' "$id"
}

# waited STATE COMMAND...: endpoints take minutes until they are there, and until they are gone.
waited() {
  local wanted=$1 try
  shift
  for ((try = 0; try < 90; try++)); do
    [ "$("$@" | tr '[:upper:]' '[:lower:]')" = "$wanted" ] && return
    sleep 10
  done
  echo "not $wanted after 15 minutes: $*" >&2
  return 1
}

apply() {
  :
  # put policy straykey-pin-everywhere-8f0dba57c309 on role web-role
  run 'ConcurrentModification EntityTemporarilyUnmodifiable' '' aws iam put-role-policy --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-pin-everywhere-8f0dba57c309", "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OtherAddress\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddress\":{\"aws:SourceIp\":[\"198.18.0.10/32\"]},\"Null\":{\"aws:SourceIp\":\"false\"},\"StringEquals\":{\"aws:userid\":\"AROAEXAMPLEROLEID0001:i-0123456789abcdef0\"}}},{\"Sid\":\"OtherEndpoint\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"Null\":{\"aws:SourceVpce\":\"false\"},\"StringEquals\":{\"aws:userid\":\"AROAEXAMPLEROLEID0001:i-0123456789abcdef0\"},\"StringNotEquals\":{\"aws:SourceVpce\":[\"vpce-0aaaaaaaaaaaaaaa1\"]}}},{\"Sid\":\"OtherPrivateAddress\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddress\":{\"aws:VpcSourceIp\":[\"10.0.0.5/32\"]},\"Null\":{\"aws:VpcSourceIp\":\"false\"},\"StringEquals\":{\"aws:userid\":\"AROAEXAMPLEROLEID0001:i-0123456789abcdef0\"}}},{\"Sid\":\"NoNetwork\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"Null\":{\"aws:SourceIp\":\"true\",\"aws:SourceVpce\":\"true\"},\"StringEquals\":{\"aws:userid\":\"AROAEXAMPLEROLEID0001:i-0123456789abcdef0\"}}}]}"}'
  # put policy straykey-pin-everywhere-8f0dba57c309 on role admin
  run 'ConcurrentModification EntityTemporarilyUnmodifiable' '' aws iam put-role-policy --cli-input-json '{"RoleName": "admin", "PolicyName": "straykey-pin-everywhere-8f0dba57c309", "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"MadeByThief\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"DateLessThan\":{\"aws:TokenIssueTime\":\"2026-05-04T10:41:01Z\"},\"StringEquals\":{\"aws:userid\":\"AROAEXAMPLEROLEID0002:loot\"}}}]}"}'
}

undo() {
  :
  run 'ConcurrentModification EntityTemporarilyUnmodifiable' "$gone" aws iam delete-role-policy --cli-input-json '{"RoleName": "admin", "PolicyName": "straykey-pin-everywhere-8f0dba57c309"}'
  run 'ConcurrentModification EntityTemporarilyUnmodifiable' "$gone" aws iam delete-role-policy --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-pin-everywhere-8f0dba57c309"}'
}

case "${1:-}" in
apply) apply ;;
undo) undo ;;
*)
  echo "usage: bash $0 apply|undo" >&2
  exit 2
  ;;
esac
