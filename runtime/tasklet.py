"""The tasklet: a unit of cooperative execution, with a name, a result, a context and a way to end it.

A tasklet owns no greenlet until it first runs and gives it back when it ends, so one that never ran costs no stack
and may be made in any OS thread.  What a user sees is here; when it runs is the hub's business.
"""

from __future__ import annotations

import atexit
import os
import sys
from _thread import RLock, get_ident
from collections import OrderedDict, deque
from collections.abc import Callable
from contextvars import Context, copy_context
from itertools import count
from time import monotonic
from weakref import WeakSet

from greenlet import getcurrent, greenlet

from runtime.hub import get_hub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.hub import Hub
    from runtime.local import Place
    from runtime.thread_state import ThreadState


class TaskletExit(SystemExit):
    """Raised inside a tasklet to end it.  A ``SystemExit``, as Stackless has it: ``except Exception`` lets it pass."""


class TaskletKilled(RuntimeError):
    """What `Tasklet.result` raises for a tasklet that was killed."""


_numbers = count(1)
_making = (
    RLock()
)  # guards the making of a tasklet's queues; reentrant, since a signal handler may interrupt too


class Tasklet:
    """A call that runs cooperatively beside others in one OS thread.

    Args:
        function: what to run.
        args: its positional arguments.
        kwargs: its keyword arguments.
        name: for reports; "Tasklet-N" by default.
        daemon: the end of the program does not wait for it.
        context: its ``contextvars`` context; a copy of the maker's by default.
    """

    __slots__ = (
        "__weakref__",
        "_args",
        "_callbacks",
        "_context",
        "_error",
        "_function",
        "_kwargs",
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
        "name",
        "scheduled",
        "thread_state",
    )

    hub: Hub

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
        self._kwargs = kwargs
        self._context = copy_context() if context is None else context
        self._value: Any = None
        self._error: BaseException | None = None
        self._report: _Report | None = None
        self._callbacks: OrderedDict[object, Callable[[Tasklet], object]] | None = None  # by a token for each
        self.name = name or f"Tasklet-{next(_numbers)}"
        self.daemon = daemon
        self.ident = id(self)
        self.done = False
        self.scheduled = False
        self.greenlet: greenlet | None = None
        self.handling = False  # the last interruption was a call, a signal handler's
        self.interrupts: deque[BaseException | Callable[[], object]] | None = None
        self.locals: Place | None = None  # its place in `local` objects
        self.thread_state: ThreadState | None = (
            None  # what it keeps of the OS thread's, if it runs an event loop
        )

    @classmethod
    def for_thread(cls) -> Tasklet:
        """The main tasklet of the calling OS thread: the code that runs there anyway."""
        self = cls(_nothing, name="main", context=Context())
        self.ident = get_ident()
        return self

    def __repr__(self) -> str:
        state = "done" if self.done else "ready" if self.scheduled else "waiting"
        if hasattr(self, "hub"):
            if self.hub.current is self:
                state = "running"
        else:
            state = "not started"
        return f"<Tasklet {self.name!r} {state}>"

    @property
    def thread_ident(self) -> int:
        """What it sees as its thread's identifier."""
        return self.ident

    # Running.

    def start(self) -> Tasklet:
        """Make it ready to run in the calling OS thread; returns itself.

        Raises:
            RuntimeError: it was started before.
        """
        if hasattr(self, "hub"):
            raise RuntimeError(f"{self!r} can be started only once")
        hub = self.hub = get_hub()
        first = not hub.tasklets
        hub.tasklets.add(self)
        if first:  # told afterwards: the monitor looks at once, and would go to sleep again
            notify_first(hub)
        self.wake()
        return self

    def wake(self) -> None:
        """Let it run soon, from wherever it waits.  From any OS thread, at any time, as often as one likes."""
        if not self.scheduled and not self.done:
            self.scheduled = True
            hub = self.hub
            hub.ready.append(self)
            if hub.polling:
                hub.backend.notify()

    def run(self) -> None:
        """All of it but its end, in the greenlet that it was given; called by the hub."""
        me = getcurrent()
        me.gr_context = self._context
        try:
            if self.interrupts:
                self.deliver()
            function = self._function
            assert function is not None
            if self._kwargs:
                self._value = function(*self._args, **self._kwargs)
            else:
                self._value = function(*self._args)
        except BaseException as error:
            self._error = error
            # No frame that refers to the tasklet may stay in there: what it had is to go with the last who wants it.
            if isinstance(error, TaskletExit):
                error.__traceback__ = error.__context__ = None
            else:
                error.__traceback__ = error.__traceback__.tb_next  # type: ignore[union-attr]
                self._report = _Report(self.name, error)
        del self  # for this frame, which stays with that of the function, as well

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
                _, callback = callbacks.popitem(last=False)
            except KeyError:
                break
            callback(self)

    def when_done(self, callback: Callable[[Tasklet], object]) -> object:
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
        self.wake()

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

    def kill(self, *, wait: bool = True) -> None:
        """End it: `TaskletExit` is raised where it waits, or instead of its first step.

        Args:
            wait: return only when it has ended (its ``finally`` blocks may wait too).

        Killing a finished tasklet does nothing; one that was not started will never run.
        """
        if self.done:
            return
        if not hasattr(self, "hub"):
            self.hub = get_hub()
            self._error = TaskletExit()
            self.finish()
            return
        if self is get_hub().current:
            raise TaskletExit
        self.interrupt(TaskletExit())
        if wait:
            self.join()

    # Its outcome.

    def join(self, timeout: float | None = None) -> bool:
        """Wait until it ended, however it ended.

        Args:
            timeout: seconds; None waits for ever.

        Returns:
            True if it ended, False if *timeout* passed first.

        Raises:
            RuntimeError: a tasklet would wait for itself, or for one that nobody started.
        """
        if self.done:
            return True
        if not hasattr(self, "hub"):
            raise RuntimeError(f"cannot join {self!r}")
        hub = get_hub()
        me = hub.current
        if me is self:
            raise RuntimeError("a tasklet cannot join itself")
        deadline = None if timeout is None else monotonic() + timeout

        def wake(_: Tasklet) -> None:
            me.wake()

        token = self.when_done(wake)
        try:
            while not self.done:
                if deadline is not None and monotonic() >= deadline:
                    return False
                hub.park_until(deadline)
        finally:
            self.drop(token)
        return True

    def result(self, timeout: float | None = None) -> Any:
        """Wait until it ended and return what its function returned.

        Args:
            timeout: seconds; None waits for ever.

        Raises:
            TimeoutError: it did not end in time.
            TaskletKilled: it was killed.
            BaseException: what its function raised.
        """
        if not self.join(timeout):
            raise TimeoutError(f"{self!r} did not end within {timeout} s")
        error = self.error
        if isinstance(error, TaskletExit):
            raise TaskletKilled(f"{self!r} was killed")
        if error is not None:
            try:
                raise error
            finally:
                del error, self  # they refer to the error, whose traceback refers to this frame
        return self._value

    @property
    def error(self) -> BaseException | None:
        """What its function raised, or None.  Reading it counts as having seen it: it is not reported any more."""
        if self._report is not None:
            self._report.seen = True
        return self._error

    @property
    def alive(self) -> bool:
        """Started and not ended."""
        return hasattr(self, "hub") and not self.done


