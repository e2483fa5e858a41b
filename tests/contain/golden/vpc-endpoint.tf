# straykey: vpc-endpoint
# Limit: A thief inside the home VPC is not stopped.
# Limit: Sessions of other roles that the thief made with the stolen keys go on: see pin-everywhere.
# Limit: Tokens minted already go on until they expire (ECR 12 hours, EKS, RDS, CodeArtifact, web identity), and so do sessions open by SSM or SSH.
# Limit: Users, access keys and roles the thief made go on.
# Note: One other instance has this role, and what this breaks is broken there too: i-0fedcba9876543210.
# Note: Endpoints are made for services whose calls CloudTrail recorded. What it does not record here (log lines to CloudWatch Logs, Session Manager's messages; queues, objects and items where data events are off) is in no number, and is denied if its service has no endpoint in the VPC.
# Note: From then on the whole VPC reaches these services through the endpoints, in one zone; it needs DNS support and DNS hostnames switched on, and each endpoint costs money by the hour.
# Note: Connections open to S3 and DynamoDB break once when their route changes.
#
# Terraform does: make security group straykey-vpc-endpoint-8f0dba57c309; let HTTPS into the endpoints; make gateway endpoint for s3; make interface endpoint for sts; put policy straykey-vpc-endpoint-8f0dba57c309 on role web-role.
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

provider "aws" {
  region = "eu-west-1"
}

variable "contain" {
  description = "Whether the Deny is there."
  type        = bool
  default     = true
}

# make security group straykey-vpc-endpoint-8f0dba57c309
resource "aws_security_group" "step1" {
  name        = "straykey-vpc-endpoint-8f0dba57c309"
  description = "VPC endpoints made by straykey"
  vpc_id      = "vpc-0aaaaaaaaaaaaaaa1"
  tags        = { "straykey" = "straykey-vpc-endpoint-8f0dba57c309" }
}

# let HTTPS into the endpoints
resource "aws_vpc_security_group_ingress_rule" "step2" {
  security_group_id = aws_security_group.step1.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  depends_on        = [aws_security_group.step1]
}

# make gateway endpoint for s3
resource "aws_vpc_endpoint" "step3" {
  vpc_id            = "vpc-0aaaaaaaaaaaaaaa1"
  service_name      = "com.amazonaws.eu-west-1.s3"
  vpc_endpoint_type = "Gateway"
  tags              = { "straykey" = "straykey-vpc-endpoint-8f0dba57c309-s3" }
  route_table_ids   = ["rtb-0aaaaaaaaaaaaaaa1"]
  depends_on        = [aws_vpc_security_group_ingress_rule.step2]
}

# make interface endpoint for sts
resource "aws_vpc_endpoint" "step4" {
  vpc_id              = "vpc-0aaaaaaaaaaaaaaa1"
  service_name        = "com.amazonaws.eu-west-1.sts"
  vpc_endpoint_type   = "Interface"
  tags                = { "straykey" = "straykey-vpc-endpoint-8f0dba57c309-sts" }
  subnet_ids          = ["subnet-0aaaaaaaaaaaaaaa1"]
  security_group_ids  = [aws_security_group.step1.id]
  private_dns_enabled = true
  depends_on          = [aws_vpc_endpoint.step3]
}

# put policy straykey-vpc-endpoint-8f0dba57c309 on role web-role
resource "aws_iam_role_policy" "step5" {
  count = var.contain ? 1 : 0

  role       = "web-role"
  name       = "straykey-vpc-endpoint-8f0dba57c309"
  policy     = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"NotFromHome\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"StringNotEquals\":{\"aws:SourceVpc\":\"vpc-0aaaaaaaaaaaaaaa1\",\"aws:SourceVpce\":[\"vpce-0aaaaaaaaaaaaaaa1\"]}}}]}"
  depends_on = [aws_vpc_endpoint.step4]
}
