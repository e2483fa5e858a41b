#!/usr/bin/env bash
# straykey: isolate
# Limit: The key that is out already goes on working, from anywhere, until it expires: this stops no theft.
# Limit: Connections that are open may stay open: security groups follow a connection once it is there.
# Limit: The metadata service still answers on the instance: no security group stands before it.
#
# Needs: ec2:CreateSecurityGroup, ec2:CreateTags, ec2:DeleteSecurityGroup, ec2:DescribeNetworkInterfaces, ec2:DescribeSecurityGroups, ec2:ModifyNetworkInterfaceAttribute, ec2:RevokeSecurityGroupEgress
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
  # make security group straykey-isolate-8f0dba57c309
  run '' '' aws ec2 create-security-group --region eu-west-1 --cli-input-json '{"GroupName": "straykey-isolate-8f0dba57c309", "Description": "No rules: made by straykey to isolate an instance", "VpcId": "vpc-0aaaaaaaaaaaaaaa1", "TagSpecifications": [{"ResourceType": "security-group", "Tags": [{"Key": "straykey", "Value": "straykey-isolate-8f0dba57c309"}]}]}'
  # let no IPv4 out of it
  call() {
    local id0
    id0=$(found aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-isolate-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text) || return
    aws ec2 revoke-security-group-egress --region eu-west-1 --cli-input-json '{"GroupId": "'"$id0"'", "IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}'
  }
  run 'InvalidGroup.NotFound Missing' InvalidPermission.NotFound call
  # let no IPv6 out of it
  call() {
    local id0
    id0=$(found aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-isolate-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text) || return
    aws ec2 revoke-security-group-egress --region eu-west-1 --cli-input-json '{"GroupId": "'"$id0"'", "IpPermissions": [{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]}'
  }
  run 'InvalidGroup.NotFound Missing' InvalidPermission.NotFound call
  # give interface eni-0aaaaaaaaaaaaaaa1 the empty group
  call() {
    local id0
    id0=$(found aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-isolate-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text) || return
    aws ec2 modify-network-interface-attribute --region eu-west-1 --cli-input-json '{"NetworkInterfaceId": "eni-0aaaaaaaaaaaaaaa1", "Groups": ["'"$id0"'"]}'
  }
  run 'InvalidGroup.NotFound Missing' '' call
}

undo() {
  :
  run '' "$gone" aws ec2 modify-network-interface-attribute --region eu-west-1 --cli-input-json '{"NetworkInterfaceId": "eni-0aaaaaaaaaaaaaaa1", "Groups": ["sg-0aaaaaaaaaaaaaaa1", "sg-0aaaaaaaaaaaaaaa2"]}'
  call() {
    local id0
    id0=$(found aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-isolate-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text) || return
    aws ec2 delete-security-group --region eu-west-1 --cli-input-json '{"GroupId": "'"$id0"'"}'
  }
  run 'DeleteConflict DependencyViolation InvalidGroup.InUse' "$gone" call
}

case "${1:-}" in
apply) apply ;;
undo) undo ;;
*)
  echo "usage: bash $0 apply|undo" >&2
  exit 2
  ;;
esac
