"""One policy document, put to one recorded call after the other.

A call is not known whole: what nobody wrote down is tried with each value that could make a difference, and where
that changes the answer, it is unknown.
"""

import json
from collections.abc import Hashable, Iterable, Iterator
from itertools import product

from msgspec.structs import replace

from straykey.contain.pattern import Gap
from straykey.contain.policy import Answer, Request, Verdict, judge_call, read_policy, scopes_of
from straykey.contain.possible import Choices, choices_of
from straykey.contain.request import TOLD
from straykey.contain.theft import Called, Caller

_SIGN_IN = "signin:"


class Trial:
    """What one document does to calls; equal questions are answered once."""

    def __init__(
        self,
        document: str,
        *,
        is_boundary: bool = False,
        names_principals: bool = False,
        absent: frozenset[str] = frozenset(),
    ) -> None:
        """Read the document.  Raises PolicyError if it is not understood to the letter.

        `absent` are condition keys, in lower case, that no record tells of and that are taken to be absent.
        """
        self._policy = read_policy(document, names_principals=names_principals)
        self._is_boundary = is_boundary
        conditions = [one for statement in self._policy.statements for one in statement.conditions]
        keys = [*(one.key for one in conditions), *(variable.key for one in conditions for variable in one.variables)]
        # The condition keys it asks for: in lower case, and as it writes them.
        self._keys = {key.lower(): key for key in sorted(keys)}
        self._untold = frozenset(self._keys) - TOLD - absent
        self._named = tuple(_texts(json.loads(document)))
        self._known: dict[Hashable, Verdict] = {}
        self._scopes: dict[Hashable, Hashable] = {}  # by action and service

    def verdict(self, request: Request, caller: Caller, called: Called, partition: str) -> Verdict:
        """What the document does to the call, whoever made it: whether it applies to the caller is not asked.

        `request` is what `request_of` made of the call, or a variant of it; `caller` and `called` are asked for what is
        known by halves, such as a key's issue time.
        """
        found = self._answer(request, caller, called, partition)
        # Whether signing in at the console takes a permission at all, no page says.
        is_unsure = found.answer is Answer.DENIED and called.call.startswith(_SIGN_IN)
        return Verdict(Answer.UNKNOWN, ("action",)) if is_unsure else found

    def _answer(self, request: Request, caller: Caller, called: Called, partition: str) -> Verdict:
        # What it does not ask for makes no difference: so most calls are one question.
        context = {key: request.context[key] for key in self._keys.keys() & request.context.keys()}
        context |= dict.fromkeys(self._untold - context.keys(), Gap.UNKNOWN)
        put = replace(request, context=context)
        choices = choices_of(put, caller, called, partition, self._named)
        question = (self._scope(put), put.resources, frozenset(context.items()), tuple(choices.items()))
        if question not in self._known:
            self._known[question] = self._answered(put, choices)
        return self._known[question]

    def _scope(self, put: Request) -> Hashable:
        """The same for all actions between which the policy makes no difference."""
        named = (put.action, put.service)
        if named not in self._scopes:
            self._scopes[named] = scopes_of(self._policy, put)
        return self._scopes[named]

    def _answered(self, request: Request, choices: Choices) -> Verdict:
        """The answer, whichever of these values the call had; unknown where it makes a difference."""
        verdicts = {
            judge_call(
                self._policy,
                replace(request, context={**request.context, **dict(zip(choices, values, strict=True))}),
                boundary=self._is_boundary,
            )
            for values in product(*choices.values())
        }
        if len(verdicts) == 1:
            return verdicts.pop()
        keys = {key for one in verdicts for key in one.keys} | {self._keys[key] for key in choices}
        return Verdict(Answer.UNKNOWN, tuple(sorted(keys)))


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """What several documents do to one call: one that denies is enough."""
    heard = list(verdicts)
    answers = {one.answer for one in heard}
    if Answer.DENIED in answers:
        return Verdict(Answer.DENIED)
    keys = {key for one in heard for key in one.keys}
    return Verdict(Answer.UNKNOWN, tuple(sorted(keys))) if Answer.UNKNOWN in answers else Verdict(Answer.ALLOWED)


def _texts(said: object) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict | list):
        for one in said.values() if isinstance(said, dict) else said:
            yield from _texts(one)
