#!/usr/bin/env bash
# straykey: what binds the keys of instances to where their instances are.
#
# Calls to be denied, and calls on a public way, are counted in a sample: of each network of a session at most 64 calls, and the first of each kind.
# 2 of the addresses in these policies are of one instance only: when it is stopped and started it has another, and is denied.  Give it an Elastic IP, a NAT gateway or endpoints first.
# An RCP judges calls to resources of your own accounts; the records do not say whose a resource is, so the rehearsal takes all for yours.
# An SCP does not reach the management account, nor roles that are linked to a service.
# Taken for thieves', and so denied, though no finding is certain: 203.0.113.66 (role web-role, finding 8f0dba57).  Look at these first; what is yours, name by --trusted-network, and give --ip-ranges where AWS's ranges were not known.
# An endpoint policy replaces the one that is there: if that is not AWS's default, add the Deny to it.
# require-tokens in 111122223333: Require tokens.
# declarative-policy: Say so once.
# launch-policy: Let nobody.
# update-agents: Keys that came by IMDSv1 are still used on 1 instance: update these programs first, then require tokens as above.
# update-agents: i-0fedcba9876543210 of role batch.role in 444455556666: aws-sdk-go/1.23.0 (go1.12; linux; amd64) (too old to ask for a token)
# account-default in 111122223333: Let the account's default require tokens of what is launched; what runs is left as it is.
# account-default: To be done in every region of every account, also where nothing runs yet.
# account-default: A launch that asks for less still gets less. Later, HttpTokensEnforced=enabled refuses it.
# deny-v1-keys: Deny all calls with keys that came by IMDSv1; from 2026-05-04T10:00:00Z to 2026-05-04T10:40:00Z it would have denied 1 call of 1 role.
# deny-v1-keys: batch.role in 444455556666: s3:ListBuckets 1
# deny-v1-keys: Begin with the role policy on one role. Keys that are out already are denied at once; IMDSv2 still answers.
# deny-v1-keys: sts:GetCallerIdentity is never denied, nor EC2's own identity role (aws:ec2-instance).
set -euo pipefail
export AWS_PAGER=
saved=straykey-undo
account=
is_found=
has_failed=
is_all=
is_restored=
is_unsaved=

usage() {
  cat >&2 <<'END'
usage: bash FILE PART WHAT...
  list                                all there is, by account
  openings VPC SERVICE...             make endpoints that a VPC lacks, with ids in the variables ROUTE_TABLES, or
                                      SUBNETS and SECURITY_GROUPS (which let port 443 in)
  undo-openings VPC SERVICE...        delete those
  role-policies ROLE...               put each role's own policy on it
  undo-role-policies ROLE...          delete it
  endpoint-policies ENDPOINT...       replace an endpoint's policy; the old one is kept in the folder straykey-undo,
                                      and must be merged by hand first where it is stricter
  undo-endpoint-policies ENDPOINT...  put the old one back
  create-policies NAME...             create policies of the organization, attached to nothing
  delete-policies NAME...             delete them; what is still attached stays
  attach TARGET NAME...               attach policies to an account, a unit or the root, by its id
  detach TARGET NAME...               take them off
  key-policy ROLE...                  deny roles the keys that came by IMDSv1
  undo-key-policy ROLE...             delete that policy
  imds STEP KEY...                    one step towards IMDSv2, of instances or regions; how they were is kept in the
                                      folder straykey-undo
  undo-imds STEP KEY...               set them as they were: require-tokens, hop-limit, account-default; of look there
                                      is nothing to take back
  trails NUMBER...                    let a trail record what it does not, with what it costs; no part takes it back,
                                      but the trail's settings are kept in the folder straykey-undo
Instead of ROLE, SERVICE, ENDPOINT, NAME or KEY: --all, but for attach. Begin with one of each, the canary.
What belongs to another account than that of your credentials is passed over.
END
  exit 2
}

# Whether the first is among the others.
named() {
  local key=$1 one
  shift
  for one in "$@"; do
    if [ "$one" = --all ] || [ "$one" = "$key" ]; then
      return 0
    fi
  done
  return 1
}

# Whether it belongs to the account of the credentials; of some nobody knows.
mine() {
  [ -z "$1" ] || [ "$1" = "$account" ]
}

doing() {
  is_found=1
  printf '%s\n' "$1" >&2
}

# One that fails, for the role is gone perhaps, does not keep the others back.
attempt() {
  "$@" || {
    has_failed=1
    echo "  failed: the others go on" >&2
  }
}

# AWS's answer to a query for ids, without what stands between pages.
ids() {
  aws "$@" --output text | tr -s '[:space:]' ' ' | sed 's/^ //; s/ $//; s/None//g'
}

policy() {
  policy=$(ids organizations list-policies --filter "$1" --query "$2")
}

create_policy() {
  policy "$1" "$2"
  if [ -n "$policy" ]; then
    echo "  there is one of that name: left as it is" >&2
  else
    aws organizations create-policy --cli-input-json "$3"
  fi
}

delete_policy() {
  policy "$1" "$2"
  if [ -n "$policy" ]; then
    aws organizations delete-policy --policy-id "$policy"
  fi
}

# attach-policy or detach-policy, a target, a type and a query.
place_policy() {
  policy "$3" "$4"
  if [ -z "$policy" ]; then
    echo "  there is no policy of that name: create it first" >&2
    exit 1
  fi
  aws organizations "$1" --policy-id "$policy" --target-id "$2"
}

# A question for endpoints as JSON, a call as JSON, and the way there.
open_endpoint() {
  local there
  there=$(ids ec2 describe-vpc-endpoints --cli-input-json "$1" --query 'VpcEndpoints[].VpcEndpointId' "${region[@]}")
  if [ -n "$there" ]; then
    echo "  there is one: $there" >&2
    return
  fi
  aws ec2 create-vpc-endpoint --cli-input-json "$2" "${region[@]}" "${@:3}"
}

