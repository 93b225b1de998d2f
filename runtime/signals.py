"""Signals and Ctrl-C arrive in the main tasklet, wherever the main OS thread happens to be.

CPython runs a signal's handler in whatever the main thread is executing.  That may be any tasklet, or the hub; a
``KeyboardInterrupt`` raised there would kill a bystander.  So a handler is wrapped: in the main tasklet it runs at
once; otherwise the main tasklet is interrupted where it waits.  A tasklet that spins without ever waiting is
switched away from, once it has shown that it does not wait by itself.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import signal
import sys
from _thread import allocate_lock, get_ident, interrupt_main, start_new_thread
from collections.abc import Callable
from time import sleep
from types import FrameType

from greenlet import getcurrent

from runtime.hub import Hub, existing_hub
from runtime.tracebacks import frames_outward

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Handler = Callable[[int, FrameType | None], Any]

_GRACE = 0.02  # seconds that a tasklet has to reach a wait before the main one is let in by force


class Delivery:
    """A signal handler that runs *handler* in the main tasklet."""

    __slots__ = ("_forcing", "_guard", "handler")

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self._forcing = False
        self._guard = allocate_lock()

    def __call__(self, number: int, frame: FrameType | None) -> Any:
        hub = existing_hub()
        if hub is None:
            return self._run(number, frame)
        if self._forcing:
            self._forcing = False
            self._let_main_in(hub, frame)
            return None
        if hub.current is hub.main and getcurrent() is not hub.greenlet and not _inside(frame):
            return self._run(number, frame)
        main = hub.main
        main.interrupt(lambda: self._run(number, sys._getframe()))
        if getcurrent() is not hub.greenlet:
            start_new_thread(self._insist, (hub, number))
        return None

    def _run(self, number: int, frame: FrameType | None) -> Any:
        try:
            return self.handler(number, next(frames_outward(frame), None))
        finally:
            for end in list(_pauses):
                end()

    def _insist(self, hub: Hub, number: int) -> None:
        """In a thread of its own: see that the main tasklet gets its turn."""
        shield()
        while True:
            sleep(_GRACE)
            if not hub.main.interrupts:
                return
            self._forcing = True
            interrupt_main(number)  # type: ignore[arg-type]  # runs __call__ again, in the main thread

    def _let_main_in(self, hub: Hub, frame: FrameType | None) -> None:
        if not hub.main.interrupts or _inside(frame) or getcurrent() is hub.greenlet:
            return
        if hub.current is hub.main:
            hub.main.deliver()
        else:
            hub.overdue = (
                False  # the one that spins was; the main one must not give way to it at its next lock
            )
            hub.current.wake()
            hub.park()


_pauses: list[Callable[[], object]] = []  # called when a handler has run
_OUTSIDE = ("runtime.files", "runtime.green.", "runtime.pipes", "runtime.standard_", "runtime.workers")


def _inside(frame: FrameType | None) -> bool:
    """Whether *frame* is the scheduler's own: raising there, or switching, would lose somebody.

    Counterparts are not: with nobody else to run they make the plain call, and a handler may end that.
    """
    name = "" if frame is None else frame.f_globals.get("__name__", "")
    return name.startswith("runtime.") and not name.startswith(_OUTSIDE)


def wrap(handler: Any) -> Any:
    """The handler to install for *handler*; constants and None are themselves."""
    return Delivery(handler) if callable(handler) and not isinstance(handler, (int, Delivery)) else handler


def unwrap(handler: Any) -> Any:
    """What was wrapped."""
    return handler.handler if isinstance(handler, Delivery) else handler


def pause(hub: Hub) -> None:
    """Let others run until a handler has run, whoever set it."""
    me = hub.current
    ran = False

    def end() -> None:
        nonlocal ran
        ran = True
        me.wake()

    _pauses.append(end)
    try:
        if hub.thread == _main_thread:
            _notice_foreign()
        while not ran:
            hub.park()
    finally:
        _pauses.remove(end)
        if not _pauses:
            _forget_foreign()


_foreign: dict[int, Delivery] = {}  # around handlers that unconverted code has set, while somebody pauses


def _notice_foreign() -> None:
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        delivery = wrap(handler)
        if delivery is not handler:
            signal.signal(number, delivery)
            _foreign[number] = delivery


def _forget_foreign() -> None:
    while _foreign:
        number, delivery = _foreign.popitem()
        if signal.getsignal(number) is delivery:
            signal.signal(number, delivery.handler)


_FAULTS = {"SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP"}


def shield() -> None:
    """Have the calling OS thread, one of the runtime's own, take no signal that the program may be waiting for.

    The system hands a signal to any thread that does not block it.  What a thread does to itself (a fault) is not
    blocked.
    """
    _signal.pthread_sigmask(signal.SIG_BLOCK, _SHIELDED)  # `signal` would make enums of them all


_SHIELDED = [int(number) for number in signal.valid_signals() if getattr(number, "name", "") not in _FAULTS]


def take_sigint(hub: Hub) -> None:
    """Have Ctrl-C raise in the main tasklet, unless the program handles it itself.

    Done when the main thread gets its first tasklet, not before: until then the default handler is right, and
    asyncio recognises it.
    """
    if hub.thread != _main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    try:
        signal.signal(signal.SIGINT, Delivery(signal.default_int_handler))
    except ValueError:  # not the main thread of the main interpreter
        pass


def _find_main_thread() -> int:
    import threading

    return threading.main_thread().ident or get_ident()


_main_thread = _find_main_thread()
