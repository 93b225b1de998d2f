"""The ring: the runnable tasklets of one thread, in the order in which they run.

Stackless has a ring of runnables for each thread, with the current tasklet at its head.  There is no second run queue
here: the ring *is* the hub's (`Hub.ready`), seen through the tasklets of one thread, and every switch is a `Hub.park`.
What this class adds is who is in the ring, who is next, and what happens when nobody is left in it.

A thread is whatever has an identifier in the program: an OS thread, or a tasklet that a converted program started as a
``threading.Thread``.  Its own code is the ring's main tasklet (``root`` is the runtime's tasklet for it).

A tasklet that waits for anything but Stackless (a socket, a timer, a lock) stays in the ring: nobody needs to put it
back, so a ring in which somebody waits is not empty, and `run` goes on until it has ended.

`guard` makes each change of rings and channels one step, as the interpreter's lock once did; nobody waits in it.
"""

from __future__ import annotations

import sys
from _thread import RLock
from weakref import ref

from runtime.local import Place
from runtime.stackless import callbacks, tracing
from runtime.stackless.bomb import bomb
from runtime.stackless.task import Task
from runtime.strand import notify_first
from runtime.tasklet import Tasklet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from runtime.hub import Hub
    from runtime.stackless.tasklet import tasklet
    from runtime.stackless.watchdog import Limit

guard = RLock()
DEADLOCK = "Deadlock: the last runnable tasklet cannot be blocked."
_ALONE = {
    -1: "the main tasklet is receiving without a sender available.",
    1: "the main tasklet is sending without a receiver available.",
}


