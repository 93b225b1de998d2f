"""``signal``: handlers set by converted code run in the main tasklet; waiting for a signal lets others run.

A pending signal is looked for again and again, in place: only the OS thread that it was sent to can take it, and
taking it is all or nothing, so a tasklet that is killed while it waits has taken none.
"""

from __future__ import annotations

import errno
import os
import signal as _signal
from collections.abc import Callable
from time import monotonic

from runtime import monitor, signals
from runtime.hub import Hub, existing_hub
from runtime.naps import Naps
from runtime.overlay import builtin, forward
from runtime.pipes import busy
from runtime.stacks import frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")

# Constants are copied: they are looked for with ``vars()``, and do not change.
globals().update((name, value) for name, value in vars(_signal).items() if name.isupper())


def signal(signalnum: int, handler: Any) -> Any:
    """Set the action for a signal; returns the previous one."""
    return signals.unwrap(_signal.signal(signalnum, signals.wrap(handler)))


def getsignal(signalnum: int) -> Any:
    """The current action for a signal."""
    return signals.unwrap(_signal.getsignal(signalnum))


def _until_pending(attempt: Callable[[], T | None], deadline: float | None = None) -> T | None:
    naps = Naps(deadline)
    while True:
        found = attempt()
        if found is not None or not naps.take():
            return found


def sigwait(sigset: Any) -> Any:
    """Wait until one of the signals in *sigset* is pending; take it and return its number."""
    if busy() is None:
        return _signal.sigwait(sigset)
    wanted = list(sigset)
    found: Any = _until_pending(lambda: _signal.sigtimedwait(wanted, 0))
    return _signal.Signals(found.si_signo) if found.si_signo in _known else found.si_signo


_known = {int(number) for number in _signal.Signals}


@builtin
def sigwaitinfo(_: Any, sigset: Any, /) -> Any:
    """Wait until one of the signals in *sigset* is pending; take it and return what is known of it."""
    if busy() is None:
        return _signal.sigwaitinfo(sigset)
    wanted = list(sigset)
    return _until_pending(lambda: _signal.sigtimedwait(wanted, 0))


@builtin
def sigtimedwait(_: Any, sigset: Any, timeout: float, /) -> Any:
    """`sigwaitinfo` for *timeout* seconds at most; None when they have passed."""
    if busy() is None or not isinstance(timeout, (int, float)) or not 0 < timeout < 9e9:
        return _signal.sigtimedwait(sigset, timeout)
    wanted = list(sigset)
    return _until_pending(lambda: _signal.sigtimedwait(wanted, 0), monotonic() + timeout)


@builtin
def pause(_: Any) -> None:
    """Wait until a signal's handler has run."""
    hub = busy()
    if hub is None:
        _signal.pause()
    else:
        signals.pause(hub)


@builtin
def pthread_kill(_: Any, thread_id: int, signalnum: int, /) -> None:
    """Send a signal to a thread; to a tasklet's OS thread, if *thread_id* is a tasklet's.

    Raises:
        ProcessLookupError: no thread and no tasklet runs that has this identifier.  The system does not check it, and
            crashes on that of a tasklet that has ended.
    """
    hub = _hub_of(thread_id)
    if hub is None and isinstance(thread_id, int) and thread_id not in (frames() or (thread_id,)):
        raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
    _signal.pthread_kill(thread_id if hub is None else hub.thread, signalnum)


def _hub_of(ident: int) -> Hub | None:
    """The hub in which the tasklet with *ident* runs; None if it is an OS thread's, or nobody's."""
    own = existing_hub()
    for hub in {*monitor.hubs(), *([own] if own is not None else ())}:
        for tasklet in hub.tasklets.copy():
            if tasklet.ident == ident:
                return hub
    return None


if not hasattr(_signal, "sigtimedwait"):
    del sigtimedwait, sigwaitinfo, sigwait
for _name in ("getsignal", "signal", "sigwait"):
    if _name in globals():
        globals()[_name].__module__ = "signal"

forward(globals(), _signal)
