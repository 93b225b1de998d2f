"""``fcntl``: locks are waited for by trying again, so no lock is ever taken for somebody who has gone.

The system refuses a lock that would close a circle of waiting processes (``EDEADLK``) only to those that wait inside
it, so a circle goes unnoticed here.
"""

from __future__ import annotations

import errno
import fcntl as _fcntl
from collections.abc import Callable

from runtime.naps import Naps
from runtime.overlay import builtin, forward
from runtime.pipes import busy
from runtime.terminals import DRAINING
from runtime.workers import offload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A request that waits for a lock, and the one that does not.
_TRIED = {
    getattr(_fcntl, waiting): getattr(_fcntl, trying)
    for waiting, trying in (("F_SETLKW", "F_SETLK"), ("F_OFD_SETLKW", "F_OFD_SETLK"))
    if hasattr(_fcntl, waiting)
}


def _locked(attempt: Callable[[], Any]) -> Any:
    naps = Naps()
    while True:
        try:
            return attempt()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
        naps.take()


def _waits(operation: Any) -> bool:
    return (
        isinstance(operation, int)
        and not operation & (_fcntl.LOCK_NB | _fcntl.LOCK_UN)
        and busy() is not None
    )


@builtin
def flock(_: Any, fd: Any, operation: int, /) -> None:
    """Lock or unlock a whole file."""
    if not _waits(operation):
        return _fcntl.flock(fd, operation)
    return _locked(lambda: _fcntl.flock(fd, operation | _fcntl.LOCK_NB))


@builtin
def lockf(_: Any, fd: Any, cmd: int, len: int = 0, start: int = 0, whence: int = 0, /) -> None:
    """Lock or unlock a part of a file."""
    if not _waits(cmd):
        return _fcntl.lockf(fd, cmd, len, start, whence)
    return _locked(lambda: _fcntl.lockf(fd, cmd | _fcntl.LOCK_NB, len, start, whence))


@builtin
def fcntl(_: Any, fd: Any, cmd: int, arg: Any = 0, /) -> Any:
    """Perform an operation on a descriptor."""
    trying = _TRIED.get(cmd) if isinstance(cmd, int) else None
    if trying is None or busy() is None:
        return _fcntl.fcntl(fd, cmd, arg)
    return _locked(lambda: _fcntl.fcntl(fd, trying, arg))


@builtin
def ioctl(_: Any, fd: Any, request: int, arg: Any = 0, mutate_flag: bool = True, /) -> Any:
    """Control a device; what waits for a terminal's output does so on a worker thread."""
    if request in DRAINING and busy() is not None:
        return offload(_fcntl.ioctl, fd, request, arg, mutate_flag)
    return _fcntl.ioctl(fd, request, arg, mutate_flag)


forward(globals(), _fcntl)