close_endpoint() {
  local there
  there=$(ids ec2 describe-vpc-endpoints --cli-input-json "$1" --query 'VpcEndpoints[].VpcEndpointId' "${region[@]}")
  if [ -n "$there" ]; then
    # shellcheck disable=SC2086 - several ids
    aws ec2 delete-vpc-endpoints --vpc-endpoint-ids $there "${region[@]}"
  fi
}

# A name and a query: AWS's answer is kept, unless something is: a second change would take the first for how it was.
keep() {
  local file=$saved/$1.txt
  if [ ! -e "$file" ]; then
    mkdir -p "$saved"
    aws "${@:2}" --output text >"$file.part" || return
    mv "$file.part" "$file"
  fi
}

# Whether it is kept how something was.
is_kept() {
  if [ ! -e "$saved/$1.txt" ]; then
    is_unsaved=1
    echo "  $saved/$1.txt is not here: left as it is; run this where it was changed" >&2
    return 1
  fi
}

forget() {
  is_restored=1
  rm "$saved/$1.txt"
}

# An id and a call as JSON.
put_endpoint_policy() {
  keep "$1" ec2 describe-vpc-endpoints --vpc-endpoint-ids "$1" --query 'VpcEndpoints[0].PolicyDocument'     "${region[@]}" || return
  aws ec2 modify-vpc-endpoint --cli-input-json "$2" "${region[@]}"
}

restore_endpoint_policy() {
  is_kept "$1" || return 0
  aws ec2 modify-vpc-endpoint --vpc-endpoint-id "$1" --policy-document "file://$saved/$1.txt" "${region[@]}" || return
  forget "$1"
}

# A step, an instance, its region and a command.
change_instance() {
  local its='[HttpEndpoint, HttpTokens, to_string(HttpPutResponseHopLimit)]'
  keep "$1-$2" ec2 describe-instances --region "$3" --instance-ids "$2" \
    --query "Reservations[0].Instances[0].MetadataOptions.$its" || return
  if [[ $(cat "$saved/$1-$2.txt") != enabled* ]]; then
    rm "$saved/$1-$2.txt"
    echo "  its metadata service is not on: left as it is" >&2
    return 1
  fi
  "${@:4}"
}

# A step, an instance and its region.
restore_instance() {
  local tokens hops option
  is_kept "$1-$2" || return 0
  read -r _ tokens hops <"$saved/$1-$2.txt" || return
  option=(--http-tokens "$tokens")
  if [ "$1" = hop-limit ]; then
    option=(--http-put-response-hop-limit "$hops")
  fi
  aws ec2 modify-instance-metadata-options --region "$3" --instance-id "$2" "${option[@]}" --http-endpoint enabled ||
    return
  forget "$1-$2"
}

# A step, a region, the region and a command; of a default that nobody set AWS says nothing.
change_default() {
  keep "$1-$account-$2" ec2 get-instance-metadata-defaults --region "$3" --query AccountLevel.HttpTokens || return
  "${@:4}"
}

restore_default() {
  local tokens
  is_kept "$1-$account-$2" || return 0
  read -r tokens <"$saved/$1-$account-$2.txt" || return
  if [ "$tokens" = None ]; then
    tokens=no-preference
  fi
  aws ec2 modify-instance-metadata-defaults --region "$3" --http-tokens "$tokens" || return
  forget "$1-$account-$2"
}

list() {
  printf '%s\n' '111122223333: openings vpc-0d1 com.amazonaws.eu-west-1.dynamodb. Went to it on a public way: 1 sampled call of 1 role. Its name is AWS'"'"'s usual one: the account was not read.'
  printf '%s\n' '111122223333: openings vpc-0d1 com.amazonaws.eu-west-1.ecr.api. Went to it on a public way: 1 sampled call of 1 role. Its name is AWS'"'"'s usual one: the account was not read.'
  printf '%s\n' '111122223333: openings vpc-0d1 com.amazonaws.eu-west-1.ecr.dkr. Went to it on a public way: 1 sampled call of 1 role. Its name is AWS'"'"'s usual one: the account was not read.'
  printf '%s\n' '111122223333: openings vpc-0d1 com.amazonaws.eu-west-1.sqs. Went to it on a public way: 1 sampled call of 1 role. Its name is AWS'"'"'s usual one: the account was not read.'
  printf '%s\n' '444455556666: openings vpc-0d2 com.amazonaws.eu-west-1.s3. Went to it on a public way: 1 sampled call of 1 role. Its name is AWS'"'"'s usual one: the account was not read.'
  printf '%s\n' '111122223333: role-policies web-role. Would have denied 0 of 6 sampled calls of 1 role at home, and 1 of 1 sampled call of thieves.'
  printf '%s\n' '444455556666: role-policies batch.role. Would have denied 0 of 1 sampled call of 1 role at home, and 0 of 0 sampled calls of thieves.'
  printf '%s\n' '111122223333: endpoint-policies vpce-0aaaabbbbccccdddd. Would have denied 0 of 7 sampled calls of 2 roles at home, and 0 of 1 sampled call of thieves. It replaces the policy that the endpoint has: a stricter one must be merged into it by hand first, or what that one denied is let through.'
  printf '%s\n' 'organization: create-policies straykey-perimeter-scp. Would have denied 0 of 7 sampled calls of 2 roles at home, and 1 of 1 sampled call of thieves.'
  printf '%s\n' 'organization: create-policies straykey-perimeter-rcp. Would have denied 0 of 7 sampled calls of 2 roles at home, and 1 of 1 sampled call of thieves.'
  printf '%s\n' 'organization: create-policies straykey-imdsv2-defaults-declarative. Not rehearsed here: see the measures.'
  printf '%s\n' 'organization: create-policies straykey-imdsv2-enforced-declarative. Not rehearsed here: see the measures.'
  printf '%s\n' 'organization: create-policies straykey-imdsv2-launch-scp. Not rehearsed here: see the measures.'
  printf '%s\n' 'organization: create-policies straykey-imdsv2-launch-aws-cn-scp. Not rehearsed here: see the measures.'
  printf '%s\n' 'organization: create-policies straykey-imdsv2-keys-scp. Not rehearsed here: see the measures.'
  printf '%s\n' '111122223333: imds require-tokens i-0123456789abcdef0.'
  printf '%s\n' '111122223333: imds account-default eu-west-1.'
  printf '%s\n' '111122223333: trails 1. Not seen of 111122223333: objects read. To mend it: record them. It adds all objects. Each event is charged for. Nothing here takes it back: say to put-event-selectors what get-event-selectors said before.'
  printf '%s\n' '444455556666: trails 2. Not seen of 444455556666: anything. To mend it: create a trail. Nothing here takes it back: delete-trail deletes it. It does not log before start-logging.'
  printf '%s\n' '111122223333: trails 3. Not seen of 111122223333: its own records. To mend it: read this account'"'"'s trail. There is no command for it.'
}

