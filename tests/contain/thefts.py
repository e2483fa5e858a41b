"""A theft and an account to plan with; each test changes what it is about."""

from typing import Any

from msgspec.structs import replace

from straykey.contain.account import Account, Endpoint, InlinePolicy, Instance, Interface, Role, Tag
from straykey.contain.options import plans_of
from straykey.contain.pattern import Said
from straykey.contain.plan import Option, Plan
from straykey.contain.policy import Answer, Gap, Request, judge_call, read_policy
from straykey.contain.theft import Called, Caller, Created, Key, Theft
from straykey.core.network import Lane, Network, network_of

ACCOUNT = "111122223333"
INSTANCE = "i-0123456789abcdef0"
ROLE_ID = "AROAEXAMPLEROLEID0001"
FINDING = "8f0dba57c3097dd09bcca8fc7e50efb5"
AT = "2026-05-04T10:41:00Z"
NAT = network_of("198.18.0.10")
NAT_V6 = network_of("2001:db8:1000::10")
ENDPOINT = network_of("10.0.0.5", "vpce-0aaaaaaaaaaaaaaa1", ACCOUNT)
THIEF = network_of("203.0.113.66")
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
    '"Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
)
READ = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}'


def called(call: str, network: Network, region: str = "eu-west-1") -> Called:
    return Called("2026-05-04T10:00:00Z", "e", call, region, "ASIAEXAMPLEKEY000001", "", network, "")


def caller(role: str = "web-role", name: str = INSTANCE, *calls: Called, **fields: Any) -> Caller:
    is_instance = name.startswith("i-")
    usual = Caller(
        arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
        account=ACCOUNT,
        role=role,
        instance=name if is_instance else "",
        region="eu-west-1",
        is_delivered_by_ec2=is_instance,
        calls=calls,
        user_id=f"{ROLE_ID}:{name}" if role == "web-role" else "",
    )
    return replace(usual, **fields)


def theft(**fields: Any) -> Theft:
    workload = caller(
        "web-role",
        INSTANCE,
        called("s3:GetObject", NAT),
        called("sqs:ReceiveMessage", ENDPOINT),
        called("iam:GetRole", NAT, "us-east-1"),
        called("kms:Decrypt", network_of("s3.amazonaws.com")),
    )
    usual = Theft(
        finding=FINDING,
        title="Keys of i-0123456789abcdef0 were used from 203.0.113.66",
        partition="aws",
        role_arn=f"arn:aws:iam::{ACCOUNT}:role/app/web-role",
        is_role_arn_known=True,
        homes=(NAT, ENDPOINT),
        strays=(THIEF,),
        workload=workload,
        thief=caller("web-role", INSTANCE, called("s3:ListBuckets", THIEF)),
        sisters=(),
        heirs=(),
        keys=(Key("ASIAEXAMPLEKEY000001", "2026-05-04T10:00:05Z", "2026-05-04T16:35:05Z"),),
        created=(),
        as_of="2026-05-04T10:40:00Z",
    )
    return replace(usual, **fields)


def as_role(stolen: Theft, **fields: Any) -> Theft:
    """The same theft of another workload."""
    return replace(stolen, workload=replace(stolen.workload, **fields))


def role(**fields: Any) -> Role:
    usual = Role(
        name="web-role",
        arn=f"arn:aws:iam::{ACCOUNT}:role/app/web-role",
        path="/app/",
        id=ROLE_ID,
        trust=TRUST,
        inline=(InlinePolicy("read", READ),),
        attached=("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",),
        boundary=f"arn:aws:iam::{ACCOUNT}:policy/limits",
        tags=(Tag("aws:cloudformation:stack-name", "web"), Tag("team", "web ${shop}")),
        description="The web shop's ${servers}",
        max_session_seconds=3600,
        profiles=(f"arn:aws:iam::{ACCOUNT}:instance-profile/app/web",),
    )
    return replace(usual, **fields)


