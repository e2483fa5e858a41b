"""The invented world's `ip-ranges.json`, in the form AWS publishes.

As in the real file, prefixes repeat once per service and nest: `AMAZON` covers all, and inside
one region's block lies a piece that belongs to no region.  Only the longest match is right.
"""

from datetime import datetime, timedelta
from typing import Any

from straykey.sim.address import (
    FUNCTION_V4,
    GLOBAL_V4,
    GLOBAL_V6,
    REGION_V4,
    REGION_V6,
    REGIONS,
    STORAGE_V4,
    STRANGER_V4,
    TENANT_V4,
)

_AROUND_GLOBAL = ("198.19.0.0/16", "eu-central-1")
_AGE = timedelta(days=2)


def ip_ranges(start: datetime) -> dict[str, Any]:
    """The document as it was published two days before `start`."""
    published = start - _AGE
    return {
        "syncToken": str(int(published.timestamp())),
        "createDate": published.strftime("%Y-%m-%d-%H-%M-%S"),
        "prefixes": [_prefix("ip_prefix", *row) for row in _v4_rows()],
        "ipv6_prefixes": [_prefix("ipv6_prefix", *row) for row in _v6_rows()],
    }


def _v4_rows() -> list[tuple[str, str, str]]:
    rows = [(*_AROUND_GLOBAL, "AMAZON"), (GLOBAL_V4, "GLOBAL", "AMAZON"), (GLOBAL_V4, "GLOBAL", "CLOUDFRONT")]
    for region in REGIONS:
        rows += [
            (REGION_V4[region], region, "AMAZON"),
            (TENANT_V4[region], region, "AMAZON"),
            (TENANT_V4[region], region, "EC2"),
            (STRANGER_V4[region], region, "AMAZON"),
            (STRANGER_V4[region], region, "EC2"),
            (FUNCTION_V4[region], region, "AMAZON"),
            (FUNCTION_V4[region], region, "EC2"),
            (STORAGE_V4[region], region, "AMAZON"),
            (STORAGE_V4[region], region, "S3"),
        ]
    return rows


def _v6_rows() -> list[tuple[str, str, str]]:
    rows = [(GLOBAL_V6, "GLOBAL", "AMAZON")]
    for region in REGIONS:
        rows += [(REGION_V6[region], region, "AMAZON"), (REGION_V6[region], region, "EC2")]
    return rows


def _prefix(key: str, prefix: str, region: str, service: str) -> dict[str, str]:
    return {key: prefix, "region": region, "service": service, "network_border_group": region}