part_openings() {
  if [ "$1" = vpc-0d1 ]; then
    if mine 111122223333 && named com.amazonaws.eu-west-1.dynamodb "${@:2}"; then
      doing 'endpoint for com.amazonaws.eu-west-1.dynamodb in vpc-0d1'
      local region=(--region eu-west-1)
      open_endpoint '{"Filters": [{"Name": "vpc-id", "Values": ["vpc-0d1"]}, {"Name": "service-name", "Values": ["com.amazonaws.eu-west-1.dynamodb"]}, {"Name": "vpc-endpoint-state", "Values": ["available", "pending", "pendingAcceptance"]}]}' '{"VpcId": "vpc-0d1", "ServiceName": "com.amazonaws.eu-west-1.dynamodb", "VpcEndpointType": "Gateway", "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "straykey", "Value": "harden"}]}]}' --route-table-ids ${ROUTE_TABLES:?}
    fi
  fi
  if [ "$1" = vpc-0d1 ]; then
    if mine 111122223333 && named com.amazonaws.eu-west-1.ecr.api "${@:2}"; then
      doing 'endpoint for com.amazonaws.eu-west-1.ecr.api in vpc-0d1'
      local region=(--region eu-west-1)
      open_endpoint '{"Filters": [{"Name": "vpc-id", "Values": ["vpc-0d1"]}, {"Name": "service-name", "Values": ["com.amazonaws.eu-west-1.ecr.api"]}, {"Name": "vpc-endpoint-state", "Values": ["available", "pending", "pendingAcceptance"]}]}' '{"VpcId": "vpc-0d1", "ServiceName": "com.amazonaws.eu-west-1.ecr.api", "VpcEndpointType": "Interface", "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "straykey", "Value": "harden"}]}], "PrivateDnsEnabled": true}' --subnet-ids ${SUBNETS:?} --security-group-ids ${SECURITY_GROUPS:?}
    fi
  fi
  if [ "$1" = vpc-0d1 ]; then
    if mine 111122223333 && named com.amazonaws.eu-west-1.ecr.dkr "${@:2}"; then
      doing 'endpoint for com.amazonaws.eu-west-1.ecr.dkr in vpc-0d1'
      local region=(--region eu-west-1)
      open_endpoint '{"Filters": [{"Name": "vpc-id", "Values": ["vpc-0d1"]}, {"Name": "service-name", "Values": ["com.amazonaws.eu-west-1.ecr.dkr"]}, {"Name": "vpc-endpoint-state", "Values": ["available", "pending", "pendingAcceptance"]}]}' '{"VpcId": "vpc-0d1", "ServiceName": "com.amazonaws.eu-west-1.ecr.dkr", "VpcEndpointType": "Interface", "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "straykey", "Value": "harden"}]}], "PrivateDnsEnabled": true}' --subnet-ids ${SUBNETS:?} --security-group-ids ${SECURITY_GROUPS:?}
    fi
  fi
  if [ "$1" = vpc-0d1 ]; then
    if mine 111122223333 && named com.amazonaws.eu-west-1.sqs "${@:2}"; then
      doing 'endpoint for com.amazonaws.eu-west-1.sqs in vpc-0d1'
      local region=(--region eu-west-1)
      open_endpoint '{"Filters": [{"Name": "vpc-id", "Values": ["vpc-0d1"]}, {"Name": "service-name", "Values": ["com.amazonaws.eu-west-1.sqs"]}, {"Name": "vpc-endpoint-state", "Values": ["available", "pending", "pendingAcceptance"]}]}' '{"VpcId": "vpc-0d1", "ServiceName": "com.amazonaws.eu-west-1.sqs", "VpcEndpointType": "Interface", "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "straykey", "Value": "harden"}]}], "PrivateDnsEnabled": true}' --subnet-ids ${SUBNETS:?} --security-group-ids ${SECURITY_GROUPS:?}
    fi
  fi
  if [ "$1" = vpc-0d2 ]; then
    if mine 444455556666 && named com.amazonaws.eu-west-1.s3 "${@:2}"; then
      doing 'endpoint for com.amazonaws.eu-west-1.s3 in vpc-0d2'
      local region=(--region eu-west-1)
      open_endpoint '{"Filters": [{"Name": "vpc-id", "Values": ["vpc-0d2"]}, {"Name": "service-name", "Values": ["com.amazonaws.eu-west-1.s3"]}, {"Name": "vpc-endpoint-state", "Values": ["available", "pending", "pendingAcceptance"]}]}' '{"VpcId": "vpc-0d2", "ServiceName": "com.amazonaws.eu-west-1.s3", "VpcEndpointType": "Gateway", "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "straykey", "Value": "harden"}]}]}' --route-table-ids ${ROUTE_TABLES:?}
    fi
  fi
}