class Ring:
    """The runnables of one thread.

    runcount: how many are in it, those included that wait for I/O.
    members: how many of its tasklets its hub knows: those that are runnable, or have started.
    watchdogs: first the one to wake when a limit is reached, or None; then those that are in `run`, innermost last.
    blocked: nobody is left in it, and another thread is to put somebody in.
    dead: its thread has ended.
    pumped: the program looks after what waits for I/O, in a loop of its own: `run` does not wait for it.
    """

    __slots__ = (
        "__weakref__", "blocked", "current", "dead", "departed", "hub", "interrupted", "limit", "main", "members",
        "previous", "pumped", "root", "runcount", "switch_trap", "threadblock", "watchdogs",
    )  # fmt: skip

    main: tasklet

    def __init__(self, hub: Hub, root: Tasklet) -> None:
        self.hub = hub
        self.root = root
        self.runcount = 0
        self.members = 0
        self.watchdogs: list[tasklet | None] = [None]
        self.switch_trap = 0
        self.threadblock = self.blocked = self.dead = self.pumped = False
        self.interrupted: tasklet | None = None
        self.limit: Limit | None = None
        self.previous: tasklet | None = None  # who ran last, while somebody wants to know
        self.departed: tasklet | None = None  # who has left the ring and may be the last to know itself
        self.current: tasklet | None = None  # who runs, or ran last, as other threads see it

    def __repr__(self) -> str:
        return f"<Ring of thread {self.root.ident}: {self.runcount} runnable>"

    # Who.

    def face(self) -> tasklet:
        """The tasklet that is running, in this thread."""
        return self.face_of(self.hub.current)

    def face_of(self, task: Tasklet) -> tasklet:
        if type(task) is Task:
            face = task.face
            assert face is not None
            return face
        return self.main

    def face_or_none(self, task: Tasklet) -> tasklet | None:
        """The tasklet over *task*, if it is one of this thread's."""
        if type(task) is Task:
            return task.face if task.ring is self else None
        return self.main if task is self.root else None

    def latest(self) -> tasklet:
        """Who runs, or ran last."""
        return self.face_or_none(self.hub.current) or self.current or self.main

    def runnables(self) -> list[tasklet]:
        """Those in the ring, in order, the current one first; without those that wait for I/O."""
        found: dict[int, tasklet] = {}
        for task in (self.hub.current, *self.hub.ready):
            if task is self.root:
                found[id(self.main)] = self.main
            elif type(task) is Task and task.ring is self and task.face is not None:
                found[id(task.face)] = task.face
        return list(found.values())

    def place(self) -> Place:
        """Its thread's place in ``threading.local`` objects, which its tasklets share."""
        place: Place | None = self.root.locals
        if place is None:
            place = self.root.locals = Place()
        return place

    def watchdog(self) -> tasklet:
        """Who goes on when nobody is left in the ring: the innermost that is in `run`, or the main tasklet."""
        return self.watchdogs[-1] or self.main

    # In and out.

    def insert(self, face: tasklet) -> None:
        """Put *face*, which is in no queue, at the end; from any thread."""
        with guard:
            self._enter(face)
            face._task.wake()  # type: ignore[union-attr]

    def insert_first(self, face: tasklet) -> None:
        """Put *face* where it is the next to run; from any thread."""
        with guard:
            self._enter(face)
            self._be_next(face._task)  # type: ignore[arg-type]

    def _enter(self, face: tasklet) -> None:
        face._queue = None if self.dead else self
        face._direction = 0
        self.runcount += 1
        self.blocked = False
        task = face._task
        if type(task) is Task:
            task.face = face
            task.hub = hub = self.hub
            if task not in hub.tasklets:
                self.members += 1
                hub.unborn += 1
                hub.tasklets.add(task)
                if len(hub.tasklets) == 1:
                    notify_first(hub)

    def _forget(self, task: Task) -> None:
        """Nobody needs to know of *task* any more: it has ended, or not started and was taken out."""
        if task in self.hub.tasklets:
            self.hub.tasklets.discard(task)
            self.members -= 1
            if task.greenlet is None:
                self.hub.unborn -= 1

    def _be_next(self, task: Tasklet) -> None:
        ready = self.hub.ready
        if task.scheduled:
            try:
                ready.rotate(-ready.index(task))
            except ValueError:  # it runs: another thread asks
                return
        else:
            task.scheduled = True
            ready.appendleft(task)
        if self.hub.polling:
            self.hub.backend.notify()

    def leave(self, face: tasklet, queue: Any = None, direction: int = 0) -> None:
        """Take *face*, which is not in `Hub.ready`, out; a blocked one goes into *queue*."""
        with guard:
            face._queue = queue
            face._direction = direction
            self.runcount -= 1
            task = face._task
            if queue is None and type(task) is Task:
                task.paused = ref(face)
                task.face = None  # what is paused lives as long as somebody refers to it
                if task is self.hub.current:
                    self.departed = face  # and at least until somebody else runs
                elif task.greenlet is None:
                    self._forget(task)

    def remove(self, face: tasklet) -> None:
        """Take *face*, which is ready, out.

        Raises:
            RuntimeError: it waits for I/O, and goes on by itself.
        """
        with guard:
            task = face._task
            assert task is not None
            try:
                self.hub.ready.remove(task)
            except ValueError:
                raise RuntimeError("a tasklet that waits for I/O cannot be removed") from None
            task.scheduled = False
            self.leave(face)

    # Switching.  What a tasklet gets as it goes on is its `tempval`.

    def check_trap(self) -> None:
        if self.switch_trap:
            raise RuntimeError("switch_trap")

    def schedule(self) -> Any:
        """The current tasklet goes to the end."""
        hub = self.hub
        task = hub.current
        face = self.face_of(task)
        if self.dead:
            self._vanish()
        if self.runcount > 1:
            self.check_trap()
            if self.limit is not None:
                self._soft_interrupt()
            if callbacks.scheduling is not None:
                callbacks.leaving(self, face)
        face._suspended = True
        if tracing.used:
            tracing.leave(face)
        try:
            if tracing.used:
                sys.call_tracing(hub.schedule, ())  # it may be a trace function that lets others run
            else:
                hub.schedule()
        except BaseException:
            self._come_back(task)
            raise
        return self.go_on(task)

    def pause(self) -> Any:
        """The current tasklet, which has left the ring, waits until somebody puts it back.

        Raises:
            RuntimeError: nobody could ever put it back; it is in the ring again.
        """
        task = self.hub.current
        if self.dead:
            self._vanish()
        try:
            if self.limit is not None:
                self._soft_interrupt()
            self._see_that_somebody_runs(task)
        except BaseException:
            self._come_back(task)
            raise
        if tracing.used:
            tracing.leave(self._restored(task))
        self.wait(task)
        return self.go_on(task)

    def _vanish(self) -> NoReturn:
        """What caught the `TaskletExit` that came with the end of its thread, and would go on, never does."""
        while True:
            self.hub.park()

    def _restored(self, task: Tasklet) -> tasklet:
        return task.restored() if type(task) is Task else self.main

    def _come_back(self, task: Tasklet) -> tasklet:
        """Put *task*, which is running, into the ring, wherever it was."""
        with guard:
            face = self._restored(task)
            if face._queue is not self:
                if face._direction:
                    face._queue._forget(face)
                self._enter(face)
            face._suspended = False
            if tracing.used:
                tracing.enter(face)
            return face

    def wait(self, task: Tasklet) -> None:
        """Park until *task*, the current one, is in the ring."""
        hub = self.hub
        while True:
            try:
                if tracing.used:
                    sys.call_tracing(hub.park, ())
                else:
                    hub.park()
            except BaseException as error:
                if not self._come_back(task)._handed:
                    raise
                # What was handed over must not be lost: the interruption comes next time.
                task.interrupt(error)
                return
            if type(task) is Task:
                if task.face is not None and (task.face._queue is self or self.dead):
                    return
            elif self.main._queue is self:
                return

    def go_on(self, task: Tasklet) -> Any:
        """*task* runs again: what it was given, or the error."""
        face = self.face_of(task)
        self.current = face
        self.departed = None
        face._suspended = face._handed = False
        if callbacks.scheduling is not None:
            callbacks.arrived(self, face)
        if self.limit is not None:
            self.limit.enter()
        if tracing.used:
            tracing.enter(face)
        value = face.tempval
        if value is not None:
            face.tempval = None
            if type(value) is bomb:
                del face, task
                value.explode()
        return value

    def switch(self, target: tasklet, last: bool = False) -> Any:
        """Run *target*, which is in the ring; the current tasklet, if it is in it, runs after it, or as the *last*."""
        task = self.hub.current
        ready, me, next_ = self.hub.ready, self._restored(task), target._task
        assert next_ is not None
        if self.dead:
            self._vanish()
        floating = me._queue is None
        if not floating and not task.scheduled:
            task.scheduled = True
            if last or next_.scheduled:
                ready.append(task)
            else:
                ready.appendleft(task)
        self._be_next(next_)
        if callbacks.scheduling is not None:
            callbacks.leaving(self, me)
        if self.limit is not None:
            self._soft_interrupt(target)
        me._suspended = True
        if tracing.used:
            tracing.leave(me)
        del target
        if floating:
            del me
            self.wait(task)
            return self.go_on(task)
        del me
        try:
            if tracing.used:
                sys.call_tracing(self.hub.park, ())
            else:
                self.hub.park()
        except BaseException:
            self._come_back(task)
            raise
        return self.go_on(task)

    def _see_that_somebody_runs(self, task: Tasklet) -> None:
        """*task* is about to wait, and not in the ring any more."""
        face = self._restored(task)
        with guard:
            if not self.runcount and not self.dead:
                next_ = self.watchdog()
                floating = next_._queue is None
                if not floating or self.threadblock:
                    if not self._alone():
                        self.blocked = True
                        face._suspended = True
                        return
                    if not (floating and self.root is self.hub.main):
                        raise RuntimeError(DEADLOCK)
                if next_ is not face:
                    self.check_trap()
                if type(face.tempval) is bomb:
                    next_.tempval = face.tempval
                self.insert(next_)
            else:
                self.check_trap()
            face._suspended = True
            if callbacks.scheduling is not None:
                callbacks.leaving(self, face)

    def _alone(self) -> bool:
        from runtime.stackless.registry import alone  # which knows of all rings

        return alone(self)

    # Limits.

    def _soft_interrupt(self, next_: tasklet | None = None) -> None:
        """Let the watchdog in before the next one, if the current tasklet has had its time."""
        limit = self.limit
        assert limit is not None
        if not limit.soft or not limit.pending:
            return
        limit.pending = False
        watchdog = self.watchdogs[0] or self.main
        if watchdog._queue is not None or watchdog is next_:
            return
        self.interrupted = self.main  # who it is does not matter: it stays where it is
        self.insert_first(watchdog)

    def interrupt(self) -> None:
        """The current tasklet has had its time: its watchdog goes on."""
        limit, face = self.limit, self.face()
        if limit is None or face._queue is not self:
            return
        watchdog = self.watchdogs[0] or self.main
        here_already = watchdog._queue is not None
        if (
            limit.soft
            or face.atomic
            or self.switch_trap
            or callbacks.busy
            or (here_already and not self.pumped)
        ):
            limit.pending = True
            return
        limit.pending = False
        self.interrupted = face
        if not here_already:
            with guard:
                self._enter(watchdog)
        self.switch(watchdog)

    def run(self, limit: Limit | None, threadblock: bool) -> tasklet | None:
        """Let the others run until nobody is left, or *limit* is reached; the tasklet that was interrupted then."""
        me = self.face()
        watchdogs = self.watchdogs
        own = limit is not None and watchdogs[0] is None
        before = self.limit, self.threadblock
        if own:
            watchdogs[0] = me
            self.limit = limit
        self.threadblock = threadblock
        watchdogs.append(me)
        try:
            if self.pumped:
                while self.interrupted is None and len(self.runnables()) > 1:
                    self.schedule()
            else:
                self.leave(me)
                self.pause()
        finally:
            if any(one is me for one in watchdogs[1:]):
                # Those that went into `run` after us go on as well, and know by this that they were overtaken.
                while True:
                    popped = watchdogs.pop()
                    assert popped is not None
                    if popped is watchdogs[0]:
                        watchdogs[0] = None
                    if popped is me:
                        break
                    if popped._queue is None:
                        self.insert(popped)
                self.threadblock = before[1]
                if own:
                    self.limit = before[0]
                    assert limit is not None
                    limit.end()
        victim, self.interrupted = self.interrupted, None
        if victim is None or limit is None or limit.soft:
            return None
        self.remove(victim)
        return victim

    # Ends.

    def end(self, face: tasklet, error: BaseException | None) -> None:
        """*face*, the current tasklet, has run to its end, or into *error*."""
        with guard:
            task = face._task
            face._task = face.tempval = None
            self.leave(face)
            if type(task) is Task:
                self._forget(task)
            if callbacks.scheduling is not None:
                callbacks.leaving(self, face)
            if self.dead or face is self.main:
                return
            next_ = None
            if error is None:
                if not self.runcount:
                    next_ = self.watchdog()
                    if next_._direction:
                        if not self._alone():
                            self.blocked = True
                            return
                        error = RuntimeError(_ALONE[next_._direction])
                elif self.limit is not None:
                    self._soft_interrupt()
            if error is not None:
                next_ = self.watchdog()
                next_._raise(bomb(type(error), error, error.__traceback__))
            if next_ is not None and next_._queue is None:
                self.insert_first(next_)
