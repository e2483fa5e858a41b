"""A plan as something to run elsewhere: AWS's command line, a Python program, Terraform.

All three do the plan's calls in its order.  Names and documents come from logs: each language quotes them in its way.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from straykey.contain.plan import Plan
from straykey.contain.python_script import python_script
from straykey.contain.shell_script import shell_script
from straykey.contain.terraform import terraform
from straykey.errors import UsageError

Style = Literal["cli", "python", "terraform"]

_STYLES: Mapping[Style, Callable[[Plan], str]] = {"cli": shell_script, "python": python_script, "terraform": terraform}


def emitted(plan: Plan, style: Style) -> str:
    """The whole file.  Raises UsageError for a plan that cannot be applied, with its first trouble."""
    if plan.troubles:
        first = plan.troubles[0]
        raise UsageError(f"{plan.option.value} cannot be applied: {first.text}", hint=first.hint)
    return _STYLES[style](plan)
