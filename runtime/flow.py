"""What a socket does most: receive and send, without waiting in the system.

A call is tried first, with ``MSG_DONTWAIT``; only if it would block is the hub asked.  These functions are methods of
`runtime.green.socket.socket`, whose ``_flow`` is a `Flow`.
"""

from __future__ import annotations

import errno
import os
import socket as _socket
from collections.abc import Callable
from time import monotonic

from runtime import here, transmission
from runtime.backends import READ, WRITE
from runtime.hub import Hub
from runtime.watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")

# Plain numbers: the enumeration's members take a microsecond to be combined.
_WAITALL = int(getattr(_socket, "MSG_WAITALL", 0))
_PEEK = int(_socket.MSG_PEEK)
_DONTWAIT = int(getattr(_socket, "MSG_DONTWAIT", 0))


class Flow:
    """How a socket waits.

    Attributes:
        stream: it has no bounds of messages.
        timeout: seconds that a call may wait; None: for ever, 0: never.
        watch: its watch in the hub that used it last.
        watches: one in every hub that used it, when there are several.
    """

    __slots__ = ("stream", "timeout", "watch", "watches")

    def __init__(self) -> None:
        self.stream = False
        self.timeout: float | None = None
        self.watch: Watch | None = None
        self.watches: list[Watch] = []

    def watch_in(self, hub: Hub, sock: Any) -> Watch:
        """The watch of *sock* in *hub*."""
        watch = self.watch
        if watch is not None and watch.hub is hub and not watch.closed:
            return watch
        self.watches = [known for known in self.watches if not known.closed]
        for watch in self.watches:
            if watch.hub is hub:
                break
        else:
            watch = hub.watch(sock.fileno())
            self.watches.append(watch)
        self.watch = watch
        return watch

    def until(self, sock: Any, mask: int, deadline: float | None) -> bool:
        """Wait once for *mask* on *sock*; False when *deadline* passed."""
        hub = here.get_hub()
        return hub.wait(self.watch_in(hub, sock), mask, deadline)

    def polls(self) -> bool:
        """A call must not wait at all."""
        return self.timeout is not None and self.timeout == 0.0

    def deadline(self) -> float | None:
        """When a call that begins now must have ended.

        Raises:
            BlockingIOError: it must not wait at all.
        """
        timeout = self.timeout
        if timeout is None:
            return None
        if timeout == 0.0:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return monotonic() + timeout

    def drained(self) -> None:
        """A read of a stream took less than it asked for: there is no more until the next event."""
        watch = self.watch
        if watch is not None and watch.edge:
            watch.dry = not watch.hung_up

    def forget(self) -> None:
        """The descriptor is leaving: wake whoever waits on it."""
        watches, self.watches, self.watch = self.watches, [], None
        for watch in watches:
            watch.close()


def call(self: Any, mask: int, flags: int, function: Callable[..., T], *args: Any) -> T:
    """Make a call that does not wait; wait here if it would have, unless the user's *flags* forbid it."""
    try:
        return function(self, *args)
    except BlockingIOError:
        if flags & _DONTWAIT:
            raise
    return retry(self, mask, function, *args)


def retry(self: Any, mask: int, function: Callable[..., T], *args: Any) -> T:
    """Go on with a call that would have blocked."""
    flow = self._flow
    deadline = flow.deadline()
    while True:
        in_time = flow.until(self, mask, deadline)
        try:
            return function(self, *args)
        except BlockingIOError:
            if not in_time:
                raise TimeoutError("timed out") from None


# Receiving.


def recv(self: Any, bufsize: int, flags: int = 0, /) -> bytes:
    """Receive up to *bufsize* bytes; none at all when the other side has ended."""
    flow = self._flow
    if flags & _WAITALL and flow.stream and flow.timeout is None and not flags & _PEEK:
        whole = bytearray(bufsize)
        return bytes(whole[: recv_into(self, whole, 0, flags)])
    watch = flow.watch
    data = None
    if watch is None or not watch.dry or flags or flow.polls():
        data = transmission.receive(self, bufsize, flags | _DONTWAIT)
    if data is None:
        if flags & _DONTWAIT:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        deadline = flow.deadline()
        while data is None:
            in_time = flow.until(self, READ, deadline)
            data = transmission.receive(self, bufsize, flags | _DONTWAIT)
            if data is None and not in_time:
                raise TimeoutError("timed out")
    if flow.stream and not flags and 0 < len(data) < bufsize:
        flow.drained()
    return data


