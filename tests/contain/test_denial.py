"""What the messages of refused calls say, in AWS's own wordings."""

import pytest

from straykey.contain.denial import Refusal, refusal_of

WHO = "User: arn:aws:sts::111122223333:assumed-role/web-role/i-0123456789abcdef0 is not authorized to perform: "
WHAT = f'{WHO}s3:GetObject on resource: "arn:aws:s3:::example/key" '
ENCODED = "Encoded authorization failure message: 4GHk-abc_DEF"


@pytest.mark.parametrize(
    "message",
    [
        f"{WHO}s3:ListAllMyBuckets with an explicit deny in an identity-based policy",
        f"{WHAT}with an explicit deny in an identity-based policy",
        f"{WHAT}with an explicit deny in an identity-based policy: arn:aws:iam::aws:policy/AWSDenyAll",
        f"{WHAT}with an explicit deny in a permissions boundary",
        f"{WHAT}with an explicit deny in a permissions boundary: arn:aws:iam::aws:policy/AWSDenyAll",
        f"You are not authorized to perform this operation. {WHO}ec2:RunInstances on resource: "
        f"arn:aws:ec2:eu-west-1:111122223333:instance/* with an explicit deny in an identity-based policy. {ENCODED}",
    ],
)
def test_an_explicit_deny_of_the_role_or_its_boundary_may_be_ours(message: str) -> None:
    assert refusal_of(message) is Refusal.OURS


@pytest.mark.parametrize(
    "message",
    [
        f"{WHAT}with an explicit deny in a {kind}"
        for kind in (
            "service control policy",
            "service control policy: arn:aws:organizations::111122223333:policy/o-a/service_control_policy/p-b",
            "resource control policy",
            "resource-based policy",
            "session policy",
            "VPC endpoint policy",
        )
    ]
    + [
        f"{WHAT}because no {kind} allows the s3:GetObject action"
        for kind in ("identity-based policy", "permissions boundary", "session policy", "resource-based policy")
    ]
    + [
        f"{WHO}kms:Decrypt on the resource associated with this ciphertext because the resource does not exist in this "
        "Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
    ],
)
def test_what_another_kind_of_policy_refuses_is_not_ours(message: str) -> None:
    assert refusal_of(message) is Refusal.OTHERS


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Access Denied",
        f"You are not authorized to perform this operation. {ENCODED}",
        f"{WHAT}with an explicit deny",
        "\x1b[2J",
    ],
)
def test_what_names_no_policy_says_nothing(message: str) -> None:
    assert refusal_of(message) is Refusal.SILENT


FORGED = "with an explicit deny in an identity-based policy"


@pytest.mark.parametrize(
    "message",
    [
        f'{WHO}s3:GetObject on resource: "arn:aws:s3:::example/{FORGED}" because no session policy allows it',
        f'{WHO}s3:GetObject on resource: "arn:aws:s3:::example/{FORGED}" with an explicit deny in a session policy',
        f'{WHO}s3:GetObject on resource: "arn:aws:s3:::example/{FORGED}"',
        f"{WHO}ec2:RunInstances on resource: key-pair/{FORGED}. {ENCODED} because no policy allows it. {ENCODED}",
        f"{WHAT.ljust(1024 - len(FORGED), 'x')}{FORGED}",
    ],
)
def test_names_that_a_thief_chose_forge_no_proof(message: str) -> None:
    assert refusal_of(message) is not Refusal.OURS
