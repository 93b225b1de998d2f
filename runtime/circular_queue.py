# cython: boundscheck=False, wraparound=False
"""The circular queue: what the compiled core has where `collections.deque` stands in the core as it is written.

The methods are a deque's, as far as they are used.  One that takes or puts an item at an end is atomic once compiled,
as a deque's is: it runs no code of others between two of its steps.
"""

from __future__ import annotations

from collections.abc import Iterator

from runtime import primitives

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LEAST = 8  # places, a power of two as all sizes
_MANY = 1024  # places that are not kept when the queue is empty


class CircularQueue:
    """A queue in a list, from *first* on and round its end.

    Args:
        items: what is in it at first.
    """

    __slots__ = ("_count", "_first", "_items", "_mask")

    def __init__(self, items: Any = ()) -> None:
        self._items: list[Any] = [None] * _LEAST
        self._mask = _LEAST - 1  # of a place's number: what comes after the last one is the first one
        self._first = 0
        self._count = 0
        for item in items:
            self.append(item)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        return iter([self._items[(self._first + i) & self._mask] for i in range(self._count)])

    def append(self, item: Any) -> None:
        """Put *item* at the end."""
        if self._count > self._mask:
            self._grow()
        primitives.lay(self._items, (self._first + self._count) & self._mask, item)
        self._count += 1

    def appendleft(self, item: Any) -> None:
        """Put *item* before the first."""
        if self._count > self._mask:
            self._grow()
        self._first = (self._first - 1) & self._mask
        primitives.lay(self._items, self._first, item)
        self._count += 1

    def popleft(self) -> Any:
        """Take the first.

        Raises:
            IndexError: there is none.
        """
        if not self._count:
            raise IndexError("pop from an empty queue")
        item = primitives.lift(self._items, self._first)
        self._first = (self._first + 1) & self._mask
        self._count -= 1
        if self._mask >= _MANY and not self._count:
            self._shrink()
        return item

    def index(self, item: Any) -> int:
        """How many are before *item*.

        Raises:
            ValueError: it is not there.
        """
        for i in range(self._count):
            if self._items[(self._first + i) & self._mask] is item:
                return i
        raise ValueError("not in the queue")

    def remove(self, item: Any) -> None:
        """Take *item* out.

        Raises:
            ValueError: it is not there.
        """
        for i in range(self.index(item), self._count - 1):
            self._items[(self._first + i) & self._mask] = self._items[(self._first + i + 1) & self._mask]
        self._count -= 1
        self._items[(self._first + self._count) & self._mask] = None

    def rotate(self, n: int) -> None:
        """Have the last *n* come first; of a negative *n*, the first come last."""
        for _ in range(-n % self._count if self._count else 0):
            self.append(self.popleft())

    # An allocation may collect garbage, whose finalizers may come back to this queue.

    def _grow(self) -> None:
        while self._count > self._mask:
            size = 2 * (self._mask + 1)
            items: list[Any] = [None] * size
            if self._mask < size and self._count <= size:
                for i in range(self._count):
                    items[i] = self._items[(self._first + i) & self._mask]
                self._items = items
                self._mask = size - 1
                self._first = 0

    def _shrink(self) -> None:
        items: list[Any] = [None] * _LEAST
        if not self._count:
            self._items = items
            self._mask = _LEAST - 1
            self._first = 0
