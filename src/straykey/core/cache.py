"""Remembers what texts were parsed to, but not texts that nobody means: a log may hold them by the megabyte."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar, cast

_P = ParamSpec("_P")
_V = TypeVar("_V")
_LONGEST = 512


def remembered(most: int) -> Callable[[Callable[_P, _V]], Callable[_P, _V]]:
    """`functools.lru_cache` for functions of texts, of so many that are short."""

    def decorated(parse: Callable[_P, _V]) -> Callable[_P, _V]:
        short: Callable[..., _V] = lru_cache(maxsize=most)(parse)

        @wraps(parse)
        def of(*texts: _P.args, **named: _P.kwargs) -> _V:
            for text in (*texts, *named.values()):
                if text is not None and len(cast(Any, text)) > _LONGEST:
                    return parse(*texts, **named)
            return short(*texts, **named)

        return of

    return decorated
