"""The thefts of mixed worlds.  `HEISTS` is the one place to add a kind.

The kinds of `theft.KINDS` are among them, under the same names.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from straykey.sim import heist_container, heist_network, heist_session, heist_time
from straykey.sim.stage import Stage

HEISTS: Mapping[str, Callable[[Stage], None]] = MappingProxyType(
    {
        "outside-aws": heist_network.outside_aws,
        "first-inside": heist_time.first_inside,
        "pivoting": heist_session.pivoting,
        "ecs-outside": heist_container.ecs_outside,
        "inside-aws": heist_network.inside_aws,
        "rented-endpoint": heist_network.rented_endpoint,
        "ssrf-agent": heist_session.ssrf_agent,
        "many-keys": heist_time.many_keys,
        "lambda-outside": heist_container.lambda_outside,
        "foreign-endpoint": heist_network.foreign_endpoint,
        "after-start": heist_network.after_start,
        "spoofed-name": heist_session.spoofed_name,
        "eks-outside": heist_container.eks_outside,
        "affiliated": heist_network.affiliated,
        "inside-move": heist_network.inside_move,
        "identity-key": heist_session.identity_key,
        "v6-outside": heist_network.v6_outside,
        "irsa-outside": heist_container.irsa_outside,
        "same-account": heist_network.same_account,
        "first-outside": heist_time.first_outside,
        "rented-endpoint-unowned": heist_network.rented_endpoint_unowned,
        "managed-key": heist_session.managed_key,
        "same-nat": heist_network.same_nat,
        "after-termination": heist_time.after_termination,
        "ecs-inside": heist_container.ecs_inside,
        "china-outside": heist_network.china_outside,
        "persistent": heist_time.persistent,
        "lambda-inside-region": heist_container.lambda_inside_region,
    }
)