part_undo_openings() {
  if [ "$1" = vpc-0d1 ]; then
    if mine 111122223333 && named com.amazonaws.eu-west-1.dynamodb "${@:2}"; then
      doing 'no endpoint for com.amazonaws.eu-west-1.dynamodb in vpc-0d1'
      local region=(--region eu-west-1)
      close_endpoint '{"Filters": [{"Name": "vpc-id", "Values": ["vpc-0d1"]}, {"Name": "service-name", "Values": ["com.amazonaws.eu-west-1.dynamodb"]}, {"Name": "tag:straykey", "Values": ["harden"]}]}'
    fi
  fi
  if [ "$1" = vpc-0d1 ]; then
    if mine 111122223333 && named com.amazonaws.eu-west-1.ecr.api "${@:2}"; then
      doing 'no endpoint for com.amazonaws.eu-west-1.ecr.api in vpc-0d1'
      local region=(--region eu-west-1)
      close_endpoint '{"Filters": [{"Name": "vpc-id", "Values": ["vpc-0d1"]}, {"Name": "service-name", "Values": ["com.amazonaws.eu-west-1.ecr.api"]}, {"Name": "tag:straykey", "Values": ["harden"]}]}'
    fi
  fi
  if [ "$1" = vpc-0d1 ]; then
    if mine 111122223333 && named com.amazonaws.eu-west-1.ecr.dkr "${@:2}"; then
      doing 'no endpoint for com.amazonaws.eu-west-1.ecr.dkr in vpc-0d1'
      local region=(--region eu-west-1)
      close_endpoint '{"Filters": [{"Name": "vpc-id", "Values": ["vpc-0d1"]}, {"Name": "service-name", "Values": ["com.amazonaws.eu-west-1.ecr.dkr"]}, {"Name": "tag:straykey", "Values": ["harden"]}]}'
    fi
  fi
  if [ "$1" = vpc-0d1 ]; then
    if mine 111122223333 && named com.amazonaws.eu-west-1.sqs "${@:2}"; then
      doing 'no endpoint for com.amazonaws.eu-west-1.sqs in vpc-0d1'
      local region=(--region eu-west-1)
      close_endpoint '{"Filters": [{"Name": "vpc-id", "Values": ["vpc-0d1"]}, {"Name": "service-name", "Values": ["com.amazonaws.eu-west-1.sqs"]}, {"Name": "tag:straykey", "Values": ["harden"]}]}'
    fi
  fi
  if [ "$1" = vpc-0d2 ]; then
    if mine 444455556666 && named com.amazonaws.eu-west-1.s3 "${@:2}"; then
      doing 'no endpoint for com.amazonaws.eu-west-1.s3 in vpc-0d2'
      local region=(--region eu-west-1)
      close_endpoint '{"Filters": [{"Name": "vpc-id", "Values": ["vpc-0d2"]}, {"Name": "service-name", "Values": ["com.amazonaws.eu-west-1.s3"]}, {"Name": "tag:straykey", "Values": ["harden"]}]}'
    fi
  fi
}

part_role_policies() {
  if mine 111122223333 && named web-role "$@"; then
    doing 'policy straykey-perimeter on role web-role'
    attempt aws iam put-role-policy --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-perimeter", "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OwnNetwork\",\"Effect\":\"Deny\",\"NotAction\":[\"dax:BatchGetItem\",\"dax:BatchWriteItem\",\"dax:ConditionCheckItem\",\"dax:DeleteItem\",\"dax:GetItem\",\"dax:PutItem\",\"dax:Query\",\"dax:Scan\",\"dax:UpdateItem\",\"elasticfilesystem:client*\",\"es:ES*\",\"kafka-cluster:*\",\"neptune-db:*\",\"rds-db:connect\"],\"Resource\":\"*\",\"Condition\":{\"Null\":{\"ec2:SourceInstanceARN\":\"false\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddressIfExists\":{\"aws:SourceIp\":\"198.18.0.10\"},\"StringNotEquals\":{\"aws:SourceVpc\":\"${aws:Ec2InstanceSourceVpc}\",\"aws:SourceVpce\":\"vpce-0aaaabbbbccccdddd\"}}},{\"Sid\":\"OwnAddress\",\"Effect\":\"Deny\",\"NotAction\":[\"dax:BatchGetItem\",\"dax:BatchWriteItem\",\"dax:ConditionCheckItem\",\"dax:DeleteItem\",\"dax:GetItem\",\"dax:PutItem\",\"dax:Query\",\"dax:Scan\",\"dax:UpdateItem\",\"elasticfilesystem:client*\",\"es:ES*\",\"kafka-cluster:*\",\"neptune-db:*\",\"rds-db:connect\"],\"Resource\":\"*\",\"Condition\":{\"Null\":{\"ec2:SourceInstanceARN\":\"false\",\"aws:VpcSourceIp\":\"false\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"StringNotEquals\":{\"aws:Ec2InstanceSourcePrivateIPv4\":\"${aws:VpcSourceIp}\"}}}]}"}'
  fi
  if mine 444455556666 && named batch.role "$@"; then
    doing 'policy straykey-perimeter on role batch.role'
    attempt aws iam put-role-policy --cli-input-json '{"RoleName": "batch.role", "PolicyName": "straykey-perimeter", "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OwnNetwork\",\"Effect\":\"Deny\",\"NotAction\":[\"dax:BatchGetItem\",\"dax:BatchWriteItem\",\"dax:ConditionCheckItem\",\"dax:DeleteItem\",\"dax:GetItem\",\"dax:PutItem\",\"dax:Query\",\"dax:Scan\",\"dax:UpdateItem\",\"elasticfilesystem:client*\",\"es:ES*\",\"kafka-cluster:*\",\"neptune-db:*\",\"rds-db:connect\"],\"Resource\":\"*\",\"Condition\":{\"Null\":{\"ec2:SourceInstanceARN\":\"false\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddressIfExists\":{\"aws:SourceIp\":\"198.18.0.20\"},\"StringNotEquals\":{\"aws:SourceVpc\":\"${aws:Ec2InstanceSourceVpc}\"}}}]}"}'
  fi
}

