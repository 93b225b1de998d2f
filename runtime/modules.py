"""The module objects of counterparts, and what becomes of what a program assigns to one.

- To a twin: it is assigned to the standard module too, for ``http.client._MAXHEADERS = 1000`` means the module, of
  which a program knows only one; converted and unconverted code, and the classes that both share, see the same.
  Who puts back what was there, whichever of the two it was, has both modules as they were.
- To an overlay of the interpreter's state (``sys``, ``builtins``, ``logging``): likewise.
- To another overlay: likewise for what it forwards, of which there is only one (``os.getcwd``).  What it replaces
  stands on what it replaces, so ``os.read = traced(os.read)`` in both would call itself for ever, and a test's
  ``mock.patch("os.read")`` would take from the hub what it wakes up by: that is seen by converted code alone.

What unconverted code assigns to the standard module, a counterpart does not see where it has something of its own.
Nothing here writes to a standard module by itself, nor do the statements of a twin's code.
"""

from __future__ import annotations

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


class Counterpart(ModuleType):
    """A module that stands for another one, ``plain``; each has a class of its own (`of`).

    ``forwards``: what it has not it gets from there, by properties that its `forward` leaves in the class.
    """

    __slots__ = ()
    _plain: ModuleType
    _forwards: bool

    def _is_forwarded(self, name: str) -> bool:
        return type(self)._forwards and name not in _dict(self)

    @classmethod
    def _uncover(cls, name: str) -> None:
        """Drop the property by which *name* is forwarded."""
        if not name.startswith("__") and isinstance(vars(cls).get(name), property):
            delattr(cls, name)


class _Apart(Counterpart):
    """What is assigned to something that it replaces stays here; what it forwards is assigned there."""

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self)
        if self._is_forwarded(name) and name not in _ITS_OWN and not _is_counterpart(value):
            setattr(kind._plain, name, value)
        else:
            kind._uncover(name)
            _set(self, name, value)

    def __delattr__(self, name: str) -> None:
        kind = type(self)
        if self._is_forwarded(name):
            kind._uncover(name)
            delattr(kind._plain, name)
        else:
            _delete(self, name)


class _Shared(Counterpart):
    """What is assigned to it is assigned there.  ``_first``: what was in each before."""

    __slots__ = ()
    _first: dict[str, tuple[Any, Any]]

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self)
        if name in _ITS_OWN or _is_counterpart(value):
            kind._uncover(name)
            _set(self, name, value)
        elif self._is_forwarded(name):
            setattr(kind._plain, name, value)
        else:
            here = there = value
            first = kind._first.setdefault(name, self._now(name))
            if value is first[0] or value is first[1]:
                here, there = kind._first.pop(name)
            _put(self, name, here)
            _put(kind._plain, name, there)

    def __delattr__(self, name: str) -> None:
        kind = type(self)
        if name in _ITS_OWN:
            _delete(self, name)
        elif self._is_forwarded(name):
            kind._uncover(name)
            delattr(kind._plain, name)
        else:
            kind._first.setdefault(name, self._now(name))
            _delete(self, name)
            if name in _dict(kind._plain):
                delattr(kind._plain, name)

    def _is_forwarded(self, name: str) -> bool:
        return super()._is_forwarded(name) and name not in type(self)._first

    def _now(self, name: str) -> tuple[Any, Any]:
        return _dict(self).get(name, _NOTHING), getattr(type(self)._plain, name, _NOTHING)


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


def _shown(plain: ModuleType, module: ModuleType) -> dict[str, Any]:
    return {**vars(plain), **_dict(module)}


def of(plain: ModuleType, *, forwards: bool = False, hands_on: bool = True) -> type[Counterpart]:
    """A class for the counterpart of *plain*.

    Args:
        plain: the standard module.
        forwards: what the counterpart has not, it forwards to *plain*, and it shows that in its ``__dict__``.
        hands_on: what is assigned to it is assigned to *plain* too.
    """
    namespace: dict[str, Any] = {"__module__": "builtins", "_plain": plain, "_forwards": forwards}
    if forwards:
        namespace["__dict__"] = property(partial(_shown, plain))
        namespace["__name__"] = property(lambda self: plain.__name__)
    if hands_on:
        return type("module", (_Shared,), namespace | {"_first": {}})
    return type("module", (_Apart,), namespace)


def hands_on(counterpart: ModuleType) -> bool:
    """Whether what is assigned to *counterpart* is assigned to the standard module too."""
    return isinstance(counterpart, _Shared)
