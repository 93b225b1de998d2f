"""Locks that work between tasklets and between OS threads alike.

The state is a latch, which is taken atomically; a tasklet that does not get it waits in its hub.  A release hands the
lock to the first waiter, so nobody starves: without that, a tasklet that releases and takes the lock again before it
next waits would keep all others out for ever (threads are saved from it by preemption).  Whoever takes a waiter out of
the queue decides its fate; `OrderedDict` makes that atomic, at the front and anywhere else.

A waiter that is killed or timed out at the moment of a hand-over keeps the lock, and the interruption comes with its
next wait: passed on, the lock would be a notification that nobody got (`threading.Condition` waits on locks).
"""

from __future__ import annotations

from _thread import TIMEOUT_MAX, allocate_lock
from collections import OrderedDict
from time import monotonic

from runtime import here, primitives
from runtime.hub import Hub
from runtime.strand import Strand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Waiter:
    __slots__ = ("granted", "tasklet")

    def __init__(self, tasklet: Strand) -> None:
        self.tasklet = tasklet
        self.granted = False


def _deadline(blocking: bool, timeout: float) -> float | None:
    """Check the arguments as ``_thread.lock.acquire`` does; the deadline, in monotonic seconds."""
    if timeout == -1:
        return None
    if not blocking or not isinstance(timeout, (int, float)) or not 0 <= timeout <= TIMEOUT_MAX:
        allocate_lock().acquire(blocking, timeout)  # raises what it has to say about it
    return monotonic() + timeout


def let_others(hub: Hub) -> None:
    """Let others run, on the way to a lock; what interrupts the tasklet meanwhile is raised where it waits next.

    For to take a free lock is no wait: who releases a semaphore, say, which takes one, need not fear that it fails.
    """
    me = hub.current
    try:
        hub.give_way()
    except BaseException as error:
        if me.handling:  # a signal handler raised it, and that is not put off
            raise
        me.interrupt(error)


class Lock:
    """``threading.Lock`` for tasklets: not reentrant, may be released by anyone."""

    __slots__ = ("__weakref__", "_state", "_waiters")

    def __init__(self) -> None:
        self._state: Any = primitives.latch()
        self._waiters: OrderedDict[_Waiter, None] | None = None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock, waiting for it if *blocking*, up to *timeout* seconds (-1: for ever)."""
        hub = here.get_hub()
        if hub.overdue:
            let_others(hub)
        if timeout != -1 or not blocking:
            deadline = _deadline(blocking, timeout)
            if primitives.take(self._state):
                return True
            return blocking and self._wait(deadline)
        return primitives.take(self._state) or self._wait(None)

    def _wait(self, deadline: float | None) -> bool:
        waiters = self._waiters
        if waiters is None:
            with _making:
                waiters = self._waiters
                if waiters is None:
                    waiters = self._waiters = OrderedDict()
        hub = here.get_hub()
        waiter = _Waiter(hub.current)
        waiters[waiter] = None
        # Released between our look and our entry: nobody would wake us.
        if primitives.take(self._state):
            if not self._withdraw(waiter):
                self.release()  # and handed to us besides
            return True
        try:
            while not waiter.granted:
                if deadline is not None and monotonic() >= deadline:
                    return not self._withdraw(waiter)
                hub.park_until(deadline)
        except BaseException as error:
            if self._withdraw(waiter):
                raise
            if waiter.tasklet.handling:  # a signal handler raised it, and that is not put off
                self.release()
                raise
            waiter.tasklet.interrupt(error)
        return True

    def _withdraw(self, waiter: _Waiter) -> bool:
        """Leave the queue; False when the lock was handed to *waiter* meanwhile."""
        assert self._waiters is not None
        return self._waiters.pop(waiter, waiter) is None

    def release(self) -> None:
        """Give the lock to whoever waits longest, or free it."""
        state = self._state
        if not primitives.taken(state):
            raise RuntimeError("release unlocked lock")
        while True:
            if self._waiters:
                try:
                    waiter, _ = self._waiters.popitem(False)
                except KeyError:
                    pass
                else:
                    waiter.granted = True
                    waiter.tasklet.rouse()
                    return
            primitives.free(state)
            # Somebody may have queued up between the look and the release.
            if not self._waiters or not primitives.take(state):
                return

    def locked(self) -> bool:
        return primitives.taken(self._state)

    __enter__ = acquire

    def __exit__(self, *exc: object) -> None:
        self.release()

    # The old names, and what `threading` asks for.
    acquire_lock = acquire
    release_lock = release
    locked_lock = locked

    # What `threading.Condition` asks for.  Its own `_acquire_restore`, if interrupted, ends without the lock.

    def _release_save(self) -> None:
        self.release()

    def _acquire_restore(self, _: object) -> None:
        """Take the lock; an interruption comes with the next wait."""
        late: list[BaseException] = []
        while True:
            try:
                self.acquire()
                break
            except BaseException as error:
                late.append(error)
        for put_off in late:
            here.get_hub().current.interrupt(put_off)

    def _is_owned(self) -> bool:
        return primitives.taken(self._state)

    def _at_fork_reinit(self) -> None:
        self._state = primitives.latch()
        self._waiters = None

    def __repr__(self) -> str:
        state = "locked" if primitives.taken(self._state) else "unlocked"
        return f"<{state} {_type_name(self)} object at {id(self):#x}>"


class RLock:
    """``threading.RLock`` for tasklets: the tasklet that holds it may take it again."""

    __slots__ = ("__weakref__", "_block", "_count", "_owner")

    def __init__(self, *ignored: object, **ignored_too: object) -> None:
        # The C type ignores its arguments as well.
        self._block = Lock()
        self._owner: int | None = None
        self._count = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock once more, waiting as `Lock.acquire` does."""
        me = here.get_hub().current.ident
        if self._owner == me:
            _deadline(blocking, timeout)
            self._count += 1
            return True
        if not self._block.acquire(blocking, timeout):
            return False
        self._owner = me
        self._count = 1
        return True

    __enter__ = acquire

    def release(self) -> None:
        """Undo one `acquire`; the last one frees the lock."""
        if self._owner != here.get_hub().current.ident:
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if not self._count:
            self._owner = None
            self._block.release()

    def __exit__(self, *exc: object) -> None:
        self.release()

    def locked(self) -> bool:
        return self._block.locked()

    # What `threading.Condition` asks for.

    def _is_owned(self) -> bool:
        return self._owner == here.get_hub().current.ident

    def _release_save(self) -> tuple[int, int | None]:
        if not self._count:
            raise RuntimeError("cannot release un-acquired lock")
        saved = self._count, self._owner
        self._count = 0
        self._owner = None
        self._block.release()
        return saved

    def _acquire_restore(self, saved: tuple[int, int | None]) -> None:
        self._block._acquire_restore(None)
        self._count, self._owner = saved

    def _recursion_count(self) -> int:
        return self._count if self._is_owned() else 0

    def _at_fork_reinit(self) -> None:
        self._block._at_fork_reinit()
        self._owner = None
        self._count = 0

    def __repr__(self) -> str:
        state = "locked" if self._block.locked() else "unlocked"
        return f"<{state} {_type_name(self)} object owner={self._owner or 0} count={self._count} at {id(self):#x}>"


_making = allocate_lock()  # guards the making of a lock's queue; never held across a switch


def _type_name(self: object) -> str:
    return f"{type(self).__module__}.{type(self).__qualname__}"
