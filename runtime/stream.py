"""The raw level of a socket's files, from the buffer above down to the system call.

What can be done without waiting needs no guard.  The functions are methods of `runtime.green.socket.SocketIO`, whose
``_end`` is an `End`.
"""

from __future__ import annotations

import errno
import socket as _socket

from runtime import flow
from runtime.flow import Flow
from runtime.guard import busy_with_owned, guard_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_plain_readinto, _plain_write = _socket.SocketIO.readinto, _socket.SocketIO.write
_WOULD_WAIT = {errno.EAGAIN, errno.EWOULDBLOCK}  # on a socket in non-blocking mode: None is returned


class End:
    """What each call asks, in one place; but the socket stands in the file alone, as programs that count expect.

    Attributes:
        flow: how the socket waits, if it is one of ours.
        thread: the OS thread that made the file.
        reads: `runtime.flow` may read; if not, the plain method does, or says what is wrong.
        writes: the same for writing.
    """

    __slots__ = ("flow", "reads", "thread", "writes")

    flow: Flow

    def __init__(self, flow: Flow | None, thread: int) -> None:
        self.flow = flow  # type: ignore[assignment]  # asked only where it is there
        self.thread = thread
        self.reads = False
        self.writes = False

    def close(self) -> None:
        """The file is being closed."""
        self.reads = self.writes = False


def readinto(self: Any, b: Any) -> int | None:
    """Read into *b* what there is, after waiting for it; returns how many bytes, None if it must not wait."""
    end: End = self._end
    if busy_with_owned(self, end.thread) is None:
        return _receive(self, end, self._sock, b, False) if end.reads else _plain_readinto(self, b)
    reads = end.reads
    if reads:
        sock = self._sock
        count = flow.try_recv_into(sock, end.flow, b)
        if count >= 0:
            return count
    guard = guard_of(self)
    side = guard.reading
    me = guard.begin(self, side)
    try:
        return _receive(self, end, sock, b, True) if reads else _plain_readinto(self, b)
    finally:
        guard.end(side, me)


def _receive(self: Any, end: End, sock: Any, b: Any, tried: bool) -> int | None:
    try:
        if tried:
            return flow.wait_and_recv_into(sock, end.flow, b, 0, 0)
        return flow.recv_into(sock, b, 0, 0)
    except TimeoutError:
        self._timeout_occurred = True
        end.reads = False
        raise
    except OSError as error:
        if error.errno in _WOULD_WAIT:
            return None
        raise


def write(self: Any, b: Any) -> int | None:
    """Write *b*, all of it to a blocking stream; returns how many bytes were, None if it must not wait."""
    end: End = self._end
    writes = end.writes
    if busy_with_owned(self, end.thread) is None:
        return _send(self._sock, b) if writes else _plain_write(self, b)
    sent = -1
    if writes:
        sock = self._sock
        sent = flow.try_send(sock, b)
        if sent >= 0:
            way = end.flow
            if way.timeout is not None or not way.stream or sent == flow.size(b):
                return sent
    guard = guard_of(self)
    side = guard.writing
    me = guard.begin(self, side)
    try:
        if sent >= 0:
            return flow.send_rest(sock, b, sent, 0)
        return _send(sock, b) if writes else _plain_write(self, b)
    finally:
        guard.end(side, me)


def _send(sock: Any, b: Any) -> int | None:
    try:
        return flow.send(sock, b, 0)
    except OSError as error:
        if error.errno in _WOULD_WAIT:
            return None
        raise
