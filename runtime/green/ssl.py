"""``ssl``: the standard classes, whose handshakes, reads and writes wait in the hub instead of in the system.

`SSLSocket` derives from the plain one and, behind it, from the counterpart of ``socket``: what the plain class asks
of ``super()`` is answered by the cooperative one.  So only the calls in which OpenSSL itself uses the descriptor
are written here.  The descriptor does not block while there is TLS on it; each call is made, and made again
when what it wanted from the network may have come.  `unwrap` gives the mode back.

Rejected: memory BIOs over ``recv`` and ``send``.  They leave the descriptor's mode alone, and cost a copy and two more
calls for each record, and a pump that reader and writer would have to share.

**Reader and writer.**  One tasklet may read while another writes.  Writers take turns, since OpenSSL wants a write
that would have blocked to be made again, with the same data, before any other.  Input is everybody's: a read takes in
the handshake that a write waits for, or leaves the rest of a record inside OpenSSL, where the system sees nothing
to report.  So whoever takes input passes the word on.

**An interrupted write** leaves OpenSSL in the middle of its data, and would take the next one for its
continuation.  So the data is kept, and whoever writes next sends it first.  After a timeout, to write the same
data again is the continuation, as it is under plain Python.
"""

from __future__ import annotations

import _ssl
import errno
import os
import ssl as _plain
from collections.abc import Callable
from ssl import SSL_ERROR_EOF, SSL_ERROR_WANT_WRITE, SSLError, SSLWantReadError, SSLWantWriteError
from time import monotonic

from runtime.backends import READ, WRITE
from runtime.green import socket as _socket
from runtime.green.socket import _set_c_timeout, socket
from runtime.hub import Hub, get_hub
from runtime.lock import Lock
from runtime.overlay import forward, rebind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from runtime.tasklet import Tasklet

    T = TypeVar("T")


def _original(name: str, base: type) -> Any:
    """The standard library's class *name*, whatever a library may have put into its place in ``ssl``."""
    known: type
    for known in base.__subclasses__():
        if known.__module__ == "ssl" and known.__name__ == name:
            return known
    return getattr(_plain, name)


_Context: Any = _original("SSLContext", _ssl._SSLContext)
_Socket: Any = _original("SSLSocket", _socket._Plain)
# The globals of the originals' methods that name their own class.
_names: dict[str, Any] = {"__builtins__": __builtins__, "SSLContext": _Context, "SSLSocket": _Socket}


