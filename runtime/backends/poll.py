"""``poll(2)``: where there is no epoll.  Interest is set while somebody waits, and costs O(descriptors) a turn."""

from __future__ import annotations

import math
import select

from runtime.backends import READ, WRITE
from runtime.backends.alarm import Alarm
from runtime.backends.courtesy import courteous

_INTEREST = {
    READ: select.POLLIN | select.POLLPRI,
    WRITE: select.POLLOUT,
    READ | WRITE: select.POLLIN | select.POLLPRI | select.POLLOUT,
}


class Poll:
    edge = False
    descriptor = -1

    def __init__(self) -> None:
        self._poll = select.poll()
        self.wait = courteous(self._wait)
        self.alarm = Alarm()
        self.notify = self.alarm.ring
        self._poll.register(self.alarm.fd, select.POLLIN)

    def add(self, fd: int) -> None:
        raise AssertionError("poll has no edge-triggered registration")

    def interest(self, fd: int, mask: int) -> None:
        if mask:
            self._poll.register(fd, _INTEREST[mask])
        else:
            self.remove(fd)

    def remove(self, fd: int) -> None:
        try:
            self._poll.unregister(fd)
        except (KeyError, ValueError):
            pass

    def _wait(self, timeout: float | None) -> list[tuple[int, int]]:
        # In milliseconds, rounded up: rounded down it would spin for the last one.
        return self._poll.poll(None if timeout is None else math.ceil(timeout * 1000))

    def close(self) -> None:
        self.alarm.close()
