"""Pods of EKS: they leave by their node's network, and get their keys in one of two ways."""

from datetime import datetime, timedelta

from straykey.sim import identifier, identity, route
from straykey.sim.company import Instance
from straykey.sim.record import SESSION_TOKEN, Body, Call, Document, Sender, always, expiration, written
from straykey.sim.resident import Issue, Resident, by_service
from straykey.sim.stage import Stage
from straykey.sim.workload import BOTO3


def pod(stage: Stage, node: Instance, cluster: str) -> Resident:
    """A pod with Pod Identity: the node asks with its own session, then EKS assumes the role."""
    name = f"{stage.rng.choice(('cart', 'search', 'mail'))}-{identifier.hexadecimal(stage.rng, 5)}"
    role = stage.world.role(stage.account, "shop-pod-role", "/eks/")
    session = f"eks-{cluster}-{name}-{identifier.guid(stage.rng)}"
    return Resident(stage, role, session, route.of(node), _by_node(node, cluster, name))


def _by_node(node: Instance, cluster: str, name: str) -> Issue:
    assume = by_service("pods.eks.amazonaws.com")

    def issue(resident: Resident, access_key: str, at: datetime) -> list[Document]:
        stage = resident.stage
        asked = {"clusterName": cluster, "token": "HIDDEN_DUE_TO_SECURITY_REASONS"}
        call = Call("eks-auth", "AssumeRoleForPodIdentity", always(Body(asked)))
        who = identity.instance_session(node, stage.keys(node).newest("2.0", at), call.version)
        sender = Sender(who, node.network("eks-auth"), "aws-sdk-go-v2/1.26.1 eks-pod-identity-agent/0.1.6")
        by_node = written(stage.rng, at, sender, call, resident.scene)
        stage.worked(node, node.session_arn, [by_node])
        (record,) = assume(resident, access_key, at)
        tags = {
            "kubernetes-namespace": "shop",
            "kubernetes-pod-name": name,
            "eks-cluster-name": cluster,
            "eks-cluster-arn": f"arn:aws:eks:{stage.region}:{stage.account}:cluster/{cluster}",
        }
        tagged = [{"key": key, "value": value} for key, value in tags.items()]
        return [{**record, "requestParameters": {**record["requestParameters"], "tags": tagged}}]

    return issue


def web_identity(stage: Stage, node: Instance) -> Resident:
    """A pod with a role for its service account: it asks STS itself, with a token of the cluster."""
    host = f"oidc.eks.{stage.region}.amazonaws.com/id/EXAMPLE{identifier.hexadecimal(stage.rng, 25).upper()}"
    provider = f"arn:aws:iam::{stage.account}:oidc-provider/{host}"
    role = stage.world.role(stage.account, "reports-pod-role", "/eks/")
    session = f"botocore-session-{int(stage.window.start.timestamp()) + stage.rng.randrange(100)}"
    return Resident(stage, role, session, route.of(node), _by_token(node, provider), provider=provider)


def _by_token(node: Instance, provider: str) -> Issue:
    subject = "system:serviceaccount:shop:reports"

    def issue(resident: Resident, access_key: str, at: datetime) -> list[Document]:
        stage, role = resident.stage, resident.role
        who = {
            "type": "WebIdentityUser",
            "principalId": f"{provider}:sts.amazonaws.com:{subject}",
            "userName": subject,
            "identityProvider": provider,
        }
        expires = expiration(stage.rng, at + timedelta(hours=24))
        response = {
            "credentials": {"accessKeyId": access_key, "sessionToken": SESSION_TOKEN, "expiration": expires},
            "subjectFromWebIdentityToken": subject,
            "assumedRoleUser": {"assumedRoleId": f"{role.id}:{resident.session}", "arn": resident.arn},
            "provider": provider,
            "audience": "sts.amazonaws.com",
        }
        request = {"roleArn": role.arn, "roleSessionName": resident.session}
        resources = [{"accountId": role.account, "type": "AWS::IAM::Role", "ARN": role.arn}]
        call = Call("sts", "AssumeRoleWithWebIdentity", always(Body(request, response, resources=resources)))
        return [written(stage.rng, at, Sender(who, node.network("sts"), BOTO3), call, resident.scene)]

    return issue
