"""What reads and writes of a TLS connection do that do not ask OpenSSL first, and records however they come."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import socket as plain_socket
import ssl as plain_ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import runtime
from runtime.green import socket, ssl
from runtime.hub import get_hub
from tests.runtime.conftest import LIMIT
from tests.runtime.test_green_ssl import CERT, KEY, client_context, connected, interrupt, server_context

pytestmark = pytest.mark.usefixtures("backend")

# Reads that look whether there is anything.


def waited_once(reader: Any, writer: Any) -> None:
    """Have *reader* wait for input and get it: its next read looks whether there is any."""
    call = runtime.spawn(reader.recv, 100)
    runtime.schedule()
    writer.sendall(b"first")
    assert call.result() == b"first"
    assert reader._flow.quiet


def settle() -> None:
    """Let the hub see what has happened while nobody waited for it."""
    for _ in range(3):
        get_hub().serve(0.001)


def test_what_openssl_holds_is_not_waited_for() -> None:
    with connected() as (client, other):
        call = runtime.spawn(client.recv, 5)
        runtime.schedule()
        other.sendall(b"firstrest")
        assert call.result() == b"first"
        settle()
        assert client.recv(100) == b"rest"


def test_what_openssl_holds_after_a_read_into_a_buffer_is_not_waited_for() -> None:
    with connected() as (client, other):
        buffer = bytearray(5)
        call = runtime.spawn(client.recv_into, buffer)
        runtime.schedule()
        other.sendall(b"firstrest")
        assert call.result() == 5
        settle()
        assert client.recv_into(buffer) == 4
    assert buffer == b"restt"


def test_what_a_read_left_that_did_not_wait_is_not_waited_for() -> None:
    with connected() as (client, other):
        waited_once(client, other)
        other.sendall(b"abcdef")
        settle()
        client.setblocking(False)
        assert client.recv(3) == b"abc"
        client.setblocking(True)
        assert client.recv(100) == b"def"


def test_the_end_is_not_waited_for_twice() -> None:
    """A connection whose TLS has ended, and which is still open, has no event to come."""
    with connected() as (client, other):
        call = runtime.spawn(client.recv, 100)
        runtime.schedule()
        ending = runtime.spawn(other.unwrap)
        assert call.result() == b""
        settle()
        assert client.recv(100) == b""
        client.unwrap()
        ending.result()


def test_what_is_no_record_is_the_end() -> None:
    with connected() as (client, other):
        waited_once(client, other)
        socket.socket.send(other, b"\x17\x03\x03\x00\x05wrong")
        settle()
        with pytest.raises(ssl.SSLError, match="BAD_RECORD_MAC"):
            client.recv(100)
        assert client.recv(100) == b""


def test_after_an_unwrap_that_failed_openssl_is_asked() -> None:
    with connected() as (client, other):
        waited_once(client, other)
        other.sendall(b"more")
        settle()
        with pytest.raises(ssl.SSLError, match="APPLICATION_DATA_AFTER_CLOSE_NOTIFY"):
            client.unwrap()
        assert client.recv(100) == b""


@pytest.mark.parametrize("how", ["close", "reset", "shutdown"])
def test_an_end_that_came_while_nobody_waited_is_seen(how: str) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, socket.create_connection(listener.getsockname()) as a:
        b, _ = listener.accept()
        server = runtime.spawn(server_context().wrap_socket, b, server_side=True)
        with client_context().wrap_socket(a, server_hostname="localhost") as client:
            other = server.result()
            waited_once(client, other)
            if how == "reset":
                other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if how == "shutdown":
                socket.socket.shutdown(other, socket.SHUT_WR)
            else:
                other.close()
            settle()
            if how == "reset" and sys.version_info >= (3, 13):  # which until then was an end like others
                with pytest.raises(ConnectionResetError):
                    client.recv(100)
            assert client.recv(100) == b""
            other.close()


def test_a_read_says_what_openssl_has_to_say() -> None:
    """The server asks for a certificate after the handshake; OpenSSL does so with the next call, which is a read."""
    context = server_context()
    context.load_verify_locations(CERT)
    context.verify_mode = ssl.CERT_REQUIRED
    context.post_handshake_auth = True
    asking = client_context()
    asking.load_cert_chain(CERT, KEY)
    asking.post_handshake_auth = True
    context.verify_mode = ssl.CERT_OPTIONAL
    a, b = socket.socketpair()
    server = runtime.spawn(context.wrap_socket, b, server_side=True)
    with asking.wrap_socket(a, server_hostname="localhost") as client, server.result() as other:
        waited_once(other, client)
        reader = runtime.spawn(client.recv, 1)
        assert other.getpeercert() is None
        other.verify_client_post_handshake()
        call = runtime.spawn(other.recv, 1)
        while client._flow.watch is None or not other._flow.watch.readers:
            runtime.schedule()
        settle()
        runtime.sleep(0.001)
        client.sendall(b"x")
        assert call.result() == b"x"
        assert other.getpeercert()
        other.sendall(b"y")
        assert reader.result() == b"y"


@pytest.mark.parametrize("how", ["kill", "timeout", "close"])
def test_an_interrupted_read_that_did_not_ask_leaves_nothing_behind(how: str) -> None:
    with connected() as (client, other):
        waited_once(client, other)
        interrupt(lambda client: client.recv(100), client, how)
        if how != "close":
            other.sendall(b"second")
            client.settimeout(None)
            assert client.recv(100) == b"second"


# Records as they come.

SIZES = (1, 2, 5, 100, 1024, 16_383, 16_384, 16_385, 50_000)


def forward(source: Any, sink: Any, pieces: Iterator[int]) -> None:
    """What goes over a network that cuts records into *pieces*."""
    with contextlib.suppress(OSError):
        while data := source.recv(next(pieces)):
            sink.sendall(data)
            runtime.schedule()
        sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def far_apart(version: str, cut: Callable[[], Iterator[int]]) -> Iterator[tuple[Any, Any]]:
    """As `connected`, by TLS of *version*, over something that cuts records into pieces."""
    a, near = socket.socketpair()
    far, b = socket.socketpair()
    for source, sink in ((near, far), (far, near)):
        runtime.spawn(forward, source, sink, cut())
    context = server_context()
    context.maximum_version = ssl.TLSVersion[version]
    server = runtime.spawn(context.wrap_socket, b, server_side=True)
    with client_context().wrap_socket(a, server_hostname="localhost") as client, server.result() as other:
        assert client.version() == version.replace("_", ".")
        yield client, other


def exactly(sock: Any, size: int, wanted: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        part = sock.recv(wanted)
        assert part
        got += part
    return bytes(got)


CUTS: dict[str, Callable[[], Iterator[int]]] = {
    "octets": lambda: itertools.repeat(1),
    "headers": lambda: itertools.cycle((5, 16_000, 1)),
    "random": lambda: (random.choice((1, 3, 4, 5, 6, 21, 22, 1000, 65_536)) for _ in itertools.count()),
    "whole": lambda: itertools.repeat(65_536),
}


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("cut", CUTS)
def test_every_record_arrives_however_it_is_cut(version: str, cut: str) -> None:
    """Questions and answers of many sizes, read in pieces of many sizes; nobody waits for what is there."""
    random.seed(cut)
    sizes = SIZES[:-4] if cut == "octets" else SIZES
    with far_apart(version, CUTS[cut]) as (client, other):

        def serve() -> None:
            for size in sizes:
                for wanted in (7, 1024, size, 65_536):
                    if size // wanted < 500:
                        other.sendall(exactly(other, size, wanted)[::-1])

        server = runtime.spawn(serve)
        for size in sizes:
            for wanted in (7, 1024, size, 65_536):
                if size // wanted < 500:
                    data = random.randbytes(size)
                    client.sendall(data)
                    assert exactly(client, size, wanted) == data[::-1]
        server.result()


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("cut", CUTS)
def test_both_sides_may_send_all_the_time(version: str, cut: str) -> None:
    size = 3_000 if cut == "octets" else 600_000
    streams = os.urandom(size), os.urandom(size)
    with far_apart(version, CUTS[cut]) as ends:
        for sock, data in zip(ends, streams, strict=True):
            runtime.spawn(sock.sendall, data)
        readers = [runtime.spawn(exactly, sock, size, 10_000) for sock in ends]
        assert [reader.result() for reader in readers] == [streams[1], streams[0]]


@pytest.mark.parametrize("attempt", range(10))
def test_an_os_thread_reads_while_another_writes(attempt: int) -> None:
    """Also in the very beginning, when a read takes in what the server says after the handshake."""
    data = os.urandom(400_000)
    got: list[bytes] = []
    with connected() as (client, other):
        reading = threading.Thread(target=lambda: got.append(exactly(client, len(data), 9_000)))
        reading.start()
        echo = runtime.spawn(lambda: other.sendall(exactly(other, len(data), 65_536)))
        client.sendall(data)
        echo.result()
        reading.join(LIMIT)
        assert got == [data]
        waited_once(client, other)
        other.sendall(b"last")
        assert client.recv(100) == b"last"


# The calls' arguments, and derived classes.


def test_arguments_are_taken_as_the_plain_class_takes_them() -> None:
    def outcome(call: Callable[[Any], object], sock: Any) -> object:
        try:
            return call(sock)
        except Exception as error:
            return type(error), str(error)

    calls: list[Callable[[Any], object]] = [
        lambda sock: sock.recv(-1),
        lambda sock: sock.recv(0),
        lambda sock: sock.recv("1"),
        lambda sock: sock.recv(1, 2),
        lambda sock: sock.recv(buflen=0, flags=0),
        lambda sock: sock.recv_into(b"1234"),
        lambda sock: sock.recv_into(bytearray(4), 10),
        lambda sock: sock.recv_into(bytearray(4), flags=1),
        lambda sock: sock.recv_into(1),
        lambda sock: sock.recv_into(bytearray()),
        lambda sock: sock.recv_into(None, 0),
        lambda sock: sock.read(0, bytearray()),
        lambda sock: sock.send("text"),
        lambda sock: sock.send(b"", 0),
        lambda sock: sock.send(b"x", 1),
        lambda sock: sock.send(bytearray(b"xy")),
        lambda sock: sock.write(memoryview(b"xyz")),
        lambda sock: sock.sendall("text"),
        lambda sock: sock.sendall(b""),
        lambda sock: sock.sendall(b"x", 1),
        lambda sock: sock.sendall(memoryview(bytes(8)).cast("i")),
        lambda sock: sock.sendall(bytearray(b"xyz"), flags=0),
        lambda sock: sock.sendto(b"x", ("127.0.0.1", 1)),
    ]
    a, b = plain_socket.socketpair()
    context = plain_ssl.SSLContext(plain_ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERT, KEY)
    plain: list[Any] = []
    thread = threading.Thread(target=lambda: plain.append(context.wrap_socket(b, server_side=True)))
    thread.start()
    with plain_ssl.create_default_context(cafile=CERT).wrap_socket(a, server_hostname="localhost") as sock:
        thread.join(LIMIT)
        for end in (sock, *plain):
            end.settimeout(0.01)  # where recv_into() finds no room, it is what it waits for
        expected = [str(outcome(call, sock)) for call in calls]
        plain[0].close()
    with connected() as (client, _):
        client.settimeout(0.01)
        assert [str(outcome(call, client)) for call in calls] == expected


def test_what_a_derived_class_does_instead_is_done() -> None:
    seen: list[object] = []

    class Counting(ssl.SSLSocket):  # type: ignore[misc, name-defined]
        def read(self, len: int = 1024, buffer: Any = None) -> Any:
            seen.append(("read", len))
            return super().read(len, buffer)

        def send(self, data: Any, flags: int = 0) -> int:
            seen.append(("send", bytes(data)))
            sent: int = super().send(data, flags)
            return sent

    context = client_context()
    context.sslsocket_class = Counting
    a, b = socket.socketpair()
    server = runtime.spawn(server_context().wrap_socket, b, server_side=True)
    with context.wrap_socket(a, server_hostname="localhost") as client, server.result() as other:
        client.sendall(b"question")
        other.sendall(other.recv(100))
        assert client.recv(50) == b"question"
        other.sendall(b"more")
        assert client.recv_into(bytearray(9)) == 4
    assert seen == [("send", b"question"), ("read", 50), ("read", 9)]
