"""Sockets, TLS, pipes, files, and waiting for several of them."""

# ruff: noqa: B008, SIM115 (a default holds what an operation was prepared with; the scene closes what is open)
from __future__ import annotations

import contextlib
import io
import os
import select
import selectors
import socket
import socketserver
import time
from typing import Any

import runtime
from tests.interruptible import (
    BIG,
    HELD,
    Prepared,
    Scene,
    close,
    drain,
    each,
    operation,
    quietly,
    tls_client,
    tls_server,
)

# Sockets.


@operation
def recv_with_timeout(scene: Scene) -> Prepared:
    a, _ = scene.pair()
    a.settimeout(HELD)
    return lambda: quietly(a.recv, 9)


@operation
def recv_all(scene: Scene) -> Prepared:
    a, b = scene.pair()

    def feed() -> None:
        for _ in range(3):
            b.sendall(b"xyz")
            time.sleep(HELD / 2)

    scene.later(feed)
    return lambda: a.recv(9, socket.MSG_WAITALL)


@operation
def recv_of_a_datagram(scene: Scene) -> Prepared:
    a, b = scene.pair(socket.SOCK_DGRAM)
    scene.later(b.send, b"x")
    got: list[bytes] = []

    def check() -> bool:
        if not got:
            a.settimeout(1)
            got.append(a.recv(9))
        return got == [b"x"]

    return lambda: got.append(a.recvfrom(9)[0]), check


@operation
def two_receive_from_one_socket(scene: Scene) -> Prepared:
    a, b = scene.pair()
    got: list[bytes] = []

    def feed() -> None:
        b.sendall(b"x")
        time.sleep(HELD)
        b.sendall(b"y")

    def check() -> bool:
        other.join(10 * HELD)
        return bool(got) and not other.is_alive()

    scene.later(feed)
    other = scene.thread(lambda: got.append(a.recv(1)))
    return lambda: got.append(a.recv(1)), check


@operation
def accept_with_timeout(scene: Scene) -> Prepared:
    listener = scene.closing(socket.create_server(("127.0.0.1", 0)))
    listener.settimeout(HELD)
    return lambda: quietly(listener.accept)


@operation
def accept(scene: Scene) -> Prepared:
    """A connection that nobody accepted is there for the next one."""
    listener = scene.closing(socket.create_server(("127.0.0.1", 0)))
    caller = scene.closing(socket.socket())
    accepted: list[socket.socket] = []

    def run() -> None:
        accepted.append(scene.closing(listener.accept()[0]))

    def check() -> bool:
        if not accepted:
            listener.settimeout(1)
            run()
        return True

    scene.later(caller.connect, listener.getsockname())
    return run, check


@operation
def create_connection(scene: Scene) -> Prepared:
    """Looks a name up, by a worker, and connects."""
    listener = scene.closing(socket.create_server(("127.0.0.1", 0)))
    port = listener.getsockname()[1]
    return lambda: socket.create_connection(("localhost", port), 5).close()


@operation
def send_fds(scene: Scene) -> Prepared:
    a, b = scene.pair()
    r, _ = scene.pipe()
    got: list[int] = []

    def receive() -> None:
        got.extend(socket.recv_fds(b, 1, 1)[1])
        for fd in got:
            os.close(fd)

    scene.later(socket.send_fds, a, [b"x"], [r])
    return receive


each(
    sendall=lambda s: lambda a=s.drained(): a.sendall(BIG),
    sendmsg=lambda s: lambda a=s.drained(): a.sendmsg([BIG, BIG]),
    sendto=lambda s: lambda a=s.drained(): a.send(BIG),
    sendall_with_timeout=lambda s: lambda a=s.full()[0]: (a.settimeout(HELD), quietly(a.sendall, BIG)),
    sendfile=lambda s: lambda a=s.drained(), f=_file(s): a.sendfile(f),
    sendfile_by_send=lambda s: lambda a=s.drained(): a.sendfile(io.BytesIO(BIG)),
    os_sendfile_of_much=lambda s: (
        lambda a=s.drained(), f=_file(s): os.sendfile(a.fileno(), f.fileno(), 0, len(BIG))
    ),
)


def _file(scene: Scene) -> Any:
    (scene.folder / "file").write_bytes(BIG)
    return scene.closing(open(scene.folder / "file", "rb"))


