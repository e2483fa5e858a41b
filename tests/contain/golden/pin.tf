# straykey: pin
# Limit: A thief on the instance itself, or behind the same address, is not told apart from the workload.
# Limit: Sessions of other roles that the thief made with the stolen keys go on: see pin-everywhere.
# Limit: Tokens minted already go on until they expire (ECR 12 hours, EKS, RDS, CodeArtifact, web identity), and so do sessions open by SSM or SSH.
# Limit: Users, access keys and roles the thief made go on.
#
# Terraform does: put policy straykey-pin-8f0dba57c309 on role web-role.
# To do it: `terraform apply`.
# To take the Deny away, and nothing else: `terraform apply -var contain=false`.
# To undo all: `terraform destroy`.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "contain" {
  description = "Whether the Deny is there."
  type        = bool
  default     = true
}

# put policy straykey-pin-8f0dba57c309 on role web-role
resource "aws_iam_role_policy" "step1" {
  count = var.contain ? 1 : 0

  role   = "web-role"
  name   = "straykey-pin-8f0dba57c309"
  policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OtherAddress\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"ArnLike\":{\"ec2:SourceInstanceARN\":\"arn:aws:ec2:*:111122223333:instance/i-0123456789abcdef0\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddress\":{\"aws:SourceIp\":[\"198.18.0.10/32\"]},\"Null\":{\"aws:SourceIp\":\"false\"}}},{\"Sid\":\"OtherEndpoint\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"ArnLike\":{\"ec2:SourceInstanceARN\":\"arn:aws:ec2:*:111122223333:instance/i-0123456789abcdef0\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"Null\":{\"aws:SourceVpce\":\"false\"},\"StringNotEquals\":{\"aws:SourceVpce\":[\"vpce-0aaaaaaaaaaaaaaa1\"],\"aws:SourceVpc\":\"$${aws:Ec2InstanceSourceVpc}\"}}},{\"Sid\":\"OtherPrivateAddress\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"ArnLike\":{\"ec2:SourceInstanceARN\":\"arn:aws:ec2:*:111122223333:instance/i-0123456789abcdef0\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddress\":{\"aws:VpcSourceIp\":[\"10.0.0.5/32\"]},\"Null\":{\"aws:VpcSourceIp\":\"false\"},\"StringNotEquals\":{\"aws:Ec2InstanceSourcePrivateIPv4\":\"$${aws:VpcSourceIp}\"}}},{\"Sid\":\"NoNetwork\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"ArnLike\":{\"ec2:SourceInstanceARN\":\"arn:aws:ec2:*:111122223333:instance/i-0123456789abcdef0\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"Null\":{\"aws:SourceIp\":\"true\",\"aws:SourceVpce\":\"true\"}}}]}"
}
