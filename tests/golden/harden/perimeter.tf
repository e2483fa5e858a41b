# straykey: what binds the keys of instances to where their instances are.
#
# `terraform apply` creates the policies of the organization, and attaches none: each other piece waits until a variable
# names it.  Name a canary first, watch for denies, then name more.  To take a piece back, take its name out again.
#
# These are two files in one: a line below parts what is the organization's from what is the accounts'.  Terraform
# configures the provider of every account in a file, also where nothing of it is named.  With credentials of the
# management account alone the accounts' providers refuse (allowed_account_ids), and nothing is applied at all: so put
# what follows that line into a folder of its own, with a copy of the block `terraform`, and apply each apart; or set
# the variable assumed_role to a role that these credentials may assume in every account named here.
#
# Calls to be denied, and calls on a public way, are counted in a sample: of each network of a session at most 64 calls, and the first of each kind.
# 2 of the addresses in these policies are of one instance only: when it is stopped and started it has another, and is denied.  Give it an Elastic IP, a NAT gateway or endpoints first.
# An RCP judges calls to resources of your own accounts; the records do not say whose a resource is, so the rehearsal takes all for yours.
# An SCP does not reach the management account, nor roles that are linked to a service.
# Taken for thieves', and so denied, though no finding is certain: 203.0.113.66 (role web-role, finding 8f0dba57).  Look at these first; what is yours, name by --trusted-network, and give --ip-ranges where AWS's ranges were not known.
# An endpoint policy replaces the one that is there: if that is not AWS's default, add the Deny to it.
# require-tokens in 111122223333: Require tokens.
# declarative-policy: Say so once.
# launch-policy: Let nobody.
# update-agents: Keys that came by IMDSv1 are still used on 1 instance: update these programs first, then require tokens as above.
# update-agents: i-0fedcba9876543210 of role batch.role in 444455556666: aws-sdk-go/1.23.0 (go1.12; linux; amd64) (too old to ask for a token)
# account-default in 111122223333: Let the account's default require tokens of what is launched; what runs is left as it is.
# account-default: To be done in every region of every account, also where nothing runs yet.
# account-default: A launch that asks for less still gets less. Later, HttpTokensEnforced=enabled refuses it.
# deny-v1-keys: Deny all calls with keys that came by IMDSv1; from 2026-05-04T10:00:00Z to 2026-05-04T10:40:00Z it would have denied 1 call of 1 role.
# deny-v1-keys: batch.role in 444455556666: s3:ListBuckets 1
# deny-v1-keys: Begin with the role policy on one role. Keys that are out already are denied at once; IMDSv2 still answers.
# deny-v1-keys: sts:GetCallerIdentity is never denied, nor EC2's own identity role (aws:ec2-instance).
terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.81"
    }
  }
}

variable "targets" {
  description = "Where each policy is attached: its name, and ids of accounts, units or roots."
  type        = map(set(string))
  default     = {}
}

# The organization's management account, or one that policies are delegated to.
provider "aws" {
  region = "us-east-1"
}

# The same of another partition.
provider "aws" {
  alias  = "organization_aws-cn"
  region = "cn-northwest-1"
}

