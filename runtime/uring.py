"""The ring: operations on files that the kernel carries out while tasklets run (io_uring(7)).

A hub makes its ring when something first needs it, and goes on waiting by its own backend: the ring's bell is one more
descriptor that it watches.  What tasklets ask for in a turn of the hub is submitted by one system call.

**Memory.**  What the kernel reads from and writes to belongs to an `Operation`, never to the caller: bytes that are
the caller's only when it is done.  The queues refer to it until its completion has come.  So a tasklet that is killed,
or times out, leaves at once: it asks for the operation's cancellation and forgets it.  A ring that is closed with
operations under way leaves them in memory for ever.

**Bounds.**  `_FLYING` operations are under way at most.  The completion queue has room for twice as many, since each
may be cancelled.  Further ones wait for their turn.

**Fork.**  The child closes its copies of the descriptors and makes a ring of its own if it needs one.

Where there is none (an old kernel, a container that forbids the calls, the core as it is written, another backend than
epoll, ``UNSTALL_URING=0`` in the environment) `ring_of` says so, and worker threads do the same.
"""

from __future__ import annotations

import os
from collections import deque
from errno import EAGAIN, EBUSY, ECANCELED, EINVAL, ENOSYS, EPERM

from runtime import kernel
from runtime.watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.hub import Hub
    from runtime.strand import Strand

# Operations, by their numbers in <linux/io_uring.h>.
FSYNC, OPENAT, STATX, READ, WRITE = 3, 18, 21, 22, 23
RENAMEAT, UNLINKAT, MKDIRAT, SYMLINKAT, LINKAT = 35, 36, 37, 38, 39

_SUBMISSIONS = 256  # entries written before they are submitted
_FLYING = 1024  # operations under way at most
_NEVER = {ENOSYS, EPERM, EINVAL}  # there is no ring, nor will there be


class Operation:
    """One operation, in the words of io_uring_enter(2).

    Args:
        opcode: what to do.
        fd: on which descriptor, or relative to which folder.
        first: bytes that are read or written, or a path.
        start: where in *first* to begin.
        length: or whatever else the operation takes in its place.
        second: other bytes or another path, in place of the offset.
        offset: in the file.
        flags: of the operation.
    """

    __slots__ = (
        "done",
        "fd",
        "first",
        "flags",
        "flying",
        "length",
        "offset",
        "opcode",
        "result",
        "second",
        "start",
        "tasklet",
    )

    def __init__(
        self,
        opcode: int,
        fd: int,
        first: bytes | None = None,
        start: int = 0,
        length: int = 0,
        second: bytes | None = None,
        offset: int = 0,
        flags: int = 0,
    ) -> None:
        self.opcode = opcode
        self.fd = fd
        self.first = first
        self.start = start
        self.length = length
        self.second = second
        self.offset = offset
        self.flags = flags
        self.result = 0
        self.done = False
        self.flying = False  # the kernel has it, or will with the next submission
        self.tasklet: Strand | None = None  # who waits for it


