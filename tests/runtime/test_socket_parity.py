"""Every method of a socket does under both worlds the same, over each family and kind, to the byte and the error."""

from __future__ import annotations

import array
import os
import socket as plain_socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import runtime
from runtime.green import socket as green_socket

pytestmark = pytest.mark.usefixtures("backend")
Script = Callable[[ModuleType, Any, Any, list[Any]], None]


def _both_ends(module: ModuleType, kind: str, folder: Path) -> tuple[Any, Any]:
    """Two connected sockets of *kind*."""
    if kind == "pair":
        return module.socketpair()  # type: ignore[no-any-return]
    family, _, type_ = kind.partition(" ")
    if family == "ipv6" and not _has_ipv6():
        pytest.skip("no IPv6")
    number = {"ipv4": module.AF_INET, "ipv6": module.AF_INET6, "unix": module.AF_UNIX}[family]
    host: Any = {
        "ipv4": ("127.0.0.1", 0),
        "ipv6": ("::1", 0),
        "unix": str(folder / f"{module is green_socket}.s"),
    }[family]
    if type_ == "datagram":
        a, b = (module.socket(number, module.SOCK_DGRAM) for _ in range(2))
        if family == "unix":
            a.bind(host + "1")
            b.bind(host + "2")
        else:
            a.bind(host)
            b.bind(host)
        a.connect(b.getsockname())
        b.connect(a.getsockname())
        return a, b
    with module.socket(number, module.SOCK_STREAM) as listener:
        listener.bind(host)
        listener.listen()
        a = module.socket(number, module.SOCK_STREAM)
        a.connect(listener.getsockname())
        b, _ = listener.accept()
    return a, b


