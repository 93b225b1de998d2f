"""``socket``: the standard class, each of whose calls waits in the hub instead of in the system.

How no call waits in the system, while the descriptor stays in the mode its user set:

==================== =============================================================================
operation            how
==================== =============================================================================
recv*, send*         ``MSG_DONTWAIT`` for each call
with a timeout       the descriptor is non-blocking, as it is under plain Python; the C object's own
                     timeout is 0, since CPython would else poll by itself
accept               has no flag: a listener is made non-blocking at its first ``accept``
connect              has no flag: the descriptor is non-blocking while it is being connected
sendfile             likewise
names                ``getaddrinfo`` and its kin run on a worker thread, unless the address is numeric
==================== =============================================================================

A call is tried first; only if it would block is the hub asked.  What a socket does most is in `runtime.flow`.
"""

from __future__ import annotations

import errno
import os
import socket as _socket
from _thread import get_ident
from collections.abc import Callable
from time import monotonic

from runtime import flow, handover, stream
from runtime.backends import READ, WRITE
from runtime.files import ANNOUNCING
from runtime.flow import Flow
from runtime.green import io, selectors
from runtime.guard import CLOSING, Guard
from runtime.guarded import closing
from runtime.hub import existing_hub, get_hub
from runtime.overlay import builtin, forward, rebind
from runtime.stream import End
from runtime.workers import offload_if_shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")

_Plain = _socket.socket
_C: Any = _socket.socket.__base__  # the class that makes the system calls
_DONTWAIT = int(getattr(_socket, "MSG_DONTWAIT", 0))  # a plain number is combined faster
_IN_PROGRESS = {errno.EINPROGRESS, errno.EALREADY}

_set_c_timeout, _get_c_timeout = _C.settimeout, _C.gettimeout
_c_type = _C.type.__get__
_c_connect_ex, _c_accept, _c_bind = _C.connect_ex, _C._accept, _C.bind


class SocketIO(_socket.SocketIO):
    """The raw level of a socket's files: says when it lets others run, so that they may share the file."""

    _guard: Guard  # made when somebody first waits
    _reading: bool
    _writing: bool

    def __init__(self, sock: Any, mode: Any) -> None:
        super().__init__(sock, mode)
        kind = type(sock)
        ours = issubclass(kind, socket)
        self._end = end = End(sock._flow if ours else None, get_ident())
        # What `runtime.flow` may do: TLS has ways of its own.
        end.reads = ours and self._reading and kind.recv_into is socket.recv_into
        end.writes = ours and self._writing and kind.send is socket.send

    readinto = stream.readinto
    write = stream.write

    def close(self) -> None:
        self._end.close()
        guard = getattr(self, "_guard", None)
        if guard is None or (guard.idle() and not guard.permanent):
            super().close()
        else:
            _close(self)


SocketIO.__module__ = "socket"
_close = closing(_socket.SocketIO.close)
ANNOUNCING.add(SocketIO)
CLOSING.add(SocketIO)


