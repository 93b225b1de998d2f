"""The calls of `runtime.tls`, which never wait; ``records.h`` has them for the compiled core.

What would wait gives a negative number: the mask (`READ`, `WRITE`) of what it waits for.
"""

from __future__ import annotations

from _ssl import SSLWantReadError, SSLWantWriteError
from _thread import get_ident

from runtime.backends import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

try:
    from fcntl import ioctl
    from termios import FIONREAD
except ImportError:  # Windows
    ioctl = None  # type: ignore[assignment]

_NONE = bytes(4)  # no bytes, as the system's integer


def read(connection: Any, size: int, buffer: Any) -> bytes | int:
    """What *connection* reads, at most *size* bytes; with a *buffer* how many bytes it got."""
    try:
        return connection.read(size) if buffer is None else connection.read(size, buffer)  # type: ignore[no-any-return]
    except SSLWantReadError:
        return -READ
    except SSLWantWriteError:
        return -WRITE


def wanted(got: bytes | int) -> int:
    """What a `read` that gave *got* waits for; 0: nothing."""
    return -got if isinstance(got, int) and got < 0 else 0


def write(connection: Any, data: Any) -> int:
    """How many bytes *connection* has taken."""
    try:
        return connection.write(data)  # type: ignore[no-any-return]
    except SSLWantReadError:
        return -READ
    except SSLWantWriteError:
        return -WRITE


thread = get_ident  # the calling OS thread


def nothing(fd: int) -> bool:
    """Whether the system has nothing to read from *fd*; a connection that has ended is not told from that."""
    if ioctl is None:
        return False
    try:
        return ioctl(fd, FIONREAD, _NONE) == _NONE
    except OSError:
        return False
