"""The counterpart of ``ssl``: the plain classes' behaviour, and waits that let others run."""

from __future__ import annotations

import contextlib
import os
import ssl as plain_ssl
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import runtime
from runtime.green import select, socket, ssl
from runtime.hub import get_hub
from tests.runtime.conftest import LIMIT, Program

pytestmark = pytest.mark.usefixtures("backend")

FOLDER = Path(__file__).parent / "tls"
CERT, KEY = str(FOLDER / "cert.pem"), str(FOLDER / "key.pem")


def server_context() -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERT, KEY)
    return context


def client_context() -> Any:
    return ssl.create_default_context(cafile=CERT)


@contextlib.contextmanager
def connected() -> Iterator[tuple[Any, Any]]:
    """A client's and a server's end after their handshake."""
    a, b = socket.socketpair()
    server = runtime.spawn(server_context().wrap_socket, b, server_side=True)
    with client_context().wrap_socket(a, server_hostname="localhost") as client, server.result() as other:
        yield client, other


def test_the_classes_derive_from_the_plain_ones_and_errors_are_shared() -> None:
    with connected() as (client, _):
        assert isinstance(client, plain_ssl.SSLSocket)
        assert isinstance(client, socket.socket)
        assert isinstance(client.context, plain_ssl.SSLContext)
    for name in (
        "SSLError",
        "SSLWantReadError",
        "SSLCertVerificationError",
        "TLSVersion",
        "SSLObject",
        "MemoryBIO",
    ):
        assert getattr(ssl, name) is getattr(plain_ssl, name)
    assert plain_ssl.SSLContext.sslsocket_class is plain_ssl.SSLSocket


def test_one_tasklet_reads_while_another_writes_the_same_connection() -> None:
    data = os.urandom(3_000_000)

    def echo(sock: Any) -> None:
        while part := sock.recv(65536):
            sock.sendall(part)

    with connected() as (client, other):
        runtime.spawn(echo, other)
        writer = runtime.spawn(client.sendall, data)
        got = bytearray()
        while len(got) < len(data):
            got += client.recv(100_000)
        writer.result()
    assert got == data


def test_writers_of_one_connection_take_turns() -> None:
    """Each message arrives whole, although none fits into what the system buffers."""
    with connected() as (client, other):
        writers = [runtime.spawn(client.sendall, bytes([number]) * 1_000_000) for number in range(3)]
        got = bytearray()
        while len(got) < 3_000_000:
            got += other.recv(65536)
        for writer in writers:
            writer.result()
    assert got == b"".join(bytes([number]) * 1_000_000 for number in range(3))


def test_what_a_killed_writer_began_is_sent_before_what_comes_next() -> None:
    """OpenSSL would take the next data for the rest of it."""
    with connected() as (client, other):
        writer = runtime.spawn(client.sendall, b"a" * 2_000_000)
        runtime.schedule()
        writer.kill()
        following = runtime.spawn(client.sendall, b"b" * 10)
        got = bytearray()
        while not got.endswith(b"b" * 10):
            got += other.recv(65536)
        following.result()
    assert got == b"a" * 2_000_000 + b"b" * 10


def test_writing_the_same_data_after_a_timeout_continues() -> None:
    data = os.urandom(2_000_000)
    with connected() as (client, other):
        client.settimeout(0.01)
        with pytest.raises(TimeoutError, match="The write operation timed out"):
            client.send(data)
        client.settimeout(None)
        again = runtime.spawn(client.send, data)
        got = bytearray()
        while len(got) < len(data):
            got += other.recv(65536)
        assert again.result() == len(data)
    assert got == data


def test_a_reader_leaves_the_rest_of_a_record_to_the_next() -> None:
    """The rest is inside OpenSSL, and the system reports nothing more."""
    with connected() as (client, other):
        got: list[bytes] = []
        readers = [runtime.spawn(lambda: got.append(client.recv(3))) for _ in range(2)]
        runtime.schedule()
        other.sendall(b"abcdef")
        for reader in readers:
            reader.result()
    assert sorted(got) == [b"abc", b"def"]


def test_modes_belong_to_the_user() -> None:
    """The descriptor is non-blocking while there is TLS on it, and what it was again after unwrap()."""
    with connected() as (client, other):
        assert client.gettimeout() is None
        assert client.getblocking()
        client.settimeout(0.001)
        with pytest.raises(TimeoutError, match="The read operation timed out"):
            client.recv(1)
        client.setblocking(False)
        with pytest.raises(ssl.SSLWantReadError):
            client.recv(1)
        client.setblocking(True)
        ending = runtime.spawn(other.unwrap)
        assert client.unwrap() is client
        ending.result()
        assert os.get_blocking(client.fileno())
        other.send(b"clear")
        assert client.recv(10) == b"clear"


WAITS: dict[str, Callable[[Any], object]] = {
    "recv": lambda sock: sock.recv(1),
    "send": lambda sock: sock.sendall(bytes(5_000_000)),
    "unwrap": lambda sock: sock.unwrap(),
}


