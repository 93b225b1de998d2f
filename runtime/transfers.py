"""Moving data from one descriptor to another inside the kernel: sendfile, splice.

Pipes take ``SPLICE_F_NONBLOCK``.  Sockets have no flag here: one is non-blocking for the length of each system call,
and in its own mode again before anybody else runs in this OS thread.  Everything else is a matter for a worker thread.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from runtime.backends import READ, WRITE
from runtime.hub import Hub
from runtime.pages import load
from runtime.pipes import until
from runtime.workers import offload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NONBLOCK = getattr(os, "SPLICE_F_NONBLOCK", 0)
_PIECE = 1 << 20  # bytes of a file that are looked for in memory at once


def _kind(fd: int) -> str:
    mode = os.fstat(fd).st_mode
    return "pipe" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "other"


def _tried(socket: int | None, call: Callable[[], int]) -> int | None:
    """Make *call*, with *socket* in non-blocking mode; None if it would have waited."""
    if socket is not None:
        os.set_blocking(socket, False)
    try:
        return call()
    except BlockingIOError:
        return None
    finally:
        if socket is not None:
            os.set_blocking(socket, True)


def sendfile(hub: Hub, out_fd: int, in_fd: int, offset: int | None, count: int) -> int:
    """``os.sendfile`` to a blocking descriptor: returns when *count* bytes are sent, or at the end of the file."""
    kind = _kind(out_fd)
    if kind == "other":
        return offload(os.sendfile, out_fd, in_fd, offset, count)
    sent = 0

    def piece() -> int:
        start = None if offset is None else offset + sent
        if kind == "pipe":
            return os.splice(in_fd, out_fd, count - sent, offset_src=start, flags=_NONBLOCK)
        return os.sendfile(out_fd, in_fd, start, count - sent)

    while sent < count:
        load(in_fd, min(count - sent, _PIECE), None if offset is None else offset + sent)
        try:
            moved = _tried(out_fd if kind == "socket" else None, piece)
        except OSError:
            if sent:
                break  # as the system reports it: the error comes with the next call
            raise
        if moved is None:
            until(hub, out_fd, WRITE)
        elif not moved:
            break
        else:
            sent += moved
    return sent


def splice(hub: Hub, src: int, dst: int, count: int, how: dict[str, Any]) -> int:
    """``os.splice`` between blocking descriptors, one of them a pipe."""
    kinds = _kind(src), _kind(dst)
    flags = how.pop("flags", 0)

    def call() -> int:
        return os.splice(src, dst, count, flags=flags | _NONBLOCK, **how)

    while True:
        if kinds[0] == "other":
            load(src, min(count, _PIECE), how.get("offset_src"))
        else:
            until(hub, src, READ)
        if kinds[1] == "other":
            return offload(os.splice, src, dst, count, flags=flags, **how)
        until(hub, dst, WRITE)
        moved = _tried(dst if kinds[1] == "socket" else None, call)
        if moved is not None:
            return moved
