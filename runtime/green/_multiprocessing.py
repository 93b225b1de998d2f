"""``_multiprocessing``: a semaphore between processes is waited for while others run.

The system has no event for it.  So a tasklet asks without waiting, and asks again when a tasklet of its own process
releases the semaphore, or after naps that grow as those of `runtime.naps` do; a worker thread in ``sem_wait`` would
take what nobody wants any more.  Where nobody else would run, the call is the plain one.

The C type knows its holder by the OS thread, which tasklets share.  So every one is a plain semaphore for it, and who
holds a recursive one is written down here.
"""

from __future__ import annotations

import _multiprocessing  # type: ignore[import-not-found]
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

from runtime.hub import Hub, get_hub
from runtime.lock import let_others
from runtime.naps import LONGEST, SHORTEST
from runtime.overlay import forward
from runtime.pipes import busy

if TYPE_CHECKING:
    from runtime.tasklet import Tasklet

_RECURSIVE, _SEMAPHORE = 0, 1  # the kinds that the C type knows
_acquire, _release = _multiprocessing.SemLock.acquire, _multiprocessing.SemLock.release


class SemLock(_multiprocessing.SemLock):  # type: ignore[misc]
    """A semaphore of the system, or a lock that its holder may take again."""

    # Set where an object is made: the C type has no `__init__`, and `_rebuild` makes objects as well.
    _depth = 0  # how often the holder of a recursive one has it
    _holder: int | None = None  # the identifier of the tasklet that took it last
    _waiting: deque[Tasklet]
    kind = _SEMAPHORE

    def __new__(cls, kind: int, value: int, maxvalue: int, name: str, unlink: bool) -> SemLock:
        known = kind in (_RECURSIVE, _SEMAPHORE)  # the C type refuses what it does not know
        self = super().__new__(cls, _SEMAPHORE if known else kind, value, maxvalue, name, unlink)
        self.kind = kind
        self._waiting = deque()
        return self

    @classmethod
    def _rebuild(cls, handle: int, kind: int, maxvalue: int, name: str | None) -> SemLock:
        self = super()._rebuild(handle, _SEMAPHORE, maxvalue, name)
        self.kind = kind
        self._waiting = deque()
        return self

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take it, waiting if *block*, up to *timeout* seconds (None: for ever; negative: not at all)."""
        hub = get_hub()
        me = hub.current.ident
        if self._depth and self._holder == me:
            self._depth += 1
            return True
        if hub.overdue:
            let_others(hub)
        if not (_acquire(self, False, timeout) or (block and self._wait(hub, timeout))):
            return False
        self._holder = me
        if not self.kind:
            self._depth = 1
        return True

    __enter__ = acquire

    def _wait(self, hub: Hub, timeout: float | None) -> bool:
        if busy() is None:
            return bool(_acquire(self, True, timeout))
        deadline = None if timeout is None else monotonic() + float(timeout)
        me = hub.current
        nap = SHORTEST
        self._waiting.append(me)
        try:
            while not _acquire(self, False):
                now = monotonic()
                if deadline is not None and now >= deadline:
                    return False
                hub.park_until(now + nap if deadline is None else min(now + nap, deadline))
                nap = min(nap * 2, LONGEST)
        finally:
            self._waiting.remove(me)
            if self._waiting and not self._is_zero():
                self._waiting[0].wake()  # we may have been woken for what we have not taken
        return True

    def release(self) -> None:
        """Give it back once.

        Raises:
            AssertionError: it is recursive, and somebody else's.
            ValueError: nobody has it.
        """
        if not self.kind:
            if not self._is_mine():
                raise AssertionError("attempt to release recursive lock not owned by thread")
            self._depth -= 1
            if self._depth:
                return
        _release(self)
        if self._waiting:
            try:
                self._waiting[0].wake()
            except IndexError:  # it has left, in another OS thread
                pass

    def __exit__(self, *exc: object) -> None:
        self.release()

    def _count(self) -> int:
        return self._depth if self.kind == _RECURSIVE else super()._count()

    def _is_mine(self) -> bool:
        return self._count() > 0 and self._holder == get_hub().current.ident

    def _after_fork(self) -> None:
        super()._after_fork()
        self._depth = 0
        self._waiting.clear()


SemLock.__module__ = "_multiprocessing"

forward(globals(), _multiprocessing)
