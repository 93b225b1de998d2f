"""The raw level of a socket's files, from the buffer above down to the system call.

What can be done without waiting needs no guard.  These functions are methods of `runtime.green.socket.SocketIO`, whose
``_reads`` and ``_writes`` say whether `runtime.flow` may do it; if not, the plain methods do, or say what is wrong.
"""

from __future__ import annotations

import errno
import socket as _socket

from runtime import flow
from runtime.guard import busy_with, guard_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_plain_readinto, _plain_write = _socket.SocketIO.readinto, _socket.SocketIO.write
_WOULD_WAIT = {errno.EAGAIN, errno.EWOULDBLOCK}  # on a socket in non-blocking mode: None is returned


def readinto(self: Any, b: Any) -> int | None:
    """Read into *b* what there is, after waiting for it; returns how many bytes, None if it must not wait."""
    shared = busy_with(self) is not None
    direct = self._reads
    if shared:
        if direct:
            count = flow.try_recv_into(self._sock, b)
            if count >= 0:
                return count
        guard = guard_of(self)
        side = guard.reading
        me = guard.begin(self, side)
        try:
            return _receive(self, b) if direct else _plain_readinto(self, b)
        finally:
            guard.end(side, me)
    return _receive(self, b) if direct else _plain_readinto(self, b)


def _receive(self: Any, b: Any) -> int | None:
    try:
        return flow.recv_into(self._sock, b, 0, 0)
    except TimeoutError:
        self._timeout_occurred = True
        self._reads = False
        raise
    except OSError as error:
        if error.errno in _WOULD_WAIT:
            return None
        raise


def write(self: Any, b: Any) -> int | None:
    """Write *b*, all of it to a blocking stream; returns how many bytes were, None if it must not wait."""
    direct = self._writes
    if busy_with(self) is None:
        return _send(self, b) if direct else _plain_write(self, b)
    sent = -1
    if direct:
        sock = self._sock
        sent = flow.try_send(sock, b)
        if sent >= 0 and (not flow.must_send_all(sock) or sent == flow.size(b)):
            return sent
    guard = guard_of(self)
    side = guard.writing
    me = guard.begin(self, side)
    try:
        if sent >= 0:
            return flow.send_rest(sock, b, sent, 0)
        return _send(self, b) if direct else _plain_write(self, b)
    finally:
        guard.end(side, me)


def _send(self: Any, b: Any) -> int | None:
    try:
        return flow.send(self._sock, b, 0)
    except OSError as error:
        if error.errno in _WOULD_WAIT:
            return None
        raise
