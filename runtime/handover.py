"""Listening sockets that outlive their process: one that takes its place goes on with them.

A program that is reloaded has a supervisor, which keeps a copy of each listening socket.  The next generation of
the program gets that copy when it binds to the same address, so nobody who connects meanwhile is refused.  When the
next generation has come as far as to wait for connections, this one is told to retire: it accepts no more, answers
what it has accepted, and is ended when that is done.

Nothing here costs anything in a program that is not reloaded: `current` is None, and only the calls that make, watch
or close a listener look at it.  Sockets are known by their inode, which survives ``dup``, ``detach`` and being wrapped.
"""

from __future__ import annotations

import os
import socket as _socket
import struct
from collections.abc import Iterable
from time import monotonic

from runtime import monitor
from runtime.backends import READ
from runtime.hub import get_hub, sleep
from runtime.tasklet import Tasklet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    Inode = tuple[int, int]  # device and number
    Key = tuple[
        int, int, Any, int
    ]  # family, kind, address as the program gave it, and how many had that before

    class Supervisor(Protocol):
        """Who keeps the listeners.  None of these wait for long."""

        orders: int  # a descriptor that becomes readable when this generation is to retire

        def take(self, key: Key) -> int | None:
            """A descriptor of the listener that an earlier generation had for *key*, if one did."""

        def offer(self, key: Key, fd: int) -> None:
            """Here is a listener to keep a copy of."""

        def withdraw(self, key: Key) -> None:
            """The program closed its listener."""

        def waiting(self) -> None:
            """The program is about to wait for connections; returns when its predecessor does so no more."""

        def retiring(self) -> None:
            """The program accepts no more."""

        def retired(self) -> None:
            """All that was accepted is answered."""


_C: Any = _socket.socket.__base__
_accept = _C._accept
_LOOK = 0.05  # seconds between two looks at what is still open
_PATIENCE = (
    1.0  # seconds after which a connection counts as idle whose last octets went and came in the same tick
)
_TICK = 40  # milliseconds, more than a tick of any kernel
# Of struct tcp_info: the milliseconds since octets were sent, and received, and how many were received (Linux 4.1).
_INFO = struct.Struct("=44xI4xI72xQ")
_ANY = 64  # connections known before the closed ones are forgotten


