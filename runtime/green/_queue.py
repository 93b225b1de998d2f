"""``_queue``: a ``SimpleQueue`` whose ``get`` lets others run.

``put`` may be called from a finalizer or a signal handler in the middle of anything, as the original promises: an
append and a wake-up are all it does.
"""

from __future__ import annotations

import _queue
import sys
from collections import OrderedDict, deque
from time import monotonic
from types import GenericAlias

from runtime.hub import get_hub
from runtime.overlay import forward

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.tasklet import Tasklet


class SimpleQueue:
    """Simple, unbounded, reentrant FIFO queue."""

    __slots__ = ("__weakref__", "_getters", "_items")

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._getters: OrderedDict[object, Tasklet] = OrderedDict()  # by a token for each wait

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put *item*; never waits, so *block* and *timeout* are ignored."""
        self._items.append(item)
        self._wake_one()

    def put_nowait(self, item: Any) -> None:
        """`put`."""
        self.put(item)

    def _wake_one(self) -> None:
        try:
            self._getters.popitem(False)[1].wake()
        except KeyError:
            pass

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Remove and return the first item, waiting for one if *block*, up to *timeout* seconds.

        Raises:
            Empty: there was none in time.
            ValueError: *timeout* is negative.
        """
        if block and timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        try:
            return self._items.popleft()
        except IndexError:
            if not block:
                raise _queue.Empty from None
        hub = get_hub()
        me = hub.current
        deadline = None if timeout is None else monotonic() + timeout
        token = object()
        while True:
            self._getters[token] = me
            try:
                if not self._items:
                    hub.park_until(deadline)
            finally:
                woken = self._getters.pop(token, None) is None
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

    __class_getitem__: Any = classmethod(GenericAlias)


SimpleQueue.__module__ = "_queue"

forward(globals(), _queue)
