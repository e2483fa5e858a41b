"""Calls on the machinery itself: STS, IAM, SSM, EC2, logs and metrics.

Metrics and scaling still write version 1.08, as some services always lag behind.
"""

from random import Random

from straykey.sim import identifier
from straykey.sim.record import Body, Call, Document, Scene


def _nothing(rng: Random, scene: Scene) -> Body:
    return Body()


def _parameter(rng: Random, scene: Scene) -> Body:
    name = f"/{scene.app}/production/{rng.choice(('feature-flags', 'log-level', 'endpoint', 'pool-size'))}"
    arn = f"arn:aws:ssm:{scene.region}:{scene.account}:parameter{name}"
    resource = {"accountId": scene.account, "ARN": arn}
    return Body(request={"name": name, "withDecryption": rng.random() < 0.5}, resources=[resource])


def _instance_information(rng: Random, scene: Scene) -> Body:
    request = {
        "instanceId": scene.instance_id,
        "agentVersion": "3.3.380.0",
        "agentStatus": "Active",
        "platformType": "Linux",
        "platformName": "Amazon Linux",
        "platformVersion": "2023",
        "computerName": f"ip-{scene.instance_id[-8:]}.{scene.region}.compute.internal",
        "agentName": "amazon-ssm-agent",
        "availabilityZone": f"{scene.region}a",
        "availabilityZoneId": "euw1-az1",
        "sSMConnectionChannel": "ssmmessages",
    }
    return Body(request=request)


def _associations(rng: Random, scene: Scene) -> Body:
    return Body(request={"instanceId": scene.instance_id, "maxResults": 20})


def _describe_tags(rng: Random, scene: Scene) -> Body:
    filters = [
        {"name": "resource-type", "valueSet": {"items": [{"value": "instance"}]}},
        {"name": "resource-id", "valueSet": {"items": [{"value": scene.instance_id}]}},
    ]
    return Body(request={"maxResults": 1000, "filterSet": {"items": filters}})


def _describe_instances(rng: Random, scene: Scene) -> Body:
    state = {"name": "instance-state-name", "valueSet": {"items": [{"value": "running"}]}}
    return Body(request={"maxResults": 1000, "instancesSet": {}, "filterSet": {"items": [state]}})


def _log_stream(rng: Random, scene: Scene) -> Body:
    stream = f"{scene.instance_id}/{rng.choice(('messages', 'secure', 'application'))}"
    return Body(request={"logGroupName": f"/ec2/{scene.app}", "logStreamName": stream})


def _log_groups(rng: Random, scene: Scene) -> Body:
    return Body(request={"logGroupNamePrefix": f"/ec2/{scene.app}", "limit": 50})


def _alarms(rng: Random, scene: Scene) -> Body:
    return Body(request={"alarmNamePrefix": f"{scene.app}-", "maxRecords": 100, "stateValue": "ALARM"})


def _metrics(rng: Random, scene: Scene) -> Body:
    dimension = {"name": "InstanceId", "value": scene.instance_id}
    return Body(request={"namespace": "CWAgent", "metricName": "mem_used_percent", "dimensions": [dimension]})


def _scaling_instances(rng: Random, scene: Scene) -> Body:
    return Body(request={"instanceIds": [scene.instance_id], "maxRecords": 50})


def _own_role(rng: Random, scene: Scene) -> Body:
    return Body(request={"roleName": f"{scene.app}-role"})


def _host_management_token(rng: Random, scene: Scene) -> Body:
    request = {"fingerprint": identifier.guid(rng), "instanceId": scene.instance_id}
    resource: Document = {"accountId": scene.account, "type": "AWS::SSM::ManagedNode"}
    resource["ARN"] = f"arn:aws:ec2:{scene.region}:{scene.account}:instance/{scene.instance_id}"
    return Body(request=request, resources=[resource])


GET_CALLER_IDENTITY = Call("sts", "GetCallerIdentity", _nothing)
GET_PARAMETER = Call("ssm", "GetParameter", _parameter)
UPDATE_INSTANCE_INFORMATION = Call("ssm", "UpdateInstanceInformation", _instance_information, read_only=False)
LIST_INSTANCE_ASSOCIATIONS = Call("ssm", "ListInstanceAssociations", _associations)
REQUEST_HOST_TOKEN = Call(
    "ssm", "RequestManagedInstanceRoleToken", _host_management_token, read_only=False, is_data=True
)
DESCRIBE_TAGS = Call("ec2", "DescribeTags", _describe_tags)
DESCRIBE_INSTANCES = Call("ec2", "DescribeInstances", _describe_instances)
CREATE_LOG_STREAM = Call("logs", "CreateLogStream", _log_stream, read_only=False)
DESCRIBE_LOG_GROUPS = Call("logs", "DescribeLogGroups", _log_groups)
DESCRIBE_ALARMS = Call("monitoring", "DescribeAlarms", _alarms, version="1.08")
LIST_METRICS = Call("monitoring", "ListMetrics", _metrics, version="1.08")
DESCRIBE_SCALING_INSTANCES = Call("autoscaling", "DescribeAutoScalingInstances", _scaling_instances, version="1.08")
# IAM is global: its records are written in us-east-1 wherever the caller is.
LIST_ROLES = Call("iam", "ListRoles", _nothing, region="us-east-1")
LIST_USERS = Call("iam", "ListUsers", _nothing, region="us-east-1")
LIST_ATTACHED_ROLE_POLICIES = Call("iam", "ListAttachedRolePolicies", _own_role, region="us-east-1")
