"""What a TLS connection does most: read and write, without waiting in the system.

OpenSSL is asked first; only if it wants something from the network is the hub.  These functions are methods of
`runtime.green.ssl.SSLSocket`, whose ``_flow`` is a `SecureFlow`.

**To look before asking.**  OpenSSL answers that there is nothing by a system call that fails and an exception.  So
a connection that had to wait the last time is looked at first: where neither OpenSSL nor the system has
anything, a read waits at once.  What comes after the look makes an event; an end that came before it need not, so a
connection that has hung up is asked.  And OpenSSL may have to *say* something before an answer can come (a handshake's
first message): only a read that waited for input and got it, with nothing but writes since, is followed by a look.

**Several OS threads** may use one connection, as under plain Python, which leaves it to luck: what the server says
after the handshake, say, is taken in by a read and changes what a write is in the midst of.  Since no call waits, each
is made with the others kept out.
"""

from __future__ import annotations

import errno
import os
from _ssl import SSL_ERROR_EOF, SSL_ERROR_WANT_WRITE, SSLError, SSLWantReadError, SSLWantWriteError
from collections.abc import Callable
from functools import partial
from time import monotonic

from runtime import here, primitives, records
from runtime.backends import READ, WRITE
from runtime.flow import Flow
from runtime.lock import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.strand import Strand


