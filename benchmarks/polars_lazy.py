"""The rival: one lazy query of Polars' over the packed files.

    python benchmarks/polars_lazy.py FOLDER

It does less than a scan, the same as `plain.py`.
"""

import json
import sys

import polars as pl

_TEXTS = ("eventTime", "eventSource", "eventName", "eventID", "sourceIPAddress", "vpcEndpointId")
_IDENTITY = ("type", "arn", "accessKeyId")
_SCHEMA = {
    "Records": pl.List(
        pl.Struct(
            {
                "userIdentity": pl.Struct(dict.fromkeys(_IDENTITY, pl.String)),
                **dict.fromkeys(_TEXTS, pl.String),
            }
        )
    )
}


def main(folder: str) -> None:
    networks = (
        pl.scan_ndjson(f"{folder}/**/*.json.gz", schema=_SCHEMA, low_memory=True)
        .explode("Records")
        .unnest("Records")
        .unnest("userIdentity")
        .filter(pl.col("type") == "AssumedRole")
        .group_by("arn", "sourceIPAddress", "vpcEndpointId")
        .agg(
            pl.col("eventTime").min().alias("first"),
            pl.col("eventTime").max().alias("last"),
            pl.col("eventID").n_unique(),
            pl.col("accessKeyId").n_unique(),
            pl.struct("eventSource", "eventName").n_unique().alias("calls"),
        )
        .collect(engine="streaming")
    )
    arns = networks.filter(~pl.col("arn").str.contains(":assumed-role/aws:ec2-infrastructure/", literal=True))["arn"]
    print(json.dumps({"sessions": arns.n_unique(), "networks": networks.height}))


if __name__ == "__main__":
    main(sys.argv[1])