class Ring(Watch):
    """The ring of *hub*: a watch whose readers are the operations under way.

    Raises:
        OSError: there is none.
    """

    __slots__ = ("_later", "_queues", "_scratch", "flying")

    def __init__(self, hub: Hub) -> None:
        self._queues = kernel.make(_SUBMISSIONS, 2 * _FLYING)
        Watch.__init__(self, hub, kernel.bell(self._queues), True)
        self.flying: dict[Operation, None] = {}  # what the kernel has
        self.readers = self.flying  # type: ignore[assignment]  # for which the hub waits
        self._later: deque[Operation] = deque()  # what has to wait for its turn
        self._scratch = b""
        try:
            hub.backend.add(self.fd)
        except OSError:
            self.forget()
            raise
        hub.watches[self.fd] = self
        _rings.add(self)

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"{len(self.flying)} under way, {len(self._later)} waiting"
        return f"<Ring: {state}>"

    def knows(self, opcode: int) -> bool:
        """Whether the kernel can do *opcode*."""
        return not self.closed and kernel.knows(self._queues, opcode)

    def scratch(self, length: int) -> bytes:
        """At least *length* bytes to read into what nobody looks at."""
        if len(self._scratch) < length:
            self._scratch = kernel.room(length)
        return self._scratch

    # Called by tasklets.

    def ask(self, operation: Operation) -> int:
        """Have *operation* carried out and wait for it, in the hub's current tasklet.

        Returns:
            What the kernel says: a number, or a negative error number, ``-EAGAIN`` if it could not take it.
        """
        hub = self.hub
        self.start(operation)
        try:
            while not operation.done:
                hub.park()
        except BaseException:
            self.leave(operation)
            raise
        return operation.result

    def finish(self, operation: Operation) -> int:
        """`ask`, to the end: an interruption comes with the tasklet's next wait."""
        hub = self.hub
        if hub.current.interrupts:  # of the wait before
            hub.current.deliver()
        interrupts: list[BaseException] = []
        self.start(operation)
        while not operation.done:
            try:
                hub.park()
            except BaseException as error:
                interrupts.append(error)
        for interrupt in interrupts:
            hub.current.interrupt(interrupt)
        return operation.result

    def start(self, operation: Operation) -> None:
        """Have *operation* carried out; the current tasklet waits for it."""
        operation.tasklet = self.hub.current
        if self.closed:
            self._settle(operation, -EAGAIN)
        elif len(self.flying) < _FLYING:
            self._push(operation)
        else:
            self._later.append(operation)

    def leave(self, operation: Operation) -> None:
        """Nobody waits for *operation* any more."""
        operation.tasklet = None
        if operation.done:
            _drop(operation)
        elif operation.flying and not self.closed and not kernel.cancel(self._queues, operation):
            self._submit()
            kernel.cancel(self._queues, operation)  # it ends by itself if even now there is no room

    # Called by the hub.

    def turn(self) -> None:
        """Submit what has been asked for, and wake those whose operations have been completed."""
        later = self._later
        while not self.closed:
            if kernel.due(self._queues):
                self._submit()
            while True:
                operation = kernel.completed(self._queues)
                if operation is None:
                    break
                self._settle(operation, kernel.result(self._queues))
            if not later or len(self.flying) >= _FLYING:
                return
            while later and len(self.flying) < _FLYING:
                operation = later.popleft()
                if operation.tasklet is not None:
                    self._push(operation)

    def ready(self, bits: int) -> None:
        """The bell has rung."""
        self.turn()

    def _push(self, operation: Operation) -> None:
        for _ in (1, 2):
            if kernel.push(
                self._queues,
                operation,
                operation.opcode,
                operation.fd,
                operation.first,
                operation.start,
                operation.length,
                operation.second,
                operation.offset,
                operation.flags,
            ):
                operation.flying = True
                self.flying[operation] = None
                return
            self._submit()
        self._settle(operation, -EAGAIN)

    def _submit(self) -> None:
        error = kernel.submit(self._queues)
        if error and error != EBUSY:  # which says: take completions first; there is room for all of them
            while kernel.pending(self._queues):
                operation = kernel.take_back(self._queues)
                if operation is not None:
                    self._settle(operation, -EAGAIN)

    def _settle(self, operation: Operation, result: int) -> None:
        self.flying.pop(operation, None)
        operation.flying = False
        operation.result = result
        operation.done = True
        if operation.tasklet is None:
            _drop(operation)
        else:
            operation.tasklet.rouse()

    # The end.

    def close(self) -> None:
        """Give it back; what is under way counts as cancelled, and stays in memory."""
        if self.closed:
            return
        left = [*self.flying, *self._later]
        self.flying = {}
        self.readers = None
        Watch.close(self)
        self.forget()
        for operation in left:
            self._settle(operation, -ECANCELED)

    def forget(self) -> None:
        """Close the descriptors, in whatever process."""
        self.closed = True
        self._later.clear()
        _rings.discard(self)
        kernel.end(self._queues)
        if self.hub.ring is self:
            self.hub.ring = None


def _drop(operation: Operation) -> None:
    """Nobody takes the outcome of *operation*."""
    if operation.opcode == OPENAT and operation.result >= 0:
        os.close(operation.result)
        operation.result = -ECANCELED


_rings: set[Ring] = set()
possible = os.environ.get("UNSTALL_URING") != "0"


def ring_of(hub: Hub) -> Ring | None:
    """The ring of *hub*, made on first use; None where there is none."""
    global possible
    if hub.ring is None and possible and hub.backend.edge:
        try:
            hub.ring = Ring(hub)
        except OSError as error:
            if error.errno in _NEVER:
                possible = False
    return hub.ring


def _forget_all() -> None:
    for ring in tuple(_rings):
        ring.forget()


os.register_at_fork(after_in_child=_forget_all)
