"""The classes of file objects: fast ones that override nothing, and a guarded subclass of each, whose methods queue."""

from __future__ import annotations

import _io
from abc import ABCMeta
from collections.abc import Callable, Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.guard import Guard, Side


class Kind(ABCMeta):
    """The class of the file classes: plain instances count as theirs.  ``_plain`` is the plain class of each.

    From ``ABCMeta``, so that a class may be derived from one of them and an abstract one, as from the plain ones.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__call__(*args, **kwargs)
        if isinstance(made, cls):
            cls._join(made, args, kwargs)
        return made

    def __instancecheck__(cls, instance: Any) -> bool:
        plain = vars(cls).get("_plain")
        return super().__instancecheck__(instance) if plain is None else isinstance(instance, plain)

    def __subclasscheck__(cls, subclass: type) -> bool:
        plain = vars(cls).get("_plain")
        return super().__subclasscheck__(subclass) if plain is None else issubclass(subclass, plain)


_READS = ("__next__", "peek", "read", "read1", "readinto", "readinto1", "readline", "readlines")
_WRITES = ("detach", "flush", "reconfigure", "seek", "tell", "truncate", "write", "writelines")


def guarded(kind: Any) -> type:
    """The subclass of *kind*, a file class, whose methods queue."""
    made: type | None = vars(kind).get("_guarded")
    if made is None:
        names = dict.fromkeys(("__doc__", "__module__", "__qualname__"))
        namespace: dict[str, Any] = {name: getattr(kind, name) for name in names}
        namespace.update(__slots__=(), _fast=kind, close=closing(kind.close))
        if not issubclass(kind, _io._RawIOBase):
            text = issubclass(kind, _io.TextIOWrapper)
            for name, writes in _directions():
                if hasattr(kind, name):
                    namespace[name] = _method(name, getattr(kind, name), writes, text)
        made = type(kind)(kind.__name__, (kind,), namespace)
        kind._guarded = made
    return made


def _directions() -> Iterator[tuple[str, bool]]:
    for name in _READS:
        yield name, False
    for name in _WRITES:
        yield name, True


def _method(name: str, fast: Callable[..., Any], writes: bool, text: bool) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard: Guard = self._guard
        side = guard.writing if writes else guard.reading
        took = side.enter(text or not guard.text)
        try:
            return fast(self, *args, **kwargs)
        finally:
            if took:
                side.leave()
                guard.relax()

    method.__name__ = name
    method.__qualname__ = getattr(fast, "__qualname__", name)
    method.__doc__ = fast.__doc__
    return method


def closing(fast: Callable[[Any], None]) -> Callable[[Any], None]:
    """*fast*, the method ``close`` of a file, for a file of which the guard is made: who waits is driven out first."""

    def close(self: Any) -> None:
        guard: Guard = self._guard
        guard.drive_out()
        entered: list[Side] = []
        try:
            for side in guard.sides():
                if side.enter(first=True):
                    entered.append(side)
            fast(self)
        finally:
            for side in entered:
                side.leave()
            guard.relax()

    close.__doc__ = fast.__doc__
    return close
