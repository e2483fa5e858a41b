# straykey: imdsv2
# Limit: The key that is out already goes on working, from anywhere, until it expires: this stops no theft.
# Limit: Who can run programs on the instance, or forge whole requests with headers, still gets keys.
# Note: To hand out no keys at all: `aws ec2 modify-instance-metadata-options --instance-id i-0123456789abcdef0 --region eu-west-1 --http-endpoint disabled`; the workload then fails when its keys expire.
#
# Terraform does: nothing of this.
# By hand, with the commands that stand at their places below: require tokens of the metadata service of i-0123456789abcdef0.
# To do it: by hand: require tokens of the metadata service of i-0123456789abcdef0.
# To undo all: the commands under "To undo it" below, the last first.
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

# By hand, as Terraform has no resource for it: require tokens of the metadata service of i-0123456789abcdef0
#   aws ec2 modify-instance-metadata-options --region eu-west-1 --cli-input-json '{"InstanceId": "i-0123456789abcdef0", "HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"}'
#   To undo it:
#   aws ec2 modify-instance-metadata-options --region eu-west-1 --cli-input-json '{"InstanceId": "i-0123456789abcdef0", "HttpTokens": "optional", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"}'
