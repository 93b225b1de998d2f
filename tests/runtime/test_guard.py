"""Guards: tasklets that share a file take turns, and a file in which nobody waits costs nothing."""

from __future__ import annotations

import io as plain_io
import os
import socket as plain_socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import runtime
from runtime.green import io
from runtime.green import socket as green_socket

pytestmark = pytest.mark.usefixtures("backend")


def _pipe(mode: str = "") -> tuple[Any, int]:
    r, w = os.pipe()
    return io.open(r, "r" + mode, encoding=None if mode else "utf-8"), w


def _settle() -> None:
    """Let everybody run until nobody can."""
    for _ in range(5):
        runtime.schedule()


def _collect(lines: Iterator[Any], into: list[Any]) -> None:
    for line in lines:
        into.append(line)


@pytest.mark.parametrize("mode", ["", "b"])
def test_two_that_iterate_over_one_pipe_lose_no_line(mode: str) -> None:
    file, w = _pipe(mode)
    got: list[Any] = []
    readers = [runtime.spawn(_collect, file, got) for _ in range(2)]
    sent = [f"line {number}\n".encode() for number in range(60)]
    for first in range(0, 60, 3):
        whole = b"".join(sent[first : first + 3])
        os.write(w, whole[:10])  # a line comes in two parts
        _settle()
        os.write(w, whole[10:])
        runtime.sleep(0)
    os.close(w)
    for reader in readers:
        reader.result(10)
    assert sorted(line.encode() if mode == "" else line for line in got) == sorted(sent)
    file.close()


def test_who_queues_gets_in_in_order() -> None:
    file, w = _pipe()
    order: list[tuple[int, str]] = []

    def read(number: int) -> None:
        for _ in range(2):
            order.append((number, file.readline()))

    readers = [runtime.spawn(read, number) for number in range(3)]
    _settle()
    for number in range(6):
        os.write(w, b"%d\n" % number)
        while len(order) <= number:
            runtime.sleep(0.001)
    for reader in readers:
        reader.result(10)
    assert order == [(number % 3, f"{number}\n") for number in range(6)]
    os.close(w)
    file.close()


def test_the_class_is_the_fast_one_unless_somebody_waits() -> None:
    file, w = _pipe()
    levels = [file, file.buffer, file.buffer.raw]
    before = [type(level) for level in levels]
    assert before == [io.TextIOWrapper, io.BufferedReader, io.FileIO]
    reader = runtime.spawn(lambda: file.readline())
    _settle()
    during = [type(level) for level in levels]
    os.write(w, b"x\n")
    assert reader.result(10) == "x\n"
    assert [type(level) for level in levels] == before
    assert all(
        a is not b and issubclass(b, a) and a.__name__ == b.__name__
        for a, b in zip(before, during, strict=True)
    )
    os.close(w)
    file.close()


def test_two_writers_do_not_mix_their_calls() -> None:
    r, w = os.pipe()
    got: list[bytes] = []

    def receive() -> None:
        with io.open(r, "rb", 0) as source:
            while data := source.read(65536):
                got.append(data)

    receiver = runtime.spawn(receive)
    with io.open(w, "wb") as file:

        def write(octet: bytes) -> None:
            for _ in range(5):
                assert file.write(octet * 200_000) == 200_000

        for writer in [runtime.spawn(write, octet) for octet in (b"a", b"b")]:
            writer.result(20)
    receiver.result(10)
    whole = b"".join(got)
    blocks = [whole[start : start + 200_000] for start in range(0, len(whole), 200_000)]
    assert sorted(blocks) == [b"a" * 200_000] * 5 + [b"b" * 200_000] * 5


@pytest.mark.parametrize("victim", [0, 1], ids=["who waits", "who queues"])
def test_a_kill_leaves_the_file_to_the_others(victim: int) -> None:
    file, w = _pipe("b")
    readers = [runtime.spawn(lambda: file.readline()) for _ in range(3)]
    _settle()
    readers[victim].kill()
    os.write(w, b"1\n2\n")
    left = [reader for reader in readers if reader is not readers[victim]]
    assert [reader.result(10) for reader in left] == [b"1\n", b"2\n"]
    assert type(file) is io.BufferedReader
    os.close(w)
    file.close()


@pytest.mark.parametrize("mode", ["", "b"])
def test_a_close_drives_out_who_waits_and_who_queues(mode: str) -> None:
    file, w = _pipe(mode)
    readers = [runtime.spawn(lambda: file.readline()) for _ in range(2)]
    _settle()
    file.close()
    assert file.closed
    with pytest.raises(OSError, match="Bad file descriptor"):
        readers[0].result(10)
    with pytest.raises(ValueError, match="closed"):
        readers[1].result(10)
    os.close(w)