# Would have denied 0 of 7 sampled calls of 2 roles at home, and 1 of 1 sampled call of thieves.
resource "aws_organizations_policy" "straykey-perimeter-scp" {
  name    = "straykey-perimeter-scp"
  type    = "SERVICE_CONTROL_POLICY"
  content = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"NotAction\":[\"dax:BatchGetItem\",\"dax:BatchWriteItem\",\"dax:ConditionCheckItem\",\"dax:DeleteItem\",\"dax:GetItem\",\"dax:PutItem\",\"dax:Query\",\"dax:Scan\",\"dax:UpdateItem\",\"elasticfilesystem:client*\",\"es:ES*\",\"kafka-cluster:*\",\"neptune-db:*\",\"rds-db:connect\"],\"Resource\":\"*\",\"Condition\":{\"Null\":{\"ec2:SourceInstanceARN\":\"false\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddressIfExists\":{\"aws:SourceIp\":\"198.18.0.10\"},\"StringNotEquals\":{\"aws:SourceVpc\":\"$${aws:Ec2InstanceSourceVpc}\",\"aws:SourceVpce\":\"vpce-0aaaabbbbccccdddd\"},\"ArnNotLikeIfExists\":{\"aws:PrincipalArn\":\"arn:aws:iam::*:role/aws:ec2-infrastructure\"},\"StringNotEqualsIfExists\":{\"aws:PrincipalTag/dp:exclude:network\":\"true\"},\"StringEquals\":{\"aws:PrincipalAccount\":\"111122223333\"}}},{\"Effect\":\"Deny\",\"NotAction\":[\"dax:BatchGetItem\",\"dax:BatchWriteItem\",\"dax:ConditionCheckItem\",\"dax:DeleteItem\",\"dax:GetItem\",\"dax:PutItem\",\"dax:Query\",\"dax:Scan\",\"dax:UpdateItem\",\"elasticfilesystem:client*\",\"es:ES*\",\"kafka-cluster:*\",\"neptune-db:*\",\"rds-db:connect\"],\"Resource\":\"*\",\"Condition\":{\"Null\":{\"ec2:SourceInstanceARN\":\"false\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddressIfExists\":{\"aws:SourceIp\":\"198.18.0.20\"},\"StringNotEquals\":{\"aws:SourceVpc\":\"$${aws:Ec2InstanceSourceVpc}\"},\"ArnNotLikeIfExists\":{\"aws:PrincipalArn\":\"arn:aws:iam::*:role/aws:ec2-infrastructure\"},\"StringNotEqualsIfExists\":{\"aws:PrincipalTag/dp:exclude:network\":\"true\"},\"StringEquals\":{\"aws:PrincipalAccount\":\"444455556666\"}}}]}"
}

resource "aws_organizations_policy_attachment" "straykey-perimeter-scp" {
  for_each  = toset(try(var.targets["straykey-perimeter-scp"], []))
  policy_id = aws_organizations_policy.straykey-perimeter-scp.id
  target_id = each.value
}

