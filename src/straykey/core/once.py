"""A property that is found out when it is first asked, and then known."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

V_co = TypeVar("V_co", covariant=True)


class once(Generic[V_co]):  # noqa: N801 - used as a decorator, like `property`
    """As `functools.cached_property`, which takes a lock each time until Python 3.12."""

    def __init__(self, find_out: Callable[[Any], V_co]) -> None:
        self._find_out = find_out
        self._name = find_out.__name__
        self.__doc__ = find_out.__doc__

    def __get__(self, instance: Any, owner: type) -> V_co:
        value = self._find_out(instance)
        instance.__dict__[self._name] = value  # found there from now on, before this is asked
        return value
