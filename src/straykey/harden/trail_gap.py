"""What the settings of an account's trails leave out.

PutEventSelectors replaces all selectors of a trail.  So each command carries what the trail has, what the commands
before it add, and one thing more: run in order, none takes back another, and `Gap.adds` says what all of it is.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from straykey.formats.text import bounded
from straykey.harden import selector
from straykey.harden.blindness import Blind, Gap, Sign
from straykey.harden.command import Argv, aws
from straykey.harden.posture import Posture, Selector, Trail
from straykey.harden.selector import CATEGORY, DATA, MANAGEMENT, NETWORK, READ_ONLY, SOURCE, TYPE, Takes, takes

_Event = Mapping[str, str]

_LEADER = {"aws": "us-east-1"}  # where the global services' events of a partition land
BUCKET = "YOUR-LOG-BUCKET"  # no bucket can be called that
_READ = {CATEGORY: MANAGEMENT, READ_ONLY: "true", SOURCE: "sts.amazonaws.com"}
_WRITE = {CATEGORY: MANAGEMENT, READ_ONLY: "false", SOURCE: "ec2.amazonaws.com"}
_EXCLUDABLE = {
    "kms.amazonaws.com": "what was decrypted",
    "rdsdata.amazonaws.com": "what was asked of databases through their API",
}
_DATA = {
    "AWS::S3::Object": "GetObject, PutObject and DeleteObject of S3: what was copied, overwritten or deleted",
    "AWS::Lambda::Function": "Invoke of Lambda: what was run",
    "AWS::DynamoDB::Table": "GetItem, Query and Scan of DynamoDB: what was read out",
}
# Those that had network activity events first; there may be more by now.
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-network-events-with-cloudtrail.html
_NETWORKED = ("cloudtrail", "ec2", "kms", "s3", "secretsmanager")
_COPY = "CloudTrail charges for every copy of management events but the first in each region"
_PER_EVENT = (
    "CloudTrail charges for each such event, and a busy resource makes millions: select those that matter, by "
    "resources.ARN, where all are too many"
)


class _Found(msgspec.Struct, frozen=True):
    """A gap, and the selectors that would close it."""

    gap: Gap
    trail: Trail | None = None
    wanted: tuple[Selector, ...] = ()


def trail_gaps(posture: Posture, acting: Iterable[str] = ()) -> tuple[Gap, ...]:
    """Of an account whose trails were read; of one whose were not, nothing is said.

    `acting` are regions where its sessions were seen to act, besides those the posture was asked for.
    """
    if posture.trails is None:
        return ()
    if not posture.trails:
        return (_no_trail(posture),)
    found = [one for trail in posture.trails for one in _of_trail(trail, posture)]
    found = _mended_once(found, posture)
    found += [_Found(one) for one in (*_regions(posture, posture.trails, acting), *_organization(posture))]
    order = list(Blind)
    # What no other trail records comes first: it is what must be mended.
    found.sort(key=lambda one: (bool(one.gap.covered_by), order.index(one.gap.blind)))
    return tuple(_with_commands(found))


def _mended_once(found: list[_Found], posture: Posture) -> list[_Found]:
    """What several trails leave out is mended in the best of them: a second copy is only paid for."""
    kept = []
    for one in found:
        alike = [other for other in found if other.wanted and other.gap.mend == one.gap.mend]
        rivals = {other.trail.arn: other.trail for other in alike if other.trail and not other.gap.covered_by}
        if one.trail is None or one.trail.arn not in rivals:
            kept.append(one)
            continue
        best = max(sorted(rivals.values(), key=lambda trail: trail.arn), key=_worth)
        if best is one.trail:
            also = tuple(
                sorted(trail.name for trail in rivals.values() if trail is not best and _stands_in(best, trail))
            )
            kept.append(replace(one, gap=replace(one.gap, also=also)))
        elif not _stands_in(best, one.trail):
            kept.append(one)
    return kept


def _worth(trail: Trail) -> tuple[bool, bool, bool]:
    return trail.is_logging is not False, trail.is_multi_region, takes(trail, _WRITE) is Takes.ALL


def _stands_in(trail: Trail, other: Trail) -> bool:
    """Whether it is there wherever the other is."""
    return trail.is_multi_region or (not other.is_multi_region and trail.home_region == other.home_region)


def _with_commands(found: Iterable[_Found]) -> Iterator[Gap]:
    """Each command with all that those before it add to the same trail."""
    so_far: dict[str, list[Selector]] = defaultdict(list)
    for one in found:
        trail = one.trail
        before = selector.selectors_of(trail) if trail and one.wanted else None
        if trail is None or before is None:
            yield one.gap
            continue
        added = so_far[trail.arn]
        added += [wanted for wanted in one.wanted if wanted not in added]
        command = _put(trail, selector.with_all(before, added))
        yield replace(one.gap, command=command, adds=tuple(wanted.name for wanted in added))


def _no_trail(posture: Posture) -> Gap:
    where = ("--is-multi-region-trail", "--include-global-service-events")
    return Gap(
        Blind.NO_TRAIL,
        Sign.SETTING,
        posture.account,
        unseen="anything older than the 90 days of event history, and of it no data events",
        mend=f"create a trail for all regions; {BUCKET} is a bucket whose policy lets CloudTrail write",
        command=_cloudtrail("create-trail", "", "--name", "straykey", "--s3-bucket-name", BUCKET, *where),
        owner=posture.account,
    )


def _cloudtrail(operation: str, region: str, *said: str) -> Argv:
    return aws("cloudtrail", operation, region, *said)


def _put(trail: Trail, selectors: Sequence[Selector]) -> Argv:
    said = json.dumps(selector.as_said(selectors), separators=(",", ":"))
    which = ("--trail-name", trail.arn, "--advanced-event-selectors", said)
    return _cloudtrail("put-event-selectors", trail.home_region, *which)


def _of_trail(trail: Trail, posture: Posture) -> Iterator[_Found]:
    for gap in (*_not_working(trail, posture), *_global(trail, posture)):
        yield _Found(gap)
    if selector.selectors_of(trail) is not None:
        yield from _management(trail, posture)
        yield from _data(trail, posture)
        yield from _network(trail, posture)


def _gap(trail: Trail, posture: Posture, blind: Blind, unseen: str, mend: str) -> Gap:
    owner = trail.arn.split(":")[4]
    return Gap(blind, Sign.SETTING, posture.account, unseen, mend, trail=trail.name, owner=owner)


def _others(trail: Trail, posture: Posture) -> list[Trail]:
    """Those that log wherever this one does."""
    return [
        one
        for one in posture.trails or ()
        if one.arn != trail.arn and one.is_logging is not False and _stands_in(one, trail)
    ]


def _taken_by(trail: Trail, posture: Posture, probes: Iterable[_Event]) -> tuple[str, ...]:
    """The others that record all of these."""
    events = list(probes)
    others = _others(trail, posture)
    return tuple(one.name for one in others if all(takes(one, event) is Takes.ALL for event in events))


def _not_working(trail: Trail, posture: Posture) -> Iterator[Gap]:
    others = tuple(one.name for one in _others(trail, posture))
    if trail.is_logging is False:
        gap = _gap(trail, posture, Blind.NOT_LOGGING, "anything: the trail does not log", "start its logging")
        start = _cloudtrail("start-logging", trail.home_region, "--name", trail.arn)
        yield replace(gap, command=start, covered_by=others)
    if trail.delivery_error:
        unseen = f"what it could not deliver ({bounded(trail.delivery_error, 80)})"
        mend = "let CloudTrail write to the trail's bucket: its policy, its key, or a bucket that is gone"
        yield replace(_gap(trail, posture, Blind.NOT_DELIVERING, unseen, mend), covered_by=others)


def _global(trail: Trail, posture: Posture) -> Iterator[Gap]:
    if _sees_global(trail, posture):
        return
    unseen = (
        "calls of global services: IAM, and STS at its global endpoint; so neither users, keys and policies that a "
        "thief makes, nor roles assumed there"
    )
    said = ("--name", trail.arn, "--is-multi-region-trail", "--include-global-service-events")
    yield replace(
        _gap(trail, posture, Blind.GLOBAL, unseen, "let the trail record all regions and global services"),
        command=_cloudtrail("update-trail", trail.home_region, *said),
        covered_by=tuple(one.name for one in _others(trail, posture) if _sees_global(one, posture)),
    )


def _sees_global(trail: Trail, posture: Posture) -> bool:
    leader = _LEADER.get(posture.partition, trail.home_region)
    return trail.has_global_events and (trail.is_multi_region or trail.home_region == leader)


def _management(trail: Trail, posture: Posture) -> Iterator[_Found]:
    read, write = takes(trail, _READ), takes(trail, _WRITE)
    if Takes.ALL not in (read, write):
        unseen = "management events at all: neither issued keys, nor granted addresses, nor what a thief makes"
        yield _managing(trail, posture, Blind.MANAGEMENT, unseen, (_READ, _WRITE))
    elif read is not Takes.ALL:
        unseen = (
            "reading calls, AssumeRole among them: not which keys EC2 issued, so sessions are adopted with less "
            "confidence; not a thief who only looks around"
        )
        yield _managing(trail, posture, Blind.READ, unseen, (_READ,))
    elif write is not Takes.ALL:
        unseen = (
            "writing calls: not the addresses an instance is granted, so honest changes look stray; not what a thief "
            "makes"
        )
        yield _managing(trail, posture, Blind.WRITE, unseen, (_WRITE,))
    excluded = [one for one in _EXCLUDABLE if not any(takes(trail, event) for event in _halves(_of_source(one)))]
    if excluded and Takes.ALL in (read, write):
        unseen = "; ".join(f"calls of {one}: {_EXCLUDABLE[one]}" for one in excluded)
        probes = [event for one in excluded for event in _halves(_of_source(one))]
        yield _managing(trail, posture, Blind.EXCLUDED, unseen, probes)


def _of_source(source: str) -> _Event:
    return {CATEGORY: MANAGEMENT, SOURCE: source}


def _halves(event: _Event) -> list[_Event]:
    """Reading, and writing."""
    return [{**event, READ_ONLY: half} for half in ("true", "false")]


def _managing(trail: Trail, posture: Posture, blind: Blind, unseen: str, probes: Iterable[_Event]) -> _Found:
    mend = "let the trail record all management events, reading and writing, of all sources"
    gap = replace(
        _gap(trail, posture, blind, unseen, mend),
        cost=_COPY if _others(trail, posture) else "",
        covered_by=_taken_by(trail, posture, probes),
    )
    return _Found(gap, trail, (selector.all_management(),))


def _data(trail: Trail, posture: Posture) -> Iterator[_Found]:
    for kind, unseen in _DATA.items():
        probes = _halves({CATEGORY: DATA, TYPE: kind})
        taken = {takes(trail, one) for one in probes}
        if taken == {Takes.ALL}:
            continue
        part = "" if taken == {Takes.NONE} else " (the trail selects some of it)"
        gap = _gap(trail, posture, Blind.DATA, f"{unseen}{part}", f"let the trail record data events of {kind}")
        covered = _taken_by(trail, posture, probes)
        yield _Found(replace(gap, cost=_PER_EVENT, covered_by=covered), trail, (selector.all_data(kind),))


def _network(trail: Trail, posture: Posture) -> Iterator[_Found]:
    there = _endpoint_services(posture, trail)
    sources = [f"{name}.amazonaws.com" for name in _NETWORKED if name in there]
    missing = [one for one in sources if takes(trail, _on_network(one)) is not Takes.ALL]
    if not missing:
        return
    unseen = (
        f"what is called through your endpoints of {', '.join(missing)} with keys of other accounts, and what their "
        "policies deny (VpceAccessDenied)"
    )
    gap = _gap(trail, posture, Blind.NETWORK, unseen, "let the trail record network activity of these endpoints")
    covered = _taken_by(trail, posture, map(_on_network, missing))
    wanted = tuple(map(selector.all_network, missing))
    yield _Found(replace(gap, cost=_PER_EVENT, covered_by=covered), trail, wanted)


def _on_network(source: str) -> _Event:
    return {CATEGORY: NETWORK, SOURCE: source}


def _endpoint_services(posture: Posture, trail: Trail) -> set[str]:
    regions = [one for one in posture.regions if trail.is_multi_region or one.name == trail.home_region]
    return {gate.endpoint.service.rpartition(".")[2] for region in regions for gate in region.gates or ()}


def _regions(posture: Posture, trails: Sequence[Trail], acting: Iterable[str]) -> Iterator[Gap]:
    """Regions in which no trail of the account records, logging or not."""
    if any(one.is_multi_region for one in trails):
        return
    homes = {one.home_region for one in trails}
    missing = sorted({*(one.name for one in posture.regions), *acting} - homes)
    first = trails[0]
    unseen = f"anything in any region but {', '.join(sorted(homes))}"
    mend = "let one trail record all regions, also those where nothing runs: a thief may choose"
    said = ("--name", first.arn, "--is-multi-region-trail")
    yield replace(
        _gap(first, posture, Blind.REGION, unseen, mend),
        regions=tuple(missing),
        command=_cloudtrail("update-trail", first.home_region, *said),
    )


def _organization(posture: Posture) -> Iterator[Gap]:
    known, trails = posture.organization, posture.trails or ()
    if known is None or not known.id or any(one.is_organization for one in trails):
        return
    said = ("--name", trails[0].arn, "--is-organization-trail")
    is_manager = known.management_account == posture.account
    yield Gap(
        Blind.ORGANIZATION,
        Sign.SETTING,
        posture.account,
        unseen="accounts that join the organization, until somebody gives each a trail; and an account's own "
        "administrator can stop its trail",
        mend=f"make an organization trail in the management account {known.management_account}, with trusted access "
        "for CloudTrail and a bucket whose policy names the organization",
        command=_cloudtrail("update-trail", trails[0].home_region, *said) if is_manager else (),
        owner=known.management_account,
    )
