"""Commands for AWS's command line, as words: whoever shows them quotes them."""

import re

Argv = tuple[str, ...]

_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}")
_INSTANCE = re.compile(r"i-[0-9a-f]{8}(?:[0-9a-f]{9})?")


def aws(service: str, operation: str, region: str, *said: str) -> Argv:
    """Without a region, in the one that the command line is set up for."""
    return ("aws", service, operation, *(("--region", region) if region else ()), *said)


def is_region(text: str) -> bool:
    """What is put into a command comes from logs: it must look like what it is."""
    return _REGION.fullmatch(text) is not None


def is_instance(text: str) -> bool:
    return _INSTANCE.fullmatch(text) is not None
