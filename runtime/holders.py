"""Who holds the native lock that an OS thread is stuck on.

A lock of unconverted code is taken by one tasklet, which then lets others run while it holds it; the next that
wants it stops the OS thread for ever.  The system does not say who holds a lock.  But the one that is stuck has it at
hand, in a variable or as an attribute of an object in one, and so has the one that took it.
"""

from __future__ import annotations

import _thread
from collections.abc import Iterator
from types import FrameType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.hub import Hub

_LOCKS = (_thread.LockType, _thread.RLock)


def find(frame: FrameType, hub: Hub) -> str | None:
    """A sentence that names the tasklet that probably holds a lock *frame* waits for, or None."""
    wanted = {id(lock) for lock in _locks(frame, 2) if _is_held(lock)}
    if not wanted:
        return None
    for tasklet in [hub.main, *hub.tasklets]:
        suspended = tasklet.frame
        if tasklet is hub.current or suspended is None:
            continue
        place: FrameType | None = suspended
        while place is not None:
            own = place.f_globals.get("__name__", "").startswith("runtime")
            if (
                not own and place.f_locals is not place.f_globals
            ):  # a module's top level has everybody's locks at hand
                found = next((lock for lock in _locks(place, 1) if id(lock) in wanted), None)
                if found is not None:
                    where = f"{place.f_code.co_filename}:{place.f_lineno} in {place.f_code.co_qualname}"
                    return f"It may wait for {found!r}, which tasklet {tasklet.name!r} may hold: {where}."
            place = place.f_back
    return None


def _is_held(lock: Any) -> bool:
    return bool(lock.locked()) if hasattr(lock, "locked") else "unlocked" not in repr(lock)


def _locks(frame: FrameType, depth: int) -> Iterator[Any]:
    """Native locks in the variables of *frame* and of the *depth* frames around it, and one step from them."""
    step: FrameType | None = frame
    while step is not None and depth and step.f_locals is not step.f_globals:
        for value in list(step.f_locals.values()):
            if isinstance(value, _LOCKS):
                yield value
                continue
            try:
                inner = list(vars(value).values())
            except TypeError:
                continue
            for attribute in inner:
                if isinstance(attribute, _LOCKS):
                    yield attribute
        step, depth = step.f_back, depth - 1
