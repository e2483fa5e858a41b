# straykey: isolate
# Limit: The key that is out already goes on working, from anywhere, until it expires: this stops no theft.
# Limit: Connections that are open may stay open: security groups follow a connection once it is there.
# Limit: The metadata service still answers on the instance: no security group stands before it.
#
# Terraform does: make security group straykey-isolate-8f0dba57c309; let no IPv4 out of it; let no IPv6 out of it.
# By hand, with the commands that stand at their places below: give interface eni-0aaaaaaaaaaaaaaa1 the empty group.
# To do it: `terraform apply`, then by hand: give interface eni-0aaaaaaaaaaaaaaa1 the empty group.
# To undo all: the commands under "To undo it" below, the last first, then `terraform destroy`.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

provider "aws" {
  region = "eu-west-1"
}

# make security group straykey-isolate-8f0dba57c309
resource "aws_security_group" "step1" {
  name        = "straykey-isolate-8f0dba57c309"
  description = "No rules: made by straykey to isolate an instance"
  vpc_id      = "vpc-0aaaaaaaaaaaaaaa1"
  tags        = { "straykey" = "straykey-isolate-8f0dba57c309" }
}

# let no IPv4 out of it: Terraform makes groups without that rule.

# let no IPv6 out of it: Terraform makes groups without that rule.

# By hand, as Terraform has no resource for it: give interface eni-0aaaaaaaaaaaaaaa1 the empty group
#   aws ec2 modify-network-interface-attribute --region eu-west-1 --cli-input-json '{"NetworkInterfaceId": "eni-0aaaaaaaaaaaaaaa1", "Groups": ["'"$(aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-isolate-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text)"'"]}'
#   To undo it:
#   aws ec2 modify-network-interface-attribute --region eu-west-1 --cli-input-json '{"NetworkInterfaceId": "eni-0aaaaaaaaaaaaaaa1", "Groups": ["sg-0aaaaaaaaaaaaaaa1", "sg-0aaaaaaaaaaaaaaa2"]}'
