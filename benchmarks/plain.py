"""The rival: gzip, json and dictionaries, as published detectors read CloudTrail.

    python benchmarks/plain.py FOLDER

It does less than a scan: no validation, no judging; only who called from where, when, how often and with which keys.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any


def main(folder: str) -> None:
    sessions: dict[tuple[str, str, str], dict[str, Any]] = {}
    for path in sorted(Path(folder).rglob("*.json.gz")):
        with gzip.open(path) as packed:
            records = json.load(packed).get("Records", [])
        for record in records:
            identity = record.get("userIdentity") or {}
            if identity.get("type") != "AssumedRole":
                continue
            network = (identity.get("arn", ""), record.get("sourceIPAddress", ""), record.get("vpcEndpointId", ""))
            time = record["eventTime"]
            seen = sessions.get(network)
            if seen is None:
                seen = sessions[network] = {"first": time, "last": time, "events": set(), "keys": set(), "calls": set()}
            seen["first"] = min(seen["first"], time)
            seen["last"] = max(seen["last"], time)
            seen["events"].add(record.get("eventID"))
            seen["keys"].add(identity.get("accessKeyId"))
            seen["calls"].add((record.get("eventSource"), record.get("eventName")))
    arns = {arn for arn, _, _ in sessions if ":assumed-role/aws:ec2-infrastructure/" not in arn}
    print(json.dumps({"sessions": len(arns), "networks": len(sessions)}))


if __name__ == "__main__":
    main(sys.argv[1])
