"""Which names go with what, both ways of growing and shrinking; small, for most things have but one name."""

from collections.abc import Collection, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Index(Generic[K]):
    """Names by key, each once."""

    def __init__(self) -> None:
        self._only: dict[K, str] = {}
        self._several: dict[K, set[str]] = {}

    def add(self, key: K, name: str) -> None:
        several = self._several.get(key)
        if several is not None:
            several.add(name)
        elif self._only.setdefault(key, name) != name:
            self._several[key] = {self._only.pop(key), name}

    def discard(self, key: K, name: str) -> None:
        several = self._several.get(key)
        if several is None:
            if self._only.get(key) == name:
                del self._only[key]
            return
        several.discard(name)
        if len(several) == 1:
            self._only[key] = several.pop()
            del self._several[key]

    def get(self, key: K) -> Collection[str]:
        several = self._several.get(key)
        if several is not None:
            return several
        only = self._only.get(key)
        return () if only is None else (only,)

    def is_shared(self, key: K) -> bool:
        """True if two or more names go with it."""
        return key in self._several
