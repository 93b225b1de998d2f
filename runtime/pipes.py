"""Reading and writing bare descriptors without stopping the scheduler.

A descriptor that the system can wait for (a pipe, a FIFO, a terminal, a socket) is waited for in the hub and then
read or written as it always was: its mode belongs to everybody who shares it and is not touched.  A write to a
blocking pipe goes in pieces of ``PIPE_BUF``, which is what the system promises to take at once when it says
writable (pipe(7)).  Regular files never wait in this sense; the call is made in place.
"""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from runtime.backends import READ, WRITE
from runtime.hub import Hub, existing_hub

T = TypeVar("T")
PIECE = getattr(select, "PIPE_BUF", 512)  # bytes


def _busy() -> Hub | None:
    """The hub, if there is anybody whom a wait would hold up."""
    hub = existing_hub()
    return hub if hub is not None and (hub.tasklets or hub.timers) else None


def _ready(fd: int, mask: int) -> bool:
    poll = select.poll()
    poll.register(fd, mask)
    return bool(poll.poll(0))


def until(hub: Hub, fd: int, mask: int) -> None:
    """Wait until a call on *fd* would not wait; at once for what the system cannot wait for."""
    while not _ready(fd, mask):
        try:
            hub.wait_fd(fd, mask)
        except PermissionError:
            return


def read(call: Callable[..., T], fd: int, *args: Any) -> T:
    """Make *call*, which reads *fd*, when there is something to read."""
    hub = _busy()
    if hub is not None and isinstance(fd, int) and fd >= 0 and os.get_blocking(fd):
        until(hub, fd, READ)
    return call(fd, *args)


def write(fd: int, data: Any) -> int:
    """``os.write``: all of *data* goes to a blocking descriptor, in pieces that never wait."""
    hub = _busy()
    if hub is None or not isinstance(fd, int) or fd < 0 or not os.get_blocking(fd):
        return os.write(fd, data)
    with memoryview(data) as view, view.cast("B") as octets:
        total = len(octets)
        piece = total if stat.S_ISREG(os.fstat(fd).st_mode) else PIECE
        sent = 0
        while True:
            until(hub, fd, WRITE)
            try:
                sent += os.write(fd, octets[sent : sent + piece])
            except OSError:
                if sent:
                    return sent  # as the system reports it: the error comes with the next call
                raise
            if sent >= total:
                return sent


def writev(fd: int, buffers: Sequence[Any]) -> int:
    """``os.writev``."""
    if _busy() is None:
        return os.writev(fd, buffers)
    return write(fd, b"".join(bytes(buffer) for buffer in buffers))
