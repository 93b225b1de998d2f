"""`put`, `get` and `task_done` of ``queue.Queue`` where nobody has to wait: one call instead of its layers of Python.

The queue's mutex is held as the standard library's own methods hold it.  Its attributes are documented, and may be
anything: they are looked up each time, in the object's dictionary, which is allowed while its class is as we found it.
Whatever is not plain sailing is left to the library's methods: a class derived from its three; a mutex that is taken,
or is not ours; a full or an empty queue; one that was shut down; a timeout that is refused.

Rejected: a class of ours with the attributes as fields.  Nobody could derive a class from it and from `set`, say.
"""

from __future__ import annotations

from collections import deque

from runtime import core, here, primitives
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
_kinds: dict[type, _Kind] = {}  # the library's three classes
_KEPT = ("queue", "mutex", "not_empty", "not_full", "unfinished_tasks", "maxsize", "is_shutdown")


class _Kind:
    """A class of queues, as it was when somebody looked.

    version: of the class, which changes with it.
    ordinary: the attributes of its objects are in their dictionaries.
    plain: and its items in a deque, one after the other.
    """

    __slots__ = ("kind", "ordinary", "plain", "version")

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.look()

    def look(self) -> None:
        kind: Any = self.kind
        self.plain = kind._put is _append and kind._get is _popleft and kind._qsize is _length
        self.ordinary = (
            kind.__getattribute__ is object.__getattribute__
            and kind.__setattr__ is object.__setattr__
            and not any(name in vars(base) for base in kind.__mro__ for name in _KEPT)
        )
        self.version = primitives.version(kind)


def hasten(namespace: dict[str, Any], original: ModuleType) -> None:
    """Have the class ``Queue`` of the twin of `queue`, whose *namespace* this is, use what is here.

    As written that would be a quarter slower than the library's own methods.
    """
    if core.reason is not None:
        return
    global _append, _popleft, _length, _mutex, _condition
    queue = namespace["Queue"]
    _append, _popleft, _length = queue._put, queue._get, queue._qsize
    threading = namespace["threading"]
    _mutex, _condition = type(threading.Lock()), threading.Condition
    for method in (put, get, task_done):
        name = method.__name__
        own = _own[name] = getattr(queue, name)
        disguise(method, own)
        setattr(queue, name, method)
    for name in ("Queue", "LifoQueue", "PriorityQueue"):
        kind = namespace[name]
        _kinds[kind] = _Kind(kind)


def put(self: Any, item: Any, block: bool = True, timeout: float | None = None) -> None:
    kind = _ordinary(self)
    if kind is not None:
        has = primitives.contents(self)
        mutex = _enter(has)
        if mutex is not None:
            try:
                maxsize = _find(self, has, "maxsize")
                if not has.get("is_shutdown") and (
                    maxsize <= 0 or (_is_in_order(block, timeout) and self._qsize() < maxsize)
                ):
                    items = has.get("queue")
                    if kind.plain and type(items) is deque and "_put" not in has:
                        primitives.push(items, item)
                    else:
                        self._put(item)
                    has["unfinished_tasks"] = _find(self, has, "unfinished_tasks") + 1
                    _notify(_find(self, has, "not_empty"))
                    return
            finally:
                Lock.release(mutex)
    _own["put"](self, item, block, timeout)


def get(self: Any, block: bool = True, timeout: float | None = None) -> Any:
    kind = _ordinary(self)
    if kind is not None:
        has = primitives.contents(self)
        mutex = _enter(has)
        if mutex is not None:
            try:
                items: Any = has.get("queue")
                plain = kind.plain and type(items) is deque and "_get" not in has and "_qsize" not in has
                if _is_in_order(block, timeout) and (items if plain else self._qsize()):
                    item = primitives.pop(items) if plain else self._get()
                    _notify(_find(self, has, "not_full"))
                    return item
            finally:
                Lock.release(mutex)
    return _own["get"](self, block, timeout)


def task_done(self: Any) -> None:
    kind = _ordinary(self)
    if kind is not None:
        has = primitives.contents(self)
        mutex = _enter(has)
        if mutex is not None:
            try:
                unfinished = _find(self, has, "unfinished_tasks") - 1
                if unfinished > 0:
                    has["unfinished_tasks"] = unfinished
                    return
            finally:
                Lock.release(mutex)
    _own["task_done"](self)


def _ordinary(queue: Any) -> _Kind | None:
    """The class of *queue*, if it is one of the library's, and keeps what it has as they did."""
    kind = _kinds.get(type(queue))
    if kind is None:
        return None
    if kind.version != primitives.version(kind.kind):
        kind.look()
    return kind if kind.ordinary else None


def _enter(has: dict[str, Any]) -> Lock | None:
    """Take the mutex of a queue if it is free, and one of ours, and the caller has not run for long."""
    found: Any = has.get("mutex")
    if type(found) is not _mutex:
        return None
    mutex: Lock = found
    hub = here.get_hub()
    return None if hub.overdue or not primitives.take(mutex._state) else mutex


def _find(queue: Any, has: dict[str, Any], name: str) -> Any:
    found = has.get(name)
    return getattr(queue, name) if found is None else found  # which says what is missing, if anything is


def _is_in_order(block: bool, timeout: float | None) -> bool:
    """Whether a wait may be asked for with these."""
    return timeout is None or not block or timeout >= 0


def _notify(condition: Any) -> None:
    if type(condition) is not _condition or primitives.contents(condition).get("_waiters"):
        condition.notify()
