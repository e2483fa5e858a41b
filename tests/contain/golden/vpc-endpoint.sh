#!/usr/bin/env bash
# straykey: vpc-endpoint
# Limit: A thief inside the home VPC is not stopped.
# Limit: Sessions of other roles that the thief made with the stolen keys go on: see pin-everywhere.
# Limit: Tokens minted already go on until they expire (ECR 12 hours, EKS, RDS, CodeArtifact, web identity), and so do sessions open by SSM or SSH.
# Limit: Users, access keys and roles the thief made go on.
# Note: One other instance has this role, and what this breaks is broken there too: i-0fedcba9876543210.
# Note: From then on the whole VPC reaches these services through the endpoints, in one zone; it needs DNS support and DNS hostnames switched on, and each endpoint costs money by the hour.
# Note: Connections open to S3 and DynamoDB break once when their route changes.
#
# Needs: ec2:AuthorizeSecurityGroupIngress, ec2:CreateSecurityGroup, ec2:CreateTags, ec2:CreateVpcEndpoint, ec2:DeleteSecurityGroup, ec2:DeleteVpcEndpoints, ec2:DescribeSecurityGroups, ec2:DescribeVpcEndpoints, ec2:RevokeSecurityGroupIngress, iam:DeleteRolePolicy, iam:GetRolePolicy, iam:PutRolePolicy, route53:AssociateVPCWithHostedZone
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
  # make security group straykey-vpc-endpoint-8f0dba57c309
  again aws ec2 create-security-group --region eu-west-1 --no-cli-pager --cli-input-json '{"GroupName": "straykey-vpc-endpoint-8f0dba57c309", "Description": "VPC endpoints made by straykey", "VpcId": "vpc-0aaaaaaaaaaaaaaa1", "TagSpecifications": [{"ResourceType": "security-group", "Tags": [{"Key": "straykey", "Value": "straykey-vpc-endpoint-8f0dba57c309"}]}]}'
  # let HTTPS into the endpoints
  local id0
  id0=$(aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-vpc-endpoint-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text)
  again aws ec2 authorize-security-group-ingress --region eu-west-1 --no-cli-pager --cli-input-json '{"GroupId": "'"$id0"'", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}'
  # make gateway endpoint for s3
  again aws ec2 create-vpc-endpoint --region eu-west-1 --no-cli-pager --cli-input-json '{"VpcId": "vpc-0aaaaaaaaaaaaaaa1", "ServiceName": "com.amazonaws.eu-west-1.s3", "VpcEndpointType": "Gateway", "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "straykey", "Value": "straykey-vpc-endpoint-8f0dba57c309-s3"}]}], "RouteTableIds": ["rtb-0aaaaaaaaaaaaaaa1"]}'
  until [ "$(aws ec2 describe-vpc-endpoints --region eu-west-1 --filters Name=tag:straykey,Values=straykey-vpc-endpoint-8f0dba57c309-s3 --query 'VpcEndpoints[0].State' --output text)" = available ]; do sleep 10; done
  # make interface endpoint for sts
  local id0
  id0=$(aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-vpc-endpoint-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text)
  again aws ec2 create-vpc-endpoint --region eu-west-1 --no-cli-pager --cli-input-json '{"VpcId": "vpc-0aaaaaaaaaaaaaaa1", "ServiceName": "com.amazonaws.eu-west-1.sts", "VpcEndpointType": "Interface", "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "straykey", "Value": "straykey-vpc-endpoint-8f0dba57c309-sts"}]}], "SubnetIds": ["subnet-0aaaaaaaaaaaaaaa1"], "SecurityGroupIds": ["'"$id0"'"], "PrivateDnsEnabled": true}'
  until [ "$(aws ec2 describe-vpc-endpoints --region eu-west-1 --filters Name=tag:straykey,Values=straykey-vpc-endpoint-8f0dba57c309-sts --query 'VpcEndpoints[0].State' --output text)" = available ]; do sleep 10; done
  # put policy straykey-vpc-endpoint-8f0dba57c309 on role web-role
  again aws iam put-role-policy --no-cli-pager --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-vpc-endpoint-8f0dba57c309", "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"NotFromHome\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"StringNotEquals\":{\"aws:SourceVpc\":\"vpc-0aaaaaaaaaaaaaaa1\",\"aws:SourceVpce\":[\"vpce-0aaaaaaaaaaaaaaa1\"]}}}]}"}'
}

undo() {
  :
  undone aws iam delete-role-policy --no-cli-pager --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-vpc-endpoint-8f0dba57c309"}'
  local id0
  id0=$(aws ec2 describe-vpc-endpoints --region eu-west-1 --filters Name=tag:straykey,Values=straykey-vpc-endpoint-8f0dba57c309-sts --query 'VpcEndpoints[0].VpcEndpointId' --output text)
  undone aws ec2 delete-vpc-endpoints --region eu-west-1 --no-cli-pager --cli-input-json '{"VpcEndpointIds": ["'"$id0"'"]}'
  local id0
  id0=$(aws ec2 describe-vpc-endpoints --region eu-west-1 --filters Name=tag:straykey,Values=straykey-vpc-endpoint-8f0dba57c309-s3 --query 'VpcEndpoints[0].VpcEndpointId' --output text)
  undone aws ec2 delete-vpc-endpoints --region eu-west-1 --no-cli-pager --cli-input-json '{"VpcEndpointIds": ["'"$id0"'"]}'
  local id0
  id0=$(aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-vpc-endpoint-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text)
  undone aws ec2 revoke-security-group-ingress --region eu-west-1 --no-cli-pager --cli-input-json '{"GroupId": "'"$id0"'", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}'
  local id0
  id0=$(aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-vpc-endpoint-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text)
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