class Handover:
    """The listeners and connections of this generation of a program."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._listeners: dict[Inode | None, Key] = {}
        self._accepted: dict[int, Inode | None] = {}  # connections, by descriptor
        self._limit = _ANY
        self._watching = False
        self._waits = False  # it has waited for connections
        self._retired = False
        self._since = 0.0  # monotonic seconds: when it retired

    # Listeners.

    def bind(self, sock: Any, address: Any) -> bool:
        """Give *sock* the descriptor of the listener that has *address*; False if there is none."""
        if sock.type & 0xF != _socket.SOCK_STREAM or not self._lasts(address):
            return False
        key = self._key(sock, address)
        if key is None:
            return False
        fd = self._supervisor.take(key)
        taken = fd is not None and (sock.family != getattr(_socket, "AF_UNIX", None) or _is_there(address))
        if fd is not None:
            if taken:  # else the program unlinked its path: it wants a new one
                timeout = sock.gettimeout()
                os.dup2(fd, sock.fileno(), inheritable=False)
                sock.settimeout(timeout)  # the mode belongs to what was copied
            os.close(fd)
        self._listeners[_inode(sock.fileno())] = key
        return taken

    def _lasts(self, address: Any) -> bool:
        """Whether an address is worth keeping: a free port asked for by a program that serves already is not."""
        return not (self._waits and isinstance(address, tuple) and address[1:2] == (0,))

    def _key(self, sock: Any, address: Any) -> Key | None:
        if isinstance(address, (bytes, bytearray)):
            address = os.fsdecode(bytes(address))
        if isinstance(address, tuple):
            address = list(address)
        elif not isinstance(address, str):
            return None
        same = [known for known in self._listeners.values() if known[:3] == (sock.family, sock.type, address)]
        return (sock.family, sock.type, address, len(same))

    def listening(self, sock: Any) -> None:
        """*sock* listens now."""
        key = self._listeners.get(_inode(sock.fileno()))
        if key is not None:
            self._supervisor.offer(key, sock.fileno())
            if not self._watching:
                self._watching = True
                Tasklet(self._serve, name="handover", daemon=True).start()

    def closing(self, sock: Any) -> None:
        """*sock* is about to be closed."""
        inode = _inode(sock.fileno())
        if inode in self._listeners and not self._retired and not _has_another(sock.fileno()):
            self._supervisor.withdraw(self._listeners.pop(inode))

    def awaited(self, fds: Iterable[int]) -> None:
        """Somebody waits for some of *fds*, or is about to: for connections, if one is a listener."""
        if not self._waits and self._listeners and any(_inode(fd) in self._listeners for fd in fds):
            self._supervisor.waiting()
            self._waits = True  # not before: another OS thread may come, and accept

    def accept(self, sock: Any) -> tuple[int, Any]:
        """``socket._accept``, unless this generation has retired.

        Raises:
            BlockingIOError: nobody to accept, or not for us.
        """
        if self._retired:
            raise BlockingIOError
        self.awaited((sock.fileno(),))
        accepted: tuple[int, Any] = _accept(sock)
        fd = accepted[0]
        self._accepted[fd] = _inode(fd)
        if len(self._accepted) > self._limit:
            self._forget_closed()
            self._limit = max(_ANY, 2 * len(self._accepted))
        return accepted

    # Retiring.

    def _serve(self) -> None:
        """In a tasklet: wait for the order to retire, and see it through."""
        get_hub().wait_fd(self._supervisor.orders, READ)
        self._retired = True
        self._since = monotonic()
        self._supervisor.retiring()
        rounds = 0
        while rounds < 2:  # an answer may be followed by some work
            self._forget_closed()
            self._end_idle()
            rounds = 0 if self._accepted else rounds + 1
            sleep(_LOOK)
        self._supervisor.retired()

    def _forget_closed(self) -> None:
        self._accepted = {fd: inode for fd, inode in self._accepted.items() if _inode(fd) == inode}

    def _end_idle(self) -> None:
        """Let those who wait for the next request on an open connection see its end (keep-alive)."""
        waited_for = {
            fd
            for hub in monitor.hubs()
            for fd in self._accepted
            if fd in hub.watches and hub.watches[fd].readers
        }
        for fd in waited_for:
            if self._is_idle(fd):
                try:
                    connection = _C(fileno=fd)
                except OSError:
                    continue
                try:
                    connection.shutdown(_socket.SHUT_RD)
                except OSError:
                    pass
                finally:
                    connection.detach()

    def _is_idle(self, fd: int) -> bool:
        """Whether the last octets on it were an answer (TCP_INFO, tcp(7)); not known of other sockets.

        On one that is new there were none: whoever connected is about to ask.
        """
        try:
            connection = _C(fileno=fd)
        except OSError:
            return False
        try:
            info = connection.getsockopt(_socket.IPPROTO_TCP, _socket.TCP_INFO, _INFO.size)
        except (OSError, AttributeError):
            return False
        finally:
            connection.detach()
        if len(info) < _INFO.size:
            return False
        sent, received, octets = _INFO.unpack(info)
        patient = monotonic() - self._since < _PATIENCE
        if not octets:
            return not patient
        if sent == received:  # in the same tick
            return bool(sent > _TICK or not patient)
        return bool(sent < received)


def _inode(fd: int) -> Inode | None:
    """Which file *fd* is open on; None if it is not open."""
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _has_another(fd: int) -> bool:
    """Whether this process has another descriptor of the same socket (``socket.fromfd`` made one, say)."""
    inode = _inode(fd)
    try:
        others = os.listdir("/dev/fd")
    except OSError:
        return False
    return any(int(other) != fd and _inode(int(other)) == inode for other in others)


def _is_there(path: str | bytes) -> bool:
    name = os.fsencode(path)
    return name.startswith(b"\0") or os.path.exists(name)


current: Handover | None = None


def begin(supervisor: Supervisor) -> None:
    """Have this process hand its listeners over; before any of the program runs."""
    global current
    current = Handover(supervisor)
