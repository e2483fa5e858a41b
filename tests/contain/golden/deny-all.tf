# straykey: deny-all
# Limit: Sessions of other roles that the thief made with the stolen keys go on: see pin-everywhere.
# Limit: Tokens minted already go on until they expire (ECR 12 hours, EKS, RDS, CodeArtifact, web identity), and so do sessions open by SSM or SSH.
# Limit: Users, access keys and roles the thief made go on.
# Note: One other instance has this role, and what this breaks is broken there too: i-0fedcba9876543210.
#
# Terraform does: put policy straykey-deny-all-8f0dba57c309 on role web-role.
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

# put policy straykey-deny-all-8f0dba57c309 on role web-role
resource "aws_iam_role_policy" "step1" {
  count = var.contain ? 1 : 0

  role   = "web-role"
  name   = "straykey-deny-all-8f0dba57c309"
  policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Everything\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}]}"
}