class _Report:
    """Reports an error that nobody looked at, when the last reference to its tasklet goes or the program ends.

    Not at once, since whoever started the tasklet may be about to ask for its result (asyncio decides the same).
    """

    __slots__ = ("__weakref__", "error", "name", "seen")

    def __init__(self, name: str, error: BaseException) -> None:
        self.name = name
        self.error = error
        self.seen = False
        if not _reports:
            atexit.register(_show_reports)
        _reports.add(self)

    def show(self) -> None:
        if not self.seen and sys.stderr is not None:
            self.seen = True
            import traceback

            text = "".join(traceback.format_exception(self.error))
            sys.stderr.write(f"Exception in tasklet {self.name!r}, never retrieved:\n{text}")

    __del__ = show


_reports: WeakSet[_Report] = WeakSet()


def _show_reports() -> None:
    for report in list(_reports):
        report.show()


_first: list[Callable[[Hub], object]] = []  # called when a hub gets its first tasklet


def notify_first(hub: Hub) -> None:
    """*hub* has got its first tasklet."""
    for callback in _first:
        callback(hub)


def when_first(callback: Callable[[Hub], object]) -> None:
    """Have ``callback(hub)`` called each time a hub that had no tasklet gets one."""
    _first.append(callback)


def _nothing() -> None:
    pass


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass


def spawn(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Tasklet:
    """Run ``function(*args, **kwargs)`` as a tasklet of the calling OS thread; it starts when the caller next waits."""
    return Tasklet(function, args, kwargs).start()


def current() -> Tasklet:
    """The tasklet that is running."""
    return get_hub().current


def schedule() -> None:
    """Let every other ready tasklet run once."""
    get_hub().schedule()


def sleep(seconds: float) -> None:
    """Wait for *seconds*, letting others run; 0 is `schedule`.

    Raises:
        ValueError: *seconds* is negative.
    """
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    hub = get_hub()
    if seconds:
        hub.sleep(monotonic() + seconds)
    else:
        hub.schedule()
