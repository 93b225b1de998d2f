"""Who waits on one descriptor in one hub.

A wake-up is a hint, never a promise: the caller tries its system call again and waits again if it must.  So a
wake-up too many is harmless, all waiters of a direction are woken by each event, and none can be lost to a
reader that took only part of what had arrived (an edge-triggered set reports that part once).
"""

from __future__ import annotations

from runtime.backends import HANGUP, READ, READABLE, WRITABLE, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.hub import Hub
    from runtime.strand import Strand


class Watch:
    """A descriptor's waiters.

    ``edge``: registered once, edge-triggered, by the socket that owns the descriptor.  Otherwise registered only
    while somebody waits.  ``closed``: whoever still waits gets ``EBADF``.  ``dry``: a read took less than it asked for
    and no event has come since, so the next one may wait without trying (epoll(7), questions and answers); never
    after a hang-up, which is reported once.
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
        self.readers: dict[Strand, None] = {}  # many may leave at once, in any order
        self.writers: dict[Strand, None] = {}

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"{len(self.readers)} readers, {len(self.writers)} writers"
        return f"<Watch of descriptor {self.fd}, {state}>"

    def add(self, tasklet: Strand, mask: int) -> None:
        """*tasklet* is about to wait for *mask*."""
        if mask & READ:
            self.readers[tasklet] = None
        if mask & WRITE:
            self.writers[tasklet] = None
        if not self.edge:
            self.update()

    def discard(self, tasklet: Strand) -> None:
        """*tasklet* waits no more (it may have been woken already)."""
        self.readers.pop(tasklet, None)
        self.writers.pop(tasklet, None)
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
            if self.readers:
                self._wake(self.readers)
        if bits & WRITABLE and self.writers:
            self._wake(self.writers)
        if not self.edge:
            self.update()

    def _wake(self, waiters: dict[Strand, None]) -> None:
        for tasklet in waiters:
            tasklet.rouse()
        waiters.clear()

    def close(self) -> None:
        """The descriptor is about to be closed or given away; may be called from any OS thread."""
        if self.closed:
            return
        self.closed = True
        if self.hub.watches.get(self.fd) is self:
            del self.hub.watches[self.fd]
        self.hub.backend.remove(self.fd)
        for tasklet in (*self.readers, *self.writers):
            tasklet.rouse()
