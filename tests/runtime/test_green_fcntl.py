"""Locks on files, and terminals: others run while they are waited for."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import runtime
from runtime.green import fcntl as green_fcntl
from runtime.green import os as green_os
from runtime.green import termios as green_termios
from tests.runtime.ticker import Ticker

pytestmark = pytest.mark.usefixtures("backend")

OWNER = """
import fcntl, sys
file = open(sys.argv[1], "r+")
fcntl.{call}(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.readline()
"""


class Owner:
    """Another process that holds a lock until it is told to end."""

    def __init__(self, path: Path, call: str) -> None:
        command = [sys.executable, "-Sc", OWNER.format(call=call), str(path)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"locked\n"

    def end(self) -> None:
        self.process.communicate()


def _lock(kind: int) -> bytes:
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0)


# name: (what the other process calls, take the lock, try it without waiting)
LOCKS: dict[str, tuple[str, Callable[[int], object], Callable[[int], object]]] = {
    "flock": (
        "flock",
        lambda fd: green_fcntl.flock(fd, fcntl.LOCK_EX),
        lambda fd: green_fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB),
    ),
    "lockf": (
        "lockf",
        lambda fd: green_fcntl.lockf(fd, fcntl.LOCK_EX),
        lambda fd: green_fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB),
    ),
    "os.lockf": (
        "lockf",
        lambda fd: green_os.lockf(fd, os.F_LOCK, 0),
        lambda fd: green_os.lockf(fd, os.F_TLOCK, 0),
    ),
    "F_SETLKW": (
        "lockf",
        lambda fd: green_fcntl.fcntl(fd, fcntl.F_SETLKW, _lock(fcntl.F_WRLCK)),
        lambda fd: green_fcntl.fcntl(fd, fcntl.F_SETLK, _lock(fcntl.F_WRLCK)),
    ),
    "F_OFD_SETLKW": (
        "lockf",
        lambda fd: green_fcntl.fcntl(fd, fcntl.F_OFD_SETLKW, _lock(fcntl.F_WRLCK)),
        lambda fd: green_fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _lock(fcntl.F_WRLCK)),
    ),
}


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield fd
    os.close(fd)


@pytest.mark.parametrize("name", LOCKS)
def test_others_run_while_a_lock_is_awaited(tmp_path: Path, fd: int, name: str) -> None:
    """The other process gives it up because a tasklet says so; until then a try is refused."""
    call, take, attempt = LOCKS[name]
    owner = Owner(tmp_path / "file", call)
    with Ticker(owner.end):
        with pytest.raises(BlockingIOError):
            attempt(fd)
        take(fd)
    other = subprocess.run(
        [sys.executable, "-Sc", OWNER.format(call=call).replace("LOCK_EX", "LOCK_EX | fcntl.LOCK_NB"),
         str(tmp_path / "file")],
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    assert b"BlockingIOError" in other.stderr


@pytest.mark.parametrize("name", LOCKS)
def test_a_tasklet_killed_while_it_waits_gets_no_lock(tmp_path: Path, fd: int, name: str) -> None:
    """After the owner has gone, the lock is free for anybody."""
    call, take, _ = LOCKS[name]
    owner = Owner(tmp_path / "file", call)
    tasklet = runtime.spawn(take, fd)
    runtime.sleep(0.01)
    assert not tasklet.done
    tasklet.kill()
    owner.end()
    runtime.sleep(0.05)
    Owner(tmp_path / "file", call).end()


def test_tasklets_exclude_one_another_by_flock(tmp_path: Path, fd: int) -> None:
    """Through descriptions of their own; the one that unlocks lets the next one in."""
    other = os.open(tmp_path / "file", os.O_RDWR)
    green_fcntl.flock(fd, fcntl.LOCK_SH)
    with Ticker(lambda: green_fcntl.flock(fd, fcntl.LOCK_UN)):
        green_fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(BlockingIOError):
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    os.close(other)


def test_what_is_wrong_is_said_as_plain_python_says_it(fd: int) -> None:
    """A closed descriptor, a wrong type, an unknown command."""
    bad = 1 << 20
    with Ticker():
        runtime.sleep(0.02)
        for call in (green_fcntl.flock, green_fcntl.lockf):
            with pytest.raises(OSError, match="Bad file descriptor"):
                call(bad, fcntl.LOCK_EX)
            with pytest.raises(TypeError):
                call("file", fcntl.LOCK_EX)
        with pytest.raises(ValueError, match="unrecognized lockf argument"):
            green_fcntl.lockf(fd, 64)
        with pytest.raises(OSError, match="Bad file descriptor"):
            green_os.lockf(bad, os.F_LOCK, 0)


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a pseudo-terminal."""
    ends = os.openpty()
    yield ends
    for end in ends:
        os.close(end)


def test_others_run_while_a_terminal_drains(
    monkeypatch: pytest.MonkeyPatch, terminal: tuple[int, int]
) -> None:
    """A pseudo-terminal drains at once, so the calls that wait are replaced by ones that wait for a tasklet."""
    _, slave = terminal
    gate = threading.Event()
    plain = {"tcdrain": termios.tcdrain, "tcsetattr": termios.tcsetattr, "ioctl": fcntl.ioctl}

    def wait(name: str) -> Callable[..., object]:
        return lambda *args: (gate.wait(20), plain[name](*args))[1]

    monkeypatch.setattr(termios, "tcdrain", wait("tcdrain"))
    monkeypatch.setattr(termios, "tcsetattr", wait("tcsetattr"))
    monkeypatch.setattr(fcntl, "ioctl", wait("ioctl"))
    attributes = termios.tcgetattr(slave)
    for call in (
        lambda: green_termios.tcdrain(slave),
        lambda: green_termios.tcsetattr(slave, termios.TCSADRAIN, attributes),
        lambda: green_termios.tcsetattr(slave, termios.TCSAFLUSH, attributes),
        lambda: green_fcntl.ioctl(slave, termios.TCSBRK, 1),
    ):
        gate.clear()
        with Ticker(gate.set):
            call()


def test_an_ioctl_changes_the_buffer_it_is_given(terminal: tuple[int, int]) -> None:
    """TIOCGWINSZ into a buffer, beside others."""
    with Ticker():
        runtime.sleep(0.02)
        size = bytearray(8)
        assert green_fcntl.ioctl(terminal[1], termios.TIOCSWINSZ, struct.pack("4H", 7, 9, 0, 0)) == bytes(
            struct.pack("4H", 7, 9, 0, 0)
        )
        assert green_fcntl.ioctl(terminal[1], termios.TIOCGWINSZ, size) == 0
        assert struct.unpack("4H", size)[:2] == (7, 9)
