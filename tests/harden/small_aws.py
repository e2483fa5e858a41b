"""As much of AWS's command line as the script of `straykey harden` uses, on boto3: for machines that have it not.

`python small_aws.py SERVICE OPERATION --option VALUE...`; it takes AWS's own words for options, and no others.
"""

import json
import sys
from pathlib import Path
from typing import Any

import boto3
import jmespath  # type: ignore[import-untyped]  # comes with botocore
from botocore import xform_name

PLAIN = {"cli-input-json", "query", "output", "region"}


def options(words: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            found[word[2:]] = []
        else:
            found[list(found)[-1]].append(word)
    return found


def value(shape: Any, words: list[str]) -> Any:
    if shape.type_name == "list":
        return words
    (word,) = words
    return Path(word.removeprefix("file://")).read_text() if word.startswith("file://") else word


def main(service: str, operation: str, *words: str) -> None:
    said = options(list(words))
    client: Any = boto3.client(service, region_name=said.get("region", [None])[0])  # type: ignore[call-overload]
    name = next(one for one in client.meta.service_model.operation_names if xform_name(one, "-") == operation)
    members = client.meta.service_model.operation_model(name).input_shape.members
    known = {xform_name(member, "-"): (member, shape) for member, shape in members.items()}
    given = json.loads(said.get("cli-input-json", ["{}"])[0])
    given |= {known[key][0]: value(known[key][1], some) for key, some in said.items() if key not in PLAIN}
    method = xform_name(name)
    answers: list[Any] = (
        list(client.get_paginator(method).paginate(**given))
        if client.can_paginate(method)
        else [getattr(client, method)(**given)]
    )
    for answer in answers if "query" in said else []:
        found = jmespath.search(said["query"][0], answer)
        sys.stdout.write(("\t".join(found) if isinstance(found, list) else str(found)) + "\n")


main(*sys.argv[1:])
