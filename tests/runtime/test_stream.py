"""The raw level of a socket's files: what it does with nobody else to run, beside others, and when it is closed."""

from __future__ import annotations

import contextlib
import io as plain_io
import socket as plain_socket
import sys
import threading
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

import runtime
from runtime.green import io, socket

pytestmark = pytest.mark.usefixtures("backend")


@pytest.fixture(params=["alone", "beside others"])
def _company(request: pytest.FixtureRequest) -> Iterator[None]:
    """Nobody else to run; or a tasklet that waits meanwhile."""
    if request.param == "alone":
        yield
        return
    channel = runtime.Channel()
    other = runtime.spawn(channel.receive)
    yield
    other.kill()


def _settle() -> None:
    for _ in range(5):
        runtime.schedule()


@contextlib.contextmanager
def _file(mode: str, buffering: int = -1) -> Iterator[tuple[Any, Any, Any]]:
    """A file of a socket, that socket, and its peer."""
    a, b = socket.socketpair()
    with a, b, a.makefile(mode, buffering) as file:
        yield file, a, b


@pytest.mark.usefixtures("_company")
def test_what_was_sent_comes_and_the_end_is_empty() -> None:
    with _file("rwb") as (file, _, b):
        b.sendall(b"one\ntwo\n")
        assert file.readline() == b"one\n"
        assert file.readline() == b"two\n"
        assert file.write(b"answer") == 6
        file.flush()
        assert b.recv(10) == b"answer"
        b.shutdown(plain_socket.SHUT_WR)
        assert file.readline() == b""


@pytest.mark.usefixtures("_company")
def test_a_socket_that_must_not_wait_gives_none() -> None:
    with _file("rwb", 0) as (raw, a, b):
        a.setblocking(False)
        assert raw.readinto(bytearray(4)) is None
        b.sendall(b"x")
        assert raw.readinto(bytearray(4)) == 1
        while raw.write(bytes(65536)) is not None:
            pass


@pytest.mark.usefixtures("_company")
def test_after_a_timeout_nothing_is_read_any_more() -> None:
    with _file("rwb", 0) as (raw, a, b):
        a.settimeout(0.01)
        with pytest.raises(TimeoutError):
            raw.readinto(bytearray(4))
        b.sendall(b"late")
        with pytest.raises(OSError, match="timed out object"):
            raw.readinto(bytearray(4))
        assert raw.write(b"still") == 5
        assert a.recv(4) == b"late"


@pytest.mark.usefixtures("_company")
@pytest.mark.parametrize("mode", ["rb", "wb"])
def test_the_other_direction_is_refused(mode: str) -> None:
    with _file(mode, 0) as (raw, _, _b), pytest.raises(plain_io.UnsupportedOperation):
        raw.write(b"x") if mode == "rb" else raw.readinto(bytearray(1))


@pytest.mark.usefixtures("_company")
def test_a_closed_one_says_so() -> None:
    with _file("rwb", 0) as (raw, _, _b):
        raw.close()
        with pytest.raises(ValueError, match="closed"):
            raw.readinto(bytearray(1))
        with pytest.raises(ValueError, match="closed"):
            raw.write(b"x")
        raw.close()


@pytest.mark.usefixtures("_company")
def test_methods_of_a_class_of_the_programs_own_are_called() -> None:
    class Counting(socket.socket):
        received = sent = 0

        def recv_into(self, *args: Any) -> int:  # type: ignore[override]
            self.received += 1
            return super().recv_into(*args)

        def send(self, *args: Any) -> int:  # type: ignore[override]
            self.sent += 1
            return super().send(*args)

    a, b = socket.socketpair()
    with Counting(fileno=a.detach()) as counting, b, counting.makefile("rwb") as file:
        b.sendall(b"line\n")
        assert file.readline() == b"line\n"
        file.write(b"answer")
        file.flush()
        assert (counting.received, counting.sent) == (1, 1)


@pytest.mark.parametrize("buffering", [-1, 0])
def test_a_close_of_the_raw_level_drives_out_who_waits(buffering: int) -> None:
    with _file("rb", buffering) as (file, _, _b):
        raw = file.raw if buffering else file
        readers = [runtime.spawn(raw.readinto if not buffering else file.read, n) for n in _places(buffering)]
        _settle()
        raw.close()
        for reader in readers:
            with pytest.raises(OSError, match="Bad file descriptor"):
                reader.result(10)
        assert raw.closed


def _places(buffering: int) -> list[Any]:
    return [4] if buffering else [bytearray(4), bytearray(4)]


def test_the_raw_level_keeps_its_class_while_somebody_waits() -> None:
    with _file("rb") as (file, _, b):
        reader = runtime.spawn(file.readline)
        _settle()
        assert type(file.raw) is socket.SocketIO
        assert type(file) is not io.BufferedReader
        b.sendall(b"x\n")
        assert reader.result(10) == b"x\n"
        assert type(file) is io.BufferedReader


def test_what_is_put_on_a_raw_level_in_which_somebody_waits_is_guarded() -> None:
    """A read through it queues behind the one that waits, instead of taking its bytes."""
    with _file("rb", 0) as (raw, _, b):
        place = bytearray(4)
        first = runtime.spawn(raw.readinto, place)
        _settle()
        file = io.BufferedReader(raw)
        second = runtime.spawn(file.readline)
        _settle()
        b.sendall(b"1234")
        assert first.result(10) == 4
        b.sendall(b"line\n")
        assert second.result(10) == b"line\n"
        assert type(file) is io.BufferedReader


def test_a_kill_while_it_waits_loses_nothing() -> None:
    with _file("rb") as (file, _, b):
        reader = runtime.spawn(file.readline)
        _settle()
        reader.kill()
        assert type(file) is io.BufferedReader
        b.sendall(b"whole\n")
        assert file.readline() == b"whole\n"


def test_a_thread_of_the_system_may_close_what_a_tasklet_reads() -> None:
    with _file("rb") as (file, _, _b):
        reader = runtime.spawn(file.readline)
        _settle()
        thread = threading.Thread(target=file.close)
        thread.start()
        with pytest.raises((OSError, ValueError)):
            reader.result(10)
        runtime.offload(thread.join, 10)
        assert file.closed


def test_a_file_holds_its_socket_once() -> None:
    with _file("rb") as (file, a, _b):
        before = sys.getrefcount(a)
        file.close()
        assert sys.getrefcount(a) == before - 1


@pytest.mark.usefixtures("_company")
@pytest.mark.parametrize("spec", [None, socket.socket], ids=["anything", "a socket"])
def test_what_stands_for_a_socket_is_asked(spec: Any) -> None:
    stand_in = mock.Mock(spec)
    stand_in.recv_into.return_value = 3
    stand_in.send.return_value = 2
    with socket.SocketIO(stand_in, "rw") as raw:
        assert (raw.readinto(bytearray(4)), raw.write(b"ab")) == (3, 2)