def recv_into(self: Any, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
    """Receive up to *nbytes* bytes into *buffer*, by default as many as it holds; returns how many came."""
    flow = self._flow
    if flags & _WAITALL and flow.stream and flow.timeout is None and not flags & _PEEK:
        return _recv_all_into(self, buffer, nbytes, flags & ~_WAITALL)
    watch = flow.watch
    count = -1
    if watch is None or not watch.dry or flags or flow.polls():
        count = transmission.receive_into(self, buffer, nbytes, flags | _DONTWAIT)
    if count < 0:
        if flags & _DONTWAIT:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return wait_and_recv_into(self, flow, buffer, nbytes, flags)
    if flow.stream and not flags and count > 0 and watch is not None and count < (nbytes or size(buffer)):
        flow.drained()
    return count


def wait_and_recv_into(self: Any, flow: Flow, buffer: Any, nbytes: int, flags: int) -> int:
    """`recv_into` of a socket with *flow*, after an attempt that would have waited."""
    deadline = flow.deadline()
    count = -1
    while count < 0:
        in_time = flow.until(self, READ, deadline)
        count = transmission.receive_into(self, buffer, nbytes, flags | _DONTWAIT)
        if count < 0 and not in_time:
            raise TimeoutError("timed out")
    if flow.stream and not flags and 0 < count < (nbytes or size(buffer)):
        flow.drained()
    return count


def try_recv_into(self: Any, flow: Flow, buffer: Any) -> int:
    """`recv_into` of a socket with *flow*, as far as it goes without waiting; -1: it would wait."""
    watch = flow.watch
    if watch is not None and watch.dry and not flow.polls():
        return -1
    count = transmission.receive_into(self, buffer, 0, _DONTWAIT)
    if flow.stream and count > 0 and watch is not None and count < size(buffer):
        flow.drained()
    return count


def size(buffer: Any) -> int:
    """How many bytes *buffer* holds."""
    kind = type(buffer)
    if kind is memoryview:  # what a buffered file hands down
        return buffer.nbytes  # type: ignore[no-any-return]
    return len(buffer) if kind is bytes or kind is bytearray else memoryview(buffer).nbytes


def _recv_all_into(self: Any, buffer: Any, nbytes: int, flags: int) -> int:
    """``MSG_WAITALL`` of a blocking stream, which a flag that forbids waiting would cut short."""
    with memoryview(buffer) as view, view.cast("B") as octets:
        wanted = nbytes or len(octets)
        got = 0
        while got < wanted:
            try:
                count = recv_into(self, octets[got:wanted], 0, flags)
            except OSError:
                if got:
                    break
                raise
            if not count:
                break
            got += count
        return got


# Sending.


def send(self: Any, data: Any, flags: int = 0, /) -> int:
    """Send *data*; a blocking stream sends all of it.  Returns how many bytes were sent."""
    flow = self._flow
    sent = transmission.send(self, data, flags | _DONTWAIT)
    if sent < 0:
        if flags & _DONTWAIT:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        deadline = flow.deadline()
        while sent < 0:
            in_time = flow.until(self, WRITE, deadline)
            sent = transmission.send(self, data, flags | _DONTWAIT)
            if sent < 0 and not in_time:
                raise TimeoutError("timed out")
    if not flags & _DONTWAIT and flow.timeout is None and flow.stream:
        return send_rest(self, data, sent, flags)
    return sent


def try_send(self: Any, data: Any) -> int:
    """Send what can be sent without waiting; -1: nothing."""
    return transmission.send(self, data, _DONTWAIT)


def send_rest(self: Any, data: Any, sent: int, flags: int) -> int:
    """A blocking send of a stream returns when all is sent, or with what was sent before an error."""
    if type(data) is bytes and sent == len(data):
        return sent
    flow = self._flow
    with memoryview(data) as view, view.cast("B") as octets:
        total = len(octets)
        try:
            while sent < total:
                more = transmission.send(self, octets[sent:], flags | _DONTWAIT)
                if more < 0:
                    flow.until(self, WRITE, None)
                else:
                    sent += more
        except OSError:
            pass
    return sent


def sendall(self: Any, data: Any, flags: int = 0, /) -> None:
    """Send all of *data*; the timeout bounds the whole of it."""
    flow = self._flow
    if flow.polls():
        _sendall(self, data, flags)
        return
    sent = transmission.send(self, data, flags | _DONTWAIT)
    if sent < 0:
        if flags & _DONTWAIT:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        sent = 0
    if type(data) is bytes and sent == len(data):
        return
    with memoryview(data) as view, view.cast("B") as octets:
        total = len(octets)
        deadline = flow.deadline()
        while sent < total:
            in_time = flow.until(self, WRITE, deadline)
            more = transmission.send(self, octets[sent:], flags | _DONTWAIT)
            if more < 0:
                if not in_time:
                    raise TimeoutError("timed out")
            else:
                sent += more
            if deadline is not None and sent < total and monotonic() >= deadline:
                raise TimeoutError("timed out")


_sendall = _socket.socket.sendall
