#!/usr/bin/env bash
# straykey: pin
# Limit: A thief on the instance itself, or behind the same address, is not told apart from the workload.
# Limit: Sessions of other roles that the thief made with the stolen keys go on: see pin-everywhere.
# Limit: Tokens minted already go on until they expire (ECR 12 hours, EKS, RDS, CodeArtifact, web identity), and so do sessions open by SSM or SSH.
# Limit: Users, access keys and roles the thief made go on.
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
  # put policy straykey-pin-8f0dba57c309 on role web-role
  run 'ConcurrentModification EntityTemporarilyUnmodifiable' '' aws iam put-role-policy --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-pin-8f0dba57c309", "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OtherAddress\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"ArnLike\":{\"ec2:SourceInstanceARN\":\"arn:aws:ec2:*:111122223333:instance/i-0123456789abcdef0\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddress\":{\"aws:SourceIp\":[\"198.18.0.10/32\"]},\"Null\":{\"aws:SourceIp\":\"false\"}}},{\"Sid\":\"OtherEndpoint\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"ArnLike\":{\"ec2:SourceInstanceARN\":\"arn:aws:ec2:*:111122223333:instance/i-0123456789abcdef0\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"Null\":{\"aws:SourceVpce\":\"false\"},\"StringNotEquals\":{\"aws:SourceVpce\":[\"vpce-0aaaaaaaaaaaaaaa1\"],\"aws:SourceVpc\":\"${aws:Ec2InstanceSourceVpc}\"}}},{\"Sid\":\"OtherPrivateAddress\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"ArnLike\":{\"ec2:SourceInstanceARN\":\"arn:aws:ec2:*:111122223333:instance/i-0123456789abcdef0\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddress\":{\"aws:VpcSourceIp\":[\"10.0.0.5/32\"]},\"Null\":{\"aws:VpcSourceIp\":\"false\"},\"StringNotEquals\":{\"aws:Ec2InstanceSourcePrivateIPv4\":\"${aws:VpcSourceIp}\"}}},{\"Sid\":\"NoNetwork\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"ArnLike\":{\"ec2:SourceInstanceARN\":\"arn:aws:ec2:*:111122223333:instance/i-0123456789abcdef0\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"Null\":{\"aws:SourceIp\":\"true\",\"aws:SourceVpce\":\"true\"}}}]}"}'
}

undo() {
  :
  run 'ConcurrentModification EntityTemporarilyUnmodifiable' "$gone" aws iam delete-role-policy --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-pin-8f0dba57c309"}'
}

case "${1:-}" in
apply) apply ;;
undo) undo ;;
*)
  echo "usage: bash $0 apply|undo" >&2
  exit 2
  ;;
esac
