"""The userIdentity of everyone who calls.

What tells an instance session from others differs by record version: `inScopeOf` is there from
1.11 on, an empty `webIdFederationData` only in 1.08.
"""

from datetime import datetime

from straykey.sim.company import Instance, Role
from straykey.sim.keyring import Key
from straykey.sim.record import Document, stamp


def session(role: Role, name: str, access_key: str, issued: datetime) -> Document:
    """A role session that nothing more is known of."""
    return {
        "type": "AssumedRole",
        "principalId": f"{role.id}:{name}",
        "arn": role.session_arn(name),
        "accountId": role.account,
        "accessKeyId": access_key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role.id,
                "arn": role.arn,
                "accountId": role.account,
                "userName": role.name,
            },
            "attributes": {"creationDate": stamp(issued), "mfaAuthenticated": "false"},
        },
    }


def instance_session(instance: Instance, key: Key, version: str) -> Document:
    """The instance's session as a record of `version` shows it."""
    identity = session(instance.role, instance.id, key.access_key, key.issued)
    context = identity["sessionContext"]
    if version == "1.08":
        issuer, attributes = context["sessionIssuer"], context["attributes"]
        context = {"sessionIssuer": issuer, "webIdFederationData": {}, "attributes": attributes}
        identity["sessionContext"] = context
    context["ec2RoleDelivery"] = key.delivery
    if version == "1.11":
        identity["inScopeOf"] = in_scope_of("AWS::EC2::Instance", instance.arn)
    return identity


def in_scope_of(kind: str, arn: str) -> Document:
    return {"issuerType": kind, "credentialsIssuedTo": arn}


def for_service(identity: Document, service: str) -> Document:
    """The same caller, with a service acting for it."""
    return {**identity, "invokedBy": service}


def user(account: str, name: str, access_key: str) -> Document:
    return {
        "type": "IAMUser",
        "principalId": f"AIDAEXAMPLE{name.upper():A<10.10}",
        "arn": f"arn:aws:iam::{account}:user/{name}",
        "accountId": account,
        "accessKeyId": access_key,
        "userName": name,
    }
