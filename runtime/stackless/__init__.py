"""Stackless Python 3.7's module ``stackless`` on this runtime; `docs/stackless.md` says what differs.

It is what converted code gets for ``import stackless``; other code says ``from runtime import stackless``.

    >>> from runtime import stackless
    >>> channel = stackless.channel()
    >>> sender = stackless.tasklet(channel.send)("hello")
    >>> channel.receive()
    'hello'
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

from runtime.hub import get_hub
from runtime.stackless import callbacks
from runtime.stackless.bomb import bomb
from runtime.stackless.channel import channel
from runtime.stackless.registry import here, rings
from runtime.stackless.tasklet import by_ident, tasklet
from runtime.tasklet import TaskletExit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "TaskletExit",
    "atomic",
    "bomb",
    "channel",
    "current",
    "enable_softswitch",
    "get_channel_callback",
    "get_schedule_callback",
    "get_thread_info",
    "getcurrent",
    "getcurrentid",
    "getdebug",
    "getmain",
    "getruncount",
    "getthreads",
    "getuncollectables",
    "main",
    "run",
    "runcount",
    "schedule",
    "schedule_remove",
    "set_channel_callback",
    "set_error_handler",
    "set_schedule_callback",
    "stackless",
    "switch_trap",
    "tasklet",
    "threads",
]

_CURRENT: Any = object()


# Scheduling.


def run(
    timeout: int = 0,
    threadblock: Any = False,
    soft: Any = False,
    ignore_nesting: Any = False,
    totaltimeout: Any = False,
) -> tasklet | None:
    """Let the other tasklets run until none is left that could; one that waits for I/O could.

    Args:
        timeout: instructions after which a tasklet that has not let others run is interrupted; 0: none is.
        threadblock: with nobody left, wait for another thread to make somebody runnable.
        soft: do not interrupt a tasklet: return at its next switch.
        ignore_nesting: accepted; tasklets can be interrupted at any depth.
        totaltimeout: *timeout* is for all tasklets together.

    Returns:
        The tasklet that was interrupted, which is paused now.

    Raises:
        BaseException: what a tasklet raised.
    """
    if not isinstance(timeout, int):
        raise TypeError(f"an integer is required (got type {type(timeout).__name__})")
    ring = here()
    limit = None
    if timeout > 0 and ring.watchdogs[0] is None:
        from runtime.stackless.watchdog import Limit

        limit = Limit(ring, timeout, soft=bool(soft), total=bool(totaltimeout))
    return ring.run(limit, bool(threadblock))


def schedule(retval: Any = _CURRENT) -> Any:
    """Let every other runnable tasklet run once; returns *retval*, by default the current tasklet."""
    ring = here()
    me = ring.face()
    before, me.tempval = me.tempval, me if retval is _CURRENT else retval
    try:
        return ring.schedule()
    except RuntimeError:
        if me.tempval is not None:
            me.tempval = before
        raise


def schedule_remove(retval: Any = _CURRENT) -> Any:
    """Pause the current tasklet.

    Returns:
        Its `tempval` as it goes on: *retval*, by default itself, unless somebody has changed that.

    Raises:
        RuntimeError: nobody could ever insert it again.
    """
    ring = here()
    me = ring.face()
    before, me.tempval = me.tempval, me if retval is _CURRENT else retval
    ring.leave(me)
    del me, retval
    try:
        return ring.pause()
    except RuntimeError:
        ring.face().tempval = before
        raise


def switch_trap(change: int = 0, /) -> int:
    """Add *change* to the trap's level, and return the old one: while it is not 0, a switch raises RuntimeError."""
    ring = here()
    before = ring.switch_trap
    ring.switch_trap += change
    return before


class atomic:
    """For a ``with``: no limit of `run` interrupts what is inside."""

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = getcurrent().set_atomic(True)

    def __exit__(self, *exc: object) -> None:
        getcurrent().set_atomic(self._before)


def enable_softswitch(flag: Any) -> bool:
    """Whether tasklets are switched without touching the C stack: never; None only asks.

    Raises:
        RuntimeError: *flag* asks for it.
    """
    if flag:
        raise RuntimeError("soft switching is not possible: greenlet switches C stacks")
    return False


# Who and how many.


def getcurrent() -> tasklet:
    """The tasklet that is running."""
    return here().face()


def getmain() -> tasklet:
    """The calling thread's own code."""
    return here().main


def getruncount() -> int:
    """How many tasklets of the calling thread are runnable, the current one and those included that wait for I/O."""
    return here().runcount


