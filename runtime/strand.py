"""The strand: what a hub runs, and how it is woken, interrupted and ended.

The part of a tasklet that the scheduler deals with; what a user sees of it is `runtime.tasklet.Tasklet`.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock
from collections import OrderedDict, deque
from collections.abc import Callable
from contextvars import Context, copy_context
from itertools import count

from greenlet import greenlet

from runtime import here, primitives

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, Self

    from runtime.backends import Backend
    from runtime.hub import Hub
    from runtime.local import Place
    from runtime.tasklet import _Report
    from runtime.thread_state import ThreadState

EMPTY = Context()  # stands for a new context
_numbers = count(1)
_making = (
    RLock()
)  # guards the making of a tasklet's queues; reentrant, since a signal handler may interrupt too


class Inbox:
    """Where the strands of one OS thread go when they are woken: the part of a hub that others may touch.

    Attributes:
        ready: who is to run, in turn.  To append is atomic, so any OS thread may.
        tasklets: started and not finished, without the main one.
        polling: the hub is about to wait, or waits, for its backend.
        backend: what it waits by, and is called by.
    """

    def __init__(self, backend: Backend) -> None:
        self.ready = primitives.queue()
        self.tasklets: set[Any] = set()
        self.polling = False
        self.backend = backend


class Strand:
    """A call with its context, run by the hub of the OS thread that starts it.

    Args:
        function: what to run.
        args: its positional arguments.
        kwargs: its keyword arguments.
        name: for reports; "Tasklet-N" by default.
        daemon: the end of the program does not wait for it.
        context: its ``contextvars`` context; a copy of the maker's by default.  `EMPTY` gives it a new one.
    """

    __slots__ = (
        "__weakref__",
        "_args",
        "_callbacks",
        "_context",
        "_error",
        "_function",
        "_kwargs",
        "_name",
        "_number",
        "_report",
        "_value",
        "daemon",
        "done",
        "greenlet",
        "handling",
        "hub",
        "ident",
        "interrupts",
        "locals",
        "place",
        "scheduled",
        "thread_state",
    )

    hub: Hub  # None before it is started

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        name: str | None = None,
        daemon: bool = False,
        context: Context | None = None,
    ) -> None:
        self._function: Callable[..., Any] | None = function
        self._args = args
        self._kwargs = kwargs or None
        self._context: Context | None  # None: a new one, which the interpreter makes if it is used
        if context is None:
            self._context = copy_context() or None
        else:
            self._context = None if context is EMPTY else context
        self._value: Any = None
        self._error: BaseException | None = None
        self._report: _Report | None = None
        self._callbacks: OrderedDict[object, Callable[[Any], object]] | None = None  # by a token for each
        self._name = name
        self._number = 0 if name else next(_numbers)
        self.daemon = daemon
        self.ident = id(self)
        self.done = False
        self.scheduled = False
        self.greenlet: greenlet | None = None
        self.hub = None  # type: ignore[assignment]
        self.handling = False  # the last interruption was a call, a signal handler's
        self.interrupts: deque[BaseException | Callable[[], object]] | None = None
        self.place = 0  # where its frames are while it waits, if its greenlet does not know
        self.locals: Place | None = None  # its place in `local` objects
        self.thread_state: ThreadState | None = (
            None  # what it keeps of the OS thread's, if it runs an event loop
        )

    @property
    def name(self) -> str:
        """What it is called in reports."""
        return self._name or f"Tasklet-{self._number}"

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    @property
    def frame(self) -> FrameType | None:
        """The innermost frame of it while it waits, else None."""
        greenlet = self.greenlet
        return primitives.frame(self.place) or (greenlet.gr_frame if greenlet is not None else None)

    def start(self) -> Self:
        """Make it ready to run in the calling OS thread; returns itself.

        Raises:
            RuntimeError: it was started before.
        """
        if self.hub is not None:
            raise RuntimeError(f"{self!r} can be started only once")
        hub = here.get_hub()
        self.hub = hub
        first = not hub.tasklets
        hub.tasklets.add(self)
        if first:  # told afterwards: the monitor looks at once, and would go to sleep again
            notify_first(hub)
        self.rouse()
        return self

    def wake(self) -> None:
        """Let it run soon, from wherever it waits.  From any OS thread, at any time, as often as one likes."""
        self.rouse()

    def rouse(self) -> None:
        """`wake`, for the compiled core: a function of C there, which nobody else can call."""
        if not self.scheduled and not self.done:
            self.scheduled = True
            hub = self.hub
            hub.ready.append(self)
            if hub.polling:
                hub.backend.notify()

    def finish(self) -> None:
        """It has run; called by the hub."""
        hub = self.hub
        if hub.main is self:
            # Forked from a tasklet: the child ends with its last thread of control, as a process does.
            hub.tasklets.discard(self)
            while hub.tasklets:
                next(iter(hub.tasklets)).join()
            _flush()
            os._exit(0)
        self._function = None
        self._args = ()
        self._kwargs = None
        self.done = True
        self.greenlet = None
        self.locals = None
        hub.tasklets.discard(self)
        callbacks = self._callbacks
        while callbacks:
            try:
                _, callback = callbacks.popitem(False)
            except KeyError:
                break
            callback(self)

    def when_done(self, callback: Callable[[Any], object]) -> object:
        """Have ``callback(self)`` called in this tasklet as it ends (at once if it has); it must not wait or raise.

        Returns:
            What takes it back, by `drop`.
        """
        callbacks = self._callbacks
        if callbacks is None:
            with _making:
                callbacks = self._callbacks
                if callbacks is None:
                    callbacks = self._callbacks = OrderedDict()
        token = object()
        callbacks[token] = callback
        if self.done and self.drop(token):  # it ended, perhaps in another OS thread while we came
            callback(self)
        return token

    def drop(self, token: object) -> bool:
        """Take a callback back; False when it has been called, or is about to be."""
        assert self._callbacks is not None
        return self._callbacks.pop(token, None) is not None

    # Ending.

    def interrupt(self, what: BaseException | Callable[[], object]) -> None:
        """Raise *what*, or call it, where the tasklet waits now or next; from any OS thread, even before it starts."""
        if self.interrupts is None:
            with _making:
                if self.interrupts is None:
                    self.interrupts = deque()
        self.interrupts.append(what)
        self.rouse()

    def deliver(self) -> None:
        """Raise or call what interrupts the current tasklet; called by the hub."""
        interrupts = self.interrupts
        while interrupts:
            what = interrupts.popleft()
            self.handling = not isinstance(what, BaseException)
            if isinstance(what, BaseException):
                try:
                    raise what
                finally:
                    del what, self  # the error may be kept by the tasklet, and this frame by the error
            what()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass


_first: list[Callable[[Hub], object]] = []  # called when a hub gets its first tasklet


def notify_first(hub: Hub) -> None:
    """*hub* has got its first tasklet."""
    for callback in _first:
        callback(hub)


def when_first(callback: Callable[[Hub], object]) -> None:
    """Have ``callback(hub)`` called each time a hub that had no tasklet gets one."""
    _first.append(callback)