def instance(**fields: Any) -> Instance:
    usual = Instance(
        id=INSTANCE,
        region="eu-west-1",
        state="running",
        vpc="vpc-0aaaaaaaaaaaaaaa1",
        subnet="subnet-0aaaaaaaaaaaaaaa1",
        association="iip-assoc-0aaaaaaaaaaaaaaa1",
        profile=f"arn:aws:iam::{ACCOUNT}:instance-profile/app/web",
        interfaces=(Interface("eni-0aaaaaaaaaaaaaaa1", ("sg-0aaaaaaaaaaaaaaa1", "sg-0aaaaaaaaaaaaaaa2")),),
        http_tokens="optional",
        http_endpoint="enabled",
        hop_limit=2,
        has_instance_store=True,
        is_spot=False,
    )
    return replace(usual, **fields)


def account(**fields: Any) -> Account:
    usual = Account(
        id=ACCOUNT,
        role=role(),
        instance=instance(),
        others=("i-0fedcba9876543210",),
        endpoints=(
            Endpoint(
                ENDPOINT.endpoint, "vpc-0aaaaaaaaaaaaaaa1", "com.amazonaws.eu-west-1.sqs", "Interface", "available"
            ),
        ),
        services=tuple(f"com.amazonaws.eu-west-1.{one}" for one in ("ecr.api", "ecr.dkr", "kms", "s3", "sqs", "sts")),
        route_tables=("rtb-0aaaaaaaaaaaaaaa1",),
        neighbours=("i-0fedcba9876543210",),
    )
    return replace(usual, **fields)


def heirs() -> dict[str, Any]:
    """What a thief made: sessions of another role, here and elsewhere, a console session, a user with a key."""
    elsewhere = caller(
        "remote", "loot", arn="arn:aws:sts::444455556666:assumed-role/remote/loot", account="444455556666"
    )
    user = caller("", "backup", arn=f"arn:aws:iam::{ACCOUNT}:user/backup", user_id="AIDAEXAMPLE")
    console = caller("web-role", INSTANCE, is_delivered_by_ec2=False)
    return {
        "heirs": (caller("admin", "loot", user_id="AROAEXAMPLEROLEID0002:loot"), console, elsewhere, user),
        "created": (
            made("sts:AssumeRole", f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/loot", "ASIAEXAMPLEKEY000009"),
            made("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/backup"),
            made("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/backup", "AKIAEXAMPLEKEY000001"),
        ),
    }


def made(call: str, what: str, access_key: str = "") -> Created:
    return Created("2026-05-04T10:05:00Z", call, what, access_key, ACCOUNT, "us-east-1", "e")


def plan_of(option: Option, stolen: Theft | None = None, read: Account | None = None, at: str = AT) -> Plan:
    (found,) = (one for one in plans_of(stolen or theft(), read, at) if one.option is option)
    return found


ARN = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/{INSTANCE}"
SISTER = ARN.replace("0123456789abcdef0", "0fedcba9876543210")


OWN_VPC, OWN_IP = "vpc-0123456789abcdef0", "10.0.200.1"  # what EC2 puts into the instance's keys


def context_of(network: Network, **more: Said) -> dict[str, Said]:
    """The condition keys of a call of the instance's from there, as AWS's page on them says."""
    common: dict[str, Said] = {
        "ec2:SourceInstanceARN": ARN,
        "aws:userid": f"{ROLE_ID}:{INSTANCE}",
        "aws:TokenIssueTime": "2026-05-04T10:00:05Z",
        "aws:ViaAWSService": "true" if network.lane is Lane.SERVICE else "false",
        "aws:Ec2InstanceSourceVpc": OWN_VPC,
        "aws:Ec2InstanceSourcePrivateIPv4": OWN_IP,
    }
    if network.lane in (Lane.PUBLIC, Lane.PUBLIC_V6):
        common["aws:SourceIp"] = network.address
    if network.lane in (Lane.ENDPOINT, Lane.PRIVATE):
        common["aws:VpcSourceIp"] = network.address
        common["aws:SourceVpce"] = network.endpoint or Gap.PRESENT
        common["aws:SourceVpc"] = "vpc-0123456789abcdef9"  # some other one
    return common | more


def answers(plan: Plan, network: Network, **more: Said) -> Answer:
    """What the plan's policy on the robbed role does to a call from there."""
    (deny,) = (one for one in plan.denies if one.role == "web-role" and one.account == ACCOUNT)
    request = Request("s3:GetObject", ("arn:aws:s3:::b/k",), context_of(network, **more))
    return judge_call(read_policy(deny.document), request).answer
