"""`put`, `get` and `task_done` of ``queue.Queue`` where nobody has to wait: one call instead of its layers of Python.

The queue's mutex is held as the standard library's own methods hold it, and what a subclass overrides is called.
Whatever is not plain sailing is left to those methods: a mutex that is taken, or is not ours; a full or an empty
queue; one that was shut down; a timeout that is refused.
"""

from __future__ import annotations

from collections import deque

from runtime import here, primitives
from runtime.disguise import disguise
from runtime.lock import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

_own: dict[str, Callable[..., Any]] = {}  # the methods of the class as it was
_append: Any = None  # its `_put`
_popleft: Any = None  # its `_get`
_length: Any = None  # its `_qsize`
_mutex: Any = None  # the class of its lock
_condition: Any = None  # and of what is waited for
_closable = False  # it has `shutdown`


def hasten(namespace: dict[str, Any], original: ModuleType) -> None:
    """Have the class ``Queue`` of the twin of `queue`, whose *namespace* this is, use what is here."""
    global _append, _popleft, _length, _mutex, _condition, _closable
    queue = namespace["Queue"]
    _append, _popleft, _length = queue._put, queue._get, queue._qsize
    threading = namespace["threading"]
    _mutex, _condition, _closable = type(threading.Lock()), threading.Condition, hasattr(queue, "shutdown")
    for method in (put, get, task_done):
        name = method.__name__
        own = _own[name] = getattr(queue, name)
        disguise(method, own)
        setattr(queue, name, method)


def put(self: Any, item: Any, block: bool = True, timeout: float | None = None) -> None:
    mutex = _enter(self)
    if mutex is not None:
        try:
            if not (_closable and self.is_shutdown) and (
                self.maxsize <= 0 or (_is_in_order(block, timeout) and self._qsize() < self.maxsize)
            ):
                add = self._put
                items = self.queue
                if primitives.function_of(add) is _append and type(items) is deque:
                    primitives.push(items, item)
                else:
                    add(item)
                self.unfinished_tasks += 1
                _notify(self.not_empty)
                return
        finally:
            Lock.release(mutex)
    _own["put"](self, item, block, timeout)


def get(self: Any, block: bool = True, timeout: float | None = None) -> Any:
    mutex = _enter(self)
    if mutex is not None:
        try:
            take = self._get
            length = self._qsize
            items = self.queue
            plain = (
                type(items) is deque
                and primitives.function_of(take) is _popleft
                and primitives.function_of(length) is _length
            )
            if _is_in_order(block, timeout) and (items if plain else length()):
                item = primitives.pop(items) if plain else take()
                _notify(self.not_full)
                return item
        finally:
            Lock.release(mutex)
    return _own["get"](self, block, timeout)


def task_done(self: Any) -> None:
    mutex = _enter(self)
    if mutex is not None:
        try:
            unfinished = self.unfinished_tasks - 1
            if unfinished > 0:
                self.unfinished_tasks = unfinished
                return
        finally:
            Lock.release(mutex)
    _own["task_done"](self)


def _enter(queue: Any) -> Lock | None:
    """Take the mutex of *queue* if it is free, and one of ours, and the caller has not run for long."""
    found = queue.mutex
    if type(found) is not _mutex:
        return None
    mutex: Lock = found
    hub = here.get_hub()
    return None if hub.overdue or not primitives.take(mutex._state) else mutex


def _is_in_order(block: bool, timeout: float | None) -> bool:
    """Whether a wait may be asked for with these."""
    return timeout is None or not block or timeout >= 0


def _notify(condition: Any) -> None:
    if type(condition) is not _condition or condition._waiters:
        condition.notify()
