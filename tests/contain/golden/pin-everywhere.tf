# straykey: pin-everywhere
# Limit: A thief on the instance itself, or behind the same address, is not told apart from the workload.
# Limit: Tokens minted already go on until they expire (ECR 12 hours, EKS, RDS, CodeArtifact, web identity), and so do sessions open by SSM or SSH.
# Limit: What is listed for you to delete works until you have deleted it.
# Note: Of the roles the thief assumed nothing was read: what policy of this name they have, and whether their inline policies leave room.
# Note: Keys issued from 2026-05-04T10:41:01Z on work. That is when this was planned, by this machine's clock: keys issued between then and now are not denied, so apply at once; where the clock is ahead, new keys fail as long.
# Note: Plan once more when this is applied: what the thief made meanwhile is not in it.
# By hand: In account 444455556666, put this policy on role remote: {"Version":"2012-10-17","Statement":[{"Sid":"MadeByThief","Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-05-04T10:41:01Z"},"StringLike":{"aws:userid":"*:loot"}}}]}
# By hand: sts:AssumeRole of 2026-05-04T10:05:00Z in 111122223333 gave arn:aws:sts::111122223333:assumed-role/admin/loot: its role is denied by this plan where the session's name is known; else revoke that role's sessions.
# By hand: iam:CreateUser of 2026-05-04T10:05:00Z in 111122223333 gave arn:aws:iam::111122223333:user/backup: delete its keys, password and policies, then `aws iam delete-user --user-name backup`; to begin with, `aws iam attach-user-policy --user-name backup --policy-arn arn:aws:iam::aws:policy/AWSDenyAll`.
# By hand: iam:CreateAccessKey of 2026-05-04T10:05:00Z in 111122223333 gave arn:aws:iam::111122223333:user/backup: `aws iam update-access-key --user-name backup --access-key-id AKIAEXAMPLEKEY000001 --status Inactive`, then `aws iam delete-access-key --user-name backup --access-key-id AKIAEXAMPLEKEY000001`.
#
# Terraform does: put policy straykey-pin-everywhere-8f0dba57c309 on role web-role; put policy straykey-pin-everywhere-8f0dba57c309 on role admin.
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

# put policy straykey-pin-everywhere-8f0dba57c309 on role web-role
resource "aws_iam_role_policy" "step1" {
  count = var.contain ? 1 : 0

  role   = "web-role"
  name   = "straykey-pin-everywhere-8f0dba57c309"
  policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OtherAddress\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddress\":{\"aws:SourceIp\":[\"198.18.0.10/32\"]},\"Null\":{\"aws:SourceIp\":\"false\"},\"StringEquals\":{\"aws:userid\":\"AROAEXAMPLEROLEID0001:i-0123456789abcdef0\"}}},{\"Sid\":\"OtherEndpoint\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"Null\":{\"aws:SourceVpce\":\"false\"},\"StringEquals\":{\"aws:userid\":\"AROAEXAMPLEROLEID0001:i-0123456789abcdef0\"},\"StringNotEquals\":{\"aws:SourceVpce\":[\"vpce-0aaaaaaaaaaaaaaa1\"]}}},{\"Sid\":\"OtherPrivateAddress\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddress\":{\"aws:VpcSourceIp\":[\"10.0.0.5/32\"]},\"Null\":{\"aws:VpcSourceIp\":\"false\"},\"StringEquals\":{\"aws:userid\":\"AROAEXAMPLEROLEID0001:i-0123456789abcdef0\"}}},{\"Sid\":\"NoNetwork\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"Null\":{\"aws:SourceIp\":\"true\",\"aws:SourceVpce\":\"true\"},\"StringEquals\":{\"aws:userid\":\"AROAEXAMPLEROLEID0001:i-0123456789abcdef0\"}}}]}"
}

# put policy straykey-pin-everywhere-8f0dba57c309 on role admin
resource "aws_iam_role_policy" "step2" {
  count = var.contain ? 1 : 0

  role       = "admin"
  name       = "straykey-pin-everywhere-8f0dba57c309"
  policy     = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"MadeByThief\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"DateLessThan\":{\"aws:TokenIssueTime\":\"2026-05-04T10:41:01Z\"},\"StringEquals\":{\"aws:userid\":\"AROAEXAMPLEROLEID0002:loot\"}}}]}"
  depends_on = [aws_iam_role_policy.step1]
}
