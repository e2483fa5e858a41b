"""What comes of weighing one session, by itself: what all sessions together make of it is judged later."""

import msgspec

from straykey.core import notice, program
from straykey.core.case import Context, subject_of
from straykey.core.custom import Kit, kit_of
from straykey.core.evidence import Bounds, Evidence
from straykey.core.exfiltration import Strayed, strayed
from straykey.core.finding import Finding
from straykey.core.home import Standing, Verdict, weigh_subject
from straykey.core.workload import INSTANCE


class Outcome(msgspec.Struct, frozen=True):
    """`moves`: those that explained a network, by old and new address.  `services`: findings on services that acted.

    `kit`: what an instance used from home.  None of it holds evidence, but for strays.
    """

    strays: tuple[Strayed, ...]
    moves: tuple[tuple[str, str], ...]
    services: tuple[Finding, ...]
    kit: Kit | None

    @property
    def is_of_note(self) -> bool:
        return bool(self.strays or self.moves or self.services)


def outcome_of(evidence: Evidence, context: Context, bounds: Bounds) -> Outcome:
    subject = subject_of(evidence, context)
    verdicts = weigh_subject(subject)
    is_instance = subject.workload is INSTANCE
    services = notice.service_calls(evidence, verdicts, context, bounds) if is_instance and _is_told(context) else ()
    return Outcome(
        strays=tuple(strayed(evidence, verdicts, context)),
        moves=tuple(_moves(verdicts, context)),
        services=tuple(services),
        kit=kit_of(program.at_home(evidence, verdicts, context).agents()) if is_instance else None,
    )


def unrecognized(evidence: Evidence, fine: frozenset[str], context: Context, bounds: Bounds) -> list[Finding]:
    """Findings on the session's programs that are not `fine`."""
    verdicts = weigh_subject(subject_of(evidence, context))
    return list(program.unrecognized(program.at_home(evidence, verdicts, context), fine, context, bounds))


def _is_told(context: Context) -> bool:
    return context.settings.report_service_calls


def _moves(verdicts: list[Verdict], context: Context) -> list[tuple[str, str]]:
    """The moves that explained a network."""
    homes = [one.sighting.network.address for one in verdicts if one.standing is Standing.HOME]
    moved = [one.sighting.network.address for one in verdicts if one.code == "egress-moved"]
    return [(old, new) for new in moved for old in homes if context.fleet.has_moved(old, new)]
