"""Linux's epoll.  A socket is registered once, edge-triggered; other descriptors while somebody waits on them."""

from __future__ import annotations

import select

from runtime.backends import READ, WRITE
from runtime.backends.alarm import Alarm
from runtime.backends.courtesy import courteous

_IN, _OUT = select.EPOLLIN | select.EPOLLPRI | select.EPOLLRDHUP, select.EPOLLOUT
_EDGE = _IN | _OUT | select.EPOLLET
_INTEREST = {READ: _IN, WRITE: _OUT, READ | WRITE: _IN | _OUT}


class Epoll:
    edge = True

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self.descriptor = self._epoll.fileno()
        self.wait = courteous(self._epoll.poll)  # takes seconds or None, and reports as the interface says
        self.alarm = Alarm()
        self.notify = self.alarm.ring
        self._epoll.register(self.alarm.fd, select.EPOLLIN)

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

    def close(self) -> None:
        self._epoll.close()
        self.alarm.close()