def test_a_close_of_the_raw_file_drives_out_too() -> None:
    file, w = _pipe("b")
    reader = runtime.spawn(lambda: file.read(10))
    _settle()
    file.raw.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        reader.result(10)
    os.close(w)


def test_a_kill_in_a_write_loses_and_repeats_nothing() -> None:
    """What was sent before the kill is not sent again by the close."""
    r, w = os.pipe()
    file = io.open(w, "wb")
    data = bytes(range(256)) * 2000
    writer = runtime.spawn(lambda: file.write(data))
    _settle()
    got: list[bytes] = []

    def receive() -> None:
        with io.open(r, "rb") as source:
            got.append(source.read())

    writer.kill(wait=False)
    receiver = runtime.spawn(receive)
    writer.join(10)
    file.close()
    receiver.result(10)
    assert data.startswith(got[0])


def test_a_reader_of_a_duplex_file_does_not_stop_its_writer() -> None:
    a, b = green_socket.socketpair()
    with a, b, a.makefile("rwb") as file:
        reader = runtime.spawn(lambda: file.readline())
        _settle()
        file.write(b"question\n")
        file.flush()
        assert b.recv(100) == b"question\n"
        b.sendall(b"answer\n")
        assert reader.result(10) == b"answer\n"


def test_a_raw_object_of_the_programs_own_may_wait() -> None:
    class Raw(io.RawIOBase):
        parts = [b"one\ntw", b"o\n", b"three\n", b""]

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            runtime.sleep(0.001)
            part = self.parts.pop(0)
            buffer[: len(part)] = part
            return len(part)

    file = io.TextIOWrapper(io.BufferedReader(Raw()), encoding="ascii")
    got: list[str] = []
    for reader in [runtime.spawn(lambda: got.append(file.readline())) for _ in range(3)]:
        reader.result(10)
    assert got == ["one\n", "two\n", "three\n"]


def test_a_subclass_of_a_users_own_is_guarded_as_a_whole() -> None:
    class Numbered(io.TextIOWrapper):
        number = 0

        def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
            self.number += 1
            number = self.number
            line = super().readline(size)
            assert number == self.number, "another one came in between"
            return f"{number}:{line}"

    r, w = os.pipe()
    file = Numbered(io.BufferedReader(io.FileIO(r)), encoding="ascii")
    readers = [runtime.spawn(lambda: file.readline()) for _ in range(2)]
    _settle()
    os.write(w, b"a\nb\n")
    assert [reader.result(10) for reader in readers] == ["1:a\n", "2:b\n"]
    os.close(w)
    file.close()


def test_tasklets_of_two_os_threads_share_a_file() -> None:
    """Once both have used it; the class stays guarded from the first use by the second one."""
    file, w = _pipe("b")
    got: list[bytes] = []
    begun = threading.Event()
    os.write(w, b"1000\n1001\n")
    got.append(file.readline())

    def read() -> None:
        file.raw.readinto(bytearray())
        got.append(file.readline())
        begun.set()
        for tasklet in [runtime.spawn(_collect, file, got) for _ in range(2)]:
            tasklet.result(20)

    thread = threading.Thread(target=read)
    thread.start()
    assert begun.wait(20)
    kind: type = type(file)
    assert kind is not io.BufferedReader
    readers = [runtime.spawn(_collect, file, got) for _ in range(2)]
    for number in range(200):
        os.write(w, b"%d\n" % number)
        if number % 10 == 0:
            runtime.sleep(0.001)
    os.close(w)
    for reader in readers:
        reader.result(20)
    thread.join(20)
    assert sorted(map(int, got)) == [*range(200), 1000, 1001]
    file.close()


def test_a_plain_file_is_an_instance() -> None:
    with open(os.devnull) as file:
        assert isinstance(file, io.TextIOWrapper)
        assert isinstance(file.buffer, io.BufferedReader)
        assert isinstance(file.buffer.raw, io.FileIO)
        assert not isinstance(file, io.BufferedReader)
        assert issubclass(plain_io.TextIOWrapper, io.TextIOWrapper)

    class Own(io.TextIOWrapper):
        pass

    assert not isinstance(file, Own)


def test_a_timeout_of_a_socket_passes_through_its_file() -> None:
    a, b = green_socket.socketpair()
    beat = runtime.spawn(time.sleep, 0)
    with a, b, a.makefile("rb") as file:
        a.settimeout(0.01)
        with pytest.raises(plain_socket.timeout):
            file.readline()
    beat.join()
