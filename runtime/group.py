"""The task group: tasklets that live and die together (trio's nursery, ``asyncio.TaskGroup``)."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from runtime.hub import get_hub
from runtime.tasklet import Tasklet, TaskletExit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.hub import Hub


class _Cancelled(SystemExit):
    """Unwinds the body of a group in which a tasklet failed; a ``SystemExit``, which asyncio's tasks let pass."""


class TaskGroup:
    """``with TaskGroup() as group: group.spawn(f, x)``: nothing that it started outlives the block.

    The end of the block waits for every tasklet.  The first one that fails ends the others and the block itself.

    Raises:
        BaseExceptionGroup: at the end of the block, what tasklets and body raised (an ``ExceptionGroup`` when all
            of it is ``Exception``).  An error of the body alone, with no tasklet failing, is raised as it is, and
            so is an interruption of the body (a kill, a timeout, ``KeyboardInterrupt``).
    """

    def __init__(self) -> None:
        self._members: set[Tasklet] = set()
        self._errors: list[BaseException] = []
        self._hub: Hub | None = None
        self._parent: Tasklet | None = None
        self._cancelled: _Cancelled | None = None
        self._in_body = False
        self._closed = False

    def __repr__(self) -> str:
        return f"<TaskGroup of {len(self._members)}{' ending' if self._cancelled or self._closed else ''}>"

    def spawn(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Tasklet:
        """Start a tasklet that belongs to the group.

        Raises:
            RuntimeError: the block was not entered, is over, or is ending because of an error.
        """
        if self._hub is None or self._closed:
            raise RuntimeError(f"{self!r} is not running")
        if self._cancelled is not None:
            raise RuntimeError(f"{self!r} is ending because of an error")
        tasklet = Tasklet(function, args, kwargs)
        self._members.add(tasklet)
        tasklet.when_done(self._ended)
        return tasklet.start()

    def _ended(self, tasklet: Tasklet) -> None:
        self._members.discard(tasklet)
        error = tasklet.error
        if error is not None and not isinstance(error, TaskletExit):
            self._errors.append(error)
            self._cancel()
        assert self._parent is not None
        if not self._in_body:
            self._parent.wake()

    def _cancel(self) -> None:
        """End the members and, if it is still running, the body."""
        if self._cancelled is not None:
            return
        self._cancelled = _Cancelled()
        for member in self._members:
            member.interrupt(TaskletExit())
        if self._in_body and self._parent is not None and self._parent is not get_hub().current:
            self._parent.interrupt(self._cancelled)

    def __enter__(self) -> TaskGroup:
        if self._hub is not None:
            raise RuntimeError(f"{self!r} can be entered only once")
        self._hub = get_hub()
        self._parent = self._hub.current
        self._in_body = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._hub is not None
        assert self._parent is not None
        self._in_body = False
        if (
            self._cancelled is not None
            and self._parent.interrupts
            and self._cancelled in self._parent.interrupts
        ):
            self._parent.interrupts.remove(self._cancelled)
        if error is self._cancelled:
            error = None
        if error is not None:
            self._cancel()
        while self._members:
            try:
                self._hub.park()
            except BaseException as late:  # killed, timed out or Ctrl-C while waiting: the members go first
                error = late
                self._cancel()
        self._closed = True
        cancelled, self._cancelled = self._cancelled, None
        errors, self._errors = self._errors, []
        try:
            if errors:
                if error is None:
                    raise BaseExceptionGroup("errors in a TaskGroup", errors) from None
                if not isinstance(error, Exception):
                    # A kill, a timeout or Ctrl-C: whoever raised it looks for itself.
                    raise error from BaseExceptionGroup("errors in a TaskGroup", errors)
                raise BaseExceptionGroup("errors in a TaskGroup", [error, *errors]) from None
            if error is not None and error is not cancelled:
                raise error
        finally:
            del error, errors, cancelled, trace  # whose tracebacks refer to this frame