class SecureFlow(Flow):
    """How a socket waits that has TLS on it.

    Attributes:
        connection: the C object; None before TLS begins and when it has ended.
        direct: none of the socket's methods is a derived class's own.
        latch: held while OpenSSL works, which is not made for two OS threads on one connection.
        holder: the OS thread that holds it.
        turn: of those who write.
        crossing: who waits for input in order to do something else than read.
        unsent: the data that a write is in the middle of.
        timed_out: that write ended with its own timeout.
        quiet: the last read had to wait for input, and nothing but writes came since.
        rest: a read took as much as it asked for, so OpenSSL may have more.
    """

    __slots__ = (
        "connection",
        "crossing",
        "direct",
        "holder",
        "latch",
        "quiet",
        "rest",
        "timed_out",
        "turn",
        "unsent",
    )

    def __init__(self) -> None:
        Flow.__init__(self)
        self.begin(None, False)

    def begin(self, connection: Any, direct: bool) -> None:
        """TLS begins with *connection*, or has ended with None."""
        self.connection = connection
        self.direct = direct
        self.latch: Any = primitives.latch()
        self.holder = 0
        self.turn = Lock()
        self.crossing: list[Strand] = []
        self.unsent: Any = None
        self.timed_out = False
        self.quiet = False
        self.rest = False

    def enter(self) -> bool:
        """Keep other OS threads out, for a call that does not wait; False: it is made in the midst of another one."""
        if not primitives.take(self.latch):
            if self.holder == records.thread():  # by a signal handler, which must not wait for itself
                return False
            primitives.hold(self.latch)
        self.holder = records.thread()
        return True

    def leave(self) -> None:
        """Let other OS threads in again, after `enter` said True."""
        self.holder = 0
        primitives.free(self.latch)

    def read(self, connection: Any, size: int, buffer: Any) -> bytes | int:
        """`records.read`, with other OS threads kept out."""
        entered = self.enter()
        try:
            return records.read(connection, size, buffer)
        finally:
            if entered:
                self.leave()

    def write(self, connection: Any, data: Any) -> int:
        """`records.write`, with other OS threads kept out."""
        entered = self.enter()
        try:
            return records.write(connection, data)
        finally:
            if entered:
                self.leave()

    def pass_on(self) -> None:
        """Who waits for input may find inside OpenSSL what the system will not report again."""
        for watch in self.watches:
            watch.wake_readers()

    def silent(self, connection: Any) -> bool:
        """Whether there is nothing to read, and an event will tell of what comes."""
        watch = self.watch
        if watch is None or watch.hung_up or watch.closed or len(self.watches) != 1:
            return False
        if watch.hub is not here.get_hub():  # another OS thread's, which may be reading right now
            return False
        if self.rest:
            self.rest = False
            if connection.pending():  # during which another OS thread may read
                self.rest = True
                return False
        return records.nothing(watch.fd)

    def wait(self, sock: Any, reads: bool, mask: int, deadline: float | None) -> bool:
        """Wait once for *mask*, in order to read or for something else; False when *deadline* passed."""
        hub = here.get_hub()
        if reads:
            for tasklet in self.crossing:
                tasklet.rouse()
        elif mask == READ:
            self.quiet = False
            self.crossing.append(hub.current)
            try:
                return hub.wait(self.watch_in(hub, sock), mask, deadline)
            finally:
                self.crossing.remove(hub.current)
        return hub.wait(self.watch_in(hub, sock), mask, deadline)

    def complete(self, sock: Any, operation: str, timeout: float | None, call: Callable[[], Any]) -> Any:
        """Make *call*, as often as it takes until it wants nothing from the network; *timeout* bounds it all."""
        self.quiet = False
        deadline = None
        late = False
        while True:
            entered = operation != "handshake" and self.enter()  # whose callbacks may wait
            try:
                try:
                    result = call()
                finally:
                    if entered:
                        self.leave()
            except SSLWantReadError:
                if timeout == 0.0:
                    raise
                mask = READ
            except SSLWantWriteError:
                if timeout == 0.0:
                    raise
                mask = WRITE
            except SSLError:
                self.pass_on()
                raise
            else:
                self.pass_on()
                return result
            if late:
                raise TimeoutError(f"The {operation} operation timed out")
            if deadline is None and timeout is not None:
                deadline = monotonic() + timeout
            late = not self.wait(sock, operation == "read", mask, deadline)

    def take_turn(self, sock: Any, connection: Any, data: Any = None) -> float | None:
        """Become the only one that writes, after what an earlier one left unsent; returns what is left of the timeout.

        Args:
            data: What is to be written; None: something else.
        """
        timeout = self.timeout
        turn = self.turn
        if not turn.acquire(False):
            if timeout == 0.0:
                raise SSLWantWriteError(SSL_ERROR_WANT_WRITE, "The operation did not complete (write)")
            began = monotonic()
            if not turn.acquire(True, -1 if timeout is None else timeout):
                raise TimeoutError("The write operation timed out")
            if timeout is not None:
                timeout = max(timeout - (monotonic() - began), 1e-6)
        if self.unsent is None and self.connection is connection:
            return timeout
        try:
            if self.connection is not connection:  # closed or unwrapped meanwhile
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            unsent = self.unsent
            if not (self.timed_out and data is not None and _begins_with(data, unsent)):
                self.complete(sock, "write", timeout, partial(connection.write, unsent))
                self.unsent = None
        except BaseException:
            turn.release()
            raise
        return timeout


# Reading.


def recv(self: Any, buflen: int = 1024, flags: int = 0) -> bytes:
    """Receive up to *buflen* bytes; none at all when the other side has ended."""
    flow = self._flow
    if flow.connection is None or flags or not flow.direct:
        return self._plain_recv(buflen, flags)  # type: ignore[no-any-return]
    return read(self, buflen)  # type: ignore[no-any-return]


