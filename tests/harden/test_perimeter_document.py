"""A perimeter's documents as they are sent: each fits, and parliament finds nothing wrong that is not its own lack.

Parliament reads SCPs, RCPs and endpoint policies as any policy: operators, keys, types and principals.  It does not
know what Organizations and VPC endpoints refuse besides, nor declarative policies, which are no policies of IAM's.
"""

import json
import re
import warnings

import pytest

from straykey.contain.policy import read_policy
from straykey.harden.perimeter import ROOM, Artifact, Kind, Level
from tests.conftest import Golden
from tests.harden.emitting import world

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it finds its data with pkg_resources
    import parliament

ARTIFACTS = [(level, one.artifact) for level in Level for one in world(level)[0].rehearsed]
NAMES = [f"{level.value}-{one.kind.value}-{one.role or 'all'}" for level, one in ARTIFACTS]
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html: keys of all services, which
# parliament looks for among those of each.
GLOBAL = re.compile("Unknown condition aws:(ViaAWSService|Ec2InstanceSourcePrivateIPv4) for action .*")


def is_its_lack(finding: parliament.finding.Finding) -> bool:
    return finding.issue == "UNKNOWN_CONDITION_FOR_ACTION" and GLOBAL.fullmatch(finding.detail) is not None


def findings_of(document: str) -> list[parliament.finding.Finding]:
    return [one for one in parliament.analyze_policy_string(document).findings if not is_its_lack(one)]


@pytest.mark.parametrize("level", Level)
def test_documents_are_these(level: Level, golden: Golden) -> None:
    said = [
        {"kind": one.kind.value, "name": one.name, "role": one.role, "document": json.loads(one.document)}
        for of, one in ARTIFACTS
        if of is level
    ]
    golden(f"tests/golden/harden/perimeter.{level.value}.json", json.dumps(said, indent=1) + "\n")


def test_all_kinds_are_among_them() -> None:
    assert {one.kind for _, one in ARTIFACTS} == set(Kind)


@pytest.mark.parametrize("artifact", [one for _, one in ARTIFACTS], ids=NAMES)
def test_parliament_finds_nothing_wrong(artifact: Artifact) -> None:
    assert findings_of(artifact.document) == []


@pytest.mark.parametrize("artifact", [one for _, one in ARTIFACTS], ids=NAMES)
def test_parliament_would_find_what_is_wrong(artifact: Artifact) -> None:
    assert findings_of(artifact.document.replace('"StringNotEquals"', '"StringNtEquals"'))
    assert findings_of(artifact.document.replace('"Resource":"*"', '"Resource":"everything"'))


@pytest.mark.parametrize("artifact", [one for _, one in ARTIFACTS], ids=NAMES)
def test_a_document_fits_and_is_plain(artifact: Artifact) -> None:
    assert len(artifact.document) <= ROOM[artifact.kind]
    assert artifact.document.isascii()
    assert artifact.document == json.dumps(json.loads(artifact.document), separators=(",", ":"))
    names_principals = artifact.kind in (Kind.RCP, Kind.ENDPOINT)
    assert read_policy(artifact.document, names_principals=names_principals).statements


@pytest.mark.parametrize("artifact", [one for _, one in ARTIFACTS], ids=NAMES)
def test_a_principal_is_named_where_one_must_be_and_nowhere_else(artifact: Artifact) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html"""
    statements = json.loads(artifact.document)["Statement"]
    principals = [one.get("Principal") for one in statements]
    expected = "*" if artifact.kind in (Kind.RCP, Kind.ENDPOINT) else None
    assert principals == [expected] * len(statements)
