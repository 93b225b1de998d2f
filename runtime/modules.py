"""The module objects of counterparts: what a program assigns to one, it assigns to the standard module too.

``time.sleep = fake``, ``http.client._MAXHEADERS = 1000`` and ``mock.patch("os.stat")`` mean the module, of which a
program knows only one.  So converted and unconverted code, and classes that both share, see the same.  Who puts back
what was there before, whichever of the two it was, has both modules as they were.

The reverse does not hold: what unconverted code assigns to the standard module, a counterpart does not see where it
has something of its own.  It does not write to the standard module by itself, nor do the statements of a twin's code.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NOTHING: Any = object()
_dict: Callable[[ModuleType], dict[str, Any]] = vars(ModuleType)["__dict__"].__get__
_set, _delete = ModuleType.__setattr__, ModuleType.__delattr__


class Counterpart(ModuleType):
    """A module that stands for another one, ``_plain``; each has a class of its own (`of`)."""

    _plain: ModuleType
    _forwards: bool
    _first: dict[str, tuple[Any, Any]]  # name -> what was here and there before somebody assigned to it

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self)
        if name.startswith("__") or _is_counterpart(value):
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
        if name.startswith("__"):
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
        return type(self)._forwards and name not in _dict(self) and name not in type(self)._first

    @classmethod
    def _uncover(cls, name: str) -> None:
        """Drop the property by which *name* is forwarded."""
        if isinstance(vars(cls).get(name), property):
            delattr(cls, name)

    def _now(self, name: str) -> tuple[Any, Any]:
        return _dict(self).get(name, _NOTHING), getattr(type(self)._plain, name, _NOTHING)


def _put(module: ModuleType, name: str, value: Any) -> None:
    where: Any = super(Counterpart, module) if isinstance(module, Counterpart) else module
    if value is not _NOTHING:
        where.__setattr__(name, value)
    elif name in _dict(module):
        where.__delattr__(name)


def _is_counterpart(value: object) -> bool:
    """Whether *value* is bound by the import system, as a part of a counterpart's package."""
    spec = getattr(value, "__spec__", None) if isinstance(value, ModuleType) else None
    return spec is not None and str(spec.name).startswith("runtime.green.")


def _shown(plain: ModuleType, module: ModuleType) -> dict[str, Any]:
    own = _dict(module)
    return {name: own.get(name, value) for name, value in vars(plain).items()}


def of(plain: ModuleType, *, forwards: bool = False) -> type[Counterpart]:
    """A class for the counterpart of *plain*.

    Args:
        plain: the standard module.
        forwards: what the counterpart has not, it forwards to *plain*, and it shows that in its ``__dict__``.
    """
    namespace: dict[str, Any] = {
        "__module__": "builtins",
        "_plain": plain,
        "_forwards": forwards,
        "_first": {},
    }
    if forwards:
        namespace["__dict__"] = property(partial(_shown, plain))
        namespace["__name__"] = property(lambda self: plain.__name__)
    return type("module", (Counterpart,), namespace)
