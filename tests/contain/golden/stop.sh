#!/usr/bin/env bash
# straykey: stop
# Limit: The key that is out already goes on working, from anywhere, until it expires: this stops no theft.
# Limit: A group that replaces stopped instances (Auto Scaling) starts another, which may be as easy to rob.
# Note: This instance has instance store: what is on it is lost.
#
# Needs: ec2:DescribeInstances, ec2:StartInstances, ec2:StopInstances
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
  # stop instance i-0123456789abcdef0
  again aws ec2 stop-instances --region eu-west-1 --no-cli-pager --cli-input-json '{"InstanceIds": ["i-0123456789abcdef0"]}'
}

undo() {
  :
  undone aws ec2 start-instances --region eu-west-1 --no-cli-pager --cli-input-json '{"InstanceIds": ["i-0123456789abcdef0"]}'
}

case "${1:-}" in
apply) apply ;;
undo) undo ;;
*)
  echo "usage: bash $0 apply|undo" >&2
  exit 2
  ;;
esac
