"""Which VPC endpoint a service is reached by: its name in CloudTrail, and the last part of its endpoint's name.

The endpoints were compared with AWS's list of services with PrivateLink; `email` stands only in AWS's CDK.  That
CloudTrail calls a service as its endpoint is called is taken for granted, but where records say otherwise (`_OTHERS`).
What a region has, its account knows (DescribeVpcEndpointServices): where it was read, that counts.
A service may need more endpoints than its API's for single calls: agents of Bedrock, streams of DynamoDB.
https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
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
    access-analyzer acm acm-pca apigateway appconfig application-autoscaling apprunner aps athena auditmanager
    autoscaling backup batch cassandra cloudcontrolapi cloudformation cloudtrail codebuild codedeploy codepipeline
    comprehend comprehendmedical compute-optimizer config databrew dataexchange datasync datazone detective
    directconnect discovery dlm dms drs ds ebs ec2 ec2messages ecs eks eks-auth elasticache elasticbeanstalk
    elasticfilesystem elasticloadbalancing elasticmapreduce emr-containers emr-serverless entityresolution events
    execute-api fis fms frauddetector fsx glue grafana greengrass guardduty healthlake identitystore imagebuilder
    inspector2 kafka kendra kms lakeformation lambda license-manager lightsail logs macie2 mediaconnect mediaconvert
    mgn monitoring network-firewall osis outposts pipes polly proton ram rbin rds redshift redshift-data
    redshift-serverless rekognition resource-explorer-2 resource-groups rolesanywhere scheduler schemas
    secretsmanager securityhub securitylake serverlessrepo servicecatalog servicediscovery servicequotas sns sqs ssm
    ssm-contacts ssm-incidents ssmmessages states storagegateway sts swf synthetics tagging textract transcribe
    transfer translate verifiedpermissions vpc-lattice wafv2 wellarchitected workspaces workspaces-web xray
"""
_OTHERS: Mapping[str, tuple[str, ...]] = {
    "airflow": ("airflow.api",),
    "amazonmq": ("mq",),
    "bedrock": ("bedrock", "bedrock-runtime"),
    "cloudhsm": ("cloudhsmv2",),
    "codeartifact": ("codeartifact.api", "codeartifact.repositories"),
    "codecommit": ("codecommit", "git-codecommit"),
    "ecr": ("ecr.api", "ecr.dkr"),
    "firehose": ("kinesis-firehose",),
    "kinesis": ("kinesis-streams",),
    "memorydb": ("memory-db",),
    "rdsdata": ("rds-data",),
    "sagemaker": ("sagemaker.api", "sagemaker.runtime"),
    "ses": ("email",),
}
# Global, or with their endpoint in one region only: to a workload elsewhere there is no way through its own VPC.
_GLOBAL = """
    account aws-portal billing budgets ce chatbot cloudfront globalaccelerator health iam importexport networkmanager
    organizations route53 route53domains shield signin support tax trustedadvisor waf
"""
_KNOWN = {**{name: (name,) for name in _SAME.split()}, **{name: (name,) for name in _GATEWAYS}, **_OTHERS}
GLOBAL = frozenset(_GLOBAL.split())


def doorways(source: str) -> tuple[Doorway, ...]:
    """The endpoints one needs to reach a service; none where it has none, or nobody here knows of one."""
    return tuple(Doorway(suffix, is_gateway=suffix in _GATEWAYS) for suffix in _KNOWN.get(source, ()))
