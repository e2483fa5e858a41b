"""Instances as an account tells of them, in few words."""

from straykey.harden.posture import Defaults, Held, Machine, Organization, Posture, Region

ACCOUNT, REGION = "111122223333", "eu-west-1"
WEB, IDLE = "i-0123456789abcdef0", "i-0123456789abcdef9"
PROFILE = f"arn:aws:iam::{ACCOUNT}:instance-profile/web"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/app/web-role"


def machine(
    identity: str = WEB, *, tokens: str = "optional", hops: int = 2, is_on: bool = True, region: str = REGION
) -> Machine:
    return Machine(
        id=identity,
        region=region,
        state="running",
        vpc="vpc-0ddd",
        address="10.0.1.10",
        addresses=("10.0.1.10",),
        public_addresses=(),
        profile=PROFILE,
        http_tokens=tokens,
        http_endpoint="enabled" if is_on else "disabled",
        hop_limit=hops,
    )


def posture(*machines: Machine, defaults: Defaults | None = None, organization: str = "o-exampleorg1") -> Posture:
    return Posture(
        account=ACCOUNT,
        organization=Organization(organization),
        regions=(Region(REGION, machines=machines, defaults=defaults),),
        profiles=(Held(PROFILE, ROLE_ARN),),
    )