part_undo_role_policies() {
  if mine 111122223333 && named web-role "$@"; then
    doing 'policy straykey-perimeter off role web-role'
    attempt aws iam delete-role-policy --cli-input-json '{"RoleName": "web-role", "PolicyName": "straykey-perimeter"}'
  fi
  if mine 444455556666 && named batch.role "$@"; then
    doing 'policy straykey-perimeter off role batch.role'
    attempt aws iam delete-role-policy --cli-input-json '{"RoleName": "batch.role", "PolicyName": "straykey-perimeter"}'
  fi
}

part_endpoint_policies() {
  if mine 111122223333 && named vpce-0aaaabbbbccccdddd "$@"; then
    doing 'policy of vpce-0aaaabbbbccccdddd in vpc-0d1. Would have denied 0 of 7 sampled calls of 2 roles at home, and 0 of 1 sampled call of thieves. It replaces the policy that the endpoint has: a stricter one must be merged into it by hand first, or what that one denied is let through.'
    local region=(--region eu-west-1)
    attempt put_endpoint_policy vpce-0aaaabbbbccccdddd '{"VpcEndpointId": "vpce-0aaaabbbbccccdddd", "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Everybody\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"},{\"Sid\":\"ButKeysOfOtherVpcs\",\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"Null\":{\"aws:Ec2InstanceSourceVpc\":\"false\"},\"StringEquals\":{\"aws:PrincipalAccount\":[\"111122223333\",\"444455556666\"]},\"StringNotEquals\":{\"aws:Ec2InstanceSourceVpc\":\"vpc-0d1\"}}}]}"}'
  fi
}

part_undo_endpoint_policies() {
  if mine 111122223333 && named vpce-0aaaabbbbccccdddd "$@"; then
    doing 'old policy of vpce-0aaaabbbbccccdddd in vpc-0d1'
    local region=(--region eu-west-1)
    attempt restore_endpoint_policy vpce-0aaaabbbbccccdddd
  fi
}

