"""How an account's posture is reached: as a containment reaches AWS, and besides CloudTrail and Organizations."""

from straykey import aws
from straykey.contain import clients
from straykey.contain.clients import Client


class Clients(clients.Clients):
    """`region` is where Organizations is asked, which knows no regions, and tells the partition."""

    def cloudtrail(self, region: str) -> Client:
        with aws.configuring(f"CloudTrail in {region}"):
            return self._session.client("cloudtrail", region_name=region, config=aws.settings())

    def organizations(self) -> Client:
        with aws.configuring("AWS Organizations"):
            return self._session.client("organizations", region_name=self.region, config=aws.settings())
