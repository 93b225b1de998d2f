"""The hub: scheduler and event loop of one OS thread.

Three principles:

1.  A wake-up is a hint.  `Hub.park` returns whenever somebody said `wake`, perhaps for a reason that has passed;
    every caller checks its own condition in a loop.  So a wake-up needs no token, may come twice, before the
    tasklet parks, from a signal handler or from another OS thread, and is never lost: the waker makes the
    condition true first and then wakes; the tasklet is marked as awake before it looks.
2.  Tasklets switch to one another directly.  The hub's own greenlet runs only when nothing is ready, when the
    budget of a turn is used up (so that I/O and timers are served however busy the run queue is), and to start
    a greenlet: one first started from inside another would inherit its recursion depth.
3.  ``ready.append`` is atomic, so a run queue is also the inbox for other OS threads: whoever appends looks at
    ``polling`` and rings the backend's alarm if the hub is asleep in it.

Rejected: a hub that every switch passes through (twice the switches: gevent, eventlet), and completion objects for
each wait (an allocation for each, and the cancellation of each to get right).
"""

from __future__ import annotations

import errno
import os
from _thread import get_ident
from collections.abc import Callable

from greenlet import GreenletExit, _greenlet, greenlet

from runtime import here, kernel, primitives
from runtime.backends import READ, WRITE, choose
from runtime.here import existing_hub, get_hub
from runtime.strand import Inbox
from runtime.timer import Timers
from runtime.watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.tasklet import Tasklet
    from runtime.uring import Ring

_LEAST, _MOST = 1, 256  # bounds of a turn's budget, in switches
_TURN = 0.002  # seconds: what a turn should take at most, so that I/O is served every few milliseconds
_LONGEST = 86400.0  # seconds a backend is asked to wait at once
_GLANCE = 0.1  # seconds of the first wait of a lull: a signal that came just before it did not end it
_SPARE = 256  # finished greenlets kept for reuse: starting one maps a stack (10 us), reusing one costs 1 us


# Once a thread has ended, greenlet asks the garbage collector who refers to the thread's main greenlet, and frees it if
# nobody does.  A collection under way in another thread hides what it has found to be garbage, as an ended thread's hub
# is: the main greenlet was freed under the hub's greenlet, and the process crashed (docs/design.md).
_greenlet.enable_optional_cleanup(False)


