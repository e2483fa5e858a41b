"""A recorded call as IAM saw it: which condition keys it had, and with what in them, as far as the record tells.

Which keys are there at all is as the pages on global condition keys say.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from collections.abc import Mapping

from straykey.contain.action import action_of, service_of
from straykey.contain.pattern import Gap, Said
from straykey.contain.policy import Request
from straykey.contain.theft import Called, Caller
from straykey.core.network import Lane, Network

SOURCE_IP = "aws:sourceip"
VPC_SOURCE_IP = "aws:vpcsourceip"
SOURCE_VPCE = "aws:sourcevpce"
SOURCE_VPC = "aws:sourcevpc"
VIA_SERVICE = "aws:viaawsservice"
IS_SERVICE = "aws:principalisawsservice"
INSTANCE_ARN = "ec2:sourceinstancearn"
INSTANCE_VPC = "aws:ec2instancesourcevpc"
INSTANCE_IP = "aws:ec2instancesourceprivateipv4"
DELIVERY = "ec2:roledelivery"
USER_ID = "aws:userid"
ISSUED = "aws:tokenissuetime"
PRINCIPAL_ARN = "aws:principalarn"
ACCOUNT = "aws:principalaccount"
REGION = "aws:requestedregion"
# What is told of every call: one of these that a request has not was absent.  Of all others nobody knows.
TOLD = frozenset(
    {
        SOURCE_IP,
        VPC_SOURCE_IP,
        SOURCE_VPCE,
        SOURCE_VPC,
        VIA_SERVICE,
        IS_SERVICE,
        INSTANCE_ARN,
        INSTANCE_VPC,
        INSTANCE_IP,
        DELIVERY,
        USER_ID,
        ISSUED,
        PRINCIPAL_ARN,
        ACCOUNT,
        REGION,
    }
)
_LONG_TERM, _TEMPORARY = "AKIA", "ASIA"


def request_of(caller: Caller, called: Called, partition: str, vpcs: Mapping[str, str] | None = None) -> Request:
    """The request; its keys in lower case.  `vpcs`: whose VPC each endpoint is in, as far as that is known."""
    context: dict[str, Said] = {
        IS_SERVICE: "false",
        USER_ID: caller.user_id or Gap.PRESENT,
        PRINCIPAL_ARN: _principal(caller),
        ACCOUNT: caller.account or Gap.PRESENT,
        REGION: called.region or Gap.PRESENT,
        **_network(called.network, caller, vpcs or {}),
    }
    found = {ISSUED: _issued(caller, called), **_of_instance(caller, called, partition)}
    context |= {key: said for key, said in found.items() if said}
    return Request(action_of(called.call), context=context, service=service_of(called.call))


def _principal(caller: Caller) -> str | Gap:
    """Of a session it is the role, with its path."""
    return (caller.role_arn if caller.role else caller.arn) or Gap.PRESENT


def _network(network: Network, caller: Caller, vpcs: Mapping[str, str]) -> dict[str, Said]:
    match network.lane:
        case Lane.PUBLIC | Lane.PUBLIC_V6:
            return {VIA_SERVICE: "false", SOURCE_IP: network.address}
        case Lane.ENDPOINT | Lane.PRIVATE:
            # A private address shows only through an endpoint, whether the record names it or not.
            return {
                VIA_SERVICE: "false",
                VPC_SOURCE_IP: network.address,
                SOURCE_VPCE: network.endpoint or Gap.PRESENT,
                SOURCE_VPC: vpcs.get(network.endpoint, Gap.PRESENT),
            }
        case Lane.SERVICE:
            # The keys of an endpoint are not handed on to a service, an address may be.  And behind `AWS Internal` may
            # be no service, but somebody at the console.
            return {VIA_SERVICE: Gap.UNKNOWN if caller.is_from_console else "true", SOURCE_IP: Gap.UNKNOWN}
        case Lane.OTHER:
            return dict.fromkeys((VIA_SERVICE, SOURCE_IP, VPC_SOURCE_IP, SOURCE_VPCE, SOURCE_VPC), Gap.UNKNOWN)


def _issued(caller: Caller, called: Called) -> Said | None:
    """None for a key that does not end."""
    if called.access_key.startswith(_LONG_TERM):
        return None
    is_temporary = bool(caller.role) or called.access_key.startswith(_TEMPORARY)
    return called.issued or (Gap.PRESENT if is_temporary else Gap.UNKNOWN)


def _of_instance(caller: Caller, called: Called, partition: str) -> dict[str, Said]:
    """What EC2 puts into the keys that it hands out: none of it is in others, nor in those made with such a key."""
    if caller.is_from_console:
        return dict.fromkeys((INSTANCE_ARN, INSTANCE_VPC, INSTANCE_IP, DELIVERY), Gap.UNKNOWN)
    if not caller.is_delivered_by_ec2:
        return {}
    is_named = caller.region and caller.instance
    return {
        INSTANCE_ARN: instance_arn(caller, partition, caller.region) if is_named else Gap.PRESENT,
        INSTANCE_VPC: caller.vpc or Gap.PRESENT,
        INSTANCE_IP: caller.private_ip or Gap.PRESENT,
        DELIVERY: called.delivery or Gap.PRESENT,
    }


def instance_arn(caller: Caller, partition: str, region: str) -> str:
    """The ARN of the caller's instance, were it in that region."""
    return f"arn:{partition}:ec2:{region}:{caller.account}:instance/{caller.instance}"
