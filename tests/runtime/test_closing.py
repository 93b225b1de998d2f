"""What is closed under somebody who waits for it: he is told, nothing of it stays, the number can be used again."""

from __future__ import annotations

import contextlib
import time as plain_time
from collections.abc import Callable
from typing import Any

import pytest

import runtime
from runtime.green import io, multiprocessing, os, select, socket, sqlite3
from runtime.hub import get_hub
from tests.runtime.test_green_ssl import client_context, server_context

pytestmark = pytest.mark.usefixtures("backend")
Call = Callable[[], Any]
Prepared = tuple[Call, Call]  # what waits, and what closes
CASES: dict[str, Callable[[contextlib.ExitStack], Prepared]] = {}


def case(function: Callable[[contextlib.ExitStack], Prepared]) -> Callable[[contextlib.ExitStack], Prepared]:
    CASES[function.__name__] = function
    return function


def _pair(stack: contextlib.ExitStack, kind: int = socket.SOCK_STREAM) -> tuple[Any, Any]:
    a, b = socket.socketpair(socket.AF_UNIX, kind)
    return stack.enter_context(a), stack.enter_context(b)


def _full(stack: contextlib.ExitStack) -> Any:
    a, _ = _pair(stack)
    a.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            a.send(bytes(65536))
    a.setblocking(True)
    return a


@case
def recv(stack: contextlib.ExitStack) -> Prepared:
    a, _ = _pair(stack)
    return lambda: a.recv(1), a.close


@case
def recv_with_timeout(stack: contextlib.ExitStack) -> Prepared:
    a, _ = _pair(stack)
    a.settimeout(50)
    return lambda: a.recv(1), a.close


@case
def recvfrom(stack: contextlib.ExitStack) -> Prepared:
    a, _ = _pair(stack, socket.SOCK_DGRAM)
    return lambda: a.recvfrom(1), a.close


@case
def detached(stack: contextlib.ExitStack) -> Prepared:
    a, _ = _pair(stack)
    return lambda: a.recv(1), lambda: os.close(a.detach())


@case
def sendall(stack: contextlib.ExitStack) -> Prepared:
    a = _full(stack)
    return lambda: a.sendall(bytes(1 << 20)), a.close


@case
def accept(stack: contextlib.ExitStack) -> Prepared:
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    return listener.accept, listener.close


@case
def file_of_a_socket(stack: contextlib.ExitStack) -> Prepared:
    a, _ = _pair(stack)
    file = a.makefile("r")
    return lambda: file.readline(), lambda: file.close()


@case
def file_over_a_full_socket(stack: contextlib.ExitStack) -> Prepared:
    file = _full(stack).makefile("wb", 0)
    return lambda: file.write(bytes(1 << 20)), lambda: file.close()


@case
def read(stack: contextlib.ExitStack) -> Prepared:
    r, w = os.pipe()
    stack.callback(os.close, w)
    return lambda: os.read(r, 1), lambda: os.close(r)


@case
def write(stack: contextlib.ExitStack) -> Prepared:
    r, w = os.pipe()
    stack.callback(os.close, r)
    os.set_blocking(w, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(w, bytes(65536))
    os.set_blocking(w, True)
    return lambda: os.write(w, bytes(1 << 20)), lambda: os.close(w)


@case
def eventfd(stack: contextlib.ExitStack) -> Prepared:
    fd = os.eventfd(0)
    return lambda: os.eventfd_read(fd), lambda: os.close(fd)


@case
def file(stack: contextlib.ExitStack) -> Prepared:
    r, w = os.pipe()
    stack.callback(os.close, w)
    file = io.open(r)
    return lambda: file.readline(), lambda: file.close()


@case
def unbuffered_file(stack: contextlib.ExitStack) -> Prepared:
    r, w = os.pipe()
    stack.callback(os.close, w)
    file = io.open(r, "rb", 0)
    return lambda: file.read(1), lambda: file.close()


@case
def terminal(stack: contextlib.ExitStack) -> Prepared:
    leader, follower = os.openpty()
    stack.callback(os.close, leader)
    return lambda: os.read(follower, 1), lambda: os.close(follower)


@case
def epoll(stack: contextlib.ExitStack) -> Prepared:
    a, _ = _pair(stack)
    epoll = select.epoll()
    epoll.register(a, select.EPOLLIN)
    return epoll.poll, epoll.close


@case
def tls(stack: contextlib.ExitStack) -> Prepared:
    a, b = _pair(stack)
    server = runtime.spawn(server_context().wrap_socket, b, server_side=True)
    client = stack.enter_context(client_context().wrap_socket(a, server_hostname="localhost"))
    stack.enter_context(server.result())
    return lambda: client.recv(1), client.close


@case
def handshake(stack: contextlib.ExitStack) -> Prepared:
    a, _ = _pair(stack)
    client = client_context().wrap_socket(a, server_hostname="localhost", do_handshake_on_connect=False)
    return client.do_handshake, client.close


@case
def connection_of_processes(stack: contextlib.ExitStack) -> Prepared:
    a, b = multiprocessing.Pipe()
    stack.callback(b.close)
    return a.recv, a.close


@case
def database(stack: contextlib.ExitStack) -> Prepared:
    """Closed when the statement has ended; it is the rows that cannot be had any more."""
    connection = sqlite3.connect(":memory:")
    connection.create_function("nap", 0, lambda: plain_time.sleep(0.02))
    return lambda: connection.execute("select nap()").fetchall(), connection.close


@pytest.mark.parametrize("name", CASES)
def test_who_waits_is_told_and_the_number_can_be_used_again(name: str) -> None:
    hub = get_hub()
    with contextlib.ExitStack() as stack:
        wait, close = CASES[name](stack)
        waiter = runtime.spawn(wait)
        for _ in range(3):
            runtime.schedule()
        runtime.sleep(0.002)
        assert waiter.alive
        close()
        assert waiter.join(10), "it waits for ever"
        assert isinstance(waiter.error, (OSError, ValueError, sqlite3.ProgrammingError)), waiter.error
        # Whoever gets the number next has nothing to do with it.
        pairs = [socket.socketpair() for _ in range(5)]
        for a, b in pairs:
            reader = runtime.spawn(a.recv, 9)
            runtime.schedule()
            b.send(b"x")
            assert reader.result(10) == b"x"
            a.close()
            b.close()
    assert not [watch for watch in hub.watches.values() if watch.readers or watch.writers]
    assert not hub.tasklets