# Would have denied 0 of 7 sampled calls of 2 roles at home, and 1 of 1 sampled call of thieves.
resource "aws_organizations_policy" "straykey-perimeter-rcp" {
  name    = "straykey-perimeter-rcp"
  type    = "RESOURCE_CONTROL_POLICY"
  content = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":[\"dynamodb:*\",\"ecr:*\",\"kms:*\",\"s3:*\",\"secretsmanager:*\",\"sqs:*\"],\"Resource\":\"*\",\"Condition\":{\"Null\":{\"aws:Ec2InstanceSourceVpc\":\"false\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\",\"aws:PrincipalIsAWSService\":\"false\"},\"NotIpAddressIfExists\":{\"aws:SourceIp\":\"198.18.0.10\"},\"StringNotEquals\":{\"aws:SourceVpc\":\"$${aws:Ec2InstanceSourceVpc}\",\"aws:SourceVpce\":\"vpce-0aaaabbbbccccdddd\"},\"ArnNotLikeIfExists\":{\"aws:PrincipalArn\":\"arn:aws:iam::*:role/aws:ec2-infrastructure\"},\"StringNotEqualsIfExists\":{\"aws:PrincipalTag/dp:exclude:network\":\"true\"},\"StringEquals\":{\"aws:PrincipalAccount\":\"111122223333\"}}},{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":[\"dynamodb:*\",\"ecr:*\",\"kms:*\",\"s3:*\",\"secretsmanager:*\",\"sqs:*\"],\"Resource\":\"*\",\"Condition\":{\"Null\":{\"aws:Ec2InstanceSourceVpc\":\"false\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\",\"aws:PrincipalIsAWSService\":\"false\"},\"NotIpAddressIfExists\":{\"aws:SourceIp\":\"198.18.0.20\"},\"StringNotEquals\":{\"aws:SourceVpc\":\"$${aws:Ec2InstanceSourceVpc}\"},\"ArnNotLikeIfExists\":{\"aws:PrincipalArn\":\"arn:aws:iam::*:role/aws:ec2-infrastructure\"},\"StringNotEqualsIfExists\":{\"aws:PrincipalTag/dp:exclude:network\":\"true\"},\"StringEquals\":{\"aws:PrincipalAccount\":\"444455556666\"}}}]}"
}

resource "aws_organizations_policy_attachment" "straykey-perimeter-rcp" {
  for_each  = toset(try(var.targets["straykey-perimeter-rcp"], []))
  policy_id = aws_organizations_policy.straykey-perimeter-rcp.id
  target_id = each.value
}

# Not rehearsed here: see the measures.
resource "aws_organizations_policy" "straykey-imdsv2-defaults-declarative" {
  name    = "straykey-imdsv2-defaults-declarative"
  type    = "DECLARATIVE_POLICY_EC2"
  content = "{\"ec2_attributes\":{\"instance_metadata_defaults\":{\"http_tokens\":{\"@@assign\":\"required\"}}}}"
}

resource "aws_organizations_policy_attachment" "straykey-imdsv2-defaults-declarative" {
  for_each  = toset(try(var.targets["straykey-imdsv2-defaults-declarative"], []))
  policy_id = aws_organizations_policy.straykey-imdsv2-defaults-declarative.id
  target_id = each.value
}

# Not rehearsed here: see the measures.
resource "aws_organizations_policy" "straykey-imdsv2-enforced-declarative" {
  name    = "straykey-imdsv2-enforced-declarative"
  type    = "DECLARATIVE_POLICY_EC2"
  content = "{\"ec2_attributes\":{\"instance_metadata_defaults\":{\"http_tokens\":{\"@@assign\":\"required\"},\"http_tokens_enforced\":{\"@@assign\":\"enabled\"}}}}"
}

resource "aws_organizations_policy_attachment" "straykey-imdsv2-enforced-declarative" {
  for_each  = toset(try(var.targets["straykey-imdsv2-enforced-declarative"], []))
  policy_id = aws_organizations_policy.straykey-imdsv2-enforced-declarative.id
  target_id = each.value
}

# Not rehearsed here: see the measures.
resource "aws_organizations_policy" "straykey-imdsv2-launch-scp" {
  name    = "straykey-imdsv2-launch-scp"
  type    = "SERVICE_CONTROL_POLICY"
  content = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"LaunchWithTokens\",\"Effect\":\"Deny\",\"Action\":\"ec2:RunInstances\",\"Resource\":\"arn:aws:ec2:*:*:instance/*\",\"Condition\":{\"StringNotEquals\":{\"ec2:MetadataHttpTokens\":\"required\"}}},{\"Sid\":\"KeepTokens\",\"Effect\":\"Deny\",\"Action\":\"ec2:ModifyInstanceMetadataOptions\",\"Resource\":\"arn:aws:ec2:*:*:instance/*\",\"Condition\":{\"StringEquals\":{\"ec2:Attribute\":\"HttpTokens\"},\"StringNotEquals\":{\"ec2:Attribute/HttpTokens\":\"required\"}}}]}"
}

resource "aws_organizations_policy_attachment" "straykey-imdsv2-launch-scp" {
  for_each  = toset(try(var.targets["straykey-imdsv2-launch-scp"], []))
  policy_id = aws_organizations_policy.straykey-imdsv2-launch-scp.id
  target_id = each.value
}

# Not rehearsed here: see the measures.
resource "aws_organizations_policy" "straykey-imdsv2-launch-aws-cn-scp" {
  provider = aws.organization_aws-cn
  name     = "straykey-imdsv2-launch-aws-cn-scp"
  type     = "SERVICE_CONTROL_POLICY"
  content  = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"LaunchWithTokens\",\"Effect\":\"Deny\",\"Action\":\"ec2:RunInstances\",\"Resource\":\"arn:aws-cn:ec2:*:*:instance/*\",\"Condition\":{\"StringNotEquals\":{\"ec2:MetadataHttpTokens\":\"required\"}}},{\"Sid\":\"KeepTokens\",\"Effect\":\"Deny\",\"Action\":\"ec2:ModifyInstanceMetadataOptions\",\"Resource\":\"arn:aws-cn:ec2:*:*:instance/*\",\"Condition\":{\"StringEquals\":{\"ec2:Attribute\":\"HttpTokens\"},\"StringNotEquals\":{\"ec2:Attribute/HttpTokens\":\"required\"}}}]}"
}

resource "aws_organizations_policy_attachment" "straykey-imdsv2-launch-aws-cn-scp" {
  for_each  = toset(try(var.targets["straykey-imdsv2-launch-aws-cn-scp"], []))
  provider  = aws.organization_aws-cn
  policy_id = aws_organizations_policy.straykey-imdsv2-launch-aws-cn-scp.id
  target_id = each.value
}

# Not rehearsed here: see the measures.
resource "aws_organizations_policy" "straykey-imdsv2-keys-scp" {
  name    = "straykey-imdsv2-keys-scp"
  type    = "SERVICE_CONTROL_POLICY"
  content = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OnlyKeysByImdsV2\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"NumericLessThan\":{\"ec2:RoleDelivery\":\"2.0\"}}}]}"
}

resource "aws_organizations_policy_attachment" "straykey-imdsv2-keys-scp" {
  for_each  = toset(try(var.targets["straykey-imdsv2-keys-scp"], []))
  policy_id = aws_organizations_policy.straykey-imdsv2-keys-scp.id
  target_id = each.value
}

# ---- Here the organization's file ends; what follows is the accounts'. ----

variable "assumed_role" {
  description = "The name of a role to assume in each account; empty where the credentials at hand are of the only account."
  type        = string
  default     = ""
}

variable "roles" {
  description = "Roles that get their policy, as ACCOUNT/ROLE; all for every role."
  type        = set(string)
  default     = []
}

variable "endpoint_policies" {
  description = "VPC endpoints that get their policy, by id; all for every one."
  type        = set(string)
  default     = []
}

variable "vpcs" {
  description = "VPCs that get the endpoints they lack, by id; security_group_ids must let port 443 in."
  type        = map(object({ route_table_ids = set(string), subnet_ids = set(string), security_group_ids = set(string) }))
  default     = {}
}

variable "canary_roles" {
  description = "Roles that lose keys of IMDSv1, by account."
  type        = map(set(string))
  default     = {}
}

variable "metadata_defaults" {
  description = "Where launches require tokens, as ACCOUNT/REGION; all for everywhere."
  type        = set(string)
  default     = []
}

provider "aws" {
  alias               = "a111122223333_eu-west-1"
  region              = "eu-west-1"
  allowed_account_ids = ["111122223333"]

  dynamic "assume_role" {
    for_each = var.assumed_role == "" ? [] : [var.assumed_role]
    content {
      role_arn = format("arn:%s:iam::%s:role/%s", "aws", "111122223333", assume_role.value)
    }
  }
}

provider "aws" {
  alias               = "a111122223333_us-east-1"
  region              = "us-east-1"
  allowed_account_ids = ["111122223333"]

  dynamic "assume_role" {
    for_each = var.assumed_role == "" ? [] : [var.assumed_role]
    content {
      role_arn = format("arn:%s:iam::%s:role/%s", "aws", "111122223333", assume_role.value)
    }
  }
}

provider "aws" {
  alias               = "a444455556666_eu-west-1"
  region              = "eu-west-1"
  allowed_account_ids = ["444455556666"]

  dynamic "assume_role" {
    for_each = var.assumed_role == "" ? [] : [var.assumed_role]
    content {
      role_arn = format("arn:%s:iam::%s:role/%s", "aws", "444455556666", assume_role.value)
    }
  }
}

provider "aws" {
  alias               = "a444455556666_us-east-1"
  region              = "us-east-1"
  allowed_account_ids = ["444455556666"]

  dynamic "assume_role" {
    for_each = var.assumed_role == "" ? [] : [var.assumed_role]
    content {
      role_arn = format("arn:%s:iam::%s:role/%s", "aws", "444455556666", assume_role.value)
    }
  }
}

# web-role in 111122223333: Would have denied 0 of 6 sampled calls of 1 role at home, and 1 of 1 sampled call of thieves.
resource "aws_iam_role_policy" "perimeter_111122223333_web-role" {
  count    = length(setintersection(var.roles, ["all", "111122223333/web-role"])) == 0 ? 0 : 1
  provider = aws.a111122223333_us-east-1
  role     = "web-role"
  name     = "straykey-perimeter"
  policy   = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OwnNetwork\",\"Effect\":\"Deny\",\"NotAction\":[\"dax:BatchGetItem\",\"dax:BatchWriteItem\",\"dax:ConditionCheckItem\",\"dax:DeleteItem\",\"dax:GetItem\",\"dax:PutItem\",\"dax:Query\",\"dax:Scan\",\"dax:UpdateItem\",\"elasticfilesystem:client*\",\"es:ES*\",\"kafka-cluster:*\",\"neptune-db:*\",\"rds-db:connect\"],\"Resource\":\"*\",\"Condition\":{\"Null\":{\"ec2:SourceInstanceARN\":\"false\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddressIfExists\":{\"aws:SourceIp\":\"198.18.0.10\"},\"StringNotEquals\":{\"aws:SourceVpc\":\"$${aws:Ec2InstanceSourceVpc}\",\"aws:SourceVpce\":\"vpce-0aaaabbbbccccdddd\"}}},{\"Sid\":\"OwnAddress\",\"Effect\":\"Deny\",\"NotAction\":[\"dax:BatchGetItem\",\"dax:BatchWriteItem\",\"dax:ConditionCheckItem\",\"dax:DeleteItem\",\"dax:GetItem\",\"dax:PutItem\",\"dax:Query\",\"dax:Scan\",\"dax:UpdateItem\",\"elasticfilesystem:client*\",\"es:ES*\",\"kafka-cluster:*\",\"neptune-db:*\",\"rds-db:connect\"],\"Resource\":\"*\",\"Condition\":{\"Null\":{\"ec2:SourceInstanceARN\":\"false\",\"aws:VpcSourceIp\":\"false\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"StringNotEquals\":{\"aws:Ec2InstanceSourcePrivateIPv4\":\"$${aws:VpcSourceIp}\"}}}]}"
}

# batch.role in 444455556666: Would have denied 0 of 1 sampled call of 1 role at home, and 0 of 0 sampled calls of thieves.
resource "aws_iam_role_policy" "x_perimeter_444455556666_batch_role_4ee00dca34f6" {
  count    = length(setintersection(var.roles, ["all", "444455556666/batch.role"])) == 0 ? 0 : 1
  provider = aws.a444455556666_us-east-1
  role     = "batch.role"
  name     = "straykey-perimeter"
  policy   = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OwnNetwork\",\"Effect\":\"Deny\",\"NotAction\":[\"dax:BatchGetItem\",\"dax:BatchWriteItem\",\"dax:ConditionCheckItem\",\"dax:DeleteItem\",\"dax:GetItem\",\"dax:PutItem\",\"dax:Query\",\"dax:Scan\",\"dax:UpdateItem\",\"elasticfilesystem:client*\",\"es:ES*\",\"kafka-cluster:*\",\"neptune-db:*\",\"rds-db:connect\"],\"Resource\":\"*\",\"Condition\":{\"Null\":{\"ec2:SourceInstanceARN\":\"false\"},\"BoolIfExists\":{\"aws:ViaAWSService\":\"false\"},\"NotIpAddressIfExists\":{\"aws:SourceIp\":\"198.18.0.20\"},\"StringNotEquals\":{\"aws:SourceVpc\":\"$${aws:Ec2InstanceSourceVpc}\"}}}]}"
}

# Keys of IMDSv1 are good for nothing, in 111122223333.
resource "aws_iam_role_policy" "keys_111122223333" {
  for_each = toset(try(var.canary_roles["111122223333"], []))
  provider = aws.a111122223333_us-east-1
  role     = each.value
  name     = "straykey-imdsv2-keys"
  policy   = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OnlyKeysByImdsV2\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"NumericLessThan\":{\"ec2:RoleDelivery\":\"2.0\"}}}]}"
}

# Keys of IMDSv1 are good for nothing, in 444455556666.
resource "aws_iam_role_policy" "keys_444455556666" {
  for_each = toset(try(var.canary_roles["444455556666"], []))
  provider = aws.a444455556666_us-east-1
  role     = each.value
  name     = "straykey-imdsv2-keys"
  policy   = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OnlyKeysByImdsV2\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"NumericLessThan\":{\"ec2:RoleDelivery\":\"2.0\"}}}]}"
}

# Went to it on a public way: 1 sampled call of 1 role. Its name is AWS's usual one: the account was not read.
resource "aws_vpc_endpoint" "x_opening_vpc-0d1_com_amazonaws_eu-west-1_dynamodb_81b92ec213fb" {
  count             = contains(keys(var.vpcs), "vpc-0d1") ? 1 : 0
  provider          = aws.a111122223333_eu-west-1
  vpc_id            = "vpc-0d1"
  service_name      = "com.amazonaws.eu-west-1.dynamodb"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.vpcs["vpc-0d1"].route_table_ids
  tags              = { straykey = "harden" }
}

# Went to it on a public way: 1 sampled call of 1 role. Its name is AWS's usual one: the account was not read.
resource "aws_vpc_endpoint" "x_opening_vpc-0d1_com_amazonaws_eu-west-1_ecr_api_71cfcf6eb735" {
  count               = contains(keys(var.vpcs), "vpc-0d1") ? 1 : 0
  provider            = aws.a111122223333_eu-west-1
  vpc_id              = "vpc-0d1"
  service_name        = "com.amazonaws.eu-west-1.ecr.api"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = var.vpcs["vpc-0d1"].subnet_ids
  security_group_ids  = var.vpcs["vpc-0d1"].security_group_ids
  private_dns_enabled = true
  tags                = { straykey = "harden" }
}

# Went to it on a public way: 1 sampled call of 1 role. Its name is AWS's usual one: the account was not read.
resource "aws_vpc_endpoint" "x_opening_vpc-0d1_com_amazonaws_eu-west-1_ecr_dkr_7f5ff137f9a3" {
  count               = contains(keys(var.vpcs), "vpc-0d1") ? 1 : 0
  provider            = aws.a111122223333_eu-west-1
  vpc_id              = "vpc-0d1"
  service_name        = "com.amazonaws.eu-west-1.ecr.dkr"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = var.vpcs["vpc-0d1"].subnet_ids
  security_group_ids  = var.vpcs["vpc-0d1"].security_group_ids
  private_dns_enabled = true
  tags                = { straykey = "harden" }
}

# Went to it on a public way: 1 sampled call of 1 role. Its name is AWS's usual one: the account was not read.
resource "aws_vpc_endpoint" "x_opening_vpc-0d1_com_amazonaws_eu-west-1_sqs_6683fac8e6a8" {
  count               = contains(keys(var.vpcs), "vpc-0d1") ? 1 : 0
  provider            = aws.a111122223333_eu-west-1
  vpc_id              = "vpc-0d1"
  service_name        = "com.amazonaws.eu-west-1.sqs"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = var.vpcs["vpc-0d1"].subnet_ids
  security_group_ids  = var.vpcs["vpc-0d1"].security_group_ids
  private_dns_enabled = true
  tags                = { straykey = "harden" }
}

# Went to it on a public way: 1 sampled call of 1 role. Its name is AWS's usual one: the account was not read.
resource "aws_vpc_endpoint" "x_opening_vpc-0d2_com_amazonaws_eu-west-1_s3_426b27939dc3" {
  count             = contains(keys(var.vpcs), "vpc-0d2") ? 1 : 0
  provider          = aws.a444455556666_eu-west-1
  vpc_id            = "vpc-0d2"
  service_name      = "com.amazonaws.eu-west-1.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.vpcs["vpc-0d2"].route_table_ids
  tags              = { straykey = "harden" }
}

# Would have denied 0 of 7 sampled calls of 2 roles at home, and 0 of 1 sampled call of thieves. It replaces the policy that the endpoint has: a stricter one must be merged into it by hand first, or what that one denied is let through.
# Taken back, the endpoint lets everything through: keep the old policy.
resource "aws_vpc_endpoint_policy" "vpce-0aaaabbbbccccdddd" {
  count           = length(setintersection(var.endpoint_policies, ["all", "vpce-0aaaabbbbccccdddd"])) == 0 ? 0 : 1
  provider        = aws.a111122223333_eu-west-1
  vpc_endpoint_id = "vpce-0aaaabbbbccccdddd"
  policy          = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Everybody\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"},{\"Sid\":\"ButKeysOfOtherVpcs\",\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"Null\":{\"aws:Ec2InstanceSourceVpc\":\"false\"},\"StringEquals\":{\"aws:PrincipalAccount\":[\"111122223333\",\"444455556666\"]},\"StringNotEquals\":{\"aws:Ec2InstanceSourceVpc\":\"vpc-0d1\"}}}]}"
}

# 111122223333, eu-west-1: what is launched must require tokens. Taken back, the account says nothing of it any more: note first what it says (aws ec2 get-instance-metadata-defaults --region eu-west-1).
resource "aws_ec2_instance_metadata_defaults" "defaults_111122223333_eu-west-1" {
  count       = length(setintersection(var.metadata_defaults, ["all", "111122223333/eu-west-1"])) == 0 ? 0 : 1
  provider    = aws.a111122223333_eu-west-1
  http_tokens = "required"
}

# Terraform has no resource for these (require-tokens, account 111122223333):
#   aws ec2 modify-instance-metadata-options --region eu-west-1 --instance-id i-0123456789abcdef0 --http-tokens required --http-endpoint enabled

# To take them back (require-tokens, account 111122223333):
#   aws ec2 modify-instance-metadata-options --region eu-west-1 --instance-id i-0123456789abcdef0 --http-tokens optional --http-endpoint enabled

# What trails do not record, 1:
#   Not seen of 111122223333: objects read. To mend it: record them. It adds all objects. Each event is charged for. Nothing here takes it back: say to put-event-selectors what get-event-selectors said before.
#   aws cloudtrail put-event-selectors --region eu-west-1 --trail-name main --advanced-event-selectors '[]'

# What trails do not record, 2:
#   Not seen of 444455556666: anything. To mend it: create a trail. Nothing here takes it back: delete-trail deletes it. It does not log before start-logging.
#   aws cloudtrail create-trail --name straykey --s3-bucket-name YOUR-LOG-BUCKET

# What trails do not record, 3:
#   Not seen of 111122223333: its own records. To mend it: read this account's trail. There is no command for it.