class socket(_Plain):
    """A socket that lets other tasklets run while it waits; otherwise ``socket.socket``."""

    __slots__ = ("_flow",)

    _waits: type[Flow] = Flow  # how it does
    _flow: Flow

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: Any = None) -> None:
        self._flow = flow = self._waits()
        super().__init__(family, type, proto, fileno)
        flow.stream = _c_type(self) & 0xF == _socket.SOCK_STREAM
        flow.timeout = _get_c_timeout(self)
        if flow.timeout:
            _set_c_timeout(self, 0.0)

    # Modes.

    def settimeout(self, value: float | None, /) -> None:
        """Set the timeout in seconds: None waits for ever, 0 never waits."""
        _set_c_timeout(self, value)  # checks it, and sets the descriptor's mode
        self._flow.timeout = _get_c_timeout(self)
        if self._flow.timeout:
            _set_c_timeout(self, 0.0)

    def gettimeout(self) -> float | None:
        return self._flow.timeout

    def setblocking(self, flag: bool, /) -> None:
        self.settimeout(None if flag else 0.0)

    def getblocking(self) -> bool:
        return self._flow.timeout != 0.0

    @property
    def timeout(self) -> float | None:
        return self._flow.timeout

    # Receiving.

    recv = flow.recv
    recv_into = flow.recv_into
    _call = flow.call
    _retry = flow.retry

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Any]:
        return self._call(READ, flags, _C.recvfrom, bufsize, flags | _DONTWAIT)

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        return self._call(READ, flags, _C.recvfrom_into, buffer, nbytes, flags | _DONTWAIT)

    if hasattr(_C, "recvmsg"):

        def recvmsg(self, bufsize: int, ancbufsize: int = 0, flags: int = 0, /) -> Any:
            return self._call(READ, flags, _C.recvmsg, bufsize, ancbufsize, flags | _DONTWAIT)

        def recvmsg_into(self, buffers: Any, ancbufsize: int = 0, flags: int = 0, /) -> Any:
            buffers = list(buffers)  # an iterator can be read once, and this may take several attempts
            return self._call(READ, flags, _C.recvmsg_into, buffers, ancbufsize, flags | _DONTWAIT)

    # Sending.

    send = flow.send
    sendall = flow.sendall

    def sendto(self, *args: Any) -> int:
        """sendto(data[, flags], address)"""
        if not 2 <= len(args) <= 3 or (len(args) == 3 and not isinstance(args[1], int)):
            return _C.sendto(self, *args)  # raises what it has to say about it
        data, flags, address = args[0], args[1] if len(args) == 3 else 0, self._numeric(args[-1])
        return self._call(WRITE, flags, _C.sendto, data, flags | _DONTWAIT, address)

    if hasattr(_C, "sendmsg"):

        def sendmsg(self, buffers: Any, ancdata: Any = (), flags: int = 0, address: Any = None, /) -> int:
            buffers, ancdata = list(buffers), list(ancdata)
            address = self._numeric(address)
            sent = self._call(WRITE, flags, _C.sendmsg, buffers, ancdata, flags | _DONTWAIT, address)
            if self._flow.timeout is None and self._flow.stream and not flags & _DONTWAIT:
                total = sum(memoryview(buffer).nbytes for buffer in buffers)
                if sent < total:
                    return flow.send_rest(self, b"".join(buffers), sent, flags)
            return sent

    if hasattr(_C, "sendmsg_afalg"):

        def sendmsg_afalg(self, msg: Any = (), *, flags: int = 0, **how: Any) -> int:
            def call(self: socket) -> int:
                return _C.sendmsg_afalg(self, msg, flags=flags | _DONTWAIT, **how)

            return self._call(WRITE, flags, call)

    def _sendfile_use_sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        fd = self.fileno()
        blocking = fd >= 0 and os.get_blocking(fd)
        if blocking:
            os.set_blocking(fd, False)
        try:
            return _sendfile_use_sendfile(self, file, offset, count)
        finally:
            if blocking and self.fileno() == fd:
                os.set_blocking(fd, True)

    # Connecting.

    def _numeric(self, address: Any) -> Any:
        """*address* with its host looked up by a worker thread, where C code would look it up in place."""
        if (
            self.family not in (_socket.AF_INET, _socket.AF_INET6)
            or not isinstance(address, tuple)
            or not address
        ):
            return address
        host = address[0]
        if not isinstance(host, (str, bytes, bytearray)) or host in ("", "<broadcast>"):
            return address
        if (
            self._flow.timeout == 0.0
            or isinstance(host, (bytes, bytearray))
            or not isinstance(address[1:2], tuple)
        ):
            return address
        hub = existing_hub()
        if hub is None or not (hub.tasklets or hub.timers):
            return address
        try:
            _socket.inet_pton(self.family, host)
            return address
        except (OSError, ValueError):
            pass
        found = getaddrinfo(host, None, self.family)[0][4]
        if self.family == _socket.AF_INET6 and len(address) < 4 and found[3]:
            return (found[0], *address[1:], *(0, found[3])[len(address) - 2 :])
        return (found[0], *address[1:])

    def _connect(self, address: Any) -> int:
        """Connect and return an error number, 0 for none; a timeout raises."""
        if self._flow.timeout == 0.0:
            return _c_connect_ex(self, address)
        address = self._numeric(address)
        deadline = None if self._flow.timeout is None else monotonic() + self._flow.timeout
        first = True
        nap = 0.001
        while True:
            _set_c_timeout(self, 0.0)
            try:
                error = _c_connect_ex(self, address)
            finally:
                if self._flow.timeout is None and self.fileno() >= 0:
                    _set_c_timeout(self, None)
            if error == errno.EISCONN and not first:
                return 0
            if error == errno.EAGAIN and self.family == getattr(_socket, "AF_UNIX", None):
                # The listener's backlog is full, and the system has no event for when it is not.
                if deadline is not None and monotonic() >= deadline:
                    raise TimeoutError("timed out")
                get_hub().sleep(monotonic() + nap)
                nap = min(nap * 2, 0.02)
                continue
            if error not in _IN_PROGRESS:
                return error
            first = False
            if not self._flow.until(self, WRITE, deadline):
                raise TimeoutError("timed out")

    def connect(self, address: Any, /) -> None:
        if self._flow.timeout == 0.0:
            super().connect(address)
            return
        error = self._connect(address)
        if error:
            raise OSError(error, os.strerror(error))

    def connect_ex(self, address: Any, /) -> int:
        try:
            return self._connect(address)
        except TimeoutError:
            return errno.EAGAIN

    def bind(self, address: Any, /) -> None:
        if handover.current is None or not handover.current.bind(self, address):
            _c_bind(self, self._numeric(address))

    def listen(self, *backlog: Any) -> None:
        """listen([backlog])"""
        _C.listen(self, *backlog)
        if handover.current is not None:
            handover.current.listening(self)

    def accept(self) -> tuple[socket, Any]:
        """Wait for a connection; returns a socket for it and the peer's address."""
        fd, address = self._accept()
        accepted = socket(self.family, self.type, self.proto, fileno=fd)
        if getdefaulttimeout() is None and self._flow.timeout:
            accepted.setblocking(True)
        return accepted, address

    def _accept(self) -> tuple[int, Any]:
        if self._flow.timeout is None and os.get_blocking(self.fileno()):
            os.set_blocking(self.fileno(), False)
        accept = _c_accept if handover.current is None else handover.current.accept
        try:
            return accept(self)
        except BlockingIOError:
            return self._retry(READ, accept)

    # The end, and files.

    makefile = rebind(_Plain.makefile, {"SocketIO": SocketIO, "io": io}, _socket)

    def _real_close(self, _ss: Any = _C) -> None:
        if handover.current is not None:
            handover.current.closing(self)
        self._flow.forget()
        _ss.close(self)

    def detach(self) -> int:
        self._flow.forget()
        return super().detach()


