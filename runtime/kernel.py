"""What the compiled core asks of Linux by system calls of its own, and the plain forms.

As with `runtime.primitives`, who compiles the core takes this module's ``.pxd`` instead: functions of C
(``kernel.h``) with the same names.  As it is written there are no queues to share with the kernel, so `make` fails and
nobody comes to call the others.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

NOWAIT = getattr(os, "RWF_NOWAIT", 0)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    class Queues:
        """The submission and the completion queue of an io_uring, used by one OS thread."""

    def end(queues: Queues) -> None:
        """Give them back; what is under way may still write to where it was told to, so that has to stay."""

    def bell(queues: Queues) -> int:
        """The eventfd that rings when something has been completed."""

    def knows(queues: Queues, opcode: int) -> bool:
        """Whether the kernel knows the operation."""

    def pending(queues: Queues) -> int:
        """How many entries have been written and not submitted."""

    def push(
        queues: Queues,
        operation: object,
        opcode: int,
        fd: int,
        first: bytes | None,
        start: int,
        length: int,
        second: bytes | None,
        offset: int,
        flags: int,
    ) -> bool:
        """Write an entry; the queues hold *operation*, which holds what the addresses point into.  False: no room."""

    def cancel(queues: Queues, operation: object) -> bool:
        """Write an entry that ends *operation*, which is completed in any case.  False: no room."""

    def due(queues: Queues) -> bool:
        """Whether there is anything to submit, or to be done before completions come."""

    def submit(queues: Queues) -> int:
        """Submit all that is pending; 0 or an error number."""

    def completed(queues: Queues) -> Any:
        """The next operation that has been completed, or None."""

    def result(queues: Queues) -> int:
        """Of what `completed` returned last: a number, or a negative error number."""

    def take_back(queues: Queues) -> Any:
        """Take the last pending entry back: its operation, or None if that was a cancellation."""

    def room(length: int) -> bytes:
        """Bytes for the kernel to write to."""


def make(submissions: int, completions: int) -> Queues:
    """Make queues with room for so many entries.

    Raises:
        OSError: there are none: an old kernel, a container that forbids them, or this form of the core.
    """
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


def read(fd: int, length: int, offset: int) -> bytes | int:
    """Up to *length* bytes at *offset*, as far as they can be had without waiting; an error number, if they cannot."""
    if not NOWAIT:
        return errno.EOPNOTSUPP
    octets = bytearray(length)
    try:
        count = os.preadv(fd, [octets], offset, NOWAIT)
    except OSError as error:
        return error.errno or errno.EIO
    return bytes(octets) if count == length else bytes(memoryview(octets)[:count])


def fill(fd: int, buffer: Any) -> int:
    """Fill *buffer* at the position of *fd*, or as far as the file goes, without waiting.

    Returns:
        How many bytes; or a negative error number, and the position is as it was.
    """
    if not NOWAIT:
        return -errno.EOPNOTSUPP
    got = 0
    try:
        with memoryview(buffer) as whole, whole.cast("B") as view:
            while got < len(view):
                count = os.preadv(fd, [view[got:]], -1, NOWAIT)
                if not count:
                    break
                got += count
            return got
    except OSError as error:
        if got:
            os.lseek(fd, -got, os.SEEK_CUR)
        return -(error.errno or errno.EIO)
    except (TypeError, ValueError):
        return -errno.EINVAL


def events() -> Any:
    """Room for what `wait` reports."""
    return []


def wait(
    events: Any, descriptor: int, otherwise: Callable[[float | None], Any], timeout: float | None, busy: bool
) -> int:
    """Wait up to *timeout* seconds (None: for ever) on an epoll set; how many events came.

    *busy* says that some are likely to be there: compiled, it looks for them before it lets other OS threads run.
    *otherwise* waits as `runtime.backends.Backend.wait` does: where *descriptor*, the set's, is -1, and as written.
    """
    events[:] = otherwise(timeout)
    return len(events)


def event_descriptor(events: Any, index: int) -> int:
    """The descriptor of an event."""
    return events[index][0]  # type: ignore[no-any-return]


def event_bits(events: Any, index: int) -> int:
    """What is ready."""
    return events[index][1]  # type: ignore[no-any-return]
