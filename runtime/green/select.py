"""``select``: ``select()``, ``poll`` and ``epoll`` objects that wait in the hub.

Whoever asks for descriptors first gets what is ready now.  If nothing is, the descriptors go into an epoll set of
their own, and the hub waits for that set's descriptor, which is readable when one of its members is ready.  Where
there is no epoll the wait is a loop of short sleeps.
"""

from __future__ import annotations

import math
import select as _select
from collections.abc import Iterable
from time import monotonic

from runtime import handover
from runtime.backends import READ
from runtime.hub import existing_hub, get_hub
from runtime.overlay import builtin, forward

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HAVE_EPOLL = hasattr(_select, "epoll")
_NAP = 0.005  # seconds, where there is no epoll


def _alone() -> bool:
    """Whether nobody is held up by a plain call; if the caller asks in a loop, others get their turn here."""
    hub = existing_hub()
    if hub is None or not (hub.tasklets or hub.timers):
        return True
    if hub.overdue:
        hub.give_way()
    return False


def _seconds(timeout: Any) -> float | None:
    """A timeout as the C functions take it: a number or None."""
    if timeout is None:
        return None
    if not isinstance(timeout, (int, float)) and not hasattr(timeout, "__index__"):
        raise TypeError("timeout must be a float or None")
    return float(timeout)


class _Wait:
    """Waits for any of some descriptors, until a deadline."""

    def __init__(self, interest: dict[int, int], timeout: float | None) -> None:
        if handover.current is not None:
            handover.current.awaited(interest)
        self._deadline = None if timeout is None else monotonic() + timeout
        self._again = False
        self._set: Any = None
        if _HAVE_EPOLL:
            self._set = _select.epoll()
            for fd, events in interest.items():
                try:
                    self._set.register(fd, events)
                except PermissionError:
                    pass  # a regular file is always ready: the caller has seen so already

    def once(self) -> bool:
        """Wait until one may be ready; False when the time is up."""
        deadline = self._deadline
        if deadline is not None and monotonic() >= deadline:
            return False
        hub = get_hub()
        if self._set is not None and not self._again:
            self._again = hub.wait_fd(self._set.fileno(), READ, deadline)
        else:
            # A set reports hang-ups and errors that nobody asked for, again and again: no spinning on these.
            self._again = False
            nap = monotonic() + _NAP
            hub.sleep(nap if deadline is None else min(nap, deadline))
        return True

    def close(self) -> None:
        if self._set is not None:
            self._set.close()


if _HAVE_EPOLL:
    _FROM_POLL = {
        getattr(_select, "POLL" + name): getattr(_select, "EPOLL" + name)
        for name in ("IN", "PRI", "OUT", "RDNORM", "RDBAND", "WRNORM", "WRBAND", "RDHUP", "MSG", "HUP", "ERR")
        if hasattr(_select, "POLL" + name) and hasattr(_select, "EPOLL" + name)
    }
    _READ, _WRITE, _ERROR = _select.EPOLLIN, _select.EPOLLOUT, _select.EPOLLPRI
else:
    _FROM_POLL = {}
    _READ = _WRITE = _ERROR = 0


def _fileno(source: Any) -> int:
    return source if isinstance(source, int) else source.fileno()


@builtin
def select(
    _: Any, rlist: Iterable[Any], wlist: Iterable[Any], xlist: Iterable[Any], timeout: float | None = None, /
) -> tuple[list[Any], list[Any], list[Any]]:
    """Wait until one or more descriptors are ready for I/O, letting other tasklets run."""
    if _alone():
        return _select.select(rlist, wlist, xlist, timeout)
    seconds = _seconds(timeout)
    if seconds is not None and seconds < 0:
        raise ValueError("timeout must be non-negative")
    rlist, wlist, xlist = list(rlist), list(wlist), list(xlist)
    ready = _select.select(rlist, wlist, xlist, 0)
    if any(ready) or seconds == 0:
        return ready
    interest: dict[int, int] = {}
    for sources, events in ((rlist, _READ), (wlist, _WRITE), (xlist, _ERROR)):
        for source in sources:
            fd = _fileno(source)
            interest[fd] = interest.get(fd, 0) | events
    wait = _Wait(interest, seconds)
    try:
        while wait.once():
            ready = _select.select(rlist, wlist, xlist, 0)
            if any(ready):
                break
        return ready
    finally:
        wait.close()


