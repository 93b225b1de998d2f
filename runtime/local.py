"""``threading.local`` for tasklets: each one sees its own attributes.

The technique is the one of the standard library's ``_threading_local``: the instance's ``__dict__`` is exchanged for
the current tasklet's before each access, so that properties, slots and subclasses behave as they always do.  The
object owns the dictionaries, so that a value that refers back to it goes with it; a tasklet owns a `Place`, whose
end takes the tasklet's dictionaries out of every object.
"""

from __future__ import annotations

from _thread import RLock
from itertools import count
from weakref import ref

from runtime.hub import get_hub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_numbers = count()


class Place:
    """A tasklet's place in `local` objects: a number that is never used again, and who has something under it."""

    __slots__ = ("keys", "number")

    def __init__(self) -> None:
        self.number = next(_numbers)
        self.keys: list[ref[_Key]] = []

    def __del__(self) -> None:
        for reference in self.keys:
            key = reference()
            if key is not None:
                key.dicts.pop(self.number, None)


class _Key:
    """What one ``local`` owns: the dictionary of each place."""

    __slots__ = ("__weakref__", "args", "dicts", "guard", "kwargs")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args = args
        self.kwargs = kwargs
        self.dicts: dict[int, dict[str, Any]] = {}
        self.guard = RLock()  # two OS threads may use the object at once; nothing waits while it is held

    def open(self, place: Place) -> dict[str, Any]:
        """An empty dictionary for *place*."""
        own = self.dicts[place.number] = {}
        if len(place.keys) > 64 and not len(place.keys) & (len(place.keys) - 1):
            place.keys = [known for known in place.keys if known() is not None]
        place.keys.append(ref(self))
        return own


class local:
    """Attributes of an instance, or of a subclass's instance, differ from tasklet to tasklet."""

    __slots__ = ("__dict__", "_key")
    _key: _Key

    def __new__(cls, /, *args: Any, **kwargs: Any) -> local:
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        self = object.__new__(cls)
        key = _Key(args, kwargs)
        object.__setattr__(self, "_key", key)
        key.open(
            _place()
        )  # __init__ is about to run for this tasklet; for others it runs at their first access
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


def _place() -> Place:
    tasklet = get_hub().current
    place: Place | None = tasklet.locals
    if place is None:
        place = tasklet.locals = Place()
    return place


def _bound(self: local) -> _Held:
    """For a ``with``: inside it *self* has the current tasklet's ``__dict__``."""
    key: _Key = object.__getattribute__(self, "_key")
    place = _place()
    own = key.dicts.get(place.number)
    if own is None:
        own = key.open(place)
        try:
            type(self).__init__(self, *key.args, **key.kwargs)
        except BaseException:
            key.dicts.pop(place.number, None)
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
