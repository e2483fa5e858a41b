"""What IAM calls a call that CloudTrail names after its API.

Most have one name; the table holds those that have not, and what is in doubt stays a `Gap`: a call that IAM takes for
several actions, a service whose names were not compared.  Sources: the Service Authorization Reference and "Required
permissions for Amazon S3 API operations".
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

import re

from straykey.contain.pattern import Gap

# CloudTrail's name of a service, where IAM's is another.
_PREFIXES = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag", "streams.dynamodb": "dynamodb"}
# Services whose APIs IAM calls by their own names, but for those in `_NAMES`.
_SAME = frozenset(
    {
        "autoscaling", "cloudformation", "cloudfront", "cloudtrail", "cloudwatch", "config", "dynamodb", "ec2", "ecr",
        "ecs", "eks", "elasticloadbalancing", "events", "firehose", "guardduty", "iam", "kms", "lambda", "logs",
        "organizations", "rds", "secretsmanager", "ses", "sns", "sqs", "ssm", "sts",
    }
)  # fmt: skip
_SAME_IN_S3 = frozenset(
    {
        "AbortMultipartUpload", "CreateBucket", "DeleteBucket", "DeleteBucketPolicy", "DeleteBucketWebsite",
        "DeleteObject", "DeleteObjectTagging", "GetBucketAcl", "GetBucketLocation", "GetBucketLogging",
        "GetBucketPolicy", "GetBucketPolicyStatus", "GetBucketTagging", "GetBucketVersioning", "GetBucketWebsite",
        "GetObject", "GetObjectAcl", "GetObjectTagging", "PutBucketAcl", "PutBucketLogging", "PutBucketPolicy",
        "PutBucketTagging", "PutBucketVersioning", "PutBucketWebsite", "PutObject", "PutObjectAcl", "PutObjectTagging",
        "RestoreObject",
    }
)  # fmt: skip
_NAMES = {
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:DeleteBucketCors": "s3:PutBucketCORS",
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:DeleteBucketTagging": "s3:PutBucketTagging",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycle": "s3:GetLifecycleConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListDirectoryBuckets": "s3express:ListAllMyDirectoryBuckets",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:PutBucketCors": "s3:PutBucketCORS",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "s3:PutBucketReplication": "s3:PutReplicationConfiguration",
    "s3:PutObjectLockConfiguration": "s3:PutBucketObjectLockConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:UploadPart": "s3:PutObject",
    "lambda:GetLayerVersionByArn": "lambda:GetLayerVersion",
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeWithResponseStream": "lambda:InvokeFunction",
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
# Taken for several actions: on what is read or written, or on both ends.
_SEVERAL = frozenset(
    {
        "dynamodb:BatchExecuteStatement", "dynamodb:ExecuteStatement", "dynamodb:ExecuteTransaction",
        "dynamodb:TransactGetItems", "dynamodb:TransactWriteItems", "kms:ReEncrypt",
    }
)  # fmt: skip
# `ListFunctions20150331`, `UpdateFunctionCode20150331v2`, `CreateInvalidation2020_05_31`.
_VERSIONED = re.compile(r"([A-Za-z]+?)20[0-9]{2}_?[0-9]{2}_?[0-9]{2}(?:v[0-9]+)?")


def service_of(call: str) -> str:
    """What stands before the colon in all of IAM's names for the calls of such a service; empty where that differs.

    S3's are spread over `s3`, `s3express` and others; of a service that nobody compared it is taken for granted that it
    has no other service's.
    """
    source = call.rpartition(":")[0]
    return "" if source == "s3" else _PREFIXES.get(source, source).lower()


def action_of(call: str) -> str | Gap:
    """IAM's name of a call that is named as in `s3:ListBuckets`."""
    source, _, name = call.rpartition(":")
    versioned = _VERSIONED.fullmatch(name) if source in ("lambda", "cloudfront") else None
    action = f"{_PREFIXES.get(source, source)}:{versioned[1] if versioned else name}"
    if action in _NAMES:
        return _NAMES[action]
    prefix, _, plain = action.partition(":")
    is_same = plain in _SAME_IN_S3 if prefix == "s3" else prefix in _SAME and action not in _SEVERAL
    return action if is_same else Gap.UNKNOWN
