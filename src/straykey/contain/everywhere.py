"""The pin, and the same for whatever the thief made with the stolen keys.

His sessions of other roles are denied as far as they were issued before now; new ones he cannot make, as what he made
them with is pinned.  Users, keys and roles are for a person to delete: nobody can tell what else hangs on them.
"""

import shlex
from collections import defaultdict
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from straykey.contain.broad import cutoff_note
from straykey.contain.ground import Draft, Ground, is_role_name, is_session_name, is_user_id
from straykey.contain.pin import about_workload, homes_of, joined, limits_of, notes_of, pinned, unusable, user_id, whose
from straykey.contain.placing import placed, put_unread
from straykey.contain.plan import Option
from straykey.contain.theft import Caller, Created
from straykey.contain.wording import deny, document_of
from straykey.core.network import is_account
from straykey.core.session import parse_session
from straykey.formats.text import bounded

_SHOWN = 200
_OPTION = Option.PIN_EVERYWHERE


def pin_everywhere(ground: Ground) -> Draft:
    """Pin the workload's keys, deny the sessions made with them, list what else was made."""
    heirs = _by_role(ground)
    own = heirs.pop((ground.theft.workload.account, ground.role_name), ())
    placing = placed(ground, _OPTION, _own_document(ground, own))
    # Nothing is read of other roles: whether their inline policies leave room, IAM says when it is asked.
    others = {at: _issued_before(ground, callers) for at, callers in sorted(heirs.items())}
    here = {at: document_of(said) for at, said in others.items() if at[0] == ground.theft.workload.account}
    denies = [replace(ground.denies(_OPTION, document), role=role) for (_, role), document in here.items()]
    homes = homes_of(ground)
    return Draft(
        (placing.deny, *denies),
        # Whatever becomes of the other roles, the stolen key is pinned.
        (*placing.steps, *(replace(put_unread(one), is_optional=True) for one in denies)),
        limits_of(ground, homes),
        (*notes_of(ground, homes), *_notes(ground, heirs), *placing.notes),
        (*_elsewhere(ground, others), *(_by_hand(one) for one in ground.theft.created)),
        (*unusable(ground), *placing.troubles),
        covers=tuple(one.event_id for one in ground.theft.created),
    )


def _by_role(ground: Ground) -> dict[tuple[str, str], tuple[Caller, ...]]:
    """The heirs that are role sessions a policy can name, by account and role; the stolen session is none of them."""
    found: defaultdict[tuple[str, str], list[Caller]] = defaultdict(list)
    for one in ground.theft.heirs:
        if _is_deniable(one) and one.arn != ground.theft.workload.arn:
            found[one.account, one.role].append(one)
    return {at: tuple(callers) for at, callers in found.items()}


def _is_deniable(heir: Caller) -> bool:
    session = parse_session(heir.arn)
    is_named = session is not None and session.role == heir.role and is_session_name(session.name)
    return is_named and is_role_name(heir.role) and is_account(heir.account)


def _own_document(ground: Ground, own: tuple[Caller, ...]) -> str:
    theft = ground.theft
    homes = homes_of(ground)
    by_instance, by_name = about_workload(ground), whose([user_id(ground)])
    # Console sessions bear the stolen session's name but need not name the instance.
    is_renamed = any(one.arn == theft.workload.arn for one in theft.heirs) and by_instance != by_name
    # By its name: keys that others were given for it do not say where they were delivered.
    statements = pinned(by_name, replace(homes, own=False)) if is_renamed else pinned(by_instance, homes)
    if is_renamed and not theft.workload.user_id:
        # The logs do not tell the name's other half: by the instance, it can be rehearsed what becomes of its keys.
        statements += pinned(by_instance, homes, "ByInstance")
    return document_of(*statements, *([_issued_before(ground, own)] if own else ()))


def _issued_before(ground: Ground, heirs: tuple[Caller, ...]) -> dict[str, object]:
    users = sorted({_user_id(one) for one in heirs})
    return deny("MadeByThief", joined(whose(users), {"DateLessThan": {"aws:TokenIssueTime": ground.cutoff}}))


def _user_id(heir: Caller) -> str:
    name = heir.arn.rpartition("/")[2]
    return heir.user_id if is_user_id(heir.user_id) and heir.user_id.endswith(f":{name}") else f"*:{name}"


def _notes(ground: Ground, heirs: Mapping[tuple[str, str], tuple[Caller, ...]]) -> tuple[str, ...]:
    if not heirs:
        return ("The logs show no session of another role that was made with the stolen keys.",)
    return (
        "Of the roles the thief assumed nothing was read: what policy of this name they have, and whether their "
        "inline policies leave room.",
        cutoff_note(ground),
        "Plan once more when this is applied: what the thief made meanwhile is not in it.",
    )


