"""The system calls of `runtime.flow`, which never wait; ``transmission.h`` has them for the compiled core."""

from __future__ import annotations

import _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_recv, _recv_into, _send = _socket.socket.recv, _socket.socket.recv_into, _socket.socket.send


def receive(sock: Any, size: int, flags: int) -> bytes | None:
    """What ``recv`` gives; None where it would wait.  *flags* forbid it to."""
    try:
        return _recv(sock, size, flags)
    except BlockingIOError:
        return None


def receive_into(sock: Any, buffer: Any, size: int, flags: int) -> int:
    """What ``recv_into`` gives; -1 where it would wait."""
    try:
        return _recv_into(sock, buffer, size, flags)
    except BlockingIOError:
        return -1


def send(sock: Any, data: Any, flags: int) -> int:
    """What ``send`` gives; -1 where it would wait."""
    try:
        return _send(sock, data, flags)
    except BlockingIOError:
        return -1