def recv_into(self: Any, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
    """Receive up to *nbytes* bytes into *buffer*, by default as many as it holds; returns how many came."""
    flow = self._flow
    if flow.connection is None or flags or buffer is None or not flow.direct:
        return self._plain_recv_into(buffer, nbytes, flags)  # type: ignore[no-any-return]
    return read(self, (memoryview(buffer).nbytes or 1024) if nbytes is None else nbytes, buffer)  # type: ignore[no-any-return]


def read(self: Any, len: int = 1024, buffer: Any = None) -> Any:
    """Read up to *len* bytes, into *buffer* if there is one: then the result is how many came."""
    flow = self._flow
    connection = flow.connection
    if connection is None:
        return self._plain_read(len, buffer)  # says what is wrong
    try:
        return _read(self, flow, connection, len, buffer)
    except SSLError as error:
        if not isinstance(error, (SSLWantReadError, SSLWantWriteError)):
            flow.pass_on()
        if error.args[0] == SSL_ERROR_EOF and self.suppress_ragged_eofs:
            return b"" if buffer is None else 0
        raise


def _read(self: Any, flow: SecureFlow, connection: Any, size: int, buffer: Any) -> Any:
    timeout = flow.timeout
    if timeout == 0.0:
        flow.quiet = False
        entered = flow.enter()
        try:
            return connection.read(size) if buffer is None else connection.read(size, buffer)
        finally:
            if entered:
                flow.leave()
    mask = 0
    if flow.quiet:
        flow.quiet = False  # until it is known how this one ends
        if flow.silent(connection):
            mask = READ
    quiet = late = False
    deadline = None
    while True:
        if not mask:
            got = flow.read(connection, size, buffer)
            mask = records.wanted(got)
            if not mask:
                break
            if late:
                raise TimeoutError("The read operation timed out")
        if deadline is None and timeout is not None:
            deadline = monotonic() + timeout
        late = not flow.wait(self, True, mask, deadline)
        quiet = mask == READ
        mask = 0
    count = got if type(got) is int else len(got)  # type: ignore[arg-type]
    flow.quiet = quiet and count > 0  # at the end there is no event to come
    if count >= size:
        flow.rest = True
    watch = flow.watch
    if watch is not None and watch.readers:
        flow.pass_on()
    return got


# Writing.


def send(self: Any, data: Any, flags: int = 0) -> int:
    """Send *data*, all of it; returns how many bytes that are."""
    flow = self._flow
    connection = flow.connection
    if connection is None or flags:
        return self._plain_send(data, flags)  # type: ignore[no-any-return]
    return _send(self, flow, connection, data)


def write(self: Any, data: Any) -> int:
    """`send`, by its other name."""
    flow = self._flow
    connection = flow.connection
    if connection is None:
        return self._plain_write(data)  # type: ignore[no-any-return]  # says what is wrong
    return _send(self, flow, connection, data)


def sendall(self: Any, data: Any, flags: int = 0) -> None:
    """Send all of *data*; the timeout bounds each record."""
    flow = self._flow
    connection = flow.connection
    if connection is None or flags or not flow.direct:
        self._plain_sendall(data, flags)
        return
    sent = 0
    if type(data) is bytes and data:
        sent = _send(self, flow, connection, data)
        if sent == len(data):
            return
    with memoryview(data) as view, view.cast("B") as octets:
        total = len(octets)
        while sent < total:
            sent += send(self, octets[sent:])


def _send(self: Any, flow: SecureFlow, connection: Any, data: Any) -> int:
    timeout = flow.take_turn(self, connection, data)
    try:
        return _write(self, flow, connection, timeout, data)
    finally:
        flow.turn.release()


def _write(self: Any, flow: SecureFlow, connection: Any, timeout: float | None, data: Any) -> int:
    if timeout == 0.0:
        flow.unsent = None
        entered = flow.enter()
        try:
            return connection.write(data)  # type: ignore[no-any-return]  # it is the caller who makes it again
        finally:
            if entered:
                flow.leave()
    deadline = None
    late = False
    try:
        while True:
            flow.unsent = None
            sent = flow.write(connection, data)
            if sent >= 0:
                return sent
            mask = -sent
            flow.unsent = data if mask == WRITE else None
            if late:
                raise TimeoutError("The write operation timed out")
            if deadline is None and timeout is not None:
                deadline = monotonic() + timeout
            late = not flow.wait(self, False, mask, deadline)
    except BaseException as error:
        if isinstance(error, SSLError):
            flow.pass_on()
        elif flow.unsent is not None:
            flow.unsent = bytes(flow.unsent)
            flow.timed_out = isinstance(error, TimeoutError)
        raise


def _begins_with(data: Any, start: bytes) -> bool:
    with memoryview(data) as view, view.cast("B") as octets:
        return octets[: len(start)] == start
