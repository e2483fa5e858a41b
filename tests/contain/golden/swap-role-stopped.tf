# straykey: swap-role
# Limit: Taking the role off the instance's profile alone would stop nothing: it is the Deny that stops the key.
# Limit: A thief who can still reach the instance's metadata gets new keys, and those work.
# Limit: Sessions of other roles that the thief made with the stolen keys go on: see pin-everywhere.
# Limit: Tokens minted already go on until they expire (ECR 12 hours, EKS, RDS, CodeArtifact, web identity), and so do sessions open by SSM or SSH.
# Limit: Users, access keys and roles the thief made go on.
# Note: The new role is arn:aws:iam::111122223333:role/app/straykey-swap-role-8f0dba57c309. Policies of buckets, keys and other roles that name arn:aws:iam::111122223333:role/app/web-role do not know it yet.
# Note: One other instance has this role, and what this breaks is broken there too: i-0fedcba9876543210.
# Note: Tags that AWS set cannot be copied: aws:cloudformation:stack-name.
#
# Terraform does: make role straykey-swap-role-8f0dba57c309, a copy of web-role; copy policy read to role straykey-swap-role-8f0dba57c309; attach policy AmazonSSMManagedInstanceCore to role straykey-swap-role-8f0dba57c309; make instance profile straykey-swap-role-8f0dba57c309; put role straykey-swap-role-8f0dba57c309 into its profile; put policy straykey-swap-role-8f0dba57c309 on role web-role.
# By hand, with the commands that stand at their places below: take its profile off instance i-0123456789abcdef0; give instance i-0123456789abcdef0 the new profile.
# To do it: `terraform apply -target=aws_iam_instance_profile.step4`, then by hand: take its profile off instance i-0123456789abcdef0; give instance i-0123456789abcdef0 the new profile, then `terraform apply`.
# To take the Deny away, and nothing else: `terraform apply -var contain=false`.
# To undo all: `terraform apply -var contain=false`, then the commands under "To undo it" below, the last first, then `terraform destroy`.
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

variable "contain" {
  description = "Whether the Deny is there."
  type        = bool
  default     = true
}

# make role straykey-swap-role-8f0dba57c309, a copy of web-role
resource "aws_iam_role" "step1" {
  name                 = "straykey-swap-role-8f0dba57c309"
  path                 = "/app/"
  assume_role_policy   = "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Principal\": {\"Service\": \"ec2.amazonaws.com\"}, \"Action\": \"sts:AssumeRole\"}]}"
  max_session_duration = 3600
  description          = "The web shop's $${servers}"
  permissions_boundary = "arn:aws:iam::111122223333:policy/limits"
  tags                 = { "team" = "web $${shop}" }
}

# copy policy read to role straykey-swap-role-8f0dba57c309
resource "aws_iam_role_policy" "step2" {
  role       = "straykey-swap-role-8f0dba57c309"
  name       = "read"
  policy     = "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"s3:Get*\", \"Resource\": \"*\"}]}"
  depends_on = [aws_iam_role.step1]
}

# attach policy AmazonSSMManagedInstanceCore to role straykey-swap-role-8f0dba57c309
resource "aws_iam_role_policy_attachment" "step3" {
  role       = "straykey-swap-role-8f0dba57c309"
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
  depends_on = [aws_iam_role_policy.step2]
}

# make instance profile straykey-swap-role-8f0dba57c309
resource "aws_iam_instance_profile" "step4" {
  name       = "straykey-swap-role-8f0dba57c309"
  path       = "/app/"
  role       = "straykey-swap-role-8f0dba57c309"
  depends_on = [aws_iam_role_policy_attachment.step3]
}

# put role straykey-swap-role-8f0dba57c309 into its profile: said with the profile.

# By hand, as Terraform has no resource for it: take its profile off instance i-0123456789abcdef0
#   aws ec2 disassociate-iam-instance-profile --region eu-west-1 --cli-input-json '{"AssociationId": "'"$(aws ec2 describe-iam-instance-profile-associations --region eu-west-1 --filters Name=instance-id,Values=i-0123456789abcdef0 Name=state,Values=associated --query 'IamInstanceProfileAssociations[0].AssociationId' --output text)"'"}'
#   To undo it:
#   aws ec2 associate-iam-instance-profile --region eu-west-1 --cli-input-json '{"InstanceId": "i-0123456789abcdef0", "IamInstanceProfile": {"Arn": "arn:aws:iam::111122223333:instance-profile/app/web"}}'

# By hand, as Terraform has no resource for it: give instance i-0123456789abcdef0 the new profile
#   aws ec2 associate-iam-instance-profile --region eu-west-1 --cli-input-json '{"InstanceId": "i-0123456789abcdef0", "IamInstanceProfile": {"Name": "straykey-swap-role-8f0dba57c309"}}'
#   To undo it:
#   aws ec2 disassociate-iam-instance-profile --region eu-west-1 --cli-input-json '{"AssociationId": "'"$(aws ec2 describe-iam-instance-profile-associations --region eu-west-1 --filters Name=instance-id,Values=i-0123456789abcdef0 Name=state,Values=associated --query 'IamInstanceProfileAssociations[0].AssociationId' --output text)"'"}'

# put policy straykey-swap-role-8f0dba57c309 on role web-role
resource "aws_iam_role_policy" "step8" {
  count = var.contain ? 1 : 0

  role       = "web-role"
  name       = "straykey-swap-role-8f0dba57c309"
  policy     = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Everything\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}]}"
  depends_on = [aws_iam_instance_profile.step4]
}