@operation
def makefile(scene: Scene) -> Prepared:
    a, b = scene.pair()
    reader, writer = scene.closing(b.makefile("r")), scene.closing(a.makefile("w"))

    def feed() -> None:
        for number in range(3):
            print(number, file=writer, flush=True)
            time.sleep(HELD / 3)
        writer.close()
        a.close()

    scene.later(feed)
    return lambda: list(reader)


@operation
def makefile_write(scene: Scene) -> Prepared:
    a = scene.drained()
    file = a.makefile("wb", 4096)

    def run() -> None:
        try:
            for _ in range(3):
                file.write(BIG)
            file.flush()
        finally:
            with contextlib.suppress(OSError):
                file.close()

    return run


@operation
def threading_server(scene: Scene) -> Prepared:
    """`serve_forever` is ended from outside, or by the interruption."""

    class Echo(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(self.rfile.readline())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo)
    scene.stack.callback(server.server_close)

    def ask() -> None:
        with socket.create_connection(server.server_address) as sock:
            sock.sendall(b"x\n")
            sock.recv(9)
        server.shutdown()

    scene.later(ask)
    scene.stack.callback(server.socket.close)  # and so what it has not accepted
    return lambda: server.serve_forever(HELD / 2)


# TLS.


@operation
def tls_handshake_of_client(scene: Scene) -> Prepared:
    a, b = scene.pair()

    def serve() -> None:
        with tls_server().wrap_socket(b, server_side=True) as sock:
            sock.recv(1)

    scene.later(serve)
    scene.stack.callback(a.close)
    return lambda: tls_client().wrap_socket(a, server_hostname="localhost").close()


@operation
def tls_handshake_of_server(scene: Scene) -> Prepared:
    a, b = scene.pair()

    def ask() -> None:
        with tls_client().wrap_socket(a, server_hostname="localhost") as sock:
            sock.recv(1)

    scene.later(ask)
    scene.stack.callback(b.close)
    return lambda: tls_server().wrap_socket(b, server_side=True).close()


@operation
def tls_read(scene: Scene) -> Prepared:
    a, b = scene.tls()
    got: list[bytes] = []
    scene.later(b.sendall, b"xy")

    def check() -> bool:
        if not got:
            a.settimeout(1)
            got.append(a.recv(9))
        return got == [b"xy"]

    return lambda: got.append(a.recv(9)), check


@operation
def tls_write(scene: Scene) -> Prepared:
    """What an interrupted write had begun is sent first, in full, and what follows is not corrupted."""
    a, b = scene.tls()
    data = BIG * 2
    got = bytearray()

    def read() -> None:
        while part := b.recv(1 << 16):
            got.extend(part)

    reader = scene.later(read)

    def check() -> bool:
        with contextlib.suppress(OSError):
            a.sendall(b"end")
        a.close()
        reader.join()
        return got.endswith(b"end") and data.startswith(bytes(got[:-3])) and a._flow.turn.locked() is False

    return lambda: a.sendall(data), check


@operation
def tls_unwrap(scene: Scene) -> Prepared:
    a, b = scene.tls()
    scene.later(lambda: b.unwrap().close())
    scene.stack.callback(a.close)
    return lambda: a.unwrap()


@operation
def tls_read_with_timeout(scene: Scene) -> Prepared:
    a, _ = scene.tls()
    a.settimeout(HELD)
    return lambda: quietly(a.recv, 9)


# Waiting for descriptors.


def _readable(scene: Scene) -> int:
    r, w = scene.pipe()
    scene.later(os.write, w, b"x")
    return r


@operation
def poll_object(scene: Scene) -> Prepared:
    poll = select.poll()
    poll.register(_readable(scene), select.POLLIN)
    return lambda: poll.poll(1000), lambda: bool(poll.poll(1000))


@operation
def epoll_object(scene: Scene) -> Prepared:
    epoll = scene.closing(select.epoll())
    epoll.register(_readable(scene), select.EPOLLIN)
    return lambda: epoll.poll(1), lambda: bool(epoll.poll(1))


@operation
def selector(scene: Scene) -> Prepared:
    selector = scene.closing(selectors.DefaultSelector())
    selector.register(_readable(scene), selectors.EVENT_READ)
    return lambda: selector.select(1), lambda: bool(selector.select(1))


each(
    select_with_timeout=lambda s: lambda r=s.pipe()[0]: select.select([r], [], [], HELD),
    select=lambda s: lambda r=_readable(s): select.select([r], [], []),
    poll_selector=lambda s: lambda r=_readable(s): _select(selectors.PollSelector(), r),
    select_selector=lambda s: lambda r=_readable(s): _select(selectors.SelectSelector(), r),
)


