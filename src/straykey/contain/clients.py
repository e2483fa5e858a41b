"""How a containment reaches AWS: a client for each service and region, made when it is first needed.

Clients try once: `patience` knows how to wait.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from straykey import aws
from straykey.errors import ContainError

if TYPE_CHECKING:
    from boto3.session import Session

# boto3's own types of IAM and EC2 are tens of thousands of lines, and tell nothing of calls that a plan names.
Client: TypeAlias = Any
Answer = Mapping[str, Any]


class Reach(msgspec.Struct, frozen=True):
    """IAM, and EC2 of one region."""

    iam: Client
    ec2: Client


class Clients:
    """`region` is where EC2 is called unless a call names another, and tells the partition for IAM."""

    def __init__(self, session: "Session", region: str) -> None:
        self._session = session
        self.region = region
        self._reach = cache(self._made)

    def at(self, region: str = "") -> Reach:
        return self._reach(region or self.region)

    def _made(self, region: str) -> Reach:
        with aws.configuring(f"AWS in {region}"):
            iam = self._session.client("iam", region_name=region, config=aws.settings())
            return Reach(iam, self._session.client("ec2", region_name=region, config=aws.settings()))

    def identity(self) -> tuple[str, str]:
        """Whose account is called, and as whom: its id and an ARN."""
        with aws.configuring(f"AWS in {self.region}"):
            client = self._session.client("sts", region_name=self.region, config=aws.settings())
        with aws.reaching("AWS", "sts:GetCallerIdentity"):
            answer = client.get_caller_identity()
        return answer["Account"], answer["Arn"]

    def check_account(self, account: str) -> str:
        """Who is calling, as an ARN; `ContainError` if that is somebody of another account."""
        found, arn = self.identity()
        if found != account:
            raise ContainError(
                f"the credentials are of account {found}, and the keys were stolen in {account}",
                hint=f"set AWS_PROFILE to a role of account {account}",
            )
        return arn


def iam_pages(call: Callable[..., Answer], listed: str, **parameters: object) -> Iterator[Any]:
    """All that IAM lists under this name, page by page."""
    place: dict[str, object] = {}
    while True:
        answer = call(**parameters, **place)
        yield from answer.get(listed, [])
        if not answer.get("IsTruncated"):
            return
        place = {"Marker": answer["Marker"]}


def ec2_pages(call: Callable[..., Answer], listed: str, **parameters: object) -> Iterator[Any]:
    """All that EC2 lists under this name, page by page."""
    place: dict[str, object] = {}
    while True:
        answer = call(**parameters, **place)
        yield from answer.get(listed, [])
        if not answer.get("NextToken"):
            return
        place = {"NextToken": answer["NextToken"]}


def equals(name: str, *values: str) -> dict[str, object]:
    """A filter of EC2's."""
    return {"Name": name, "Values": list(values)}