part_create_policies() {
  if mine '' && named straykey-perimeter-scp "$@"; then
    doing 'create SERVICE_CONTROL_POLICY straykey-perimeter-scp'
    create_policy SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-perimeter-scp"`].Id' '{"Name": "straykey-perimeter-scp", "Type": "SERVICE_CONTROL_POLICY", "Description": "By straykey", "Content": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"NotAction\":[\"dax:BatchGetItem\",\"dax:BatchWriteItem\",\"dax:ConditionCheckItem\",\"dax:DeleteItem\",\"dax:GetItem\",\"dax:PutItem\",\"dax:Query\",\"dax:Scan\",\"dax:UpdateItem\",\"elasticfilesystem:client*\",\"es:ES*\",\"kafka-cluster:*\",\"neptune-db:*\",\"rds-db:connect\"],\"Resource\":\"*\",\"Condition\":{\"Null\":{\"ec2:SourceInstanceARN\":\"false\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddressIfExists\":{\"aws:SourceIp\":\"198.18.0.10\"},\"StringNotEquals\":{\"aws:SourceVpc\":\"${aws:Ec2InstanceSourceVpc}\",\"aws:SourceVpce\":\"vpce-0aaaabbbbccccdddd\"},\"ArnNotLikeIfExists\":{\"aws:PrincipalArn\":\"arn:aws:iam::*:role/aws:ec2-infrastructure\"},\"StringNotEqualsIfExists\":{\"aws:PrincipalTag/dp:exclude:network\":\"true\"},\"StringEquals\":{\"aws:PrincipalAccount\":\"111122223333\"}}},{\"Effect\":\"Deny\",\"NotAction\":[\"dax:BatchGetItem\",\"dax:BatchWriteItem\",\"dax:ConditionCheckItem\",\"dax:DeleteItem\",\"dax:GetItem\",\"dax:PutItem\",\"dax:Query\",\"dax:Scan\",\"dax:UpdateItem\",\"elasticfilesystem:client*\",\"es:ES*\",\"kafka-cluster:*\",\"neptune-db:*\",\"rds-db:connect\"],\"Resource\":\"*\",\"Condition\":{\"Null\":{\"ec2:SourceInstanceARN\":\"false\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddressIfExists\":{\"aws:SourceIp\":\"198.18.0.20\"},\"StringNotEquals\":{\"aws:SourceVpc\":\"${aws:Ec2InstanceSourceVpc}\"},\"ArnNotLikeIfExists\":{\"aws:PrincipalArn\":\"arn:aws:iam::*:role/aws:ec2-infrastructure\"},\"StringNotEqualsIfExists\":{\"aws:PrincipalTag/dp:exclude:network\":\"true\"},\"StringEquals\":{\"aws:PrincipalAccount\":\"444455556666\"}}}]}"}'
  fi
  if mine '' && named straykey-perimeter-rcp "$@"; then
    doing 'create RESOURCE_CONTROL_POLICY straykey-perimeter-rcp'
    create_policy RESOURCE_CONTROL_POLICY 'Policies[?Name==`"straykey-perimeter-rcp"`].Id' '{"Name": "straykey-perimeter-rcp", "Type": "RESOURCE_CONTROL_POLICY", "Description": "By straykey", "Content": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":[\"dynamodb:*\",\"ecr:*\",\"kms:*\",\"s3:*\",\"secretsmanager:*\",\"sqs:*\"],\"Resource\":\"*\",\"Condition\":{\"Null\":{\"aws:Ec2InstanceSourceVpc\":\"false\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\",\"aws:PrincipalIsAWSService\":\"false\"},\"NotIpAddressIfExists\":{\"aws:SourceIp\":\"198.18.0.10\"},\"StringNotEquals\":{\"aws:SourceVpc\":\"${aws:Ec2InstanceSourceVpc}\",\"aws:SourceVpce\":\"vpce-0aaaabbbbccccdddd\"},\"ArnNotLikeIfExists\":{\"aws:PrincipalArn\":\"arn:aws:iam::*:role/aws:ec2-infrastructure\"},\"StringNotEqualsIfExists\":{\"aws:PrincipalTag/dp:exclude:network\":\"true\"},\"StringEquals\":{\"aws:PrincipalAccount\":\"111122223333\"}}},{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":[\"dynamodb:*\",\"ecr:*\",\"kms:*\",\"s3:*\",\"secretsmanager:*\",\"sqs:*\"],\"Resource\":\"*\",\"Condition\":{\"Null\":{\"aws:Ec2InstanceSourceVpc\":\"false\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\",\"aws:PrincipalIsAWSService\":\"false\"},\"NotIpAddressIfExists\":{\"aws:SourceIp\":\"198.18.0.20\"},\"StringNotEquals\":{\"aws:SourceVpc\":\"${aws:Ec2InstanceSourceVpc}\"},\"ArnNotLikeIfExists\":{\"aws:PrincipalArn\":\"arn:aws:iam::*:role/aws:ec2-infrastructure\"},\"StringNotEqualsIfExists\":{\"aws:PrincipalTag/dp:exclude:network\":\"true\"},\"StringEquals\":{\"aws:PrincipalAccount\":\"444455556666\"}}}]}"}'
  fi
  if mine '' && named straykey-imdsv2-defaults-declarative "$@"; then
    doing 'create DECLARATIVE_POLICY_EC2 straykey-imdsv2-defaults-declarative'
    create_policy DECLARATIVE_POLICY_EC2 'Policies[?Name==`"straykey-imdsv2-defaults-declarative"`].Id' '{"Name": "straykey-imdsv2-defaults-declarative", "Type": "DECLARATIVE_POLICY_EC2", "Description": "By straykey", "Content": "{\"ec2_attributes\":{\"instance_metadata_defaults\":{\"http_tokens\":{\"@@assign\":\"required\"}}}}"}'
  fi
  if mine '' && named straykey-imdsv2-enforced-declarative "$@"; then
    doing 'create DECLARATIVE_POLICY_EC2 straykey-imdsv2-enforced-declarative'
    create_policy DECLARATIVE_POLICY_EC2 'Policies[?Name==`"straykey-imdsv2-enforced-declarative"`].Id' '{"Name": "straykey-imdsv2-enforced-declarative", "Type": "DECLARATIVE_POLICY_EC2", "Description": "By straykey", "Content": "{\"ec2_attributes\":{\"instance_metadata_defaults\":{\"http_tokens\":{\"@@assign\":\"required\"},\"http_tokens_enforced\":{\"@@assign\":\"enabled\"}}}}"}'
  fi
  if mine '' && named straykey-imdsv2-launch-scp "$@"; then
    doing 'create SERVICE_CONTROL_POLICY straykey-imdsv2-launch-scp'
    create_policy SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-imdsv2-launch-scp"`].Id' '{"Name": "straykey-imdsv2-launch-scp", "Type": "SERVICE_CONTROL_POLICY", "Description": "By straykey", "Content": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"LaunchWithTokens\",\"Effect\":\"Deny\",\"Action\":\"ec2:RunInstances\",\"Resource\":\"arn:aws:ec2:*:*:instance/*\",\"Condition\":{\"StringNotEquals\":{\"ec2:MetadataHttpTokens\":\"required\"}}},{\"Sid\":\"KeepTokens\",\"Effect\":\"Deny\",\"Action\":\"ec2:ModifyInstanceMetadataOptions\",\"Resource\":\"arn:aws:ec2:*:*:instance/*\",\"Condition\":{\"StringEquals\":{\"ec2:Attribute\":\"HttpTokens\"},\"StringNotEquals\":{\"ec2:Attribute/HttpTokens\":\"required\"}}}]}"}'
  fi
  if mine '' && named straykey-imdsv2-launch-aws-cn-scp "$@"; then
    doing 'create SERVICE_CONTROL_POLICY straykey-imdsv2-launch-aws-cn-scp'
    create_policy SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-imdsv2-launch-aws-cn-scp"`].Id' '{"Name": "straykey-imdsv2-launch-aws-cn-scp", "Type": "SERVICE_CONTROL_POLICY", "Description": "By straykey", "Content": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"LaunchWithTokens\",\"Effect\":\"Deny\",\"Action\":\"ec2:RunInstances\",\"Resource\":\"arn:aws-cn:ec2:*:*:instance/*\",\"Condition\":{\"StringNotEquals\":{\"ec2:MetadataHttpTokens\":\"required\"}}},{\"Sid\":\"KeepTokens\",\"Effect\":\"Deny\",\"Action\":\"ec2:ModifyInstanceMetadataOptions\",\"Resource\":\"arn:aws-cn:ec2:*:*:instance/*\",\"Condition\":{\"StringEquals\":{\"ec2:Attribute\":\"HttpTokens\"},\"StringNotEquals\":{\"ec2:Attribute/HttpTokens\":\"required\"}}}]}"}'
  fi
  if mine '' && named straykey-imdsv2-keys-scp "$@"; then
    doing 'create SERVICE_CONTROL_POLICY straykey-imdsv2-keys-scp'
    create_policy SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-imdsv2-keys-scp"`].Id' '{"Name": "straykey-imdsv2-keys-scp", "Type": "SERVICE_CONTROL_POLICY", "Description": "By straykey", "Content": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OnlyKeysByImdsV2\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"NumericLessThan\":{\"ec2:RoleDelivery\":\"2.0\"}}}]}"}'
  fi
}

