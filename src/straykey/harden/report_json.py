"""A report and its measures as one JSON document: the contract of docs/harden.md; fields are added, never renamed.

* `level`: `network` or `instance`; `notes`, `unread`: sentences; `spared`: services, by IAM's name, that no endpoint
  leads to; `left_out`: `{kind, account, role}` of those that fit into no document of that kind.
* `sample`: of which calls all numbers of calls in `artifacts` and `needs` are.
* `artifacts`: role policies by account and role, then SCPs, RCPs and endpoint policies.  Each has
  `kind`: `role-policy`, `scp`, `rcp` or `endpoint-policy`; `name`;
  `scope`: `{accounts, role, vpc, endpoints}`, empty where it is not about one;
  `document`: the policy as an object; `size` and `limit`: characters as they are sent, without white space, and how
  many AWS takes; `fits`;
  `rehearsed`: `{home, thief, roles}`, the first two sums, `roles` the same of each role with `account` and `role`.
  A sum is `{of, denied, unknown}`: sampled calls, and what would have become of them.  That of a role has besides
  `by_endpoint`: those of `denied` that an endpoint would save; `hangs_on`: condition keys of what is unknown; `refused`
  and `unsure`: `{call, address, lane, endpoint, endpoint_owner, count}`, most first, the 20 most.
* `needs`: services by VPC: `account`, `region`, `vpc`, `service`, `state` (`there`, `missing`, `none`, `elsewhere`),
  `public` and `inside`: sampled calls; `endpoints`: names of endpoint services; `through`: endpoints in use; `roles`;
  `is_certain`: the account was read.
* `imds`: what leads to IMDSv2, in order: `step`, `text`, `account`; `commands` and `undo`: lists of words for AWS's
  command line; `documents`: `{kind, name, document, size, limit}`; `notes`.  `undo` lacks what was not
  read: note first how it is set.
* `coverage`: what the detector cannot see, the worst of each account first: `blind`, `sign` (`setting` or `records`),
  `account`, `unseen`, `mend`, `trail`, `regions`; `command`: a list of words, empty where there is none; `adds`,
  `owner`, `cost`, `covered_by`, `also`.  There is no undo: note first how the trail is set.
"""

import json
from collections.abc import Iterable, Sequence

import msgspec

from straykey.formats.text import as_json
from straykey.harden.blindness import Gap
from straykey.harden.imds_document import ROOM as DOCUMENT_ROOM
from straykey.harden.imds_document import Document
from straykey.harden.imds_plan import Measure
from straykey.harden.perimeter import ROOM
from straykey.harden.pieces import SAMPLE
from straykey.harden.rehearsal import Count, OfRole, Refused
from straykey.harden.report import Rehearsed, Report


def to_document(report: Report, measures: Sequence[Measure], gaps: Sequence[Gap] = ()) -> str:
    """All of it, in ASCII; what it holds, the module says."""
    whole = {
        "level": report.level.value,
        "notes": list(report.notes),
        "unread": list(report.unread),
        "spared": list(report.spared),
        "left_out": [{"kind": kind, "account": account, "role": role} for kind, account, role in report.left_out],
        "sample": SAMPLE,
        "artifacts": [_artifact(one) for one in report.rehearsed],
        "needs": msgspec.to_builtins(report.needs),
        "imds": [_measure(one) for one in measures],
        "coverage": msgspec.to_builtins(gaps),
    }
    return f"{as_json(whole, indent=2)}\n"


def _artifact(one: Rehearsed) -> dict[str, object]:
    its = one.artifact
    return {
        "kind": its.kind.value,
        "name": its.name,
        "scope": {
            "accounts": list(its.accounts),
            "role": its.role,
            "vpc": its.vpc,
            "endpoints": list(its.endpoints),
        },
        "document": json.loads(its.document),
        "size": len(its.document),
        "limit": ROOM[its.kind],
        "fits": not its.is_too_long,
        "rehearsed": {
            "home": _sum(role.home for role in one.roles),
            "thief": _sum(role.thief for role in one.roles),
            "roles": [_of_role(role) for role in one.roles],
        },
    }


def _sum(counts: Iterable[Count]) -> dict[str, object]:
    some = list(counts)
    return {
        "of": sum(one.calls for one in some),
        "denied": sum(one.denied for one in some),
        "unknown": sum(one.unknown for one in some),
    }


def _of_role(one: OfRole) -> dict[str, object]:
    return {"account": one.account, "role": one.role, "home": _count(one.home), "thief": _count(one.thief)}


def _count(one: Count) -> dict[str, object]:
    return {
        **_sum([one]),
        "by_endpoint": one.by_endpoint,
        "hangs_on": list(one.hangs_on),
        "refused": [_refused(each) for each in one.refused],
        "unsure": [_refused(each) for each in one.unsure],
    }


def _refused(one: Refused) -> dict[str, object]:
    return {
        "call": one.call,
        "address": one.network.address,
        "lane": one.network.lane.value,
        "endpoint": one.network.endpoint,
        "endpoint_owner": one.network.endpoint_owner,
        "count": one.count,
    }


def _measure(one: Measure) -> dict[str, object]:
    return {
        "step": one.step.value,
        "text": one.text,
        "account": one.account,
        "commands": [list(argv) for argv in one.commands],
        "undo": [list(argv) for argv in one.undo],
        "documents": [_document(document) for document in one.documents],
        "notes": list(one.notes),
    }


def _document(one: Document) -> dict[str, object]:
    return {
        "kind": one.kind.value,
        "name": one.name,
        "document": json.loads(one.text),
        "size": len(one.text),
        "limit": DOCUMENT_ROOM[one.kind],
    }