def interrupt(wait: Callable[[Any], object], client: Any, how: str) -> None:
    """Have *wait* of *client*, which waits, end by a kill, its timeout or a close: nobody is left in its watches."""
    if how == "timeout":
        client.settimeout(0.01)
    call = runtime.spawn(wait, client)
    runtime.schedule()
    if how == "kill":
        call.kill()
    elif how == "close":
        client.close()
    call.join()
    expected = {"kill": runtime.TaskletExit, "timeout": TimeoutError, "close": OSError}
    assert isinstance(call.error, expected[how])
    for watch in client._flow.watches:
        assert not watch.readers
        assert not watch.writers


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("how", ["kill", "timeout", "close"])
def test_an_interrupted_call_leaves_nothing_behind(wait: str, how: str) -> None:
    hub = get_hub()
    known = dict(hub.watches)
    with connected() as (client, _):
        interrupt(WAITS[wait], client, how)
    assert hub.watches == known
    assert not len(hub.timers)


@pytest.mark.parametrize("how", ["kill", "timeout"])
def test_an_interrupted_handshake_closes_the_socket(how: str) -> None:
    hub = get_hub()
    known = dict(hub.watches)
    a, b = socket.socketpair()
    if how == "timeout":
        a.settimeout(0.01)
    call = runtime.spawn(client_context().wrap_socket, a, server_hostname="localhost")
    runtime.schedule()
    if how == "kill":
        call.kill()
    call.join()
    assert isinstance(call.error, runtime.TaskletExit if how == "kill" else TimeoutError)
    assert a.fileno() == -1
    with contextlib.suppress(ConnectionResetError):
        while b.recv(65536):  # the client's hello, and the end
            pass
    b.close()
    assert hub.watches == known


def test_a_callback_of_the_handshake_may_wait() -> None:
    seen = []

    def choose(sock: Any, name: str | None, context: Any) -> None:
        runtime.sleep(0.001)
        seen.append((name, type(sock)))

    context = server_context()
    context.sni_callback = choose
    a, b = socket.socketpair()
    server = runtime.spawn(context.wrap_socket, b, server_side=True)
    with client_context().wrap_socket(a, server_hostname="localhost"), server.result():
        pass
    assert seen == [("localhost", ssl.SSLSocket)]


TRUSTSTORE = """
    import sys
    def inject(ssl):
        original = ssl.SSLContext
        above = super(original, original)

        class SSLContext(original):
            @property
            def options(self):
                return above.options.__get__(self)

            @options.setter
            def options(self, value):
                above.options.__set__(self, value)

        ssl.SSLContext = SSLContext
        return SSLContext
"""


@pytest.mark.parametrize("into", ["plain", "green"])
def test_a_library_may_put_its_own_context_into_the_module(into: str, tmp_path: Path) -> None:
    """No setter finds itself by the name that now means the library's class."""
    program = textwrap.dedent(TRUSTSTORE) + textwrap.dedent(f"""
        if {into!r} == "plain":
            import ssl
            inject(ssl)
            from runtime.green import ssl as green
        else:
            from runtime.green import ssl as green
            made = inject(green)
            assert type(green.create_default_context()) is made
        context = green.create_default_context()
        context.options |= green.OP_NO_TICKET
        context.minimum_version = green.TLSVersion.TLSv1_2
        context.verify_mode = context.verify_mode
        assert context.options & green.OP_NO_TICKET
        print("set")
    """)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parent.parent.parent,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.stdout == "set\n", done.stderr


def test_https_in_one_process_while_a_ticker_ticks(program: Program) -> None:
    done = program(
        f"""
        import http.server, ssl, threading, time, urllib.request

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                release.wait(20)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"hello")

            def log_message(self, *args):
                pass

        release = threading.Event()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain({CERT!r}, {KEY!r})
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def tick():
            for _ in range(5):
                time.sleep(0.001)
            release.set()

        threading.Thread(target=tick).start()
        trust = ssl.create_default_context(cafile={CERT!r})
        with urllib.request.urlopen(f"https://127.0.0.1:{{server.server_port}}/", context=trust) as answer:
            print(answer.read().decode(), release.is_set())
        """,
        converted=True,
    )
    assert done.stdout == "hello True\n", done.stderr


def test_an_event_loop_that_is_always_ready_lets_the_other_end_of_a_handshake_run() -> None:
    """The server asks select() about a socket that can be written all the time, as asyncore does."""
    a, b = socket.socketpair()
    b.setblocking(False)
    server = server_context().wrap_socket(b, server_side=True, do_handshake_on_connect=False)

    def loop() -> None:
        while True:
            select.select([server], [server], [], 1)
            try:
                server.do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                continue
            return

    looping = runtime.spawn(loop)
    with client_context().wrap_socket(a, server_hostname="localhost"), server:
        looping.result()
