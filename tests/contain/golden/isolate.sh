#!/usr/bin/env bash
# straykey: isolate
# Limit: The key that is out already goes on working, from anywhere, until it expires: this stops no theft.
# Limit: Connections that are open may stay open: security groups follow a connection once it is there.
# Limit: The metadata service still answers on the instance: no security group stands before it.
#
# Needs: ec2:CreateSecurityGroup, ec2:CreateTags, ec2:DeleteSecurityGroup, ec2:DescribeNetworkInterfaces, ec2:DescribeSecurityGroups, ec2:ModifyNetworkInterfaceAttribute, ec2:RevokeSecurityGroupEgress
set -euo pipefail

# IAM and EC2 take a while to know what was just made.
again() {
  local try
  for try in 1 2 3 4 5 6; do
    "$@" && return
    sleep 10
  done
  return 1
}

# What is not there need not be taken away.
undone() {
  again "$@" || echo "look at this: $*" >&2
}

apply() {
  :
  # make security group straykey-isolate-8f0dba57c309
  again aws ec2 create-security-group --region eu-west-1 --no-cli-pager --cli-input-json '{"GroupName": "straykey-isolate-8f0dba57c309", "Description": "No rules: made by straykey to isolate an instance", "VpcId": "vpc-0aaaaaaaaaaaaaaa1", "TagSpecifications": [{"ResourceType": "security-group", "Tags": [{"Key": "straykey", "Value": "straykey-isolate-8f0dba57c309"}]}]}'
  # let no IPv4 out of it
  local id0
  id0=$(aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-isolate-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text)
  again aws ec2 revoke-security-group-egress --region eu-west-1 --no-cli-pager --cli-input-json '{"GroupId": "'"$id0"'", "IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}'
  # let no IPv6 out of it
  local id0
  id0=$(aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-isolate-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text)
  undone aws ec2 revoke-security-group-egress --region eu-west-1 --no-cli-pager --cli-input-json '{"GroupId": "'"$id0"'", "IpPermissions": [{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]}'
  # give interface eni-0aaaaaaaaaaaaaaa1 the empty group
  local id0
  id0=$(aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-isolate-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text)
  again aws ec2 modify-network-interface-attribute --region eu-west-1 --no-cli-pager --cli-input-json '{"NetworkInterfaceId": "eni-0aaaaaaaaaaaaaaa1", "Groups": ["'"$id0"'"]}'
}

undo() {
  :
  undone aws ec2 modify-network-interface-attribute --region eu-west-1 --no-cli-pager --cli-input-json '{"NetworkInterfaceId": "eni-0aaaaaaaaaaaaaaa1", "Groups": ["sg-0aaaaaaaaaaaaaaa1", "sg-0aaaaaaaaaaaaaaa2"]}'
  local id0
  id0=$(aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-isolate-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text)
  undone aws ec2 delete-security-group --region eu-west-1 --no-cli-pager --cli-input-json '{"GroupId": "'"$id0"'"}'
}

case "${1:-}" in
apply) apply ;;
undo) undo ;;
*)
  echo "usage: bash $0 apply|undo" >&2
  exit 2
  ;;
esac