class _Poll:
    """What `poll` returns; the C type cannot be derived from, so this holds one."""

    _poll: _select.poll
    _interest: dict[int, int]
    _polling: bool

    def __new__(cls) -> _Poll:
        raise TypeError("cannot create 'select.poll' instances")

    def register(self, fd: Any, eventmask: int = 7, /) -> None:
        self._poll.register(fd, eventmask)
        self._interest[_fileno(fd)] = eventmask

    def modify(self, fd: Any, eventmask: int, /) -> None:
        self._poll.modify(fd, eventmask)
        self._interest[_fileno(fd)] = eventmask

    def unregister(self, fd: Any, /) -> None:
        self._poll.unregister(fd)
        self._interest.pop(_fileno(fd), None)

    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
        """Wait up to *timeout* milliseconds (None or negative: for ever) and return what is ready."""
        if self._polling:
            raise RuntimeError("concurrent poll() invocation")
        if _alone():
            return self._poll.poll(timeout)
        milliseconds = _seconds(timeout)
        if milliseconds is not None and milliseconds >= 2**31:
            self._poll.poll(timeout)  # raises OverflowError
        ready = self._poll.poll(0)
        if ready or milliseconds == 0:
            return ready
        if milliseconds is not None:
            milliseconds = None if milliseconds < 0 else math.ceil(milliseconds)
        interest = {
            fd: sum(bit for mask, bit in _FROM_POLL.items() if events & mask)
            for fd, events in self._interest.items()
        }
        wait = _Wait(interest, None if milliseconds is None else milliseconds / 1000)
        self._polling = True
        try:
            while wait.once():
                ready = self._poll.poll(0)
                if ready:
                    break
            return ready
        finally:
            self._polling = False
            wait.close()


_Poll.__module__ = "select"
_Poll.__name__ = _Poll.__qualname__ = "poll"


@builtin
def poll(_: Any) -> _Poll:
    """A polling object; see its methods ``register``, ``modify``, ``unregister`` and ``poll``."""
    self = object.__new__(_Poll)
    self._poll = _select.poll()
    self._interest = {}
    self._polling = False
    return self


if not hasattr(_select, "poll"):
    del poll

if _HAVE_EPOLL:

    class epoll:
        """``select.epoll``; the C type cannot be derived from, so this holds one."""

        def __init__(self, sizehint: int = -1, flags: int = 0) -> None:
            self._epoll = _select.epoll(sizehint, flags)

        @classmethod
        def fromfd(cls, fd: int, /) -> epoll:
            self = cls.__new__(cls)
            self._epoll = _select.epoll.fromfd(fd)
            return self

        @property
        def closed(self) -> bool:
            return self._epoll.closed

        def close(self) -> None:
            hub = existing_hub()
            if hub is not None and not self._epoll.closed:
                watch = hub.watches.get(self._epoll.fileno())
                if watch is not None and not watch.edge:
                    watch.close()
            self._epoll.close()

        def fileno(self) -> int:
            return self._epoll.fileno()

        def register(
            self, fd: Any, eventmask: int = _select.EPOLLIN | _select.EPOLLPRI | _select.EPOLLOUT
        ) -> None:
            self._epoll.register(fd, eventmask)
            if handover.current is not None:
                handover.current.awaited((_fileno(fd),))

        def modify(self, fd: Any, eventmask: int) -> None:
            self._epoll.modify(fd, eventmask)

        def unregister(self, fd: Any) -> None:
            self._epoll.unregister(fd)

        def poll(self, timeout: float | None = None, maxevents: int = -1) -> list[tuple[int, int]]:
            """Wait up to *timeout* seconds (None or negative: for ever) and return what is ready."""
            if _alone():
                return self._epoll.poll(timeout, maxevents)
            seconds = _seconds(timeout)
            ready = self._epoll.poll(0, maxevents)
            if ready or seconds == 0:
                return ready
            deadline = None if seconds is None or seconds < 0 else monotonic() + seconds
            hub = get_hub()
            while True:
                timed_out = not hub.wait_fd(self._epoll.fileno(), READ, deadline)
                ready = self._epoll.poll(0, maxevents)
                if ready or timed_out:
                    return ready

        def __enter__(self) -> epoll:
            if self._epoll.closed:
                raise ValueError("I/O operation on closed epoll object")
            return self

        def __exit__(self, *exc: object) -> None:
            self.close()


forward(globals(), _select)
