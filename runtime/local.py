"""``threading.local`` for tasklets: each one sees its own attributes.

The technique is the one of the standard library's ``_threading_local``: the instance's ``__dict__`` is exchanged for
the current tasklet's before each access, so that properties, slots and subclasses behave as they always do.  The
dictionaries hang off the tasklets and go with them, or with the object.
"""

from __future__ import annotations

from _thread import RLock
from typing import Any
from weakref import WeakKeyDictionary

from runtime.hub import get_hub


class _Key:
    """Stands for one ``local`` in the tasklets' tables; dies with it."""

    __slots__ = ("__weakref__", "args", "guard", "kwargs")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args = args
        self.kwargs = kwargs
        self.guard = RLock()  # two OS threads may use the object at once; nothing waits while it is held


class local:
    """Attributes of an instance, or of a subclass's instance, differ from tasklet to tasklet."""

    __slots__ = ("__dict__", "_key")
    _key: _Key

    def __new__(cls, /, *args: Any, **kwargs: Any) -> local:
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        self = object.__new__(cls)
        object.__setattr__(self, "_key", _Key(args, kwargs))
        # __init__ is about to run for this tasklet; for others it runs at their first access.
        _table()[object.__getattribute__(self, "_key")] = {}
        return self

    def __getattribute__(self, name: str) -> Any:
        with _bound(self):
            return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "__dict__":
            raise AttributeError(f"{type(self).__name__!r} object attribute '__dict__' is read-only")
        with _bound(self):
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if name == "__dict__":
            raise AttributeError(f"{type(self).__name__!r} object attribute '__dict__' is read-only")
        with _bound(self):
            object.__delattr__(self, name)


def _table() -> WeakKeyDictionary[_Key, dict[str, Any]]:
    tasklet = get_hub().current
    table: WeakKeyDictionary[_Key, dict[str, Any]] | None = tasklet.locals
    if table is None:
        table = tasklet.locals = WeakKeyDictionary()
    return table


def _bound(self: local) -> _Held:
    """For a ``with``: inside it *self* has the current tasklet's ``__dict__``."""
    key: _Key = object.__getattribute__(self, "_key")
    table = _table()
    own = table.get(key)
    if own is None:
        own = table[key] = {}
        try:
            type(self).__init__(self, *key.args, **key.kwargs)
        except BaseException:
            table.pop(key, None)
            raise
    return _Held(key.guard, self, own)


_NOBODY: dict[str, Any] = {}


class _Held:
    """The guard, and the exchange under it."""

    __slots__ = ("_guard", "_local", "_own")

    def __init__(self, guard: RLock, local_: local, own: dict[str, Any]) -> None:
        self._guard = guard
        self._local = local_
        self._own = own

    def __enter__(self) -> None:
        self._guard.acquire()
        object.__setattr__(self._local, "__dict__", self._own)

    def __exit__(self, *exc: object) -> None:
        # What belongs to a tasklet ends with it, not with the next access of another.
        object.__setattr__(self._local, "__dict__", _NOBODY)
        self._guard.release()
