# straykey: stop
# Limit: The key that is out already goes on working, from anywhere, until it expires: this stops no theft.
# Limit: A group that replaces stopped instances (Auto Scaling) starts another, which may be as easy to rob.
# Note: This instance has instance store: what is on it is lost.
#
# Terraform does: stop instance i-0123456789abcdef0.
# To do it: `terraform apply`.
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

# stop instance i-0123456789abcdef0
#   To undo it:
#   aws ec2 start-instances --region eu-west-1 --cli-input-json '{"InstanceIds": ["i-0123456789abcdef0"]}'
resource "aws_ec2_instance_state" "step1" {
  instance_id = "i-0123456789abcdef0"
  state       = "stopped"
}