def getcurrentid() -> int:
    """A number for the current tasklet; the thread's identifier for a main one."""
    ring = here()
    task = ring.hub.current
    return ring.root.ident if task is ring.root else id(ring.face())


def getthreads() -> list[int]:
    """The identifiers of the threads, that of the main thread first."""
    threading = sys.modules.get("runtime.green.threading") or sys.modules.get("threading")
    found = [] if threading is None else [threading.main_thread().ident, *threading._active]
    found += [ring.root.ident for ring in list(rings.values())] or [get_hub().current.ident]
    return list(dict.fromkeys(found))


def get_thread_info(thread_id: int = -1, /) -> tuple[tasklet | None, tasklet | None, int]:
    """A thread's main tasklet, its current one, and how many are runnable.

    Raises:
        RuntimeError: there is no such thread, or it has not used Stackless.
    """
    ring = by_ident(thread_id)
    if ring is None:
        if thread_id in getthreads():
            return None, None, 0
        raise RuntimeError("Thread id not found")
    return ring.main, ring.latest() if ring.runcount else None, ring.runcount


# Pickling: only what has not started can be pickled, so there is nothing for these flags to decide.

PICKLEFLAGS_PRESERVE_TRACING_STATE = 1
PICKLEFLAGS_PRESERVE_AG_FINALIZER = 2
PICKLEFLAGS_RESET_AG_FINALIZER = 4
_flags = {"default": 0, "thread": 0}


def pickle_flags_default(new_default: int = -1, mask: int = -1) -> int:
    """Set flags about pickles, which have no effect; returns the old ones.

    Raises:
        ValueError: there are no such flags.
    """
    return _change("default", new_default, mask)


def pickle_flags(new_flags: int = -1, mask: int = -1) -> int:
    """As `pickle_flags_default`."""
    return _change("thread", new_flags, mask)


def _change(which: str, new: int, mask: int) -> int:
    before = _flags[which]
    if new != -1:
        if new & ~7 or (mask != -1 and mask & ~7):
            raise ValueError("undefined bits in flags")
        _flags[which] = (before & ~mask) | (new & mask)
    return before


# Callbacks.


def set_schedule_callback(callable: Callable[[Any, Any], object] | None) -> Any:
    """Have ``callable(previous, next)`` called at every switch but those that waiting for I/O makes; None ends that.

    Returns:
        The one before.
    """
    _check_callable(callable, "schedule")
    before, callbacks.scheduling = callbacks.scheduling, callable
    here().previous = None
    return before


def get_schedule_callback() -> Any:
    """The callback of switches."""
    return callbacks.scheduling


def set_channel_callback(callable: Callable[[Any, Any, int, int], object] | None) -> Any:
    """Have ``callable(channel, tasklet, sending, willblock)`` called at every use of a channel; None ends that.

    Returns:
        The one before.
    """
    _check_callable(callable, "channel")
    before, callbacks.channels = callbacks.channels, callable
    return before


def get_channel_callback() -> Any:
    """The callback of channels."""
    return callbacks.channels


def set_error_handler(handler: Callable[[Any, Any, Any], object] | None = None, /) -> Any:
    """Have ``handler(type, value, traceback)`` called, in the tasklet, for an error that leaves it.

    Without one, and for what it raises itself, the error is raised in the main tasklet, or the one that is in `run`.

    Returns:
        The one before.
    """
    before, callbacks.errors = callbacks.errors, handler
    return before


def _check_callable(what: Any, kind: str) -> None:
    if what is not None and not callable(what):
        raise TypeError(f"{kind} callback must be callable")


# For debugging Stackless itself.


def getdebug() -> bool:
    """False: this is no debug build."""
    return False


def getuncollectables() -> list[Any]:
    """Empty: nothing is kept from the garbage collector in a list."""
    return []


class _Module(ModuleType):
    """``stackless.current`` and its like change all the time."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return import_module, (__name__,)

    current = property(lambda self: getcurrent(), doc=getcurrent.__doc__)
    main = property(lambda self: getmain(), doc=getmain.__doc__)
    runcount = property(lambda self: getruncount(), doc=getruncount.__doc__)
    threads = property(lambda self: getthreads(), doc=getthreads.__doc__)
    debug = property(lambda self: getdebug(), doc=getdebug.__doc__)
    uncollectables = property(lambda self: getuncollectables(), doc=getuncollectables.__doc__)


stackless = sys.modules[__name__]
stackless.__class__ = _Module