def _has_ipv6() -> bool:
    try:
        with plain_socket.socket(plain_socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _beside(module: ModuleType, function: Callable[..., Any], *args: Any) -> Any:
    """Run *function* beside the caller: in a thread, or in a tasklet."""
    if module is green_socket:
        return runtime.spawn(function, *args)
    thread = threading.Thread(target=function, args=args)
    thread.start()
    return thread


def _outcome(call: Callable[..., Any], *args: Any) -> Any:
    try:
        return call(*args)
    except (OSError, ValueError, TypeError, OverflowError) as error:
        return type(error).__name__, getattr(error, "errno", None)


# Each script is given the two ends and a list for what it sees; the second end works beside the first.


def receive_in_every_way(module: ModuleType, a: Any, b: Any, seen: list[Any]) -> None:
    sender = _beside(
        module, lambda: [b.sendall(text) for text in (b"one", b"two", b"three", b"four", b"five")]
    )
    buffer = bytearray(3)
    seen.append(a.recv(3))
    seen.append((a.recv_into(buffer), bytes(buffer)))
    seen.append(a.recv(5, module.MSG_PEEK))
    seen.append(a.recvfrom(5)[0])
    buffer = bytearray(4)
    seen.append((a.recvfrom_into(buffer)[0], bytes(buffer)))
    data, ancillary, flags, _ = a.recvmsg(4)
    seen.append((data, ancillary, flags & ~getattr(module, "MSG_EOR", 0)))
    sender.join()


def send_in_every_way(module: ModuleType, a: Any, b: Any, seen: list[Any]) -> None:
    got: list[bytes] = []
    receiver = _beside(module, lambda: [got.append(b.recv(size)) for size in (1, 2, 3, 4)])
    seen.append(a.send(b"1"))
    seen.append(a.sendall(b"22"))
    seen.append(a.sendmsg([b"3", b"33"]))
    seen.append(a.send(memoryview(b"4444")))
    receiver.join()
    seen += got


def give_up_in_time(module: ModuleType, a: Any, b: Any, seen: list[Any]) -> None:
    for timeout in (0.01, 0.0):
        a.settimeout(timeout)
        seen.append((a.gettimeout(), a.getblocking(), a.timeout))
        for call in (a.recv, a.recvfrom, a.recvmsg):
            seen.append(_outcome(call, 1))
        seen.append(_outcome(a.recv_into, bytearray(1)))
    a.settimeout(None)
    seen.append((a.gettimeout(), a.getblocking()))
    seen.append(_outcome(a.recv, 1, module.MSG_DONTWAIT))
    for bad in (-1, "x"):
        seen.append(_outcome(a.settimeout, bad))
    b.send(b"x")
    seen.append(a.recv(1))


def end_of_stream(module: ModuleType, a: Any, b: Any, seen: list[Any]) -> None:
    closer = _beside(module, lambda: (b.sendall(b"last"), b.shutdown(module.SHUT_WR)))
    seen.append(a.recv(100) if a.type == module.SOCK_STREAM else None)
    seen.append(a.recv(100))
    closer.join()
    b.close()
    seen.append([_outcome(a.send, b"x") for _ in range(3)][-1])


def close_and_detach(module: ModuleType, a: Any, b: Any, seen: list[Any]) -> None:
    again = a.dup()
    a.close()
    a.close()
    seen.append((a.fileno(), _outcome(a.recv, 1), _outcome(a.send, b"x"), _outcome(a.getsockname)))
    fd = again.detach()
    seen.append((again.fileno(), _outcome(again.recv, 1)))
    taken = module.socket(fileno=fd)
    seen.append((taken.family, taken.type, taken.proto))
    taken.send(b"hello")
    seen.append(b.recv(5))
    taken.close()


def options_and_names(module: ModuleType, a: Any, b: Any, seen: list[Any]) -> None:
    seen.append((a.family, a.type, a.proto, a.get_inheritable(), os.get_blocking(a.fileno())))
    seen.append(a.getsockopt(module.SOL_SOCKET, module.SO_TYPE))
    seen.append(a.getpeername() == b.getsockname())
    seen.append(repr(a).partition(" ")[0])
    a.setsockopt(module.SOL_SOCKET, module.SO_RCVBUF, 8192)
    seen.append(_outcome(a.setsockopt, 1, 2))
    with a as same:
        seen.append(same is a)
    seen.append(a.fileno())


def pass_a_descriptor(module: ModuleType, a: Any, b: Any, seen: list[Any]) -> None:
    r, w = os.pipe()
    sender = _beside(module, module.send_fds, b, [b"fd"], [w])
    data, descriptors, _, _ = module.recv_fds(a, 10, 1)
    sender.join()
    os.write(descriptors[0], b"through")
    seen.append((data, os.read(r, 10)))
    for fd in (r, w, *descriptors):
        os.close(fd)
    rights = [(module.SOL_SOCKET, module.SCM_RIGHTS, array.array("i", [0]))]
    seen.append(b.sendmsg([b"x"], rights))
    buffer = bytearray(1)
    size, ancillary, _, _ = a.recvmsg_into([buffer], module.CMSG_SPACE(4))
    seen.append((size, bytes(buffer), len(ancillary)))
    os.close(int.from_bytes(ancillary[0][2], "little"))


def send_a_file(module: ModuleType, a: Any, b: Any, seen: list[Any]) -> None:
    path = Path(__file__)
    got = bytearray()

    def receive() -> None:
        while data := b.recv(4096):
            got.extend(data)

    receiver = _beside(module, receive)
    with path.open("rb") as file:
        seen.append(a.sendfile(file, 10))
        seen.append(file.tell())
    a.shutdown(module.SHUT_WR)
    receiver.join()
    seen.append(bytes(got) == path.read_bytes()[10:])
    seen.append(os.get_blocking(a.fileno()))


def more_than_fits(module: ModuleType, a: Any, b: Any, seen: list[Any]) -> None:
    size = 1_000_000
    total = 0

    def receive() -> None:
        nonlocal total
        while total < 3 * size:
            total += len(b.recv(100_000))

    receiver = _beside(module, receive)
    seen.append(a.sendall(bytes(size)))
    seen.append(a.send(bytes(size)))
    seen.append(a.sendmsg([bytes(size // 2), bytes(size // 2)]))
    receiver.join()
    seen.append(total)


def read_and_write_files(module: ModuleType, a: Any, b: Any, seen: list[Any]) -> None:
    with a.makefile("rw", newline="\n") as text, b.makefile("rwb") as binary:

        def answer() -> None:
            for line in binary:
                binary.write(line.upper())
                binary.flush()
            b.shutdown(module.SHUT_WR)

        other = _beside(module, answer)
        for word in ("first\n", "sécond\n"):
            text.write(word)
            text.flush()
            seen.append(text.readline())
        a.shutdown(module.SHUT_WR)
        other.join()
        seen.append(text.read())


STREAMS = ("ipv4 stream", "ipv6 stream", "unix stream", "pair")
ALL = (*STREAMS, "ipv4 datagram", "ipv6 datagram", "unix datagram")
SCRIPTS: dict[Script, tuple[str, ...]] = {
    receive_in_every_way: ALL,
    send_in_every_way: ALL,
    give_up_in_time: ALL,
    end_of_stream: STREAMS,
    close_and_detach: ALL,
    options_and_names: ALL,
    pass_a_descriptor: ("unix stream", "unix datagram", "pair"),
    send_a_file: STREAMS,
    more_than_fits: STREAMS,
    read_and_write_files: STREAMS,
}


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        pytest.param(script, kind, id=f"{script.__name__}-{kind}")
        for script, kinds in SCRIPTS.items()
        for kind in kinds
    ],
)
def test_both_worlds_see_the_same(script: Script, kind: str, tmp_path: Path) -> None:
    """Results, errors and what the other end gets."""
    seen: dict[str, list[Any]] = {"plain": [], "green": []}
    for world, module in (("plain", plain_socket), ("green", green_socket)):
        a, b = _both_ends(module, kind, tmp_path)
        with a, b:
            script(module, a, b, seen[world])
    assert seen["green"] == seen["plain"]
    assert seen["plain"]


@pytest.mark.parametrize(
    "address",
    [
        ("127.0.0.1", 1),
        ("127.0.0.1", "x"),
        ("nowhere.invalid", 1),
        ("127.0.0.1",),
        "x",
        None,
        ("127.0.0.1", 70000),
    ],
)
def test_connecting_fails_alike(address: Any) -> None:
    """By connect(), connect_ex() and create_connection()."""
    other = runtime.spawn(runtime.sleep, 60)  # somebody else is there, so names are looked up by a worker
    for name in ("connect", "connect_ex"):
        seen = []
        for module in (plain_socket, green_socket):
            with module.socket() as sock:
                sock.settimeout(5)
                seen.append(_outcome(getattr(sock, name), address))
        assert seen[0] == seen[1]
    if isinstance(address, tuple) and len(address) == 2:
        assert _outcome(plain_socket.create_connection, address, 5) == _outcome(
            green_socket.create_connection, address, 5
        )
    other.kill()


def test_names_are_looked_up_alike() -> None:
    """On a worker thread beside others, in place alone."""
    calls: list[tuple[str, tuple[Any, ...]]] = [
        ("getaddrinfo", ("localhost", 80, plain_socket.AF_INET, plain_socket.SOCK_STREAM)),
        ("getaddrinfo", ("127.0.0.1", "http")),
        ("getaddrinfo", (None, 0)),
        ("getaddrinfo", ("nowhere.invalid", 1)),
        ("gethostbyname", ("localhost",)),
        ("gethostbyname_ex", ("localhost",)),
        ("gethostbyaddr", ("127.0.0.1",)),
        ("getnameinfo", (("127.0.0.1", 80), plain_socket.NI_NUMERICHOST)),
        ("getfqdn", ("localhost",)),
        ("getservbyname", ("http",)),
        ("gethostname", ()),
    ]
    for beside in (0, 60):
        other = runtime.spawn(runtime.sleep, beside)
        runtime.schedule()
        for name, arguments in calls:
            plain = _outcome(getattr(plain_socket, name), *arguments)
            assert _outcome(getattr(green_socket, name), *arguments) == plain, name
        other.kill()