def _elsewhere(ground: Ground, others: Mapping[tuple[str, str], Mapping[str, object]]) -> tuple[str, ...]:
    """Roles of accounts that these credentials do not reach."""
    return tuple(
        f"In account {account}, put this policy on role {role}: {document_of(said)}"
        for (account, role), said in others.items()
        if account != ground.theft.workload.account
    )


def _by_hand(made: Created) -> str:
    """What was made, and what a person does about it."""
    name = made.made.rpartition("/")[2]
    api = made.call.rpartition(":")[2]
    advise = _ADVICE.get(api)
    todo = advise(made, _quoted(name)) if advise else "look what it is good for, and delete it"
    what = bounded(made.made, _SHOWN) or "something the record does not name"
    call, time, account = (bounded(text, _SHOWN) for text in (made.call, made.time, made.account))
    return f"{call} of {time} in {account} gave {what}: {todo}."


def _quoted(text: str) -> str:
    return shlex.quote(bounded(text, _SHOWN)) if text else "NAME"


def _access_key(made: Created, user: str) -> str:
    key = _quoted(made.access_key) if made.access_key else "KEY"
    of = f"--user-name {user} --access-key-id {key}"
    return f"`aws iam update-access-key {of} --status Inactive`, then `aws iam delete-access-key {of}`"


def _user(made: Created, user: str) -> str:
    return (
        f"delete its keys, password and policies, then `aws iam delete-user --user-name {user}`; to begin with, "
        f"`aws iam attach-user-policy --user-name {user} --policy-arn {_deny_all_of(made)}`"
    )


def _deny_all_of(made: Created) -> str:
    partition = made.made.split(":")[1] if made.made.startswith("arn:aws") else "aws"
    return shlex.quote(f"arn:{bounded(partition, _SHOWN)}:iam::aws:policy/AWSDenyAll")


def _password(_: Created, user: str) -> str:
    return f"`aws iam delete-login-profile --user-name {user}`; sessions open in the console go on up to 12 hours"


def _said(text: str) -> Callable[[Created, str], str]:
    return lambda _, name: text.format(name=name)


_SESSION = _said("its role is denied by this plan where the session's name is known; else revoke that role's sessions")
_OF_USER = _said(
    "it lasts up to 36 hours and cannot be revoked; deny the user who asked for it, or delete the key it was asked with"
)

_ADVICE: Mapping[str, Callable[[Created, str], str]] = {
    "AssumeRole": _SESSION,
    "AssumeRoleWithSAML": _SESSION,
    "AssumeRoleWithWebIdentity": _SESSION,
    "AssumeRoot": _said("it lasts 15 minutes and no policy of the account stops it; look what it did"),
    "GetFederationToken": _OF_USER,
    "GetSessionToken": _OF_USER,
    "GetDelegatedAccessToken": _said("look what it is good for; deny the role it stands for"),
    "GetWebIdentityToken": _said("it is used outside AWS, unseen: ask those who accept it"),
    "GetSigninToken": _said("the console it opens is denied by this plan, as it bears the session's name"),
    "CreateAccessKey": _access_key,
    "CreateUser": _user,
    "CreateLoginProfile": _password,
    "UpdateLoginProfile": _said(
        "the thief knows this password now: `aws iam update-login-profile --user-name {name} "
        "--password-reset-required --password NEW`"
    ),
    "CreateServiceSpecificCredential": _said(
        "`aws iam list-service-specific-credentials --user-name {name}`, then delete-service-specific-credential"
    ),
    "UploadSSHPublicKey": _said("`aws iam list-ssh-public-keys --user-name {name}`, then delete-ssh-public-key"),
    "UploadSigningCertificate": _said(
        "`aws iam list-signing-certificates --user-name {name}`, then delete-signing-certificate"
    ),
    "CreateRole": _said(
        "take its policies off, then `aws iam delete-role --role-name {name}`; who assumed it meanwhile?"
    ),
    "UpdateAssumeRolePolicy": _said(
        "`aws iam get-role --role-name {name}` shows whom it trusts now: put back what was"
    ),
    "CreateSAMLProvider": _said("delete it: whoever holds it signs in to any role that trusts it"),
    "CreateOpenIDConnectProvider": _said("delete it: whoever holds it signs in to any role that trusts it"),
    "CreateTrustAnchor": _said("delete it: whoever holds its certificate gets keys of any role that trusts it"),
}
