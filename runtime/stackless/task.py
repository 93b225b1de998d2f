"""The runtime's tasklet under a Stackless one: what the hub runs.

The hub knows a `Task`, a program its *face*, a `runtime.stackless.tasklet`, which may be bound again after it has ended
and gets a new `Task` then.  A task refers to its face while that is runnable or blocked; a paused one, which is in no
queue, lives as long as the program refers to it, as in Stackless.
"""

from __future__ import annotations

from greenlet import getcurrent

from runtime.stackless import callbacks, tracing
from runtime.stackless.bomb import bomb
from runtime.tasklet import Tasklet, TaskletExit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
    from weakref import ref

    from runtime.stackless.ring import Ring
    from runtime.stackless.tasklet import tasklet


class Task(Tasklet):
    """One run of a `runtime.stackless.tasklet`: *function* with its arguments, in the thread of *ring*."""

    __slots__ = ("face", "paused", "ring")

    def __init__(
        self,
        ring: Ring,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None,
    ) -> None:
        super().__init__(function, args, kwargs, name="stackless", daemon=True)
        self.face: tasklet | None = None
        self.paused: ref[tasklet] | None = None
        self.ring = ring

    @property
    def thread_ident(self) -> int:
        """Its ring's; it has an `ident` of its own all the same, by which locks know their owner."""
        return self.ring.root.ident

    def restored(self) -> tasklet:
        """The face, also of one that is paused at the moment."""
        face = self.face
        if face is None:
            assert self.paused is not None
            face = self.paused()
            assert face is not None
        return face

    def abandon(self, face: tasklet) -> None:
        """Kill it, since its thread has ended or nobody knows it any more; its ``finally`` runs when its turn comes."""
        if face._direction:
            face._queue._forget(face)
        if face._queue is None:
            self.ring._enter(face)
        if face._suspended:
            face.tempval = bomb(TaskletExit)
            self.wake()
        else:
            self.interrupt(TaskletExit())

    def run(self) -> None:
        """All of it but its end, in the greenlet that it was given; called by the hub."""
        getcurrent().gr_context = self._context
        hub, ring = self.hub, self.ring
        hub.unborn -= 1
        if self.locals is None:
            self.locals = ring.place()
        outcome: BaseException | None = None
        try:
            ring.go_on(self)
            if self.interrupts:
                self.deliver()
            function = self._function
            assert function is not None
            if self._kwargs:
                function(*self._args, **self._kwargs)
            else:
                function(*self._args)
        except BaseException as error:
            outcome = error
            if error.__traceback__ is not None:
                error.__traceback__ = error.__traceback__.tb_next
            if isinstance(error, SystemExit) and (
                isinstance(error, TaskletExit) or ring.root is not hub.main
            ):
                outcome = None  # the end of a tasklet, or of what is a thread's: no error
            else:
                outcome = callbacks.handled(error)
        if tracing.used:
            tracing.stop()
        face = self.restored()
        ring.end(face, outcome)
        self.face = None