def _select(selector: selectors.BaseSelector, fd: int) -> None:
    with selector:
        selector.register(fd, selectors.EVENT_READ)
        selector.select()


# Descriptors and files.


@operation
def pipe_read(scene: Scene) -> Prepared:
    r = _readable(scene)
    got: list[bytes] = []
    return lambda: got.append(os.read(r, 9)), lambda: bool(got) or os.read(r, 9) == b"x"


@operation
def pipe_write(scene: Scene) -> Prepared:
    r, w = scene.pipe()
    os.set_blocking(r, False)

    def drain() -> None:
        for _ in range(200):
            time.sleep(HELD / 20)
            with contextlib.suppress(BlockingIOError):
                if not os.read(r, 1 << 20):
                    break

    scene.later(drain)
    scene.stack.callback(close, w)
    return lambda: os.write(w, BIG)


@operation
def eventfd(scene: Scene) -> Prepared:
    fd = os.eventfd(0)
    scene.stack.callback(os.close, fd)
    scene.later(os.eventfd_write, fd, 1)
    got: list[int] = []
    return lambda: got.append(os.eventfd_read(fd)), lambda: bool(got) or os.eventfd_read(fd) == 1


@operation
def splice(scene: Scene) -> Prepared:
    r, w = _readable(scene), scene.pipe()[1]
    return lambda: os.splice(r, w, 9)


@operation
def terminal(scene: Scene) -> Prepared:
    leader, follower = os.openpty()
    scene.stack.callback(os.close, follower)
    scene.stack.callback(os.close, leader)
    scene.later(os.write, leader, b"x\n")
    return lambda: os.read(follower, 9)


@operation
def to_disk(scene: Scene) -> Prepared:
    file = _file(scene)
    return lambda: (os.fsync(file.fileno()), os.fdatasync(file.fileno()))


@operation
def fifo(scene: Scene) -> Prepared:
    path = scene.folder / "fifo"
    os.mkfifo(path)

    def write() -> None:
        with contextlib.suppress(OSError):
            fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)  # as late as that, there may be nobody
            try:
                os.write(fd, b"x")
            finally:
                os.close(fd)

    def unblock() -> None:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))  # the thread that opens it for one who has gone

    scene.stack.callback(unblock)
    scene.later(write)

    def run() -> None:
        with open(path) as file:
            file.read()

    return run


def _shared_file(scene: Scene) -> tuple[Any, int]:
    r, w = scene.pipe()
    return scene.closing(open(os.dup(r))), w


@operation
def file_read_by_two(scene: Scene) -> Prepared:
    """Lines go to one or the other; the one who waits for his turn is interrupted."""
    file, w = _shared_file(scene)
    got: list[str] = []

    def feed() -> None:
        for number in range(3):
            os.write(w, b"%d\n" % number)
            time.sleep(HELD / 3)
        os.close(w)

    def read() -> None:
        while line := file.readline():
            got.append(line)

    feeder = scene.later(feed)
    other = scene.thread(read)

    def check() -> bool:
        feeder.join()
        other.join()
        return sorted(got) == ["0\n", "1\n", "2\n"] and not hasattr(type(file), "_fast")

    return read, check


@operation
def file_write_by_two(scene: Scene) -> Prepared:
    a, b = scene.full()
    file = scene.closing(a.makefile("wb", 4096))

    def write() -> None:
        for _ in range(2):
            file.write(bytes(1 << 18))
            file.flush()

    scene.later(drain, b)
    scene.thread(write)

    def close() -> None:
        with contextlib.suppress(OSError):
            file.close()
        a.close()

    scene.stack.callback(close)
    return write, lambda: True


@operation
def file_closed_meanwhile(scene: Scene) -> Prepared:
    """The closer is interrupted, or the one whom it drives out."""
    file, _ = _shared_file(scene)
    scene.thread(lambda: quietly(file.readline))
    runtime.schedule()
    return file.close


@operation
def pair_of_files(scene: Scene) -> Prepared:
    r, w = scene.pipe()
    _, w2 = scene.pipe()
    file = scene.closing(io.BufferedRWPair(open(os.dup(r), "rb", 0), open(os.dup(w2), "wb", 0)))
    scene.later(os.write, w, b"x\n")
    return lambda: (file.write(b"y"), file.flush(), file.readline())
