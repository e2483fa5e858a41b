"""The rival: one query of DuckDB's over the packed files.

    python benchmarks/duckdb_sql.py FOLDER

It does less than a scan, the same as `plain.py`.  Files are read as one JSON text each, and the texts then taken apart:
`read_json` with named columns takes twenty times as long where one object of a file has several megabytes.
"""

import json
import sys

import duckdb

_RECORD = {
    "userIdentity": {"type": "VARCHAR", "arn": "VARCHAR", "accessKeyId": "VARCHAR"},
    "eventTime": "VARCHAR",
    "eventSource": "VARCHAR",
    "eventName": "VARCHAR",
    "eventID": "VARCHAR",
    "sourceIPAddress": "VARCHAR",
    "vpcEndpointId": "VARCHAR",
}
_QUERY = f"""
WITH record AS (
    SELECT unnest(from_json(json -> 'Records', '{json.dumps([_RECORD])}'), recursive := true)
    FROM read_json_objects(? || '/**/*.json.gz', format = 'newline_delimited', maximum_object_size = 67108864)
), network AS (
    SELECT arn, min(eventTime), max(eventTime), count(DISTINCT eventID), count(DISTINCT accessKeyId),
        count(DISTINCT (eventSource, eventName))
    FROM record WHERE "type" = 'AssumedRole'
    GROUP BY arn, sourceIPAddress, vpcEndpointId
)
SELECT count(DISTINCT arn) FILTER (arn NOT LIKE '%:assumed-role/aws:ec2-infrastructure/%'), count(*) FROM network
"""


def main(folder: str) -> None:
    found = duckdb.execute(_QUERY, [folder]).fetchone()
    sessions, networks = found or (0, 0)
    print(json.dumps({"sessions": sessions, "networks": networks}))


if __name__ == "__main__":
    main(sys.argv[1])
