"""The load for the server benchmarks where there is no C compiler: load.c in Python, argument for argument.

A closed loop over many connections in one thread. It costs about as much CPU as an average peer, so figures
of the fastest peers made with it are too high: fewer requests are ready whenever they look. The report says
which load ran.
"""

from __future__ import annotations

import select
import socket
import sys
import time
from typing import NoReturn

try:
    import resource
except ImportError:
    resource = None  # type: ignore[assignment]

SILENCE = 30.0  # seconds without an answer after which the server counts as hung


def fail(what: str) -> NoReturn:
    raise SystemExit(f"load: {what}")


class Connection:
    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.busy = False
        self.unsent: bytes | memoryview = b""
        self.got = 0


class Load:
    def __init__(self, address: tuple[str, int], connections: int, request: bytes, reply_bytes: int) -> None:
        self.address = address
        self.request = request
        self.reply_bytes = reply_bytes
        self.poll = select.epoll()
        self.by_fd: dict[int, Connection] = {}
        self.unsent = self.unanswered = 0
        self.connections = [Connection() for _ in range(connections)]
        if reply_bytes:
            for connection in self.connections:
                self.open(connection)

    def open(self, connection: Connection) -> None:
        connection.socket = sock = socket.create_connection(self.address, timeout=SILENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        self.by_fd[sock.fileno()] = connection
        self.poll.register(sock.fileno(), select.EPOLLIN)

    def run(self, messages: int) -> None:
        self.unsent = self.unanswered = messages
        for connection in self.connections:
            self.begin(connection)
        while self.unanswered:
            ready = self.poll.poll(SILENCE)
            if not ready:
                fail(f"nothing came for {SILENCE:.0f} s, {self.unanswered} of {messages} requests unanswered")
            for fd, events in ready:
                connection = self.by_fd[fd]
                if events & select.EPOLLOUT and connection.busy:
                    self.push(connection)
                if events & ~select.EPOLLOUT:
                    self.pull(connection)

    def begin(self, connection: Connection) -> None:
        if self.unsent:
            self.unsent -= 1
            connection.busy, connection.got, connection.unsent = True, 0, self.request
            if connection.socket is None:
                self.open(connection)
            self.push(connection)

    def push(self, connection: Connection) -> None:
        assert connection.socket is not None
        try:
            sent = connection.socket.send(connection.unsent)
        except BlockingIOError:
            sent = 0
        whole = sent == len(connection.unsent)
        if not whole or connection.unsent is not self.request:
            connection.unsent = memoryview(connection.unsent)[sent:]
            self.poll.modify(connection.socket, select.EPOLLIN | (0 if whole else select.EPOLLOUT))

    def pull(self, connection: Connection) -> None:
        assert connection.socket is not None
        data = connection.socket.recv(262144)
        connection.got += len(data)
        if not data:
            if self.reply_bytes or not connection.got:
                fail("the server closed a connection")
            del self.by_fd[connection.socket.fileno()]
            connection.socket.close()
            connection.socket = None
        elif not self.reply_bytes or connection.got < self.reply_bytes:
            return
        elif connection.got > self.reply_bytes:
            fail(f"{connection.got} bytes came where {self.reply_bytes} were due")
        connection.busy = False
        self.unanswered -= 1
        self.begin(connection)


def main() -> None:
    host = sys.argv[1]
    port, connections, warmup, messages, request_bytes, reply_bytes = map(int, sys.argv[2:])
    if resource is not None:
        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    request = sys.stdin.buffer.read(request_bytes)
    load = Load((host, port), connections, request, reply_bytes)
    load.run(warmup)
    print("ready", flush=True)
    if not sys.stdin.buffer.read(1):
        raise SystemExit(1)  # the measuring process is gone
    began = time.perf_counter()
    load.run(messages)
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