part_delete_policies() {
  if mine '' && named straykey-perimeter-scp "$@"; then
    doing 'delete SERVICE_CONTROL_POLICY straykey-perimeter-scp'
    delete_policy SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-perimeter-scp"`].Id'
  fi
  if mine '' && named straykey-perimeter-rcp "$@"; then
    doing 'delete RESOURCE_CONTROL_POLICY straykey-perimeter-rcp'
    delete_policy RESOURCE_CONTROL_POLICY 'Policies[?Name==`"straykey-perimeter-rcp"`].Id'
  fi
  if mine '' && named straykey-imdsv2-defaults-declarative "$@"; then
    doing 'delete DECLARATIVE_POLICY_EC2 straykey-imdsv2-defaults-declarative'
    delete_policy DECLARATIVE_POLICY_EC2 'Policies[?Name==`"straykey-imdsv2-defaults-declarative"`].Id'
  fi
  if mine '' && named straykey-imdsv2-enforced-declarative "$@"; then
    doing 'delete DECLARATIVE_POLICY_EC2 straykey-imdsv2-enforced-declarative'
    delete_policy DECLARATIVE_POLICY_EC2 'Policies[?Name==`"straykey-imdsv2-enforced-declarative"`].Id'
  fi
  if mine '' && named straykey-imdsv2-launch-scp "$@"; then
    doing 'delete SERVICE_CONTROL_POLICY straykey-imdsv2-launch-scp'
    delete_policy SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-imdsv2-launch-scp"`].Id'
  fi
  if mine '' && named straykey-imdsv2-launch-aws-cn-scp "$@"; then
    doing 'delete SERVICE_CONTROL_POLICY straykey-imdsv2-launch-aws-cn-scp'
    delete_policy SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-imdsv2-launch-aws-cn-scp"`].Id'
  fi
  if mine '' && named straykey-imdsv2-keys-scp "$@"; then
    doing 'delete SERVICE_CONTROL_POLICY straykey-imdsv2-keys-scp'
    delete_policy SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-imdsv2-keys-scp"`].Id'
  fi
}

part_attach() {
  if mine '' && named straykey-perimeter-scp "${@:2}"; then
    doing 'attach-policy straykey-perimeter-scp'
    place_policy attach-policy "$1" SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-perimeter-scp"`].Id'
  fi
  if mine '' && named straykey-perimeter-rcp "${@:2}"; then
    doing 'attach-policy straykey-perimeter-rcp'
    place_policy attach-policy "$1" RESOURCE_CONTROL_POLICY 'Policies[?Name==`"straykey-perimeter-rcp"`].Id'
  fi
  if mine '' && named straykey-imdsv2-defaults-declarative "${@:2}"; then
    doing 'attach-policy straykey-imdsv2-defaults-declarative'
    place_policy attach-policy "$1" DECLARATIVE_POLICY_EC2 'Policies[?Name==`"straykey-imdsv2-defaults-declarative"`].Id'
  fi
  if mine '' && named straykey-imdsv2-enforced-declarative "${@:2}"; then
    doing 'attach-policy straykey-imdsv2-enforced-declarative'
    place_policy attach-policy "$1" DECLARATIVE_POLICY_EC2 'Policies[?Name==`"straykey-imdsv2-enforced-declarative"`].Id'
  fi
  if mine '' && named straykey-imdsv2-launch-scp "${@:2}"; then
    doing 'attach-policy straykey-imdsv2-launch-scp'
    place_policy attach-policy "$1" SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-imdsv2-launch-scp"`].Id'
  fi
  if mine '' && named straykey-imdsv2-launch-aws-cn-scp "${@:2}"; then
    doing 'attach-policy straykey-imdsv2-launch-aws-cn-scp'
    place_policy attach-policy "$1" SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-imdsv2-launch-aws-cn-scp"`].Id'
  fi
  if mine '' && named straykey-imdsv2-keys-scp "${@:2}"; then
    doing 'attach-policy straykey-imdsv2-keys-scp'
    place_policy attach-policy "$1" SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-imdsv2-keys-scp"`].Id'
  fi
}

part_detach() {
  if mine '' && named straykey-perimeter-scp "${@:2}"; then
    doing 'detach-policy straykey-perimeter-scp'
    place_policy detach-policy "$1" SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-perimeter-scp"`].Id'
  fi
  if mine '' && named straykey-perimeter-rcp "${@:2}"; then
    doing 'detach-policy straykey-perimeter-rcp'
    place_policy detach-policy "$1" RESOURCE_CONTROL_POLICY 'Policies[?Name==`"straykey-perimeter-rcp"`].Id'
  fi
  if mine '' && named straykey-imdsv2-defaults-declarative "${@:2}"; then
    doing 'detach-policy straykey-imdsv2-defaults-declarative'
    place_policy detach-policy "$1" DECLARATIVE_POLICY_EC2 'Policies[?Name==`"straykey-imdsv2-defaults-declarative"`].Id'
  fi
  if mine '' && named straykey-imdsv2-enforced-declarative "${@:2}"; then
    doing 'detach-policy straykey-imdsv2-enforced-declarative'
    place_policy detach-policy "$1" DECLARATIVE_POLICY_EC2 'Policies[?Name==`"straykey-imdsv2-enforced-declarative"`].Id'
  fi
  if mine '' && named straykey-imdsv2-launch-scp "${@:2}"; then
    doing 'detach-policy straykey-imdsv2-launch-scp'
    place_policy detach-policy "$1" SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-imdsv2-launch-scp"`].Id'
  fi
  if mine '' && named straykey-imdsv2-launch-aws-cn-scp "${@:2}"; then
    doing 'detach-policy straykey-imdsv2-launch-aws-cn-scp'
    place_policy detach-policy "$1" SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-imdsv2-launch-aws-cn-scp"`].Id'
  fi
  if mine '' && named straykey-imdsv2-keys-scp "${@:2}"; then
    doing 'detach-policy straykey-imdsv2-keys-scp'
    place_policy detach-policy "$1" SERVICE_CONTROL_POLICY 'Policies[?Name==`"straykey-imdsv2-keys-scp"`].Id'
  fi
}

