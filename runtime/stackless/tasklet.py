"""The tasklet of Stackless 3.7: what a program sees.  What the hub runs under it is a `runtime.stackless.task.Task`."""

from __future__ import annotations

import sys
from types import FrameType

from runtime.hub import existing_hub, get_hub
from runtime.stackless import tracing
from runtime.stackless.bomb import bomb, of_class, of_raise
from runtime.stackless.registry import here, of_thread
from runtime.stackless.ring import Ring, guard
from runtime.stackless.task import Task
from runtime.tasklet import TaskletExit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.tasklet import Tasklet

_OURS = ("runtime.",)
_MOVED = "greenlet cannot move what has started to another thread"


class tasklet:
    """A call that runs when it is its turn: ``tasklet(function)(argument)`` makes one that is ready to run.

    Args:
        func: what to run.
        args: its positional arguments; with them or *kwargs* it is bound, but paused until `insert` or `run`.
        kwargs: its keyword arguments.

    ``tempval``: what it gets as it goes on; a `bomb` is raised.
    """

    __slots__ = (
        "__weakref__", "_atomic", "_block_trap", "_direction", "_handed", "_ignore_nesting", "_queue", "_ring",
        "_suspended", "_task", "_tracing", "tempval",
    )  # fmt: skip

    tempval: Any

    def __new__(cls, /, *args: Any, **kwargs: Any) -> Any:
        self = object.__new__(cls)
        ring = here()
        self._start_with(ring)
        self._atomic = ring.face()._atomic
        return self

    def __init__(self, func: Any = None, args: Any = None, kwargs: Any = None) -> None:
        if args is None and kwargs is None and callable(func) and self._task is None:
            self.tempval = func
        elif func is not None or args is not None or kwargs is not None:
            self.bind(func, args, kwargs)

    def _start_with(self, ring: Ring) -> None:
        self._ring = ring
        self._task: Tasklet | None = None
        self._queue: Any = None  # the ring or the channel that it is in
        self._direction = 0  # 1: it sends, -1: it receives, in the channel
        self._suspended = True  # it waits by a call of Stackless, so it looks at its tempval as it goes on
        self._handed = False  # it was given something while it was blocked
        self.tempval = None
        self._tracing: tuple[Any, Any] | None = None  # its trace and profile function, while it waits
        self._atomic = self._ignore_nesting = self._block_trap = False

    def _of_thread(self, ring: Ring, root: Tasklet) -> None:
        """Be the main tasklet of *ring*."""
        self._start_with(ring)
        self._task = root
        self._queue = ring
        self._suspended = False
        ring.runcount += 1

    # What it runs.

    def bind(self, func: Any = None, args: Any = None, kwargs: Any = None) -> tasklet:
        """Give it a function, arguments, or both; without any of them it is unbound.

        Raises:
            TypeError: *func* cannot be called.
            RuntimeError: it is current, scheduled or has started: greenlet cannot take a stack apart.
        """
        if func is not None and not callable(func):
            raise TypeError("tasklet function must be a callable or None")
        with guard:
            if self.is_current:
                raise RuntimeError("can't (re)bind the current tasklet")
            if self._queue is not None:
                raise RuntimeError("tasklet is scheduled")
            if self is self._ring.main:
                raise RuntimeError("can't unbind the main tasklet")
            if self._started:
                raise RuntimeError("tasklet has C state on its stack")
            if args is None and kwargs is None:
                self._task = None
                self.tempval = func
                return self
            function = self.tempval if func is None else func
            self._set(function, () if args is None else tuple(args), kwargs)
        return self

    def _set(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> None:
        self._living_ring()
        if function is None:
            raise RuntimeError("the tasklet was not bound to a function")
        self._task = Task(self._ring, function, args, kwargs)
        self._suspended = True
        self.tempval = None

    def setup(self, /, *args: Any, **kwargs: Any) -> tasklet:
        """Give the function its arguments and insert the tasklet.

        Raises:
            RuntimeError: it is alive, or was not bound to a function.
        """
        if self.alive:
            raise RuntimeError("tasklet is alive")
        with guard:
            self._set(self.tempval, args, kwargs)
            self._ring.insert(self)
        return self

    def __call__(self, /, *args: Any, **kwargs: Any) -> tasklet:
        """`setup`."""
        return tasklet.setup(self, *args, **kwargs)

    def bind_thread(self, thread_id: int | None = None, /) -> None:
        """Have it run in the calling thread, or in *thread_id*.

        Raises:
            RuntimeError: it is in the ring of a thread, or has started: greenlet cannot move a stack.
            ValueError: there is no such thread.
        """
        ring = here() if thread_id is None else by_ident(thread_id)
        if ring is None:
            raise ValueError("bad thread")
        with guard:
            if thread_id is None and self._ring is ring:
                return
            if self._queue is not None and not self._direction:
                raise RuntimeError("can't (re)bind a runnable tasklet")
            if self._started:
                raise RuntimeError(f"tasklet has C state on its stack: {_MOVED}")
            self._ring = ring
            task = self._task
            if type(task) is Task:
                assert task._function is not None
                self._task = Task(ring, task._function, task._args, task._kwargs)

    # Scheduling.

    def insert(self) -> tasklet:
        """Put it at the end of the runnables.

        Raises:
            RuntimeError: it is blocked, dead, or its thread has ended.
        """
        with guard:
            if self._direction:
                raise RuntimeError("You cannot run a blocked tasklet")
            if self._queue is None:
                ring = self._living_ring()
                if self._task is None:
                    raise RuntimeError("You cannot run an unbound(dead) tasklet")
                ring.insert(self)
        return self

    def remove(self) -> tasklet:
        """Take it out of the runnables; it is paused then.

        Raises:
            RuntimeError: it is blocked, current, or waits for I/O.
        """
        with guard:
            if not self._ring.dead:
                if self._direction:
                    raise RuntimeError("You cannot remove a blocked tasklet.")
                if self.is_current:
                    raise RuntimeError("The current tasklet cannot be removed.")
                if self._queue is not None:
                    self._ring.remove(self)
        return self

    def run(self) -> Any:
        """Run it now; the caller goes on when its turn comes.

        Raises:
            RuntimeError: it is blocked, dead, or waits for I/O.
        """
        return self._run(False)

    def switch(self) -> Any:
        """Run it now and pause the caller.

        Raises:
            RuntimeError: as `run`, or it belongs to another thread.
        """
        return self._run(True)

    def _run(self, leave: bool) -> Any:
        ring = here()
        if self._ring is not ring:
            if self._ring.dead:
                raise RuntimeError("tasklet has no thread")
            if leave:
                raise RuntimeError("can't switch to a different thread.")
            return self._run_elsewhere()
        if ring.dead:
            ring._vanish()
        with guard:
            me = ring.face()
            if self is me:
                return ring.go_on(ring.hub.current)
            if self._direction:
                raise RuntimeError("You cannot run a blocked tasklet")
            if self._task is None:
                raise RuntimeError("You cannot run an unbound(dead) tasklet")
            self._refuse_waiting()
            ring.check_trap()
            if self._queue is None:
                ring._enter(self)
            if leave:
                ring.leave(me)
        del me
        return ring.switch(self)

    def _run_elsewhere(self) -> None:
        with guard:
            if self._queue is None:
                self.insert()
            task = self._task
            if task is not None and task.scheduled:
                self._ring._be_next(task)

    def _refuse_waiting(self) -> None:
        if not self._suspended and self._task is not None and not self._task.scheduled:
            raise RuntimeError("the tasklet waits for I/O, it cannot be run before")

    def _living_ring(self) -> Ring:
        ring = self._ring
        if ring.dead:
            raise RuntimeError("Target thread isn't initialized")
        return ring

    # Errors from outside.

    def throw(self, exc: Any, val: Any = None, tb: Any = None, pending: Any = False) -> Any:
        """Have ``raise exc, val, tb`` done in it.

        Args:
            pending: only make it runnable; otherwise it runs now.

        Raises:
            TypeError: that cannot be raised.
            RuntimeError: it is dead; but then `TaskletExit` has nothing to do.
        """
        return self._throw(of_raise(exc, val, tb), bool(pending))

    def raise_exception(self, exc_class: Any, /, *args: Any) -> Any:
        """Have ``exc_class(*args)`` raised in it, now."""
        return self._throw(of_class(exc_class, args, "tasklet.raise_exception"), False)

    def kill(self, pending: Any = False) -> Any:
        """End it by `TaskletExit`, which it may catch; its ``finally`` runs now or, if *pending*, in its turn."""
        if self._ring.dead:  # there is nothing left to tell about, but its ``finally`` blocks
            task, self._task = self._task, None
            if type(task) is Task and task.greenlet is not None and not task.done:
                task.abandon(self)
                self._queue = None
            return None
        return self._throw(bomb(TaskletExit), bool(pending))

    def _throw(self, what: bomb, pending: bool) -> Any:
        ring = here()
        own = self._ring
        if self is ring.face():
            what.explode()
        if not self.alive:
            if not issubclass(what.type, TaskletExit) or self._task is not None:
                if own.dead:
                    raise RuntimeError("tasklet has no thread")
                raise RuntimeError("You cannot throw to a dead tasklet")
            with guard:
                if self._direction:
                    self._queue._forget(self)
                self._queue = None
                self._direction = 0
            return None
        with guard:
            if pending or own is not ring:
                self._throw_later(what)
                if not pending:
                    self._run_elsewhere()
                return None
            ring.check_trap()
            self._raise(what)
            if self._queue is None:
                ring._enter(self)
        return ring.switch(self)

    def _throw_later(self, what: bomb) -> None:
        """Have *what* raised in its turn; from any thread, and from the hub."""
        with guard:
            self._raise(what)
            if self._queue is None:
                self._ring.insert(self)

    def _raise(self, what: bomb) -> None:
        """Have *what* raised as it goes on; one that is blocked is taken out of its channel."""
        if self._direction:
            self._queue._forget(self)
            self._queue = None
            self._direction = 0
        if self._suspended:
            self.tempval = what
        else:  # it waits for I/O
            assert self._task is not None
            self._task.interrupt(what.error)

    # Flags.

    @property
    def atomic(self) -> bool:
        """No limit of `run` interrupts it."""
        return self._atomic

    @property
    def ignore_nesting(self) -> bool:
        """What `set_ignore_nesting` has set; without effect, since a tasklet can be interrupted at any depth."""
        return self._ignore_nesting

    @property
    def block_trap(self) -> bool:
        """It gets a RuntimeError where it would be blocked on a channel."""
        return self._block_trap

    @block_trap.setter
    def block_trap(self, value: Any) -> None:
        if not isinstance(value, int):
            raise TypeError("block_trap must be set to a bool or integer")
        self._block_trap = bool(value)

    def set_atomic(self, flag: Any, /) -> bool:
        """Have no limit of `run` interrupt it, or let them again; returns what it was."""
        before, self._atomic = self._atomic, bool(flag)
        limit = self._ring.limit
        if before and not flag and limit is not None and limit.pending and self is here().face():
            self._ring.interrupt()
        return before

    def set_ignore_nesting(self, flag: Any, /) -> bool:
        """Set `ignore_nesting`; returns what it was."""
        before, self._ignore_nesting = self._ignore_nesting, bool(flag)
        return before

    # State.

    @property
    def _started(self) -> bool:
        task = self._task
        return task is not None and task.greenlet is not None

    @property
    def alive(self) -> bool:
        """Bound with arguments, and not ended."""
        return self._task is not None and not self._ring.dead

    @property
    def blocked(self) -> bool:
        """It waits at a channel."""
        return self._direction != 0

    @property
    def scheduled(self) -> bool:
        """Runnable or blocked."""
        return self._queue is not None

    @property
    def paused(self) -> bool:
        """Alive, and neither runnable nor blocked."""
        return self._queue is None and self.alive

    @property
    def restorable(self) -> bool:
        """It could be pickled and go on: it has not started."""
        return not self.nesting_level

    @property
    def is_current(self) -> bool:
        """It is the one that runs in its thread."""
        ring = self._ring
        return not ring.dead and self._task is not None and self._task is ring.hub.current

    @property
    def is_main(self) -> bool:
        """It is its thread's own code."""
        return self is self._ring.main

    @property
    def thread_id(self) -> int:
        """The identifier of its thread; -1 if that has ended."""
        return -1 if self._ring.dead else self._ring.root.ident

    @property
    def next(self) -> tasklet | None:
        """Who stands after it, in the ring or at the channel."""
        return self._neighbour(1)

    @property
    def prev(self) -> tasklet | None:
        """Who stands before it, in the ring or at the channel."""
        return self._neighbour(-1)

    def _neighbour(self, step: int) -> tasklet | None:
        queue = self._queue
        if queue is None:
            return None
        if self._direction:
            waiting = queue._waiting()
            place = next(index for index, face in enumerate(waiting) if face is self) + step
            return waiting[place] if 0 <= place < len(waiting) else None
        ring = self._ring
        if step == 1 and self._task is ring.hub.current:  # as a loop over the ring asks, which may be long
            return next((face for face in map(ring.face_or_none, ring.hub.ready) if face is not None), self)
        runnables = ring.runnables()
        for index, face in enumerate(runnables):
            if face is self:
                return runnables[(index + step) % len(runnables)]
        return None  # it waits for I/O

    @property
    def _channel(self) -> Any:
        """The channel at which it is blocked."""
        return self._queue if self._direction else None

    @property
    def frame(self) -> FrameType | None:
        """Where it is; None before it has started and after it has ended."""
        found = self._frames()
        return found[0] if found else None

    @property
    def recursion_depth(self) -> int:
        """How many Python functions deep it is."""
        return len(self._frames())

    @property
    def nesting_level(self) -> int:
        """1 where it has a stack of its own, which is always so after it has started; 0 otherwise."""
        return int(self._started or self.is_main)

    def _frames(self) -> list[FrameType]:
        task = self._task
        if task is None or (task.greenlet is None and not self.is_main):
            return []
        frame = sys._getframe() if get_hub().current is task else task.frame
        found = []
        while frame is not None:
            if not frame.f_globals.get("__name__", "").startswith(_OURS):
                found.append(frame)
            frame = frame.f_back
        return found

    @property
    def trace_function(self) -> Any:
        """What `sys.gettrace` gives in it: the thread's, until somebody sets one of a tasklet; then its own.

        Setting it raises RuntimeError for a dead tasklet, and for the current one of another thread.
        """
        return self._trace_functions()[0]

    @trace_function.setter
    def trace_function(self, function: Any) -> None:
        self._check_traceable()
        tracing.put(self, self._runs_here(), (function, self._trace_functions()[1]))

    @property
    def profile_function(self) -> Any:
        """What `sys.getprofile` gives in it, as `trace_function`."""
        return self._trace_functions()[1]

    @profile_function.setter
    def profile_function(self, function: Any) -> None:
        self._check_traceable()
        tracing.put(self, self._runs_here(), (self._trace_functions()[0], function))

    def _runs_here(self) -> bool:
        return self._task is get_hub().current

    def _trace_functions(self) -> tuple[Any, Any]:
        return tracing.get(self, self._runs_here()) if self.alive else (None, None)

    def _check_traceable(self) -> None:
        if not self.alive:
            raise RuntimeError("tasklet is not alive")
        if self._ring is not here() and self._ring.latest() is self:
            raise RuntimeError(
                "can't set the trace/profile function of the current tasklet of another thread"
            )

    # Copies.

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """What has not started can be pickled.

        Raises:
            TypeError: it has: its stack is the machine's.
        """
        if self._started:
            raise TypeError(
                "a tasklet that has started cannot be pickled: greenlet keeps its state on the C stack"
            )
        task = self._task
        call = None if task is None else (task._function, task._args, task._kwargs)
        return type(self), (), (call, self.tempval, self._queue is not None)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.__reduce_ex__(2)

    def __setstate__(self, state: tuple[Any, Any, bool]) -> None:
        call, tempval, scheduled = state
        if call is not None:
            self.bind(*call)
            if scheduled:
                self.insert()
        self.tempval = tempval

    def __del__(self) -> None:
        """A paused tasklet that nobody refers to is killed, so that its ``finally`` blocks run."""
        task = self._task
        if type(task) is not Task or task.greenlet is None or self._ring.dead:
            return
        frame = sys._getframe().f_back
        if frame is None:  # the interpreter ends
            return
        hub = existing_hub()
        caller = frame.f_globals.get("__name__", "")
        # The garbage collector, which drops weak references first, is no place to switch in; nor is the runtime.
        collected = task.paused is None or task.paused() is None
        if collected or caller.startswith(_OURS) or hub is not self._ring.hub or here() is not self._ring:
            task.abandon(self)
        else:
            self.kill()


def by_ident(thread_id: int) -> Ring | None:
    """The ring of *thread_id*; -1 is the calling thread.

    Raises:
        TypeError, OverflowError: it is no identifier.
    """
    if not isinstance(thread_id, int):
        raise TypeError(f"thread_id must be an integer, not {type(thread_id).__name__}")
    if thread_id == -1:
        return here()
    if thread_id < 0:
        raise OverflowError("can't convert negative int to unsigned")
    return of_thread(thread_id)
