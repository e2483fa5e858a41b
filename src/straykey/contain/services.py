"""Which VPC endpoint a service is reached by: its name in CloudTrail, and the last part of its endpoint's name.

https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html and
https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html say what there is; what a region has, its
account knows (DescribeVpcEndpointServices).
"""

from collections.abc import Mapping

import msgspec


class Doorway(msgspec.Struct, frozen=True, order=True):
    """An endpoint service, `s3` of `com.amazonaws.eu-west-1.s3`; a gateway is a route and costs nothing."""

    suffix: str
    is_gateway: bool = False


_GATEWAYS = ("s3", "dynamodb")
# Services whose endpoint has the name they have in CloudTrail (`eventSource`, up to the first dot).
_SAME = """
    acm-pca access-analyzer apigateway appconfig application-autoscaling athena autoscaling backup batch
    cassandra cloudformation cloudhsmv2 cloudtrail codeartifact codebuild codecommit codedeploy codepipeline comprehend
    config datasync dms ec2 ec2messages ecs eks elasticache elasticbeanstalk elasticfilesystem elasticloadbalancing
    elasticmapreduce events execute-api fis fsx glue guardduty imagebuilder inspector2 kms lakeformation lambda
    license-manager logs macie2 mgn monitoring polly rds redshift redshift-data rekognition resource-groups
    rolesanywhere secretsmanager securityhub servicecatalog servicediscovery sns sqs ssm ssmmessages states
    storagegateway sts swf synthetics textract transcribe transfer translate workspaces xray
"""
_OTHERS: Mapping[str, tuple[str, ...]] = {
    "airflow": ("airflow.api",),
    "bedrock": ("bedrock", "bedrock-runtime"),
    "ecr": ("ecr.api", "ecr.dkr"),
    "eks-auth": ("eks-auth",),
    "firehose": ("kinesis-firehose",),
    "kinesis": ("kinesis-streams",),
    "sagemaker": ("sagemaker.api", "sagemaker.runtime"),
    "ses": ("email",),
}
# Global, or with their endpoint in one region only: to a workload elsewhere there is no way through its own VPC.
_GLOBAL = """
    account aws-portal billing budgets ce chatbot cloudfront globalaccelerator health iam importexport networkmanager
    organizations route53 route53domains shield signin sso sso-directory support tax trustedadvisor waf
"""
_KNOWN = {**{name: (name,) for name in _SAME.split()}, **{name: (name,) for name in _GATEWAYS}, **_OTHERS}
GLOBAL = frozenset(_GLOBAL.split())


def doorways(source: str) -> tuple[Doorway, ...]:
    """The endpoints one needs to reach a service; none where it has none, or nobody here knows of one."""
    return tuple(Doorway(suffix, is_gateway=suffix in _GATEWAYS) for suffix in _KNOWN.get(source, ()))
