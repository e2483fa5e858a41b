"""Does in threads, a little ahead, what is mostly waiting; what comes out keeps the order of what goes in.

Memory stays bounded: so many items wait at most, and they weigh no more than so many bytes, unless one alone does.
The threads are gone when the iterator is at its end or closed.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

THREADS = 16
_MOST = 2 * THREADS
_MOST_BYTES = 64 << 20


def ahead(
    items: Iterable[_Item], work: Callable[[_Item], _Result], weight: Callable[[_Item], int]
) -> Generator[tuple[_Item, _Result], None, None]:
    """Each item with what `work` made of it; `weight` is how many bytes that may hold."""
    waiting: deque[tuple[_Item, Future[_Result]]] = deque()
    held = 0
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            for item in items:
                while waiting and (len(waiting) >= _MOST or held + weight(item) > _MOST_BYTES):
                    first, result = waiting.popleft()
                    held -= weight(first)
                    yield first, result.result()
                waiting.append((item, pool.submit(work, item)))
                held += weight(item)
            while waiting:
                first, result = waiting.popleft()
                yield first, result.result()
        finally:
            pool.shutdown(cancel_futures=True)
