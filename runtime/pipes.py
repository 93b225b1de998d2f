"""Reading and writing bare descriptors without stopping the scheduler.

The mode of a descriptor belongs to everybody who shares it and is not touched.  Two ways:

- pipes and sockets take ``RWF_NOWAIT`` (preadv2(2)): the call is tried, and if it would wait the hub is asked.
  Exact, even if others read the same pipe;
- what does not take it (FIFOs, terminals, older kernels) is waited for in the hub and then read or written as it
  always was, writes in pieces of ``PIPE_BUF``, which the system promises to take at once when it says writable
  (pipe(7)); a terminal promises nothing, so a worker thread writes to it.

Regular files never wait in this sense; `runtime.pages` sees that what is read is in memory.
"""

from __future__ import annotations

import errno
import os
import select
import stat
from collections.abc import Callable, Sequence
from fcntl import F_GETFL, fcntl

from runtime.backends import READ, WRITE
from runtime.hub import Hub, existing_hub
from runtime.mounts import mounts
from runtime.pages import NOWAIT, load
from runtime.workers import offload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")

PIECE = getattr(select, "PIPE_BUF", 512)  # bytes
_MOST = 1 << 16  # bytes: a pipe's capacity; larger reads do not go through a buffer of their own
_OTHER_WAY = {READ: os.O_WRONLY, WRITE: os.O_RDONLY}
_REFUSED = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.ESPIPE}  # no RWF_NOWAIT for this descriptor


def busy() -> Hub | None:
    """The hub, if there is anybody whom a wait would hold up."""
    hub = existing_hub()
    return hub if hub is not None and (hub.tasklets or hub.timers) else None


def waits(fd: Any, mask: int) -> bool:
    """Whether *fd* is a descriptor in blocking mode, and open for what *mask* says: READ or WRITE.

    Raises:
        OSError: ``EBADF``, it is not open.
    """
    if not isinstance(fd, int) or fd < 0:
        return False
    flags = fcntl(fd, F_GETFL)
    return not flags & os.O_NONBLOCK and flags & os.O_ACCMODE != _OTHER_WAY[mask]


def ready(fd: int, mask: int) -> bool:
    """Whether a call on *fd* would not wait now."""
    poll = select.poll()
    poll.register(fd, mask)
    return bool(poll.poll(0))


def until(hub: Hub, fd: int, mask: int) -> None:
    """Wait until a call on *fd* would not wait; at once for what the system cannot wait for."""
    while not ready(fd, mask):
        try:
            hub.wait_fd(fd, mask)
        except PermissionError:
            return


def _is_regular(fd: int) -> bool:
    return stat.S_ISREG(os.fstat(fd).st_mode)


def read(call: Callable[..., T], fd: int, *args: Any) -> T:
    """Make *call*, which reads *fd*, when there is something to read."""
    hub = busy()
    if hub is not None and waits(fd, READ):
        until(hub, fd, READ)
    return call(fd, *args)


def read_bytes(fd: int, length: int) -> bytes:
    """``os.read``."""
    hub = busy()
    if hub is None or not isinstance(length, int) or length <= 0 or not waits(fd, READ):
        return os.read(fd, length)
    begun = b""
    if NOWAIT and length <= _MOST:
        buffer = bytearray(length)
        count = _nowait(hub, os.preadv, fd, buffer, READ)
        if count == length:
            return bytes(buffer)
        if count is not None:
            begun = bytes(memoryview(buffer)[:count])
            if not count or not _is_regular(fd):
                return begun
    if not _is_regular(fd):
        until(hub, fd, READ)
        return os.read(fd, length)
    # A file is read to the end, or as far as was asked; so far only what was in memory has come.
    load(fd, length - len(begun))
    return begun + os.read(fd, length - len(begun))


def read_buffers(fd: int, buffers: Sequence[Any]) -> int:
    """``os.readv``."""
    hub = busy()
    if hub is not None and waits(fd, READ):
        if _is_regular(fd):
            load(fd, sum(memoryview(buffer).nbytes for buffer in buffers))
        else:
            until(hub, fd, READ)
    return os.readv(fd, buffers)


def _nowait(hub: Hub, call: Callable[..., int], fd: int, octets: Any, mask: int) -> int | None:
    """``preadv`` or ``pwritev``, waiting in the hub; None if *fd* does not take the flag."""
    while True:
        try:
            return call(fd, [octets], -1, NOWAIT)
        except BlockingIOError:
            try:
                hub.wait_fd(fd, mask)
            except PermissionError:
                return None
        except OSError as error:
            if error.errno in _REFUSED:
                return None
            raise


def write(fd: int, data: Any) -> int:
    """``os.write``: all of *data* goes to a blocking descriptor, in pieces that never wait."""
    hub = busy()
    if hub is None or not waits(fd, WRITE):
        return os.write(fd, data)
    with memoryview(data) as view, view.cast("B") as octets:
        total = len(octets)
        if not total:
            return os.write(fd, data)
        sent = 0
        call = _write_nowait if NOWAIT else _write_slowly
        while sent < total:
            try:
                count = call(hub, fd, octets[sent:])
                if count is None:
                    call = _write_slowly
                else:
                    sent += count
            except OSError:
                if sent:
                    return sent  # as the system reports it: the error comes with the next call
                raise
        return sent


def _write_nowait(hub: Hub, fd: int, octets: memoryview) -> int | None:
    return _nowait(hub, os.pwritev, fd, octets, WRITE)


def _write_slowly(hub: Hub, fd: int, octets: memoryview) -> int | None:
    if _is_regular(fd):
        return offload(os.write, fd, bytes(octets)) if mounts.slow(fd) else os.write(fd, octets)
    if os.isatty(fd):
        return offload(os.write, fd, bytes(octets))
    until(hub, fd, WRITE)
    return os.write(fd, octets[:PIECE])


def write_buffers(fd: int, buffers: Sequence[Any]) -> int:
    """``os.writev``."""
    if busy() is None:
        return os.writev(fd, buffers)
    return write(fd, b"".join(bytes(buffer) for buffer in buffers))