part_key_policy() {
  set_keys() {
    attempt aws iam put-role-policy --cli-input-json '{"PolicyName": "straykey-imdsv2-keys", "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OnlyKeysByImdsV2\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"NumericLessThan\":{\"ec2:RoleDelivery\":\"2.0\"}}}]}"}' --role-name "$1"
  }
  if mine 111122223333 && named web-role "$@"; then
    doing 'straykey-imdsv2-keys on role web-role'
    set_keys web-role
  fi
  if mine 444455556666 && named batch.role "$@"; then
    doing 'straykey-imdsv2-keys on role batch.role'
    set_keys batch.role
  fi
}

part_undo_key_policy() {
  set_keys() {
    attempt aws iam delete-role-policy --cli-input-json '{"PolicyName": "straykey-imdsv2-keys"}' --role-name "$1"
  }
  if mine 111122223333 && named web-role "$@"; then
    doing 'straykey-imdsv2-keys off role web-role'
    set_keys web-role
  fi
  if mine 444455556666 && named batch.role "$@"; then
    doing 'straykey-imdsv2-keys off role batch.role'
    set_keys batch.role
  fi
}

part_imds() {
  if [ "$1" = require-tokens ]; then
    if mine 111122223333 && named i-0123456789abcdef0 "${@:2}"; then
      doing 'require-tokens i-0123456789abcdef0'
      attempt change_instance require-tokens i-0123456789abcdef0 eu-west-1 aws ec2 modify-instance-metadata-options --region eu-west-1 --instance-id i-0123456789abcdef0 --http-tokens required --http-endpoint enabled
    fi
  fi
  if [ "$1" = account-default ]; then
    if mine 111122223333 && named eu-west-1 "${@:2}"; then
      doing 'account-default eu-west-1'
      attempt change_default account-default eu-west-1 eu-west-1 aws ec2 modify-instance-metadata-defaults --region eu-west-1 --http-tokens required
    fi
  fi
}

part_undo_imds() {
  if [ "$1" = require-tokens ]; then
    if mine 111122223333 && named i-0123456789abcdef0 "${@:2}"; then
      doing 'back from require-tokens i-0123456789abcdef0'
      attempt restore_instance require-tokens i-0123456789abcdef0 eu-west-1
    fi
  fi
  if [ "$1" = account-default ]; then
    if mine 111122223333 && named eu-west-1 "${@:2}"; then
      doing 'back from account-default eu-west-1'
      attempt restore_default account-default eu-west-1 eu-west-1
    fi
  fi
}

part_trails() {
  if mine 111122223333 && named 1 "$@"; then
    doing 'trails 1. Not seen of 111122223333: objects read. To mend it: record them. It adds all objects. Each event is charged for. Nothing here takes it back: say to put-event-selectors what get-event-selectors said before.'
    if keep trail-111122223333-main-put-event-selectors cloudtrail get-event-selectors --trail-name main --region eu-west-1 --query 'to_string(@)'; then
      attempt aws cloudtrail put-event-selectors --region eu-west-1 --trail-name main --advanced-event-selectors '[]'
    else
      has_failed=1
    fi
  fi
  if mine 444455556666 && named 2 "$@"; then
    doing 'trails 2. Not seen of 444455556666: anything. To mend it: create a trail. Nothing here takes it back: delete-trail deletes it. It does not log before start-logging.'
    attempt aws cloudtrail create-trail --name straykey --s3-bucket-name "${BUCKET:?}"
  fi
  if mine 111122223333 && named 3 "$@"; then
    doing 'trails 3. Not seen of 111122223333: its own records. To mend it: read this account'"'"'s trail. There is no command for it.'
    has_failed=1
  fi
}

[ $# -gt 0 ] || usage
part=$1
shift
case "$part" in
list)
  list
  exit
  ;;
openings | undo-openings | attach | detach | imds | undo-imds)
  [ $# -gt 1 ] || usage
  ;;
role-policies | undo-role-policies | endpoint-policies | undo-endpoint-policies | create-policies | delete-policies | key-policy | undo-key-policy | trails)
  [ $# -gt 0 ] || usage
  ;;
*)
  usage
  ;;
esac
if [[ "$part" = attach || "$part" = trails ]] && named --all "$@"; then
  usage
fi
if named --all "$@"; then
  is_all=1
fi
account=$(aws sts get-caller-identity --query Account --output text)
part_"${part//-/_}" "$@"
if [ -z "$is_found" ]; then
  echo "nothing of that name belongs to account $account" >&2
  exit 1
fi
# Of all, some may not have been changed; but what was named, or nothing at all?
if [ -n "$is_unsaved" ] && { [ -z "$is_all" ] || [ -z "$is_restored" ]; }; then
  exit 1
fi
[ -z "$has_failed" ]
