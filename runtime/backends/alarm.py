"""A descriptor that any OS thread can make readable: an eventfd, or a pipe where there is none."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Alarm:
    """Rings until it is silenced; ringing twice is ringing once.  Neither call ever waits."""

    __slots__ = ("_write", "fd")

    def __init__(self) -> None:
        if hasattr(os, "eventfd"):
            self.fd = self._write = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self.fd, self._write = os.pipe()
            os.set_blocking(self.fd, False)
            os.set_blocking(self._write, False)

    def ring(self) -> None:
        try:
            os.write(self._write, b"\1\0\0\0\0\0\0\0")
        except OSError:
            pass  # full: it rings already; closed: the hub's thread has ended

    def silence(self) -> None:
        try:
            while len(os.read(self.fd, 4096)) == 4096:
                pass
        except BlockingIOError:
            pass

    def close(
        self, _close: Callable[[int], None] = os.close
    ) -> None:  # at the interpreter's end there is no `os`
        for fd in {self.fd, self._write} - {-1}:
            _close(fd)
        self.fd = self._write = -1

    def __del__(self) -> None:
        self.close()
