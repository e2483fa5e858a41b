"""Whether a call has had its effect, told from what is there: from the state of its subject, and the parameters."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from straykey.contain.state import State, rules_of

Parameters = Mapping[str, Any]
Effect = Callable[[State, Parameters], bool]


def is_gone(state: State, _: Parameters) -> bool:
    return state is None


def is_there(state: State, _: Parameters) -> bool:
    return state is not None


def is_document(parameter: str) -> Effect:
    """The policy is there, with these words."""
    return lambda state, parameters: state is not None and state == json.loads(parameters[parameter])


def is_boundary(state: State, parameters: Parameters) -> bool:
    return bool(state == parameters["PermissionsBoundary"])


def has_no_boundary(state: State, _: Parameters) -> bool:
    return not state


def is_role(state: State, parameters: Parameters) -> bool:
    """It is there with all that was asked for; it may have more tags."""
    if not isinstance(state, dict):
        return False
    wanted = {
        "Path": parameters.get("Path", "/"),
        "AssumeRolePolicyDocument": json.loads(parameters["AssumeRolePolicyDocument"]),
        "Description": parameters.get("Description", ""),
        "MaxSessionDuration": parameters.get("MaxSessionDuration", 3600),
        "PermissionsBoundary": parameters.get("PermissionsBoundary", ""),
    }
    return _is_tagged(state, parameters) and all(state[name] == value for name, value in wanted.items())


def _is_tagged(state: State, parameters: Parameters) -> bool:
    tags = {tag["Key"]: tag["Value"] for tag in parameters.get("Tags", [])}
    return isinstance(state, dict) and tags.items() <= state["Tags"].items()


def is_profile(state: State, parameters: Parameters) -> bool:
    return isinstance(state, dict) and state["Path"] == parameters.get("Path", "/")


def holds_role(state: State, parameters: Parameters) -> bool:
    return isinstance(state, dict) and parameters["RoleName"] in state["Roles"]


def holds_no_role(state: State, parameters: Parameters) -> bool:
    return not holds_role(state, parameters)


def is_associated(state: State, parameters: Parameters) -> bool:
    """With the profile that is named, by ARN or by name; and no longer about to be."""
    if not isinstance(state, dict) or state.get("State") != "associated":
        return False
    wanted, arn = parameters["IamInstanceProfile"], str(state["Arn"])
    return bool(arn == wanted["Arn"] if "Arn" in wanted else arn.rpartition("/")[2] == wanted["Name"])


def is_apart(state: State, _: Parameters) -> bool:
    return not state


def has_options(state: State, parameters: Parameters) -> bool:
    """Those of the metadata service, and no change of them is pending."""
    if not isinstance(state, dict) or state.get("State", "applied") != "applied":
        return False
    return all(state.get(name) == value for name, value in parameters.items() if name not in ("DryRun", "InstanceId"))


def lets_none_out(state: State, parameters: Parameters) -> bool:
    """None of these rules of the group is left."""
    return isinstance(state, dict) and not any(rule in state["Egress"] for rule in _rules(parameters))


def lets_none_in(state: State, parameters: Parameters) -> bool:
    return isinstance(state, dict) and not any(rule in state["Ingress"] for rule in _rules(parameters))


def lets_in(state: State, parameters: Parameters) -> bool:
    return isinstance(state, dict) and all(rule in state["Ingress"] for rule in _rules(parameters))


def _rules(parameters: Parameters) -> list[list[str]]:
    return [rule for one in parameters["IpPermissions"] for rule in rules_of(one)]


def is_in_groups(state: State, parameters: Parameters) -> bool:
    return state == sorted(parameters["Groups"])


def is_stopped(state: State, _: Parameters) -> bool:
    return state == "stopped"


def is_running(state: State, _: Parameters) -> bool:
    return state == "running"


def is_available(state: State, _: Parameters) -> bool:
    return state == "available"
