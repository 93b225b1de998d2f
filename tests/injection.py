"""Hubs whose waits can be interrupted at a given number; to be imported before anything makes a hub."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable
from typing import Any, NamedTuple

import runtime
from runtime import here
from runtime.hub import Hub, existing_hub
from runtime.tasklet import Tasklet, work

ENDS = 20  # seconds that an operation has to end in
HOW = ("kill", "timeout", "error")
WHEN = ("before", "after")


class Point(NamedTuple):
    """Where and how an operation is interrupted: at its *number*-th wait; 0: never."""

    number: int = 0
    how: str = "kill"
    when: str = "before"

    def __str__(self) -> str:
        return f"{self.how} {self.when} wait {self.number}" if self.number else "undisturbed"


class Injection:
    """Counts the waits of one tasklet and interrupts it at *point*."""

    def __init__(self, point: Point) -> None:
        self.point = point
        self.waits = 0
        self.target: Any = None
        self.timer: Any = None
        self.injected: list[BaseException] = []

    def around(self, hub: Hub, park: Callable[[], None]) -> None:
        """A wait of the hub's current tasklet."""
        if hub.current is not self.target or self.injected:
            park()
            return
        self.waits += 1
        if self.waits != self.point.number:
            park()
        elif self.point.when == "before":
            self._interrupt()
            park()
        else:
            park()
            self._interrupt()
            hub.current.deliver()

    def _interrupt(self) -> None:
        if self.point.how == "timeout":
            self.timer._expire()
            error: BaseException = self.timer._expired
        else:
            error = (
                runtime.TaskletExit() if self.point.how == "kill" else OSError(errno.ECANCELED, "injected")
            )
            self.target.interrupt(error)
        self.injected.append(error)

    def run(self, call: Callable[[], object]) -> None:
        def body() -> None:
            with contextlib.suppress(TimeoutError), runtime.timeout(1000) as self.timer:
                call()

        self.target = runtime.spawn(body)
        Injected.injection = self
        try:
            if not self.target.join(ENDS):
                raise AssertionError(f"does not end: {self.target!r}")
        finally:
            Injected.injection = None
        error = self.target.error
        expected = error is None or any(_leads_to(error, known) for known in self.injected)
        self.target = self.timer = None  # they hold the error, whose traceback holds what the operation had
        self.injected = []
        if not expected:
            raise AssertionError(f"ended with {error!r}") from error


class Injected(Hub):
    """A hub whose waits an injection may interrupt."""

    injection: Injection | None = None

    def park(self) -> None:
        if self.injection is None:
            super().park()
        else:
            self.injection.around(self, super().park)


if existing_hub() is not None:
    raise RuntimeError("there is a hub already, whose waits cannot be interrupted")
here.made_by(lambda: Injected(Tasklet.for_thread(), work))


def _leads_to(error: BaseException | None, known: BaseException) -> bool:
    """Whether *error* is what was injected or comes of it."""
    while error is not None and error is not known:
        if isinstance(error, BaseExceptionGroup) and any(_leads_to(each, known) for each in error.exceptions):
            return True
        error = error.__cause__ or error.__context__
    return error is not None
