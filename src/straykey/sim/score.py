"""What a detector claims, held against what really happened.

Any detector can be scored: it says what it claims in plain values.  Scores add up, so worlds may be scored one by one
and in any order.
"""

import ipaddress
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field
from operator import add

from straykey.sim.truth import Change, Theft

QUIET = "quiet sessions"
INFORMATIONAL = "INFORMATIONAL"
AGENT_TYPE = "CredentialAccess:IAMUser/InstanceUserAgent.Unrecognized"
NAME_TYPE = "DefenseEvasion:IAMUser/InstanceSessionName.Spoofed"
MOVE_TYPE = "Discovery:EC2/EgressMoved"
MOVE_KIND = "egress-moved"


@dataclass(frozen=True, slots=True)
class Claim:
    """`keys` were used or made with those used.  A detector that knows no types leaves `type` and `severity` empty."""

    session_arn: str
    address: str
    type: str
    severity: str
    user_agents: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How thefts of one kind fared.

    `type_right`, `severity_right`: found under the right type, and with the right severity too.  `pivots`, `turned`:
    thefts where keys were made, or the thief called first; right if all those keys are named, or no network of the
    victim itself is accused.  `blamed`: networks of robbed sessions that were accused though no thief was there.
    """

    stolen: int = 0
    found: int = 0
    type_right: int = 0
    severity_right: int = 0
    pivots: int = 0
    pivots_right: int = 0
    turned: int = 0
    turned_right: int = 0
    blamed: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(*map(add, astuple(self), astuple(other)))


@dataclass(frozen=True, slots=True)
class Score:
    """One world's result, or that of many.

    `outcomes` by kind of theft and the reason it is excluded, which is mostly empty.  `changes`, `touched` and
    `false_alarms` by kind of benign change: how many there were, how many sessions they touched, and how many alarms
    they raised; `QUIET` stands for the sessions that nothing touched.  `innocent` are those nobody robbed, `accused`
    those of them with a false alarm.  `notices` are informational claims by type, `moves_told` the moves of an egress
    that were told exactly once.
    """

    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    changes: Counter[str] = field(default_factory=Counter)
    touched: Counter[str] = field(default_factory=Counter)
    false_alarms: Counter[str] = field(default_factory=Counter)
    innocent: int = 0
    accused: int = 0
    notices: Counter[str] = field(default_factory=Counter)
    moves: int = 0
    moves_told: int = 0

    def __add__(self, other: "Score") -> "Score":
        kinds = {**self.outcomes, **other.outcomes}
        nothing = Outcome()
        return Score(
            outcomes={k: self.outcomes.get(k, nothing) + other.outcomes.get(k, nothing) for k in kinds},
            changes=self.changes + other.changes,
            touched=self.touched + other.touched,
            false_alarms=self.false_alarms + other.false_alarms,
            innocent=self.innocent + other.innocent,
            accused=self.accused + other.accused,
            notices=self.notices + other.notices,
            moves=self.moves + other.moves,
            moves_told=self.moves_told + other.moves_told,
        )


def score(
    thefts: Sequence[Theft], changes: Sequence[Change], sessions: Iterable[str], claims: Iterable[Claim]
) -> Score:
    """Hold `claims` against the truth of one world; `sessions` are the ARNs of all that a detector might accuse.

    A claim is true of a theft if session and address are the same; where the theft shows in an agent or a name and not
    in an address, if session and type are.  What is claimed of keys that a thief made is true too, but finds nothing
    that was not found.  All else is a false alarm, once for each session, address and type.
    """
    told = list(claims)
    alarms = [claim for claim in told if claim.severity != INFORMATIONAL]
    notices = [claim for claim in told if claim.severity == INFORMATIONAL]
    wrong = list({_about(claim): claim for claim in alarms if not _is_true(claim, thefts)}.values())
    robbed = {theft.session_arn for theft in thefts}
    innocent = set(sessions) - robbed
    result = Score(
        changes=Counter(change.kind for change in changes),
        touched=_touched(changes, innocent),
        innocent=len(innocent),
        accused=len(innocent & {claim.session_arn for claim in wrong}),
        notices=Counter(claim.type for claim in notices),
        moves=sum(change.kind == MOVE_KIND for change in changes),
        moves_told=sum(_is_told_once(change, notices) for change in changes if change.kind == MOVE_KIND),
    )
    for theft in thefts:
        result += Score(outcomes={_row(theft): _outcome(theft, alarms, wrong)})
    for claim in wrong:
        result += _charged(claim, thefts, changes)
    return result


def _outcome(theft: Theft, alarms: Sequence[Claim], wrong: Sequence[Claim]) -> Outcome:
    hits = [claim for claim in alarms if _finds(claim, theft)]
    named = {key for claim in hits for key in claim.keys}
    is_found = bool(hits)
    return Outcome(
        stolen=1,
        found=is_found,
        type_right=any(claim.type == theft.expected_type for claim in hits),
        severity_right=any(claim.severity == theft.expected_severity for claim in hits),
        pivots=bool(theft.made_keys),
        pivots_right=is_found and bool(theft.made_keys) and named.issuperset(theft.made_keys),
        turned=theft.is_turned,
        turned_right=is_found and theft.is_turned and all(claim.session_arn != theft.session_arn for claim in wrong),
    )


def _is_true(claim: Claim, thefts: Iterable[Theft]) -> bool:
    return any(_finds(claim, theft) or _is_tainted(claim, theft) for theft in thefts)


def _finds(claim: Claim, theft: Theft) -> bool:
    if claim.session_arn != theft.session_arn:
        return False
    if theft.expected_type == AGENT_TYPE:
        return claim.type == AGENT_TYPE and _has_agent(claim, theft.user_agent)
    is_named = theft.expected_type == NAME_TYPE and claim.type == NAME_TYPE
    return is_named or _canonical(claim.address) == _canonical(theft.address)


def _has_agent(claim: Claim, agent: str) -> bool:
    """Only S3 writes brackets around an agent."""
    known = [one.strip("[]") for one in claim.user_agents]
    return not agent or not known or agent.strip("[]") in known


def _is_tainted(claim: Claim, theft: Theft) -> bool:
    return bool(claim.keys) and set(claim.keys) <= set(theft.made_keys)


def _charged(claim: Claim, thefts: Sequence[Theft], changes: Sequence[Change]) -> Score:
    """A false alarm, put down to what best explains how it came about."""
    touched = [change for change in changes if claim.session_arn in change.session_arns]
    for change in touched:
        if _canonical(claim.address) in map(_canonical, change.addresses):
            return Score(false_alarms=Counter([change.kind]))
    for theft in thefts:
        if theft.session_arn == claim.session_arn:
            return Score(outcomes={_row(theft): Outcome(blamed=1)})
    return Score(false_alarms=Counter([touched[0].kind if touched else QUIET]))


def _touched(changes: Iterable[Change], innocent: set[str]) -> Counter[str]:
    touched: Counter[str] = Counter()
    quiet = set(innocent)
    for change in changes:
        touched[change.kind] += len(change.session_arns)
        quiet.difference_update(change.session_arns)
    return touched + Counter({QUIET: len(quiet)})


def _is_told_once(change: Change, notices: Iterable[Claim]) -> bool:
    addresses = set(map(_canonical, change.addresses))
    about = [
        claim
        for claim in notices
        if claim.type == MOVE_TYPE
        and (claim.session_arn in change.session_arns or _canonical(claim.address) in addresses)
    ]
    return len(about) == 1


def _row(theft: Theft) -> tuple[str, str]:
    return theft.kind, theft.excluded


def _about(claim: Claim) -> tuple[str, str, str]:
    return claim.session_arn, _canonical(claim.address), claim.type


def _canonical(address: str) -> str:
    """Equal for one address however it is written."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address
