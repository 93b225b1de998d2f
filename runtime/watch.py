"""Who waits on one descriptor in one hub.

A wake-up is a hint, never a promise: the caller tries its system call again and waits again if it must.  So a
wake-up too many is harmless, all waiters of a direction are woken by each event, and none can be lost to a
reader that took only part of what had arrived (an edge-triggered set reports that part once).
"""

from __future__ import annotations

from runtime.backends import HANGUP, READ, READABLE, WRITABLE, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from runtime.hub import Hub
    from runtime.strand import Strand

    Waiters: TypeAlias = Strand | dict[Strand, None] | None


class Watch:
    """A descriptor's waiters.

    ``edge``: registered once, edge-triggered, by the socket that owns the descriptor.  Otherwise registered only
    while somebody waits.  ``closed``: whoever still waits gets ``EBADF``.  ``dry``: a read took less than it asked for
    and no event has come since, so the next one may wait without trying (epoll(7), questions and answers); never
    after a hang-up, which is reported once.  ``readers``, ``writers``: nobody (None), one tasklet, or a dict
    of several, of whom many may leave at once, in any order.
    """

    __slots__ = ("closed", "dry", "edge", "fd", "hub", "hung_up", "interest", "readers", "writers")

    def __init__(self, hub: Hub, fd: int, edge: bool) -> None:
        self.hub = hub
        self.fd = fd
        self.edge = edge
        self.closed = False
        self.dry = False
        self.hung_up = False
        self.interest = 0
        self.readers: Waiters = None
        self.writers: Waiters = None

    def __repr__(self) -> str:
        state = f"{_count(self.readers)} readers, {_count(self.writers)} writers"
        return f"<Watch of descriptor {self.fd}, {'closed' if self.closed else state}>"

    def add(self, tasklet: Strand, mask: int) -> None:
        """*tasklet* is about to wait for *mask*."""
        if mask & READ:
            self.readers = _with(self.readers, tasklet)
        if mask & WRITE:
            self.writers = _with(self.writers, tasklet)
        if not self.edge:
            self.update()

    def discard(self, tasklet: Strand) -> None:
        """*tasklet* waits no more (it may have been woken already)."""
        if self.readers is not None:
            self.readers = _without(self.readers, tasklet)
        if self.writers is not None:
            self.writers = _without(self.writers, tasklet)
        if not self.edge and not self.closed:
            self.update()

    def update(self) -> None:
        """Tell the backend what is waited for, if that changed."""
        interest = (READ if self.readers else 0) | (WRITE if self.writers else 0)
        if interest != self.interest:
            self.hub.backend.interest(self.fd, interest)
            self.interest = interest
        if interest:
            self.hub.watches[self.fd] = self
        elif self.hub.watches.get(self.fd) is self:
            del self.hub.watches[self.fd]

    def ready(self, bits: int) -> None:
        """The backend reports *bits*."""
        if bits & READABLE:
            self.dry = False
            if bits & HANGUP:
                self.hung_up = True
            if self.readers is not None:
                waiters, self.readers = self.readers, None
                _wake(waiters)
        if bits & WRITABLE and self.writers is not None:
            waiters, self.writers = self.writers, None
            _wake(waiters)
        if not self.edge:
            self.update()

    def wake_readers(self) -> None:
        """Let those who wait for input try again; may be called from any OS thread."""
        _wake(self.readers)

    def close(self) -> None:
        """The descriptor is about to be closed or given away; may be called from any OS thread."""
        if self.closed:
            return
        self.closed = True
        if self.hub.watches.get(self.fd) is self:
            del self.hub.watches[self.fd]
        self.hub.backend.remove(self.fd)
        _wake(self.readers)
        _wake(self.writers)


def _with(waiters: Waiters, tasklet: Strand) -> Waiters:
    if waiters is None:
        return tasklet
    if isinstance(waiters, dict):
        waiters[tasklet] = None
        return waiters
    return {waiters: None, tasklet: None}


def _without(waiters: Waiters, tasklet: Strand) -> Waiters:
    if waiters is tasklet:
        return None
    if isinstance(waiters, dict):
        waiters.pop(tasklet, None)
        return waiters or None
    return waiters


def _wake(waiters: Waiters) -> None:
    if isinstance(waiters, dict):
        for tasklet in tuple(waiters):
            tasklet.rouse()
    elif waiters is not None:
        tasklet = waiters
        tasklet.rouse()


def _count(waiters: Waiters) -> int:
    return len(waiters) if isinstance(waiters, dict) else int(waiters is not None)
