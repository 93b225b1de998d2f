"""``ssl``: the standard classes, whose handshakes, reads and writes wait in the hub instead of in the system.

`SSLSocket` derives from the plain one and, behind it, from the counterpart of ``socket``: what the plain class asks
of ``super()`` is answered by the cooperative one.  So only the calls in which OpenSSL itself uses the descriptor
are written here.  The descriptor does not block while there is TLS on it; each call is made, and made again
when what it wanted from the network may have come.  `unwrap` gives the mode back.  How they wait is in `runtime.tls`.

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
import ssl as _plain

from runtime import tls
from runtime.green import socket as _socket
from runtime.green.socket import _set_c_timeout, socket
from runtime.overlay import forward, rebind
from runtime.tls import SecureFlow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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


class _Secured(socket):
    """What `SSLSocket` puts beneath the plain class: a socket that waits as TLS asks for."""

    __slots__ = ()

    _waits = SecureFlow
    _flow: SecureFlow


class SSLSocket(_Socket, _Secured):  # type: ignore[misc]
    """A TLS connection that lets other tasklets run while it waits; otherwise ``ssl.SSLSocket``."""

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
        return self._flow.connection

    @_sslobj.setter
    def _sslobj(self, connection: Any) -> None:
        if connection is None:
            self._flow.connection = None
        else:
            self._flow.begin(connection, type(self) is SSLSocket)
            _set_c_timeout(self, 0.0)

    def settimeout(self, value: float | None, /) -> None:
        if value is None and self._flow.connection is not None:
            _set_c_timeout(self, 0.0)
            self._flow.timeout = None
        else:
            super().settimeout(value)

    def _connect(self, address: Any) -> int:
        try:
            return super()._connect(address)
        finally:
            if self._flow.connection is not None and self.fileno() >= 0:
                _set_c_timeout(self, 0.0)

    # Handshakes.

    def do_handshake(self, block: bool = False) -> None:
        self._check_connected()
        flow = self._flow
        timeout = flow.timeout
        if block and timeout == 0.0:
            timeout = None
        flow.complete(self, "handshake", timeout, flow.connection.do_handshake)

    def verify_client_post_handshake(self) -> None:
        self._flow.quiet = False  # the next call begins it, be it a read
        super().verify_client_post_handshake()

    def unwrap(self) -> Any:
        flow = self._flow
        connection = flow.connection
        if connection is None:
            return super().unwrap()  # says what is wrong
        timeout = flow.take_turn(self, connection)
        try:
            result = flow.complete(self, "read", timeout, connection.shutdown)
            self._sslobj = None
            flow.forget()  # whoever still waits has nothing to wait for
            if flow.timeout is None and self.fileno() >= 0:
                _set_c_timeout(self, None)
            return result
        finally:
            flow.turn.release()

    # Reading and writing.

    recv = tls.recv
    recv_into = tls.recv_into
    read = tls.read
    send = tls.send
    sendall = tls.sendall
    write = tls.write
    _plain_recv = _Socket.recv
    _plain_recv_into = _Socket.recv_into
    _plain_read = _Socket.read
    _plain_send = _Socket.send
    _plain_sendall = _Socket.sendall
    _plain_write = _Socket.write


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