socket.__module__ = "socket"
SocketType = _C
getdefaulttimeout = _socket.getdefaulttimeout


def getaddrinfo(
    host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> list[tuple[Any, ...]]:
    """Resolve host and port, on a worker thread unless both are numeric."""
    if host is not None and isinstance(host, str) and not flags & _socket.AI_NUMERICHOST:
        try:
            return _socket.getaddrinfo(host, port, family, type, proto, flags | _socket.AI_NUMERICHOST)
        except _socket.gaierror:
            pass
    return offload_if_shared(_socket.getaddrinfo, host, port, family, type, proto, flags)


@builtin
def gethostbyname(_: Any, hostname: Any, /) -> str:
    return offload_if_shared(_socket.gethostbyname, hostname)


@builtin
def gethostbyname_ex(_: Any, hostname: Any, /) -> tuple[str, list[str], list[str]]:
    return offload_if_shared(_socket.gethostbyname_ex, hostname)


@builtin
def gethostbyaddr(_: Any, ip_address: Any, /) -> tuple[str, list[str], list[str]]:
    return offload_if_shared(_socket.gethostbyaddr, ip_address)


@builtin
def getnameinfo(_: Any, sockaddr: Any, flags: int, /) -> tuple[str, str]:
    return offload_if_shared(_socket.getnameinfo, sockaddr, flags)


forward(
    globals(),
    _socket,
    rebound=(
        "_fallback_socketpair",
        "create_connection",
        "create_server",
        "fromfd",
        "fromshare",
        "getfqdn",
        "has_dualstack_ipv6",
        "recv_fds",
        "send_fds",
    ),
)


def socketpair(family: Any = None, type: int = _socket.SOCK_STREAM, proto: int = 0) -> tuple[socket, socket]:
    """Create a pair of connected sockets."""
    pair = _socket.socketpair(family, type, proto)
    a, b = (socket(s.family, s.type, s.proto, fileno=s.detach()) for s in pair)
    return a, b


socketpair.__doc__ = _socket.socketpair.__doc__


def _rebind_sendfile() -> Callable[..., int]:
    from runtime.overlay import rebind

    names = {"selectors": selectors, "__builtins__": __builtins__}
    plain: Any = _Plain
    return rebind(plain._sendfile_use_sendfile, names, _socket)


_sendfile_use_sendfile = _rebind_sendfile()
