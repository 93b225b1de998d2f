"""The load for the server benchmarks where there is no C compiler: load.c in Python, argument for argument.

A closed loop over many connections in one thread. It costs about as much CPU as an average peer, so figures
of the fastest peers made with it are too high: fewer requests are ready whenever they look. The report says
which load ran. `--tls` before the other arguments is what `-DTLS` is there.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
import sys
import time
from typing import NoReturn

try:
    import resource
except ImportError:
    resource = None  # type: ignore[assignment]

SILENCE = 30.0  # seconds without an answer after which the server counts as hung
PER_ADDRESS = 8000  # connections from one of the loopback's addresses: each has about 28,000 ports
IP_BIND_ADDRESS_NO_PORT = 24  # Linux; the module has no name for it
WAITING = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def fail(what: str) -> NoReturn:
    raise SystemExit(f"load: {what}")


class Connection:
    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.busy = False
        self.unsent: bytes | memoryview = b""
        self.got = 0


class Load:
    def __init__(
        self, address: tuple[str, int], connections: int, request: bytes, reply_bytes: int, tls: bool
    ) -> None:
        self.address = address
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if tls else None
        if self.tls is not None:
            self.tls.check_hostname = False
            self.tls.verify_mode = ssl.CERT_NONE
        self.request = request
        self.reply_bytes = reply_bytes
        self.poll = select.epoll()
        self.by_fd: dict[int, Connection] = {}
        self.unsent = self.unanswered = 0
        self.connections = [Connection() for _ in range(connections)]
        if reply_bytes:
            for number, connection in enumerate(self.connections):
                self.open(connection, f"127.0.0.{1 + number // PER_ADDRESS}")

    def open(self, connection: Connection, source: str = "127.0.0.1") -> None:
        sock = socket.socket()
        sock.settimeout(SILENCE)
        if source != "127.0.0.1":
            sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((source, 0))
        sock.connect(self.address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.reply_bytes:  # the load closes first: that must not keep its ports for a minute
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if self.tls is not None:
            sock = self.tls.wrap_socket(sock)
        connection.socket = sock
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
        except WAITING:
            sent = 0
        whole = sent == len(connection.unsent)
        if not whole or connection.unsent is not self.request:
            connection.unsent = memoryview(connection.unsent)[sent:]
            self.poll.modify(connection.socket, select.EPOLLIN | (0 if whole else select.EPOLLOUT))

    def pull(self, connection: Connection) -> None:
        assert connection.socket is not None
        try:
            data = connection.socket.recv(262144)
        except WAITING:
            return  # of a record of TLS, a part; or no data but a ticket
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
    words = sys.argv[1:]
    tls = words[0] == "--tls"
    host, *numbers = words[tls:]
    port, connections, warmup, messages, request_bytes, reply_bytes = map(int, numbers)
    if resource is not None:
        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    request = sys.stdin.buffer.read(request_bytes)
    load = Load((host, port), connections, request, reply_bytes, tls)
    load.run(warmup)
    print("ready", flush=True)
    if not sys.stdin.buffer.read(1):
        raise SystemExit(1)  # the measuring process is gone
    began = time.perf_counter()
    load.run(messages)
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
