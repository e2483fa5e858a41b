#!/usr/bin/env bash
# straykey: swap-role
# Limit: Taking the role off the instance's profile alone would stop nothing: it is the Deny that stops the key.
# Limit: A thief who can still reach the instance's metadata gets new keys, and those work.
# Limit: Sessions of other roles that the thief made with the stolen keys go on: see pin-everywhere.
# Limit: Tokens minted already go on until they expire (ECR 12 hours, EKS, RDS, CodeArtifact, web identity), and so do sessions open by SSM or SSH.
# Limit: Users, access keys and roles the thief made go on.
# Note: The new role is arn:aws:iam::111122223333:role/app/straykey-swap-role-8f0dba57c309. Policies of buckets, keys and other roles that name arn:aws:iam::111122223333:role/app/web-role do not know it yet.
# Note: One other instance has this role, and what this breaks is broken there too: i-0fedcba9876543210.
# Note: Tags that AWS set cannot be copied: aws:cloudformation:stack-name.
#
# Needs: ec2:DescribeIamInstanceProfileAssociations, ec2:DescribeInstances, ec2:ReplaceIamInstanceProfileAssociation, iam:AddRoleToInstanceProfile, iam:AttachRolePolicy, iam:CreateInstanceProfile, iam:CreateRole, iam:DeleteInstanceProfile, iam:DeleteRole, iam:DeleteRolePolicy, iam:DetachRolePolicy, iam:GetInstanceProfile, iam:GetRole, iam:GetRolePolicy, iam:ListAttachedRolePolicies, iam:PassRole, iam:PutRolePolicy, iam:RemoveRoleFromInstanceProfile, iam:TagRole
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
  # make role straykey-swap-role-8f0dba57c309, a copy of web-role
  again aws iam create-role --no-cli-pager --cli-input-json '{"RoleName": "straykey-swap-role-8f0dba57c309", "Path": "/app/", "AssumeRolePolicyDocument": "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Principal\": {\"Service\": \"ec2.amazonaws.com\"}, \"Action\": \"sts:AssumeRole\"}]}", "MaxSessionDuration": 3600, "Description": "The web shop'"'"'s ${servers}", "PermissionsBoundary": "arn:aws:iam::111122223333:policy/limits", "Tags": [{"Key": "team", "Value": "web ${shop}"}]}'
  # copy policy read to role straykey-swap-role-8f0dba57c309
  again aws iam put-role-policy --no-cli-pager --cli-input-json '{"RoleName": "straykey-swap-role-8f0dba57c309", "PolicyName": "read", "PolicyDocument": "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"s3:Get*\", \"Resource\": \"*\"}]}"}'
  # attach policy AmazonSSMManagedInstanceCore to role straykey-swap-role-8f0dba57c309
  again aws iam attach-role-policy --no-cli-pager --cli-input-json '{"RoleName": "straykey-swap-role-8f0dba57c309", "PolicyArn": "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"}'
  # make instance profile straykey-swap-role-8f0dba57c309
  again aws iam create-instance-profile --no-cli-pager --cli-input-json '{"InstanceProfileName": "straykey-swap-role-8f0dba57c309", "Path": "/app/"}'
  # put role straykey-swap-role-8f0dba57c309 into its profile
  again aws iam add-role-to-instance-profile --no-cli-pager --cli-input-json '{"InstanceProfileName": "straykey-swap-role-8f0dba57c309", "RoleName": "straykey-swap-role-8f0dba57c309"}'
  # give instance i-0123456789abcdef0 the new profile
  local id0
  id0=$(aws ec2 describe-iam-instance-profile-associations --region eu-west-1 --filters Name=instance-id,Values=i-0123456789abcdef0 Name=state,Values=associated --query 'IamInstanceProfileAssociations[0].AssociationId' --output text)
  again aws ec2 replace-iam-instance-profile-association --region eu-west-1 --no-cli-pager --cli-input-json '{"AssociationId": "'"$id0"'", "IamInstanceProfile": {"Name": "straykey-swap-role-8f0dba57c309"}}'
  # put policy straykey-swap-role-8f0dba57c309 on role web-role
  again aws iam put-role-policy --no-cli-pager --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-swap-role-8f0dba57c309", "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Everything\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}]}"}'
}

undo() {
  :
  undone aws iam delete-role-policy --no-cli-pager --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-swap-role-8f0dba57c309"}'
  local id0
  id0=$(aws ec2 describe-iam-instance-profile-associations --region eu-west-1 --filters Name=instance-id,Values=i-0123456789abcdef0 Name=state,Values=associated --query 'IamInstanceProfileAssociations[0].AssociationId' --output text)
  undone aws ec2 replace-iam-instance-profile-association --region eu-west-1 --no-cli-pager --cli-input-json '{"AssociationId": "'"$id0"'", "IamInstanceProfile": {"Arn": "arn:aws:iam::111122223333:instance-profile/app/web"}}'
  undone aws iam remove-role-from-instance-profile --no-cli-pager --cli-input-json '{"InstanceProfileName": "straykey-swap-role-8f0dba57c309", "RoleName": "straykey-swap-role-8f0dba57c309"}'
  undone aws iam delete-instance-profile --no-cli-pager --cli-input-json '{"InstanceProfileName": "straykey-swap-role-8f0dba57c309"}'
  undone aws iam detach-role-policy --no-cli-pager --cli-input-json '{"RoleName": "straykey-swap-role-8f0dba57c309", "PolicyArn": "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"}'
  undone aws iam delete-role-policy --no-cli-pager --cli-input-json '{"RoleName": "straykey-swap-role-8f0dba57c309", "PolicyName": "read"}'
  undone aws iam delete-role --no-cli-pager --cli-input-json '{"RoleName": "straykey-swap-role-8f0dba57c309"}'
}

case "${1:-}" in
apply) apply ;;
undo) undo ;;
*)
  echo "usage: bash $0 apply|undo" >&2
  exit 2
  ;;
esac
