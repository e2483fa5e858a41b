"""What AWS's refusals mean, by their codes: some pass with time, some say that what is asked for is so already.

What is throttled, or fails at AWS or on the way, passes for every call: who makes the calls knows that.
"""

from collections.abc import Mapping

NOT_THERE = frozenset(
    {
        "InvalidAssociationID.NotFound",
        "InvalidGroup.NotFound",
        "InvalidInstanceID.NotFound",
        "InvalidNetworkInterfaceID.NotFound",
        "InvalidPermission.NotFound",
        "InvalidVpcEndpoint.NotFound",
        "InvalidVpcEndpointId.NotFound",
        "NoSuchEntity",
    }
)
_THERE_ALREADY = frozenset({"EntityAlreadyExists", "InvalidGroup.Duplicate", "InvalidPermission.Duplicate"})

_BUSY = frozenset({"ConcurrentModification", "EntityTemporarilyUnmodifiable"})
_IN_USE = frozenset({"DeleteConflict", "DependencyViolation", "InvalidGroup.InUse"})
_UNSETTLED = frozenset({"IncorrectInstanceState", "IncorrectState"})  # something else is being done to it still
# What was made a moment ago is not known everywhere yet; EC2 calls a profile of IAM's that it does not know invalid.
_NO_ENTITY = frozenset({"NoSuchEntity"})
_NO_GROUP = frozenset({"InvalidGroup.NotFound"})
_NO_PROFILE = frozenset({"InvalidParameterValue"})
_NOT_YET = _NO_ENTITY | _NO_GROUP | _NO_PROFILE | {"InvalidAssociationID.NotFound"}

# Operations that are not here have none.
_PASSING: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        (
            "AddRoleToInstanceProfile",
            "AttachRolePolicy",
            "PutRolePermissionsBoundary",
            "PutRolePolicy",
        ),
        _BUSY | _NO_ENTITY,
    ),
    **dict.fromkeys(
        (
            "CreateInstanceProfile",
            "CreatePolicy",
            "CreateRole",
            "DeleteRolePermissionsBoundary",
            "DeleteRolePolicy",
            "DetachRolePolicy",
            "RemoveRoleFromInstanceProfile",
        ),
        _BUSY,
    ),
    **dict.fromkeys(("DeleteInstanceProfile", "DeletePolicy", "DeleteRole"), _BUSY | _IN_USE),
    "AssociateIamInstanceProfile": _UNSETTLED | _NO_PROFILE,
    "DisassociateIamInstanceProfile": _UNSETTLED | _NO_PROFILE,
    "ReplaceIamInstanceProfileAssociation": _UNSETTLED | _NO_PROFILE | {"InvalidAssociationID.NotFound"},
    **dict.fromkeys(("ModifyInstanceMetadataOptions", "StartInstances", "StopInstances"), _UNSETTLED),
    **dict.fromkeys(
        ("AuthorizeSecurityGroupIngress", "ModifyNetworkInterfaceAttribute", "RevokeSecurityGroupEgress"), _NO_GROUP
    ),
    "DeleteSecurityGroup": _IN_USE,
}


def passing(operation: str, *, is_new: bool = True) -> frozenset[str]:
    """Codes after which the same call may be taken later; of what was not just made, fewer: unless `is_new`."""
    codes = _PASSING.get(operation, frozenset())
    return codes if is_new else codes - _NOT_YET


def is_not_there(code: str) -> bool:
    """Whether AWS says that what is to be undone is not there."""
    return code in NOT_THERE


def is_there_already(code: str) -> bool:
    return code in _THERE_ALREADY
