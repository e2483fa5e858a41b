# straykey: isolate
# Limit: The key that is out already goes on working, from anywhere, until it expires: this stops no theft.
# Limit: Connections that are open may stay open: security groups follow a connection once it is there.
# Limit: The metadata service still answers on the instance: no security group stands before it.
#
# `terraform apply` does it, `terraform destroy` undoes it.
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

# give interface eni-0aaaaaaaaaaaaaaa1 the empty group: Terraform has no resource for it; after `terraform apply -target=aws_security_group.step1` and before the rest, run:
#   aws ec2 modify-network-interface-attribute --region eu-west-1 --no-cli-pager --cli-input-json '{"NetworkInterfaceId": "eni-0aaaaaaaaaaaaaaa1", "Groups": ["'"$(aws ec2 describe-security-groups --region eu-west-1 --filters Name=group-name,Values=straykey-isolate-8f0dba57c309 Name=vpc-id,Values=vpc-0aaaaaaaaaaaaaaa1 --query 'SecurityGroups[0].GroupId' --output text)"'"]}'
#   To undo it, before `terraform destroy` and the last of these first:
#   aws ec2 modify-network-interface-attribute --region eu-west-1 --no-cli-pager --cli-input-json '{"NetworkInterfaceId": "eni-0aaaaaaaaaaaaaaa1", "Groups": ["sg-0aaaaaaaaaaaaaaa1", "sg-0aaaaaaaaaaaaaaa2"]}'
