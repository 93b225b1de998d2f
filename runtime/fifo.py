"""An unbounded queue, first in, first out: what ``queue.SimpleQueue`` is in converted code.

``put`` may be called from a finalizer or a signal handler in the middle of anything, as the original promises: an
append and a wake-up are all it does.
"""

from __future__ import annotations

import _queue
import sys
from collections import OrderedDict
from time import monotonic

from runtime import here, primitives
from runtime.strand import Strand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Fifo:
    """Simple, unbounded, reentrant FIFO queue."""

    __slots__ = ("__weakref__", "_getters", "_items")

    def __init__(self) -> None:
        self._items = primitives.queue()
        self._getters: OrderedDict[object, Strand] = OrderedDict()  # by a token for each wait

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put *item*; never waits, so *block* and *timeout* are ignored."""
        self._items.append(item)
        if self._getters:
            self._wake_one()

    def put_nowait(self, item: Any) -> None:
        """`put`."""
        self.put(item)

    def _wake_one(self) -> None:
        try:
            tasklet = self._getters.popitem(False)[1]
        except KeyError:
            return
        tasklet.rouse()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Remove and return the first item, waiting for one if *block*, up to *timeout* seconds.

        Raises:
            Empty: there was none in time.
            ValueError: *timeout* is negative.
        """
        if block and timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        if self._items:
            try:
                return self._items.popleft()
            except IndexError:  # another OS thread was faster
                pass
        if not block:
            raise _queue.Empty
        return self._wait(None if timeout is None else monotonic() + timeout)

    def _wait(self, deadline: float | None) -> Any:
        hub = here.get_hub()
        getters = self._getters
        token = object()
        while True:
            getters[token] = hub.current
            try:
                if not self._items:
                    hub.park_until(deadline)
            finally:
                woken = getters.pop(token, None) is None
                # Woken by a put, and perhaps killed: what is there must not wait for the next put.
                if woken and (len(self._items) > 1 or (self._items and sys.exception() is not None)):
                    self._wake_one()
            try:
                return self._items.popleft()
            except IndexError:
                if deadline is not None and monotonic() >= deadline:
                    raise _queue.Empty from None

    def get_nowait(self) -> Any:
        """`get` without waiting."""
        return self.get(False)

    def empty(self) -> bool:
        return not self._items

    def qsize(self) -> int:
        return len(self._items)
