"""From raw records to evidence, verdicts and findings, in one call each."""

import ipaddress
import json
from collections.abc import Iterable

from straykey.core.case import Context
from straykey.core.evidence import Bounds
from straykey.core.finding import Finding
from straykey.core.folding import Folding
from straykey.core.home import Verdict, weigh
from straykey.core.judge import judge
from straykey.core.ledger import PackedLedger
from straykey.core.ranges import AwsRanges, parse_ranges
from straykey.core.reading import decode
from straykey.core.run import Packing
from straykey.core.settings import Settings
from straykey.core.survey import survey
from straykey.pipeline import Period, fold
from tests.records import RawRecord, trail

# An invented AWS: two regions of EC2 in v4 and v6; 203.0.113.0/24 and 192.0.2.0/24 are outside it.
RANGES = parse_ranges(
    json.dumps(
        {
            "syncToken": "1777716000",
            "createDate": "2026-05-02-10-00-00",
            "prefixes": [
                {"ip_prefix": "198.18.0.0/16", "region": "eu-west-1", "service": "AMAZON"},
                {"ip_prefix": "198.18.0.0/16", "region": "eu-west-1", "service": "EC2"},
                {"ip_prefix": "198.19.0.0/16", "region": "us-east-1", "service": "EC2"},
            ],
            "ipv6_prefixes": [
                {"ipv6_prefix": "2001:db8:1000::/40", "region": "eu-west-1", "service": "EC2"},
                {"ipv6_prefix": "2001:db8:2000::/40", "region": "us-east-1", "service": "EC2"},
            ],
        }
    ).encode()
)


def ledger_of(records: Iterable[RawRecord], bounds: Bounds | None = None) -> PackedLedger:
    """A settled ledger of these records, read as one file."""
    folding = Folding(bounds or Bounds(), Packing())
    fold([decode(trail(*records))], folding, Period())
    return folding.ledger()


def findings_of(
    *records: RawRecord, settings: Settings | None = None, ranges: AwsRanges | None = RANGES
) -> list[Finding]:
    return judge(ledger_of(records), settings or Settings(), ranges)


def verdicts_of(
    *records: RawRecord,
    settings: Settings | None = None,
    ranges: AwsRanges | None = RANGES,
    instance: str = "i-0123456789abcdef0",
) -> dict[str, Verdict]:
    """The verdict on each network of one instance's session, by address."""
    verdicts = _verdicts(records, settings or Settings(), ranges, instance)
    return {verdict.sighting.network.address: verdict for verdict in verdicts}


def verdicts_in_order(*records: RawRecord) -> list[Verdict]:
    """The verdicts on the networks of the usual instance's session, in the order of first use."""
    return _verdicts(records, Settings(), RANGES, "i-0123456789abcdef0")


def _verdicts(
    records: Iterable[RawRecord], settings: Settings, ranges: AwsRanges | None, instance: str
) -> list[Verdict]:
    ledger = ledger_of(records)
    context = Context(settings, survey(ledger, settings, ranges), ranges)
    sessions = (evidence for evidence in ledger.sessions.values() if evidence.session.name == instance)
    return [verdict for evidence in sessions for verdict in weigh(evidence, context)]


def trusting(*cidrs: str) -> Settings:
    return Settings(trusted=tuple(ipaddress.ip_network(cidr) for cidr in cidrs))
