"""The tasklet: a unit of cooperative execution, with a name, a result, a context and a way to end it.

A tasklet owns no greenlet until it first runs and gives it back when it ends, so one that never ran costs no stack
and may be made in any OS thread.  What a user sees is here; when it runs is the hub's business.
"""

from __future__ import annotations

import atexit
import sys
from _thread import get_ident
from collections.abc import Callable
from time import monotonic
from types import MethodType
from weakref import WeakSet

from greenlet import getcurrent

from runtime import here
from runtime.here import get_hub
from runtime.hub import Hub
from runtime.strand import EMPTY, Strand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class TaskletExit(SystemExit):
    """Raised inside a tasklet to end it.  A ``SystemExit``, as Stackless has it: ``except Exception`` lets it pass."""


class TaskletKilled(RuntimeError):
    """What `Tasklet.result` raises for a tasklet that was killed."""


class Tasklet(Strand):
    """A call that runs cooperatively beside others in one OS thread.  Its arguments are a strand's."""

    __slots__ = ()

    @classmethod
    def for_thread(cls) -> Tasklet:
        """The main tasklet of the calling OS thread: the code that runs there anyway."""
        self = cls(_nothing, name="main", context=EMPTY)
        self.ident = get_ident()
        return self

    def __repr__(self) -> str:
        state = "done" if self.done else "ready" if self.scheduled else "waiting"
        if self.hub is not None:
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

    def run(self) -> None:
        """All of it but its end, in the greenlet that it was given; called by the hub."""
        getcurrent().gr_context = self._context
        try:
            if self.interrupts:
                self.deliver()
            function = self._function
            assert function is not None
            if self._kwargs:
                self._value = function(*self._args, **self._kwargs)
            elif type(function) is MethodType:  # its function leaves less on the C stack than itself
                self._value = function.__func__(function.__self__, *self._args)
            else:
                self._value = function(*self._args)
        except BaseException as error:
            self.fail(error)
        del self  # for this frame, which stays with that of the function, as well

    def fail(self, error: BaseException) -> None:
        """It has raised *error*, which is for whoever asks for its result."""
        self._error = error
        # No frame that refers to the tasklet may stay in there: what it had is to go with the last who wants it.
        if isinstance(error, TaskletExit):
            error.__traceback__ = error.__context__ = None
        else:
            error.__traceback__ = error.__traceback__.tb_next  # type: ignore[union-attr]
            self._report = _Report(self.name, error)

    # Ending.

    def kill(self, *, wait: bool = True) -> None:
        """End it: `TaskletExit` is raised where it waits, or instead of its first step.

        Args:
            wait: return only when it has ended (its ``finally`` blocks may wait too).

        Killing a finished tasklet does nothing; one that was not started will never run.
        """
        if self.done:
            return
        if self.hub is None:
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
        if self.hub is None:
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
        return self.hub is not None and not self.done


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


def _nothing() -> None:
    pass


def spawn(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Tasklet:
    """Run ``function(*args, **kwargs)`` as a tasklet of the calling OS thread; it starts when the caller next waits."""
    return Tasklet(function, args, kwargs).start()


def work() -> None:
    """Run one tasklet after another; the body of every greenlet that tasklets run in.

    Not compiled, like `Tasklet.run`: what stands on the C stack below a tasklet is copied at each switch, and a Python
    function that calls another leaves nothing there.
    """
    hub = get_hub()
    me = getcurrent()
    while True:
        hub.current.run()
        if not hub.go_on(me):
            return


def _make() -> Hub:
    return Hub(Tasklet.for_thread(), work)


here.made_by(_make)
