"""Linux's epoll.  A socket is registered once, edge-triggered; other descriptors while somebody waits on them."""

from __future__ import annotations

import select

from runtime.backends import READ, WRITE
from runtime.backends.alarm import Alarm

_IN, _OUT = select.EPOLLIN | select.EPOLLPRI | select.EPOLLRDHUP, select.EPOLLOUT
_BROKEN = select.EPOLLERR | select.EPOLLHUP
_EDGE = _IN | _OUT | select.EPOLLET

# An error or a hang-up wakes both directions, so that whoever waits gets to see it.
_READABLE, _WRITABLE = _IN | _BROKEN, _OUT | _BROKEN
_INTEREST = {READ: _IN, WRITE: _OUT, READ | WRITE: _IN | _OUT}


class Epoll:
    edge = True

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._alarm = Alarm()
        self._epoll.register(self._alarm.fd, select.EPOLLIN)

    def add(self, fd: int) -> None:
        self._set(fd, _EDGE)

    def interest(self, fd: int, mask: int) -> None:
        if mask:
            self._set(fd, _INTEREST[mask])
        else:
            self.remove(fd)

    def _set(self, fd: int, events: int) -> None:
        try:
            self._epoll.register(fd, events)
        except FileExistsError:
            self._epoll.modify(fd, events)

    def remove(self, fd: int) -> None:
        try:
            self._epoll.unregister(fd)
        except (OSError, ValueError):
            pass

    def wait(self, timeout: float | None) -> list[tuple[int, int]]:
        ready = []
        alarm = self._alarm.fd
        for fd, bits in self._epoll.poll(timeout):
            if fd == alarm:
                self._alarm.silence()
            else:
                ready.append((fd, (READ if bits & _READABLE else 0) | (WRITE if bits & _WRITABLE else 0)))
        return ready

    def notify(self) -> None:
        self._alarm.ring()

    def close(self) -> None:
        self._epoll.close()
        self._alarm.close()
