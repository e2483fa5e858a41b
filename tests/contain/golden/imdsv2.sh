#!/usr/bin/env bash
# straykey: imdsv2
# Limit: The key that is out already goes on working, from anywhere, until it expires: this stops no theft.
# Limit: Who can run programs on the instance, or forge whole requests with headers, still gets keys.
# Note: To hand out no keys at all: `aws ec2 modify-instance-metadata-options --instance-id i-0123456789abcdef0 --region eu-west-1 --http-endpoint disabled`; the workload then fails when its keys expire.
#
# Needs: ec2:DescribeInstances, ec2:ModifyInstanceMetadataOptions
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
  # require tokens of the metadata service of i-0123456789abcdef0
  again aws ec2 modify-instance-metadata-options --region eu-west-1 --no-cli-pager --cli-input-json '{"InstanceId": "i-0123456789abcdef0", "HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"}'
}

undo() {
  :
  undone aws ec2 modify-instance-metadata-options --region eu-west-1 --no-cli-pager --cli-input-json '{"InstanceId": "i-0123456789abcdef0", "HttpTokens": "optional", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"}'
}

case "${1:-}" in
apply) apply ;;
undo) undo ;;
*)
  echo "usage: bash $0 apply|undo" >&2
  exit 2
  ;;
esac
