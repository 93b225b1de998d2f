"""When nothing can ever run again, the main tasklet is told who waits for what.

A hub that has nothing ready, no timer and nobody who waits for a descriptor can only be woken from outside.  It is a
deadlock if there is no outside: no other thread in the process (those of extensions count as well: the system is
asked), no worker with a call, and no signal handler but Ctrl-C's own: a program that waits for SIGTERM by
``Event().wait()`` is in order.
"""

from __future__ import annotations

import os
import signal
import sys
from _thread import _count
from collections.abc import Callable
from types import FrameType

from runtime import monitor, workers
from runtime.signals import unwrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.hub import Hub
    from runtime.tasklet import Tasklet

AGAIN = 1.0  # seconds until the next look, while somebody outside may still act
_THREADS = "/proc/self/task"
_HERE = os.path.dirname(__file__) + os.sep
_STDLIB = os.path.dirname(os.__file__) + os.sep
_PACKAGES = os.path.join(_STDLIB, "site-packages") + os.sep


class Deadlock(RuntimeError):
    """Raised in the main tasklet when every tasklet waits for another."""


def look(hub: Hub) -> float | None:
    """*hub* has nothing to do and nothing to wait for: interrupt its main tasklet if it is a deadlock.

    Returns:
        Seconds until the next look; None when nothing changes by itself.
    """
    ours = monitor.running() + workers.idle()
    if _count() > ours:
        return AGAIN
    if _signals():
        return None
    try:
        threads = _threads()
    except OSError:
        return None  # the system does not say
    if threads > 1 + ours:
        return AGAIN
    if hub.ready or _relieved(hub):  # the former by a thread that has woken somebody since, and then ended
        return 0.0
    hub.main.interrupt(Deadlock(_describe(hub)))
    return 0.0


def _threads() -> int:
    """How many OS threads this process has, without those that the kernel keeps for a ring (`runtime.uring`)."""
    numbers = os.listdir(_THREADS)
    return sum(not _kernels(number) for number in numbers) if len(numbers) > 1 else 1


def _kernels(number: str) -> bool:
    try:
        with open(f"{_THREADS}/{number}/comm", "rb") as file:
            return file.read().startswith(b"iou-")
    except OSError:
        return True  # it has ended


def _nobody(hub: Hub) -> bool:
    return False


_relieved: Callable[[Hub], bool] = _nobody


def when_certain(relieve: Callable[[Hub], bool]) -> None:
    """Have ``relieve(hub)`` called before a deadlock is told: True if it has woken somebody who can go on."""
    global _relieved
    _relieved = relieve


def _signals() -> bool:
    """Whether a signal has a handler, other than Ctrl-C's default."""
    for number in signal.valid_signals():
        handler = unwrap(signal.getsignal(number))
        if callable(handler) and not isinstance(handler, int) and handler is not signal.default_int_handler:
            return True
    return False


def _describe(hub: Hub) -> str:
    tasklets = [hub.main, *sorted(hub.tasklets - {hub.main}, key=lambda tasklet: tasklet.ident)]
    lines = [f"every tasklet waits for another ({len(tasklets)} in all):"]
    lines += [f"  {_name(tasklet)} waits {whereabouts(tasklet)}" for tasklet in tasklets[:_SHOWN]]
    if len(tasklets) > _SHOWN:
        lines.append(f"  and {len(tasklets) - _SHOWN} more")
    return "\n".join(lines)


_SHOWN = 50  # tasklets listed at most


def _name(tasklet: Tasklet) -> str:
    """The name of its thread, if it is one of the converted program's."""
    threading = sys.modules.get("runtime.green.threading")
    thread = getattr(threading, "_active", {}).get(tasklet.ident)
    return repr(thread.name if thread is not None else tasklet.name)


def whereabouts(tasklet: Tasklet) -> str:
    """The call that waits, and the line of the program that makes it; its text, where the call has no frame."""
    called: FrameType | None = None
    frame = tasklet.frame
    innermost = frame
    while frame is not None:
        path = frame.f_code.co_filename
        standard = path.startswith((_HERE, "<frozen")) or (
            path.startswith(_STDLIB) and not path.startswith(_PACKAGES)
        )
        if not standard:
            break
        called, frame = frame, frame.f_back
    frame = frame or innermost
    if frame is None:
        return "to be started"
    place = f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}"
    if called is not None:
        return f"in {called.f_code.co_qualname}(), {place}"
    import linecache  # late: what a program has imported is what it sees

    text = linecache.getline(frame.f_code.co_filename, frame.f_lineno, frame.f_globals).strip()
    return f"at {place}: {text}" if text else f"at {place}"
