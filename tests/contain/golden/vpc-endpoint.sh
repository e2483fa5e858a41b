#!/usr/bin/env bash
# straykey: vpc-endpoint
# Limit: A thief inside the home VPC is not stopped.
# Limit: Sessions of other roles that the thief made with the stolen keys go on: see pin-everywhere.
# Limit: Tokens minted already go on until they expire (ECR 12 hours, EKS, RDS, CodeArtifact, web identity), and so do sessions open by SSM or SSH.
# Limit: Users, access keys and roles the thief made go on.
# Note: One other instance has this role, and what this breaks is broken there too: i-0fedcba9876543210.
# Note: Endpoints are made for services whose calls CloudTrail recorded. What it does not record here (log lines to CloudWatch Logs, Session Manager's messages; queues, objects and items where data events are off) is in no number, and is denied if its service has no endpoint in the VPC.
# Note: From then on the whole VPC reaches these services through the endpoints, in one zone; it needs DNS support and DNS hostnames switched on, and each endpoint costs money by the hour.
# Note: Connections open to S3 and DynamoDB break once when their route changes.
#
# Needs: ec2:AuthorizeSecurityGroupIngress, ec2:CreateSecurityGroup, ec2:CreateTags, ec2:CreateVpcEndpoint, ec2:DeleteSecurityGroup, ec2:DeleteVpcEndpoints, ec2:DescribeSecurityGroups, ec2:DescribeVpcEndpoints, ec2:RevokeSecurityGroupIngress, iam:DeleteRolePolicy, iam:GetRolePolicy, iam:PutRolePolicy, route53:AssociateVPCWithHostedZone
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
  # make security group straykey-vpc-endpoint-8f0dba57c309
  run '' '' aws ec2 create-security-group --region eu-west-1 --cli-input-json '{"GroupName": "straykey-vpc-endpoint-8f0dba57c309", "Description": "VPC endpoints made by straykey", "VpcId": "vpc-0aaaaaaaaaaaaaaa1", "TagSpecifications": [{"ResourceType": "security-group", "Tags": [{"Key": "straykey", "Value": "straykey-vpc-endpoint-8f0dba57c309"}]}]}'
  # let HTTPS into the endpoints
  call() {
    local id0
    id0=$(found aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-vpc-endpoint-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text) || return
    aws ec2 authorize-security-group-ingress --region eu-west-1 --cli-input-json '{"GroupId": "'"$id0"'", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}'
  }
  run 'InvalidGroup.NotFound Missing' '' call
  # make gateway endpoint for s3
  run '' '' aws ec2 create-vpc-endpoint --region eu-west-1 --cli-input-json '{"VpcId": "vpc-0aaaaaaaaaaaaaaa1", "ServiceName": "com.amazonaws.eu-west-1.s3", "VpcEndpointType": "Gateway", "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "straykey", "Value": "straykey-vpc-endpoint-8f0dba57c309-s3"}]}], "RouteTableIds": ["rtb-0aaaaaaaaaaaaaaa1"]}'
  waited available aws ec2 describe-vpc-endpoints --region eu-west-1 --filters Name=tag:straykey,Values=straykey-vpc-endpoint-8f0dba57c309-s3 --query 'VpcEndpoints[0].State' --output text
  # make interface endpoint for sts
  call() {
    local id0
    id0=$(found aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-vpc-endpoint-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text) || return
    aws ec2 create-vpc-endpoint --region eu-west-1 --cli-input-json '{"VpcId": "vpc-0aaaaaaaaaaaaaaa1", "ServiceName": "com.amazonaws.eu-west-1.sts", "VpcEndpointType": "Interface", "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "straykey", "Value": "straykey-vpc-endpoint-8f0dba57c309-sts"}]}], "SubnetIds": ["subnet-0aaaaaaaaaaaaaaa1"], "SecurityGroupIds": ["'"$id0"'"], "PrivateDnsEnabled": true}'
  }
  run Missing '' call
  waited available aws ec2 describe-vpc-endpoints --region eu-west-1 --filters Name=tag:straykey,Values=straykey-vpc-endpoint-8f0dba57c309-sts --query 'VpcEndpoints[0].State' --output text
  # put policy straykey-vpc-endpoint-8f0dba57c309 on role web-role
  run 'ConcurrentModification EntityTemporarilyUnmodifiable' '' aws iam put-role-policy --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-vpc-endpoint-8f0dba57c309", "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"NotFromHome\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"StringNotEquals\":{\"aws:SourceVpc\":\"vpc-0aaaaaaaaaaaaaaa1\",\"aws:SourceVpce\":[\"vpce-0aaaaaaaaaaaaaaa1\"]}}}]}"}'
}

undo() {
  :
  run 'ConcurrentModification EntityTemporarilyUnmodifiable' "$gone" aws iam delete-role-policy --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-vpc-endpoint-8f0dba57c309"}'
  call() {
    local id0
    id0=$(found aws ec2 describe-vpc-endpoints --region eu-west-1 --filters Name=tag:straykey,Values=straykey-vpc-endpoint-8f0dba57c309-sts --query 'VpcEndpoints[0].VpcEndpointId' --output text) || return
    aws ec2 delete-vpc-endpoints --region eu-west-1 --cli-input-json '{"VpcEndpointIds": ["'"$id0"'"]}'
  }
  run '' "$gone" call
  waited none aws ec2 describe-vpc-endpoints --region eu-west-1 --filters Name=tag:straykey,Values=straykey-vpc-endpoint-8f0dba57c309-sts --query 'VpcEndpoints[?State!=`deleted`].State | [0]' --output text
  call() {
    local id0
    id0=$(found aws ec2 describe-vpc-endpoints --region eu-west-1 --filters Name=tag:straykey,Values=straykey-vpc-endpoint-8f0dba57c309-s3 --query 'VpcEndpoints[0].VpcEndpointId' --output text) || return
    aws ec2 delete-vpc-endpoints --region eu-west-1 --cli-input-json '{"VpcEndpointIds": ["'"$id0"'"]}'
  }
  run '' "$gone" call
  waited none aws ec2 describe-vpc-endpoints --region eu-west-1 --filters Name=tag:straykey,Values=straykey-vpc-endpoint-8f0dba57c309-s3 --query 'VpcEndpoints[?State!=`deleted`].State | [0]' --output text
  call() {
    local id0
    id0=$(found aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-vpc-endpoint-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text) || return
    aws ec2 revoke-security-group-ingress --region eu-west-1 --cli-input-json '{"GroupId": "'"$id0"'", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}'
  }
  run '' "$gone" call
  call() {
    local id0
    id0=$(found aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-vpc-endpoint-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text) || return
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
