"""The names AWS gives to things, drawn from a seeded Random.

Every key and id is visibly invented: it carries `EXAMPLE` wherever its form leaves room.
"""

from random import Random

_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def guid(rng: Random) -> str:
    """A version 4 GUID, as in eventID and most requestIDs."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def hexadecimal(rng: Random, digits: int) -> str:
    return f"{rng.getrandbits(4 * digits):0{digits}x}"


def alphanumeric(rng: Random, length: int) -> str:
    return "".join(rng.choices(_ALNUM, k=length))


def base32(rng: Random, length: int) -> str:
    return "".join(rng.choices(_BASE32, k=length))


def access_key(rng: Random) -> str:
    """A temporary key: `ASIA` and 16 characters."""
    return f"ASIAEXAMPLE{base32(rng, 9)}"


def role_id(rng: Random) -> str:
    return f"AROAEXAMPLE{base32(rng, 10)}"


def resource_id(rng: Random, kind: str) -> str:
    """`vpc-…`, `eni-…`, `i-…` with the 17 digits in use since 2016."""
    return f"{kind}-0{hexadecimal(rng, 16)}"
