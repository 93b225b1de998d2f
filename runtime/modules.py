"""The module objects of counterparts: what a program assigns to one, it assigns to the standard module too.

``http.client._MAXHEADERS = 1000``, ``os.read = traced(os.read)`` and ``mock.patch("socket.getaddrinfo")`` mean the
module, of which a program knows only one; converted and unconverted code, and the classes that both share, see the
same.  Who puts back what was there, whichever of the two it was, has both modules as they were.

What an overlay replaces stands on what it replaces, and the hub wakes up by ``os.read``.  So the first time that
somebody assigns to an overlay, this project's own modules are given a copy of the standard module as it is then, and go
on with that: a wrapper around a counterpart does not come round to itself, and a mock takes nothing from the hub.

What unconverted code assigns to the standard module, a counterpart does not see where it has something of its own.
Nothing here writes to a standard module by itself, nor do the statements of a twin's code.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NOTHING: Any = object()
_ITS_OWN = frozenset(
    f"__{name}__"
    for name in ("class", "doc", "file", "loader", "name", "package", "path", "spec", "warningregistry")
)
_dict: Callable[[ModuleType], dict[str, Any]] = vars(ModuleType)["__dict__"].__get__
_set, _delete = ModuleType.__setattr__, ModuleType.__delattr__
_kept: set[ModuleType] = set()  # standard modules of which we have a copy


class Counterpart(ModuleType):
    """A module that stands for another one, ``plain``; each has a class of its own (`of`).

    ``forwards``: it is an overlay: what it has not it gets from there, by properties that `forward` leaves in the
    class.  ``state``: an overlay of the interpreter's state, on which nothing stands.  ``first``: what was in each of
    the two modules before somebody assigned to it.
    """

    __slots__ = ()
    _plain: ModuleType
    _forwards: bool
    _state: bool
    _first: dict[str, tuple[Any, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> ModuleType:  # type: ignore[misc]
        """``type(os)("name")`` is a module like any other."""
        return ModuleType(*args, **kwargs) if "_plain" in vars(cls) else super().__new__(cls, *args, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self)
        if self._is_internal(name) or _is_counterpart(value):
            kind._uncover(name)
            _set(self, name, value)
            return
        if kind._forwards and not kind._state:
            _keep(kind._plain)
        if self._is_forwarded(name):
            setattr(kind._plain, name, value)
            return
        here = there = value
        first = kind._first.setdefault(name, self._now(name))
        # A setting of a twin is one setting from now on; what an overlay replaces is never the plain module's.
        if (value is first[0] or value is first[1]) and (kind._forwards or callable(value)):
            here, there = kind._first.pop(name)
        _put(self, name, here)
        _put(kind._plain, name, there)

    def __delattr__(self, name: str) -> None:
        kind = type(self)
        if self._is_internal(name):
            _delete(self, name)
        elif self._is_forwarded(name):
            kind._uncover(name)
            delattr(kind._plain, name)
        else:
            kind._first.setdefault(name, self._now(name))
            _delete(self, name)
            if name in _dict(kind._plain):
                delattr(kind._plain, name)

    def _is_internal(self, name: str) -> bool:
        """Whether *name* is the counterpart's own affair: a name that its file uses, and the original does not have."""
        if name in _ITS_OWN:
            return True
        kind = type(self)
        return (
            kind._forwards
            and name not in kind._first
            and name in _dict(self)
            and name not in _dict(kind._plain)
        )

    def _is_forwarded(self, name: str) -> bool:
        kind = type(self)
        return kind._forwards and name not in _dict(self) and name not in kind._first

    def _now(self, name: str) -> tuple[Any, Any]:
        return _dict(self).get(name, _NOTHING), getattr(type(self)._plain, name, _NOTHING)

    @classmethod
    def _uncover(cls, name: str) -> None:
        """Drop the property by which *name* is forwarded."""
        if not name.startswith("__") and isinstance(vars(cls).get(name), property):
            delattr(cls, name)


def _put(module: ModuleType, name: str, value: Any) -> None:
    ours = isinstance(module, Counterpart)
    if value is not _NOTHING:
        (_set if ours else setattr)(module, name, value)
    elif name in _dict(module):
        (_delete if ours else delattr)(module, name)


def _is_counterpart(value: object) -> bool:
    """Whether *value* is bound by the import system, as a part of a counterpart's package."""
    spec = getattr(value, "__spec__", None) if isinstance(value, ModuleType) else None
    return spec is not None and str(spec.name).startswith("runtime.green.")


def _keep(plain: ModuleType) -> None:
    """Have this project's modules go on with *plain* as it is now.

    Those that are there: what stands under a replaced function is imported with it, not when that is called.
    """
    if plain in _kept:
        return
    _kept.add(plain)
    copy = ModuleType(plain.__name__)
    copy.__dict__.update(vars(plain))
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if spec is None or spec.name != name or not name.startswith(("runtime.", "rewriter.")):
            continue
        namespace = _dict(module)
        for key, value in list(namespace.items()):
            if value is plain and key != "__wrapped__":
                namespace[key] = copy


def _shown(plain: ModuleType, module: ModuleType) -> dict[str, Any]:
    return {**vars(plain), **_dict(module)}


def _name_of(plain: ModuleType) -> property:
    """The name of *plain*, until somebody gives the counterpart another one."""
    given: dict[str, Any] = {}

    def get(module: ModuleType) -> Any:
        return given.get("name", plain.__name__)

    def put(module: ModuleType, name: Any) -> None:
        given["name"] = name

    return property(get, put)


def of(plain: ModuleType, *, forwards: bool = False, state: bool = False) -> type[Counterpart]:
    """A class for the counterpart of *plain*.

    Args:
        plain: the standard module.
        forwards: what the counterpart has not, it forwards to *plain*, and it shows that in its ``__dict__``.
        state: *plain* is the interpreter's state.
    """
    namespace: dict[str, Any] = {
        "__module__": "builtins",
        "_plain": plain,
        "_forwards": forwards,
        "_state": state,
        "_first": {},
    }
    if forwards:
        namespace["__dict__"] = property(partial(_shown, plain))
        namespace["__name__"] = _name_of(plain)
    return type("module", (Counterpart,), namespace)
