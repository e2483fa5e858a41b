"""Options that mean nothing beside what was asked for: who says what has no effect expects one."""

from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

import typer

from straykey.errors import UsageError

LOGS = "logs, named as PATH"
_Asked = TypeVar("_Asked", bound=str)


def one_of(flags: Mapping[_Asked, bool], otherwise: _Asked, *, hint: str) -> _Asked:
    """What is asked for, by the option that asks for it.  Raises `UsageError` where several are."""
    said = [asked for asked, is_so in flags.items() if is_so]
    if len(said) > 1:
        raise UsageError(f"{' and '.join(said)}: one at a time", hint=hint)
    return said[0] if said else otherwise


def refuse(
    context: typer.Context, goes_with: Mapping[str, Collection[str]], there: Collection[str], *, asked: str = ""
) -> None:
    """Raise `UsageError` for an option that was typed though nothing of what it goes with is there.

    `goes_with` has parameters by name; what is not in it goes with everything.  `asked` is the option by which
    something else was asked for, if any.
    """
    for name, option in _said(context):
        wanted = goes_with.get(name, ())
        if wanted and set(wanted).isdisjoint(there):
            told = f"with {asked}" if asked and LOGS not in wanted else "here"
            raise UsageError(f"{option} means nothing {told}", hint=f"it goes with {' or '.join(wanted)}")


def _said(context: typer.Context) -> Iterator[tuple[str, str]]:
    """The options that were typed: by the parameter's name, and as one types them."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name != "DEFAULT":
            yield parameter.name or "", parameter.opts[0]