class Hub(Inbox):
    """Runs the tasklets of the OS thread that made it; see the module's principles.

    Args:
        main: the tasklet that stands for the code that the thread runs anyway.
        work: what a greenlet does to run the current tasklet, and then those that `go_on` finds.
    """

    def __init__(self, main: Tasklet, work: Callable[[], None]) -> None:
        super().__init__(choose())
        root = primitives.getcurrent()
        while root.parent is not None:
            root = root.parent
        self.thread = get_ident()
        self.greenlet = greenlet(self._run, root)
        self.work = work
        self._worker = primitives.worker(work)
        self.timers = Timers()
        self.watches: dict[int, Watch] = {}
        self.main = main
        self.current = main
        self.ticks = 0  # turns and resumptions: what the stall monitor looks at
        self.waits = 0  # parkings, ever
        self.unborn = (
            0  # of the tasklets: those that nobody expects to have begun (Stackless's, before their turn)
        )
        self.overdue = False  # the monitor says that the current tasklet has run for long without waiting
        self.ring: Ring | None = None  # made when something needs it
        self.ended = False  # with its OS thread; tasklets that waited then wait for ever
        self._budget = _LEAST
        self._next_budget = 16
        self._spare: list[greenlet] = []
        self._below = False  # whether the last greenlet begun was
        self._lull = False  # nobody has run since the last wait
        self._busy = False  # the last wait found several things to do
        self._events: Any = kernel.events()  # what the backend reports
        main.hub = self

    def __repr__(self) -> str:
        state = "waiting" if self.polling else "running"
        return f"<Hub of thread {self.thread}: {state}, {len(self.ready)} ready of {len(self.tasklets) + 1}>"

    # Called by tasklets.

    def park(self) -> None:
        """Let others run until somebody wakes the current tasklet; then raise what interrupted it, if anything.

        May return although nothing happened that the caller waits for.
        """
        me = self.current
        # Not always the greenlet that the tasklet was started in: code may use greenlets of its own.
        me.greenlet = running = primitives.getcurrent()
        if running is self.greenlet:
            raise RuntimeError("the hub cannot wait for itself (a finalizer, or a callback, that waits)")
        state = me.thread_state
        if state is not None:
            state.exchange()
        self.waits += 1
        ready = self.ready
        while ready and self._budget > 0:
            self._budget -= 1
            next_ = ready.popleft()
            next_.scheduled = False
            if next_ is me:
                break
            target = next_.greenlet
            if target is None:
                if next_.done:
                    del next_
                    continue
                if not self._spare:
                    next_.scheduled = True
                    ready.appendleft(next_)
                    del next_
                    primitives.leave(me, self.greenlet)
                    break
                target = next_.greenlet = self._spare.pop()
            self.ticks += 1
            self.current = next_
            del next_  # a frame that is switched away from must not keep another's tasklet
            primitives.leave(me, target)
            break
        else:
            primitives.leave(me, self.greenlet)
        # Here whoever switched back has made this tasklet the current one.  Anything may have changed.
        if state is not None:
            state.exchange()
        if me.interrupts:
            me = next_ = None  # type: ignore[assignment]  # for an error keeps this frame
            self.current.deliver()

    def schedule(self) -> None:
        """Let everyone who is ready run once."""
        me = self.current
        if not me.scheduled:
            me.scheduled = True
            self.ready.append(me)
        self.park()

    def give_way(self) -> None:
        """Let others run if the current tasklet is overdue; what may poll in a loop calls this."""
        self.overdue = False
        if primitives.getcurrent() is not self.greenlet:
            self._budget = 0  # the turn is over: who waits for I/O is not ready before the hub looks
            self.schedule()

    def park_until(self, deadline: float | None) -> None:
        """`park`, but be woken at *deadline* (monotonic seconds) at the latest."""
        if deadline is None:
            self.park()
            return
        timer = self.timers.at(deadline, self.current)
        try:
            self.park()
        finally:
            if not timer.fired:
                self.timers.cancel(timer)

    def sleep(self, deadline: float) -> None:
        """Wait until *deadline* (monotonic seconds)."""
        timer = self.timers.at(deadline, self.current)
        try:
            while not timer.fired:
                self.park()
        finally:
            self.timers.cancel(timer)

    def watch(self, fd: int) -> Watch:
        """The watch of *fd*, a descriptor whose owner will `Watch.close` it before closing the descriptor.

        Registered edge-triggered where the backend can; the caller tries its system call before it waits.
        """
        edge = self.backend.edge
        watch = self.watches.get(fd)
        if watch is not None:
            # Its descriptor was closed behind our back and the number reused; the system forgot the registration
            # with it.  Who still waits on it gets EBADF.
            watch.close()
        watch = Watch(self, fd, edge)
        if edge:
            self.backend.add(fd)
        self.watches[fd] = watch
        return watch

    def wait(self, watch: Watch, mask: int, deadline: float | None = None) -> bool:
        """Wait once for *mask* on *watch*; False when *deadline* passed.  True is a hint: try again.

        Raises:
            OSError: ``EBADF``, the descriptor was closed meanwhile.
        """
        if watch.closed:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        watch.add(self.current, mask)  # in no variable: an error that ends the tasklet keeps this frame
        fired = False
        try:
            if deadline is None:
                self.park()
            else:
                timer = self.timers.at(deadline, self.current)
                try:
                    self.park()
                finally:
                    self.timers.cancel(timer)
                fired = timer.fired
        finally:
            watch.discard(self.current)
        if watch.closed:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return not fired

    def wait_fd(self, fd: int, mask: int, deadline: float | None = None) -> bool:
        """`wait` for a descriptor that nobody registered: registered now, forgotten afterwards.

        Raises:
            PermissionError: the system cannot wait for it (a regular file).
        """
        watch = self.watches.get(fd)
        if watch is None:
            watch = Watch(self, fd, edge=False)
        elif watch.edge:
            try:
                self.backend.add(fd)  # again: that reports what is ready now, and finds a reused number
            except OSError:
                watch.close()
                raise
        return self.wait(watch, mask, deadline)

    # The hub's greenlet.

    def _run(self) -> None:
        while True:
            try:
                self._turn()
            except GreenletExit:
                return
            except BaseException as error:
                # Raised by a signal handler that ran in here (the hub's own code raises nothing): for the main one.
                self.main.interrupt(error)

    def _turn(self) -> None:
        ready = self.ready
        self._budget = budget = self._next_budget
        if ready:
            began = primitives.monotonic()
            while ready and self._budget > 0:
                self._budget -= 1
                next_ = ready.popleft()
                next_.scheduled = False
                target = next_.greenlet
                if target is None:
                    if next_.done:
                        del next_
                        continue
                    if not self._spare:
                        self.current = next_
                        del next_
                        self._begin()
                        continue
                    target = next_.greenlet = self._spare.pop()
                self.ticks += 1
                self.current = next_
                del next_
                primitives.switch(target)
            now = primitives.monotonic()
            if now - began > _TURN:
                self._next_budget = max(_LEAST, budget // 2)
            elif self._budget <= 0:
                self._next_budget = min(_MOST, budget * 2)
            self._lull = False
        self.ticks += 1
        self._poll()

    def _begin(self) -> None:
        """Run the current tasklet in a fresh greenlet: every second one below others, for the two that take turns."""
        self._below = not self._below
        self.ticks += 1
        self.current.greenlet = target = greenlet(self._worker, self.greenlet)
        primitives.begin(target, self._below)

    def _poll(self) -> None:
        """Serve I/O and timers, waiting for the first of them if nothing is ready."""
        if self.ring is not None:
            self.ring.turn()
        timeout: float | None = 0.0
        if not self.ready:
            next_ = self.timers.next()
            if next_ is not None:
                timeout = min(max(0.0, next_ - primitives.monotonic()), _LONGEST)
            else:
                timeout = None if self._expects() else _stuck(self)
            if not self._lull and (timeout is None or timeout > _GLANCE):
                timeout = _GLANCE
            self.polling = True
            if self.ready:  # woken between the look and the flag
                timeout = 0.0
        self._lull = True
        self.serve(timeout)

    def serve(self, timeout: float | None = 0.0) -> None:
        """Wake those whose I/O is ready or whose timers are due, waiting for the first; nobody else runs.

        Args:
            timeout: seconds to wait for I/O; None waits for ever.
        """
        events, self._events = self._events, None
        if events is None:  # a signal handler, in the midst of another one's
            events = kernel.events()
        try:
            count = kernel.wait(events, self.backend.descriptor, self.backend.wait, timeout, self._busy)
        finally:
            self.polling = False
        self._busy = count > 1
        watches = self.watches
        for index in range(count):
            fd = kernel.event_descriptor(events, index)
            bits = kernel.event_bits(events, index)
            watch = watches.get(fd)
            if watch is not None:
                watch.ready(bits)
            elif fd == self.backend.alarm.fd:
                self.backend.alarm.silence()
            else:
                self.backend.remove(fd)  # of a descriptor that was closed while a copy of it lives on
        self._events = events
        if len(self.timers):
            self.timers.fire(primitives.monotonic())

    def _expects(self) -> bool:
        """Whether anybody waits for a descriptor."""
        for watch in self.watches.values():  # noqa: SIM110 (the first one nearly always ends it: no generator)
            if watch.readers or watch.writers:
                return True
        return False

    def end(self) -> None:
        """Give back what was taken from the system; called as the OS thread ends.

        A suspended greenlet keeps what its frames refer to, this hub, for ever, so those of the hub are ended.  Those
        of tasklets that still wait are not: they vanish, without running their ``finally``.
        """
        self.ended = True
        if self.ring is not None:
            self.ring.close()
        self.backend.close()
        if (
            self.tasklets or self.thread != get_ident()
        ):  # in a forked child: another thread's, which is not there
            return
        try:
            caller = primitives.getcurrent()
        except RuntimeError:  # the interpreter ends
            return
        for own in (*self._spare, self.greenlet):
            if own:
                own.parent = caller
                own.throw()

    # The greenlets that tasklets run in.

    def go_on(self, me: greenlet) -> bool:
        """The current tasklet has run, in greenlet *me*: make the next one current that *me* is to run.

        Returns:
            False when *me* is one too many.
        """
        ready = self.ready
        self.current.finish()
        if len(self._spare) >= _SPARE:
            return False  # its parent is the hub
        while ready and self._budget > 0:
            self._budget -= 1
            next_ = ready.popleft()
            next_.scheduled = False
            target = next_.greenlet
            if target is None:
                if next_.done:
                    del next_
                    continue
                next_.greenlet = me  # this greenlet is free: no switch at all
                self.ticks += 1
                self.current = next_
                return True
            self.ticks += 1
            self.current = next_
            del next_
            self._spare.append(me)
            primitives.switch(target)
            return True
        self._spare.append(me)
        primitives.switch(self.greenlet)
        return True  # whoever switched here made a fresh tasklet the current one


def _for_ever(hub: Hub) -> float | None:
    return None


_stuck: Callable[[Hub], float | None] = _for_ever


def when_stuck(callback: Callable[[Hub], float | None]) -> None:
    """Have ``callback(hub)`` called when a hub can only be woken from outside; it says how long to wait."""
    global _stuck
    _stuck = callback


def replace_after_fork() -> None:
    """In a forked child: a fresh hub with nothing but the tasklet that forked.

    The other tasklets must vanish without running their ``finally`` (rollbacks, unlinks) in the wrong process;
    dropping a suspended greenlet would run them, so all of it is kept for ever.
    """
    old = existing_hub()
    if old is None:
        return
    _graveyard.append(old)
    survivor = old.current
    old.backend.close()  # the child's copies of the descriptors; the parent's stay
    hub = Hub(survivor, old.work)
    here.keep(hub)
    hub._next_budget = old._next_budget
    survivor.scheduled = False
    # The greenlet that forked may have the old hub above it: finishing there ends the process, as the end of the
    # only thread does.  It is the new hub's main tasklet, so not among its others.


_graveyard: list[Any] = []


def current() -> Tasklet:
    """The tasklet that is running."""
    hub = here.get_hub()
    return hub.current


def schedule() -> None:
    """Let every other ready tasklet run once."""
    hub = here.get_hub()
    hub.schedule()


def sleep(seconds: float) -> None:
    """Wait for *seconds*, letting others run; 0 is `schedule`.

    Raises:
        ValueError: *seconds* is negative.
    """
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    hub = here.get_hub()
    if seconds:
        hub.sleep(primitives.monotonic() + seconds)
    else:
        hub.schedule()


__all__ = ["READ", "WRITE", "Hub", "current", "existing_hub", "get_hub", "schedule", "sleep", "when_stuck"]
