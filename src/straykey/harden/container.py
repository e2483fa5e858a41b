"""What shows that containers run on an instance: words in user agents, and calls that only a node makes.

A container on a bridge is one hop further from the metadata service than its host, and with a hop limit of 1 the answer
to its request for a token never reaches it.  Without a token it was answered.
"""

import re

from straykey.contain.called import short
from straykey.core.evidence import Sighting

_WORDS = re.compile(
    r"exec-env/(AWS_ECS_[A-Za-z0-9_]{1,20}|[A-Za-z0-9_]{0,20}EKS[A-Za-z0-9_]{0,20})"
    r"|\b(amazon-ecs-agent|amazon-vpc-cni-k8s|kubernetes|kubelet|k8s)\b",
    re.IGNORECASE,
)
_CALLS = frozenset(
    {
        "ecs:DiscoverPollEndpoint",
        "ecs:RegisterContainerInstance",
        "ecs:SubmitContainerStateChange",
        "ecs:SubmitTaskStateChange",
        "eks-auth:AssumeRoleForPodIdentity",
    }
)


def container_signs(sighting: Sighting) -> set[str]:
    """Each in a word.  None is no proof that there are no containers."""
    found = {short(call) for call in sighting.calls.times} & _CALLS
    for agent in sighting.agents.events:
        found |= {match[1] or match[2].lower() for match in _WORDS.finditer(agent)}
    return found
