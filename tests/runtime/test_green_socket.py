"""The counterpart of ``socket``: the plain class's behaviour, and waits that let others run."""

from __future__ import annotations

import contextlib
import socket as plain_socket
import threading
from types import ModuleType

import pytest

import runtime
from runtime.green import socket as green_socket

pytestmark = pytest.mark.usefixtures("backend")


def _spawn_plain(function: object, *args: object) -> threading.Thread:
    thread = threading.Thread(target=function, args=args)  # type: ignore[arg-type]
    thread.start()
    return thread


@pytest.fixture(params=["plain", "green"])
def module(request: pytest.FixtureRequest) -> ModuleType:
    """Both worlds; a test that takes it states what holds in both."""
    return plain_socket if request.param == "plain" else green_socket


def _together(module: ModuleType, function: object, *args: object) -> object:
    """Run *function* beside the caller, by a thread or a tasklet; what is returned has ``join()``."""
    return _spawn_plain(function, *args) if module is plain_socket else runtime.spawn(function, *args)  # type: ignore[arg-type]


def test_an_instance_of_either_class_is_a_socket() -> None:
    """isinstance() holds in both worlds."""
    with green_socket.socket() as sock:
        assert isinstance(sock, green_socket.socket)
        assert isinstance(sock, plain_socket.socket)
    a, b = green_socket.socketpair()
    with a, b:
        assert isinstance(a, plain_socket.socket)
    assert green_socket.timeout is plain_socket.timeout is TimeoutError
    assert green_socket.gaierror is plain_socket.gaierror


@pytest.mark.parametrize("module", [plain_socket, green_socket], ids=["plain", "green"])
@pytest.mark.parametrize("call", ["recv", "recv_into"])
def test_msg_waitall_waits_for_all(module: ModuleType, call: str) -> None:
    """A blocking socket returns as many bytes as were asked for, although they come in two parts."""
    a, b = module.socketpair()
    gate = threading.Event()

    def send() -> None:
        b.sendall(b"12345")
        gate.wait(0.05)
        if module is green_socket:
            runtime.sleep(0.05)
        b.sendall(b"67890")

    sender = _together(module, send)
    if call == "recv":
        got = a.recv(10, module.MSG_WAITALL)
    else:
        buffer = bytearray(10)
        got = bytes(buffer[: a.recv_into(buffer, 10, module.MSG_WAITALL)])
    sender.join()  # type: ignore[attr-defined]
    a.close()
    b.close()
    assert got == b"1234567890"


@pytest.mark.parametrize("module", [plain_socket, green_socket], ids=["plain", "green"])
def test_send_of_a_blocking_socket_sends_all_of_it(module: ModuleType) -> None:
    """The system's send() waits for room for all of it, and programs that ignore its result rely on that."""
    a, b = module.socketpair()
    total = 0

    def receive() -> None:
        nonlocal total
        while data := b.recv(65536):
            total += len(data)

    receiver = _together(module, receive)
    sent = a.send(bytes(3_000_000))
    a.close()
    receiver.join()  # type: ignore[attr-defined]
    b.close()
    assert sent == total == 3_000_000


def test_a_file_of_a_socket_is_shared_by_its_writers(module: ModuleType) -> None:
    """Two write to one makefile() whose socket is full now and then; nobody gets an error."""
    a, b = module.socketpair()
    errors: list[BaseException] = []
    file = a.makefile("wb")

    def write(octet: bytes) -> None:
        try:
            for _ in range(40):
                file.write(octet * 20_000)
                file.flush()
        except BaseException as error:
            errors.append(error)
            a.shutdown(module.SHUT_RDWR)

    def receive() -> None:
        left = 2 * 40 * 20_000
        while left and (data := b.recv(65536)):
            left -= len(data)

    parts = [_together(module, write, b"a"), _together(module, write, b"b"), _together(module, receive)]
    for part in parts:
        part.join()  # type: ignore[attr-defined]
    a.close()
    with contextlib.suppress(OSError):
        file.close()
    b.close()
    assert errors == []