class SSLSocket(_Socket, socket):  # type: ignore[misc]
    """A TLS connection that lets other tasklets run while it waits; otherwise ``ssl.SSLSocket``."""

    _connection: Any = None  # the C object; the plain class knows it as _sslobj
    _turn: Lock  # of those who write
    _crossing: list[Tasklet]  # who waits for input in order to do something else than read
    _unsent: Any = None  # the data that a write is in the middle of
    _timed_out = False  # that write ended with its own timeout

    _make = classmethod(rebind(_Socket._create.__func__, _names, _plain))

    @classmethod
    def _create(
        cls,
        sock: Any,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        *args: Any,
        **kwargs: Any,
    ) -> SSLSocket:
        # In two steps, since until 3.12 the plain one leaves the socket open when the handshake is interrupted.
        self: SSLSocket = cls._make(sock, server_side, False, *args, **kwargs)
        self.do_handshake_on_connect = do_handshake_on_connect
        if do_handshake_on_connect and self._connected:
            try:
                if self._flow.timeout == 0.0:
                    raise ValueError(
                        "do_handshake_on_connect should not be specified for non-blocking sockets"
                    )
                self.do_handshake()
            except BaseException:
                self.close()
                raise
        return self

    # The descriptor's mode.

    @property
    def _sslobj(self) -> Any:
        return self._connection

    @_sslobj.setter
    def _sslobj(self, connection: Any) -> None:
        self._connection = connection
        if connection is not None:
            self._turn = Lock()
            self._crossing = []
            self._unsent = None
            _set_c_timeout(self, 0.0)

    def settimeout(self, value: float | None, /) -> None:
        if value is None and self._connection is not None:
            _set_c_timeout(self, 0.0)
            self._flow.timeout = None
        else:
            super().settimeout(value)

    def _connect(self, address: Any) -> int:
        try:
            return super()._connect(address)
        finally:
            if self._connection is not None and self.fileno() >= 0:
                _set_c_timeout(self, 0.0)

    # Waiting.

    def _complete(self, operation: str, timeout: float | None, call: Callable[..., T], *args: Any) -> T:
        """Make *call*, as often as it takes until it wants nothing from the network; *timeout* bounds it all."""
        hub: Hub | None = None
        deadline = None
        in_time = True
        while True:
            try:
                result = call(*args)
            except SSLWantReadError:
                if timeout == 0.0:
                    raise
                mask = READ
            except SSLWantWriteError:
                if timeout == 0.0:
                    raise
                mask = WRITE
            except SSLError:
                self._pass_on()
                raise
            else:
                watch = self._flow.watch
                if watch is not None and watch.readers and operation != "write":
                    self._pass_on()
                return result
            if hub is None:
                hub = get_hub()
                if timeout is not None:
                    deadline = monotonic() + timeout
            elif not in_time:
                raise TimeoutError(f"The {operation} operation timed out")
            in_time = self._wait(hub, operation, mask, deadline)

    def _wait(self, hub: Hub, operation: str, mask: int, deadline: float | None) -> bool:
        if operation == "read":
            for tasklet in self._crossing:
                tasklet.wake()
        elif mask == READ:
            me = hub.current
            self._crossing.append(me)
            try:
                return hub.wait(self._flow.watch_in(hub, self), mask, deadline)
            finally:
                self._crossing.remove(me)
        return hub.wait(self._flow.watch_in(hub, self), mask, deadline)

    def _pass_on(self) -> None:
        """Who waits for input may find inside OpenSSL what the system will not report again."""
        for watch in self._flow.watches:
            for tasklet in tuple(watch.readers):
                tasklet.wake()

    def do_handshake(self, block: bool = False) -> None:
        self._check_connected()
        timeout = self._flow.timeout
        if block and timeout == 0.0:
            timeout = None
        self._complete("handshake", timeout, self._connection.do_handshake)

    # Reading.

    def read(self, len: int = 1024, buffer: Any = None) -> Any:
        connection = self._connection
        if connection is None:
            return super().read(len, buffer)  # says what is wrong
        try:
            if buffer is None:
                return self._complete("read", self._flow.timeout, connection.read, len)
            return self._complete("read", self._flow.timeout, connection.read, len, buffer)
        except SSLError as error:
            if error.args[0] == SSL_ERROR_EOF and self.suppress_ragged_eofs:
                return b"" if buffer is None else 0
            raise

    # Writing.

    def write(self, data: Any) -> int:
        connection = self._connection
        if connection is None:
            return super().write(data)  # says what is wrong
        return self._in_turn(connection, self._write, data)

    def send(self, data: Any, flags: int = 0) -> int:
        connection = self._connection
        if connection is None or flags:
            return super().send(data, flags)
        return self._in_turn(connection, self._write, data)

    def unwrap(self) -> Any:
        connection = self._connection
        if connection is None:
            return super().unwrap()  # says what is wrong
        return self._in_turn(connection, self._unwrap)

    def _in_turn(self, connection: Any, call: Callable[..., T], *args: Any) -> T:
        """Make *call* as the only one that writes, and after what an earlier one left unsent."""
        timeout = self._flow.timeout
        turn = self._turn
        if not turn.acquire(False):
            if timeout == 0.0:
                raise SSLWantWriteError(SSL_ERROR_WANT_WRITE, "The operation did not complete (write)")
            began = monotonic()
            if not turn.acquire(timeout=-1 if timeout is None else timeout):
                raise TimeoutError("The write operation timed out")
            if timeout is not None:
                timeout = max(timeout - (monotonic() - began), 1e-6)
        try:
            if self._connection is not connection:  # closed or unwrapped meanwhile
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            unsent = self._unsent
            if unsent is not None and not (self._timed_out and args and _begins_with(args[0], unsent)):
                self._complete("write", timeout, connection.write, unsent)
                self._unsent = None
            return call(connection, timeout, *args)
        finally:
            turn.release()

    def _write(self, connection: Any, timeout: float | None, data: Any) -> int:
        if timeout == 0.0:
            self._unsent = None
            return connection.write(data)  # it is the caller who makes it again
        try:
            return self._complete("write", timeout, self._try, connection, data)
        except BaseException as error:
            if self._unsent is not None:
                self._unsent = bytes(self._unsent)
                self._timed_out = isinstance(error, TimeoutError)
            raise

    def _try(self, connection: Any, data: Any) -> int:
        self._unsent = None
        try:
            return connection.write(data)
        except SSLWantWriteError:
            self._unsent = data
            raise

    def _unwrap(self, connection: Any, timeout: float | None) -> Any:
        result = self._complete("read", timeout, connection.shutdown)
        self._sslobj = None
        self._flow.forget()  # whoever still waits has nothing to wait for
        if self._flow.timeout is None and self.fileno() >= 0:
            _set_c_timeout(self, None)
        return result


def _begins_with(data: Any, start: bytes) -> bool:
    with memoryview(data) as view, view.cast("B") as octets:
        return octets[: len(start)] == start


class SSLContext(_Context):  # type: ignore[misc]
    """A context whose sockets let other tasklets run while they wait; otherwise ``ssl.SSLContext``."""

    sslsocket_class = SSLSocket


# Its setters name the class whose base has the value: by our names, it is the original always.
for _name, _value in vars(_Context).items():
    if isinstance(_value, property) and _value.fset is not None:
        _setter = rebind(_value.fset, _names, _plain)
        setattr(SSLContext, _name, property(_value.fget, _setter, _value.fdel, _value.__doc__))

for _class in (SSLSocket, SSLContext):
    _class.__module__ = "ssl"

create_connection: Any = vars(_socket)["create_connection"]  # what get_server_certificate connects with

forward(
    globals(),
    _plain,
    rebound=("create_default_context", "_create_unverified_context", "get_server_certificate", "wrap_socket"),
)
_create_default_https_context = globals()["create_default_context"]
_create_stdlib_context = globals()["_create_unverified_context"]
