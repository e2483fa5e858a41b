#!/usr/bin/env bash
# straykey: pin
# Limit: A thief on the instance itself, or behind the same address, is not told apart from the workload.
# Limit: Sessions of other roles that the thief made with the stolen keys go on: see pin-everywhere.
# Limit: Tokens minted already go on until they expire (ECR 12 hours, EKS, RDS, CodeArtifact, web identity), and so do sessions open by SSM or SSH.
# Limit: Users, access keys and roles the thief made go on.
#
# Needs: iam:DeleteRolePolicy, iam:GetRolePolicy, iam:PutRolePolicy
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
  # put policy straykey-pin-8f0dba57c309 on role web-role
  again aws iam put-role-policy --no-cli-pager --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-pin-8f0dba57c309", "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OtherAddress\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"ArnLike\":{\"ec2:SourceInstanceARN\":\"arn:aws:ec2:*:111122223333:instance/i-0123456789abcdef0\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddress\":{\"aws:SourceIp\":[\"198.18.0.10/32\"]},\"Null\":{\"aws:SourceIp\":\"false\"}}},{\"Sid\":\"OtherEndpoint\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"ArnLike\":{\"ec2:SourceInstanceARN\":\"arn:aws:ec2:*:111122223333:instance/i-0123456789abcdef0\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"Null\":{\"aws:SourceVpce\":\"false\"},\"StringNotEquals\":{\"aws:SourceVpce\":[\"vpce-0aaaaaaaaaaaaaaa1\"]}}},{\"Sid\":\"OtherPrivateAddress\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"ArnLike\":{\"ec2:SourceInstanceARN\":\"arn:aws:ec2:*:111122223333:instance/i-0123456789abcdef0\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddress\":{\"aws:VpcSourceIp\":[\"10.0.0.5/32\"]},\"Null\":{\"aws:VpcSourceIp\":\"false\"}}},{\"Sid\":\"NoNetwork\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"ArnLike\":{\"ec2:SourceInstanceARN\":\"arn:aws:ec2:*:111122223333:instance/i-0123456789abcdef0\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"Null\":{\"aws:SourceIp\":\"true\",\"aws:SourceVpce\":\"true\"}}}]}"}'
}

undo() {
  :
  undone aws iam delete-role-policy --no-cli-pager --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-pin-8f0dba57c309"}'
}

case "${1:-}" in
apply) apply ;;
undo) undo ;;
*)
  echo "usage: bash $0 apply|undo" >&2
  exit 2
  ;;
esac
