"""What can go wrong that a user can mend.

    StraykeyError
    ├── UsageError     asked for something that is not there or not allowed; exit 2
    ├── SourceError    AWS, or what reaches it, does not let us read anything; exit 2
    ├── ConfigError    the configuration cannot be used; all complaints at once; exit 2
    ├── RangesError    a file of AWS address ranges that is none; exit 2
    ├── StoreError     the store cannot be opened, read or written; exit 2
    ├── ContainError   a containment that cannot be begun, or not gone on with; exit 2
    └── PolicyError    an IAM policy that is not understood to the letter, so not evaluated; exit 2

Input that cannot be read is no error: it is counted by reason, named, and reported at the end.
"""

from collections.abc import Sequence


class StraykeyError(Exception):
    """Says what and where; `hint` says how to mend it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(StraykeyError):
    """The command line asks for something that cannot be done."""


class ConfigError(StraykeyError):
    """What the file, the environment or the command line sets cannot be; `complaints` holds all that is wrong."""

    def __init__(self, complaints: Sequence[str]) -> None:
        listed = "".join(f"\n  {complaint}" for complaint in complaints)
        count = "one thing is wrong" if len(complaints) == 1 else f"{len(complaints)} things are wrong"
        super().__init__(f"configuration: {count}{listed}")
        self.complaints = tuple(complaints)


class SourceError(StraykeyError):
    """Records cannot be read from where they are."""


class RangesError(StraykeyError):
    """The AWS address ranges could not be understood."""


class StoreError(StraykeyError):
    """The store cannot be opened, read or written; what was not committed is as if it had never come."""


class ContainError(StraykeyError):
    """A containment cannot be begun, or not gone on with; says so before anything is changed by it."""


class PolicyError(StraykeyError):
    """An IAM policy has something in it that we do not evaluate; the message names statement and place."""
