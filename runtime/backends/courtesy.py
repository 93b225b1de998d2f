"""Lets other OS threads have the interpreter's lock for long enough, once in a while.

`select`'s methods let it go for as long as the system call takes.  Where something is always ready that is a
microsecond: whoever waits for the lock is woken each time, comes too late, and begins anew the 5 ms after which
CPython would have it insist.  On an idle machine of two cores a call on a worker thread took 1.3 s so, up to 7 s,
beside two tasklets that only yielded.  The compiled core does not need this: it keeps the lock.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep

_ENOUGH = 0.0001  # seconds in which a thread that is woken comes
_PATIENCE = 0.005  # seconds for which nobody else may have had it: CPython's own, sys.getswitchinterval()

TYPE_CHECKING = False
if TYPE_CHECKING:
    Wait = Callable[[float | None], list[tuple[int, int]]]


def courteous(wait: Wait) -> Wait:
    """A backend's *wait*, which then sleeps if none has lasted long enough lately."""
    last = monotonic()

    def wait_and_let_others_in(timeout: float | None) -> list[tuple[int, int]]:
        nonlocal last
        began = monotonic()
        found = wait(timeout)
        now = monotonic()
        if now - began >= _ENOUGH:
            last = now
        elif now - last >= _PATIENCE:
            sleep(
                _ENOUGH
            )  # whether or not anybody waits: who is just being started is not counted by `_thread`
            last = monotonic()
        return found

    return wait_and_let_others_in
