"""Operations that wait, beside those of ``benchmarks.peers.blocking``, for ``tests.interrupted`` to interrupt.

Everything happens in this process, so that what an interruption must not lose can be asked for afterwards: an operation
returns the call to interrupt and, if there is something to ask, a check.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

HELD = 0.01  # seconds
Call = Callable[[], object]
Prepared = Call | tuple[Call, Callable[[], bool]]
OPERATIONS: dict[str, Callable[[Scene], Prepared]] = {}
TLS = pathlib.Path(__file__).parent.parent / "runtime" / "tls"
BIG = os.urandom(1 << 20)


class Scene:
    """What an operation needs around it; all of it is gone at the end."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.stack = stack
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))

    def thread(self, function: Callable[..., object], *args: object) -> threading.Thread:
        """Run *function* beside the operation; it must end by itself, or by what is cleaned up after it."""
        thread = threading.Thread(target=quietly, args=(function, *args))
        self.stack.callback(thread.join)
        thread.start()
        return thread

    def later(self, function: Callable[..., object], *args: object) -> threading.Thread:
        """Call *function* after the time."""
        return self.thread(lambda: (time.sleep(HELD), function(*args)))

    def closing(self, thing: Any) -> Any:
        self.stack.callback(thing.close)
        return thing

    def pair(self, kind: int = socket.SOCK_STREAM) -> tuple[socket.socket, socket.socket]:
        a, b = socket.socketpair(socket.AF_UNIX, kind)
        return self.closing(a), self.closing(b)

    def pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        for end in ends:
            self.stack.callback(close, end)
        return ends

    def full(self) -> tuple[socket.socket, socket.socket]:
        """A socket that takes no more, and its peer."""
        a, b = self.pair()
        a.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                a.send(bytes(65536))
        a.setblocking(True)
        return a, b

    def drained(self) -> socket.socket:
        """A full socket whose peer is read, later, until it is closed."""
        a, b = self.full()
        self.later(drain, b)
        self.stack.callback(a.close)  # before the reader is waited for
        return a

    def tls(self) -> tuple[ssl.SSLSocket, ssl.SSLSocket]:
        """Both ends of a connection after the handshake."""
        a, b = self.pair()
        made: list[ssl.SSLSocket] = []
        thread = threading.Thread(target=lambda: made.append(tls_server().wrap_socket(b, server_side=True)))
        thread.start()
        client = tls_client().wrap_socket(a, server_hostname="localhost")
        thread.join()
        return self.closing(client), self.closing(made[0])


def quietly(function: Callable[..., object], *args: object) -> None:
    with contextlib.suppress(OSError, EOFError, ValueError, threading.BrokenBarrierError):
        function(*args)


def close(fd: int) -> None:
    with contextlib.suppress(OSError):
        os.close(fd)


def drain(sock: socket.socket) -> None:
    while sock.recv(1 << 20):
        pass


def tls_server() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    return context


def tls_client() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(TLS / "cert.pem"))


def operation(function: Callable[[Scene], Prepared]) -> Callable[[Scene], Prepared]:
    OPERATIONS[function.__name__] = function
    return function


def each(**calls: Callable[[Scene], Prepared]) -> None:
    OPERATIONS.update(calls)


def is_free(lock: Any) -> bool:
    """For another thread."""
    free: list[bool] = []
    other = threading.Thread(target=lambda: free.append(lock.acquire(False) and (lock.release() or True)))
    other.start()
    other.join()
    return free == [True]
