"""Denies for a whole role: everything, or all keys issued before now."""

from straykey.contain.ground import Draft, Ground
from straykey.contain.placing import placed, placed_everything
from straykey.contain.plan import Option
from straykey.contain.wording import deny, document_of


def deny_all(ground: Ground) -> Draft:
    """Deny the role everything."""
    placing = placed_everything(ground, Option.DENY_ALL)
    return Draft((placing.deny,), placing.steps, (), (*shared(ground), *placing.notes), (), placing.troubles)


def revoke(ground: Ground) -> Draft:
    """Deny what was issued before the next whole second.

    A name of our own: the console's button overwrites the policy `AWSRevokeOlderSessions`.
    """
    condition = {"DateLessThan": {"aws:TokenIssueTime": ground.cutoff}}
    placing = placed(ground, Option.REVOKE, document_of(deny("IssuedBefore", condition)))
    notes = (*shared(ground), cutoff_note(ground), *placing.notes)
    return Draft((placing.deny,), placing.steps, (), notes, (), placing.troubles)


def cutoff_note(ground: Ground) -> str:
    """What the time of the cut-off means."""
    return (
        f"Keys issued from {ground.cutoff} on work. That is when this was planned, by this machine's clock: keys "
        "issued between then and now are not denied, so apply at once; where the clock is ahead, new keys fail as long."
    )


def shared(ground: Ground) -> tuple[str, ...]:
    """Who else has the role, as far as the account tells."""
    others = ground.account.others if ground.account else ()
    if not others:
        return ()
    shown = ", ".join(others[:3]) + (" …" if len(others) > 3 else "")
    many = "One other instance has" if len(others) == 1 else f"{len(others)} other instances have"
    return (f"{many} this role, and what this breaks is broken there too: {shown}.",)
