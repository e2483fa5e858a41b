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
# Needs: ec2:AssociateIamInstanceProfile, ec2:DescribeIamInstanceProfileAssociations, ec2:DescribeInstances, ec2:DisassociateIamInstanceProfile, iam:AddRoleToInstanceProfile, iam:AttachRolePolicy, iam:CreateInstanceProfile, iam:CreateRole, iam:DeleteInstanceProfile, iam:DeleteRole, iam:DeleteRolePolicy, iam:DetachRolePolicy, iam:GetInstanceProfile, iam:GetRole, iam:GetRolePolicy, iam:ListAttachedRolePolicies, iam:PassRole, iam:PutRolePolicy, iam:RemoveRoleFromInstanceProfile, iam:TagRole
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
  # make role straykey-swap-role-8f0dba57c309, a copy of web-role
  run 'ConcurrentModification EntityTemporarilyUnmodifiable' '' aws iam create-role --cli-input-json '{"RoleName": "straykey-swap-role-8f0dba57c309", "Path": "/app/", "AssumeRolePolicyDocument": "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Principal\": {\"Service\": \"ec2.amazonaws.com\"}, \"Action\": \"sts:AssumeRole\"}]}", "MaxSessionDuration": 3600, "Description": "The web shop'"'"'s ${servers}", "PermissionsBoundary": "arn:aws:iam::111122223333:policy/limits", "Tags": [{"Key": "team", "Value": "web ${shop}"}]}'
  # copy policy read to role straykey-swap-role-8f0dba57c309
  run 'ConcurrentModification EntityTemporarilyUnmodifiable NoSuchEntity' '' aws iam put-role-policy --cli-input-json '{"RoleName": "straykey-swap-role-8f0dba57c309", "PolicyName": "read", "PolicyDocument": "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"s3:Get*\", \"Resource\": \"*\"}]}"}'
  # attach policy AmazonSSMManagedInstanceCore to role straykey-swap-role-8f0dba57c309
  run 'ConcurrentModification EntityTemporarilyUnmodifiable NoSuchEntity' '' aws iam attach-role-policy --cli-input-json '{"RoleName": "straykey-swap-role-8f0dba57c309", "PolicyArn": "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"}'
  # make instance profile straykey-swap-role-8f0dba57c309
  run 'ConcurrentModification EntityTemporarilyUnmodifiable' '' aws iam create-instance-profile --cli-input-json '{"InstanceProfileName": "straykey-swap-role-8f0dba57c309", "Path": "/app/"}'
  # put role straykey-swap-role-8f0dba57c309 into its profile
  run 'ConcurrentModification EntityTemporarilyUnmodifiable NoSuchEntity' '' aws iam add-role-to-instance-profile --cli-input-json '{"InstanceProfileName": "straykey-swap-role-8f0dba57c309", "RoleName": "straykey-swap-role-8f0dba57c309"}'
  # take its profile off instance i-0123456789abcdef0
  call() {
    local id0
    id0=$(found aws ec2 describe-iam-instance-profile-associations --region eu-west-1 --filters Name=instance-id,Values=i-0123456789abcdef0 Name=state,Values=associated --query 'IamInstanceProfileAssociations[0].AssociationId' --output text) || return
    aws ec2 disassociate-iam-instance-profile --region eu-west-1 --cli-input-json '{"AssociationId": "'"$id0"'"}'
  }
  run 'IncorrectInstanceState IncorrectState InvalidParameterValue Missing' '' call
  # give instance i-0123456789abcdef0 the new profile
  run 'IncorrectInstanceState IncorrectState InvalidParameterValue' '' aws ec2 associate-iam-instance-profile --region eu-west-1 --cli-input-json '{"InstanceId": "i-0123456789abcdef0", "IamInstanceProfile": {"Name": "straykey-swap-role-8f0dba57c309"}}'
  # put policy straykey-swap-role-8f0dba57c309 on role web-role
  run 'ConcurrentModification EntityTemporarilyUnmodifiable NoSuchEntity' '' aws iam put-role-policy --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-swap-role-8f0dba57c309", "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Everything\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}]}"}'
}

undo() {
  :
  run 'ConcurrentModification EntityTemporarilyUnmodifiable' "$gone" aws iam delete-role-policy --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-swap-role-8f0dba57c309"}'
  call() {
    local id0
    id0=$(found aws ec2 describe-iam-instance-profile-associations --region eu-west-1 --filters Name=instance-id,Values=i-0123456789abcdef0 Name=state,Values=associated --query 'IamInstanceProfileAssociations[0].AssociationId' --output text) || return
    aws ec2 disassociate-iam-instance-profile --region eu-west-1 --cli-input-json '{"AssociationId": "'"$id0"'"}'
  }
  run 'IncorrectInstanceState IncorrectState Missing' "$gone" call
  run 'IncorrectInstanceState IncorrectState' "$gone" aws ec2 associate-iam-instance-profile --region eu-west-1 --cli-input-json '{"InstanceId": "i-0123456789abcdef0", "IamInstanceProfile": {"Arn": "arn:aws:iam::111122223333:instance-profile/app/web"}}'
  run 'ConcurrentModification EntityTemporarilyUnmodifiable' "$gone" aws iam remove-role-from-instance-profile --cli-input-json '{"InstanceProfileName": "straykey-swap-role-8f0dba57c309", "RoleName": "straykey-swap-role-8f0dba57c309"}'
  run 'ConcurrentModification DeleteConflict DependencyViolation EntityTemporarilyUnmodifiable InvalidGroup.InUse' "$gone" aws iam delete-instance-profile --cli-input-json '{"InstanceProfileName": "straykey-swap-role-8f0dba57c309"}'
  run 'ConcurrentModification EntityTemporarilyUnmodifiable' "$gone" aws iam detach-role-policy --cli-input-json '{"RoleName": "straykey-swap-role-8f0dba57c309", "PolicyArn": "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"}'
  run 'ConcurrentModification EntityTemporarilyUnmodifiable' "$gone" aws iam delete-role-policy --cli-input-json '{"RoleName": "straykey-swap-role-8f0dba57c309", "PolicyName": "read"}'
  run 'ConcurrentModification DeleteConflict DependencyViolation EntityTemporarilyUnmodifiable InvalidGroup.InUse' "$gone" aws iam delete-role --cli-input-json '{"RoleName": "straykey-swap-role-8f0dba57c309"}'
}

case "${1:-}" in
apply) apply ;;
undo) undo ;;
*)
  echo "usage: bash $0 apply|undo" >&2
  exit 2
  ;;
esac
