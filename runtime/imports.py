"""A module that is being made by one tasklet is waited for by the others that import it.

The import system's own locks belong to OS threads, so between tasklets of one thread they exclude nobody: while the
top level of a module waits, another tasklet would get it half made.  The import system asks a module's spec whether
it is being made (``_initializing``); in the spec of a converted module stands an object that is true if it is, and
false after having waited until it is not.  The tasklet that makes it sees it half made, as ever with circular imports,
and so does one whose waiting would close a circle of tasklets (the import system decides so for threads).

Rejected: a class of the spec's own whose ``_initializing`` is a property.  To change an object's class there and back
costs a microsecond, which each import would pay.
"""

from __future__ import annotations

import os

from runtime.hub import get_hub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from runtime.tasklet import Tasklet


class Making:
    """A module in the making: by whom (None: no more), and who waits for it."""

    __slots__ = ("owner", "waiters")

    def __init__(self, owner: Tasklet) -> None:
        self.owner: Tasklet | None = owner
        self.waiters: list[Tasklet] = []

    def __bool__(self) -> bool:
        if self.owner is None:
            return False
        hub = get_hub()
        me = hub.current
        if self.owner is me or self._leads_to(me):
            return True
        self.waiters.append(me)
        _awaited[me] = self
        try:
            while self.owner is not None:
                hub.park()
        except BaseException as error:
            # The import system, which is C, swallows what is raised here: let it come with the next wait.
            me.interrupt(error)
            return True
        finally:
            self.waiters.remove(me)
            del _awaited[me]
        return False

    def _leads_to(self, me: Tasklet) -> bool:
        """Whether whoever makes it is *me*, or waits for a module that is made by somebody who is…"""
        making: Making | None = self
        while making is not None and making.owner is not None:
            if making.owner is me:
                return True
            making = _awaited.get(making.owner)
        return False

    def end(self) -> None:
        """Let those go on that wait: the module is made, or has failed."""
        self.owner = None
        _all.discard(self)
        for waiter in self.waiters:
            waiter.wake()


_all: set[Making] = set()
_awaited: dict[Tasklet, Making] = {}  # what each waiting tasklet waits for


def begin(module: ModuleType) -> Making | None:
    """Have *module*, which the import system is about to execute, waited for until `Making.end`.

    None if it is not that which executes it, or if it executes it again.
    """
    spec: Any = getattr(module, "__spec__", None)
    if getattr(spec, "_initializing", None) is not True:
        return None
    making = spec._initializing = Making(get_hub().current)
    _all.add(making)
    return making


def _forked() -> None:
    """In a forked child nobody is left to finish what others were making."""
    me = get_hub().current
    for making in list(_all):
        if making.owner is not me:
            making.owner = None
            _all.discard(making)
    _awaited.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
