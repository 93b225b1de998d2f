"""A module that is being made by one tasklet is waited for by the others that import it.

The import system's own locks belong to OS threads, so between tasklets of one thread they exclude nobody: while the
top level of a module waits, another tasklet would get it half made.  The import system asks a module's spec whether
it is being made (``_initializing``); the spec of a converted module answers when it is not, after having waited
if need be.  The tasklet that makes it sees it half made, as ever with circular imports, and so does one
whose waiting would close a circle of tasklets (the import system decides so for threads).
"""

from __future__ import annotations

import os
from importlib.machinery import ModuleSpec as _Plain

from runtime.hub import get_hub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.tasklet import Tasklet


class _Making:
    """A module in the making: by whom, and who waits for it."""

    __slots__ = ("owner", "waiters")

    def __init__(self, owner: Tasklet) -> None:
        self.owner = owner
        self.waiters: list[Tasklet] = []


_making: dict[int, _Making] = {}  # by the id of the spec
_awaited: dict[Tasklet, _Making] = {}  # what each waiting tasklet waits for


class ModuleSpec(_Plain):
    """The spec of a module while it is being made; afterwards its class is the plain one again."""

    @property
    def _initializing(self) -> bool:
        making = _making.get(id(self))
        if making is None:
            return False
        hub = get_hub()
        me = hub.current
        if _leads_to(making, me):
            return True
        making.waiters.append(me)
        _awaited[me] = making
        try:
            while _making.get(id(self)) is making:
                hub.park()
        except BaseException as error:
            # The import system, which is C, swallows what is raised here: let it come with the next wait.
            me.interrupt(error)
            return True
        finally:
            making.waiters.remove(me)
            del _awaited[me]
        return False

    @_initializing.setter
    def _initializing(self, value: bool) -> None:
        if value:
            _making[id(self)] = _Making(get_hub().current)
            return
        making = _making.pop(id(self), None)
        self.__class__ = _Plain  # type: ignore[assignment]
        vars(self)["_initializing"] = False
        if making is not None:
            for waiter in making.waiters:
                waiter.wake()


ModuleSpec.__module__ = _Plain.__module__


def _leads_to(making: _Making, me: Tasklet) -> bool:
    """Whether whoever makes it is *me*, or waits for a module that is made by somebody who is…"""
    next_: _Making | None = making
    while next_ is not None:
        if next_.owner is me:
            return True
        next_ = _awaited.get(next_.owner)
    return False


def share(spec: Any) -> None:
    """Have the module of *spec*, which a finder is about to return, waited for while it is being made."""
    if type(spec) is _Plain:
        vars(spec).pop("_initializing", None)
        spec.__class__ = ModuleSpec


def _forked() -> None:
    """In a forked child nobody is left to finish what others were making."""
    me = get_hub().current
    for key in [key for key, making in _making.items() if making.owner is not me]:
        del _making[key]
    _awaited.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
