#!/usr/bin/env bash
# straykey: revoke
# Limit: A thief who can still reach the instance's metadata gets new keys, and those work.
# Limit: Sessions of other roles that the thief made with the stolen keys go on: see pin-everywhere.
# Limit: Tokens minted already go on until they expire (ECR 12 hours, EKS, RDS, CodeArtifact, web identity), and so do sessions open by SSM or SSH.
# Limit: Users, access keys and roles the thief made go on.
# Note: One other instance has this role, and what this breaks is broken there too: i-0fedcba9876543210.
# Note: Keys issued from 2026-05-04T10:41:01Z on work. That is when this was planned, by this machine's clock: keys issued between then and now are not denied, so apply at once; where the clock is ahead, new keys fail as long.
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
  # put policy straykey-revoke-8f0dba57c309 on role web-role
  again aws iam put-role-policy --no-cli-pager --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-revoke-8f0dba57c309", "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"IssuedBefore\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"DateLessThan\":{\"aws:TokenIssueTime\":\"2026-05-04T10:41:01Z\"}}}]}"}'
}

undo() {
  :
  undone aws iam delete-role-policy --no-cli-pager --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-revoke-8f0dba57c309"}'
}

case "${1:-}" in
apply) apply ;;
undo) undo ;;
*)
  echo "usage: bash $0 apply|undo" >&2
  exit 2
  ;;
esac
