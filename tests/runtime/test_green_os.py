"""The counterpart of ``os``: descriptors are waited for beside others, and results are the plain ones."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import runtime
from runtime import pages, pipes, uring
from runtime.green import os as green_os
from runtime.green import posix as green_posix
from tests.runtime.conftest import Program
from tests.runtime.ticker import Ticker

pytestmark = pytest.mark.usefixtures("backend", "flag")


@pytest.fixture(params=[True, False], ids=["nowait", "poll"])
def flag(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With RWF_NOWAIT, and without."""
    if not request.param:
        monkeypatch.setattr(pipes, "NOWAIT", 0)
        monkeypatch.setattr(pages, "NOWAIT", 0)


Ends = tuple[int, int]


@pytest.fixture(params=["pipe", "fifo", "socket", "terminal"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ends]:
    """Two blocking descriptors: what is written to the second comes out of the first."""
    if request.param == "pipe":
        pair = os.pipe()
    elif request.param == "fifo":
        os.mkfifo(tmp_path / "fifo")
        r = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(r, True)
        pair = r, os.open(tmp_path / "fifo", os.O_WRONLY)
    elif request.param == "socket":
        a, b = socket.socketpair()
        pair = a.detach(), b.detach()
    else:
        import tty

        master, slave = os.openpty()
        tty.setraw(slave)
        pair = master, slave
    yield pair
    for fd in pair:
        if fd >= 0:
            try:
                os.close(fd)
            except OSError:
                pass


READS: dict[str, Callable[[int], bytes]] = {
    "read": lambda fd: green_os.read(fd, 100),
    "read a lot": lambda fd: green_os.read(fd, 1 << 20),
    "readv": lambda fd: _readv(fd),
}


def _readv(fd: int) -> bytes:
    first, second = bytearray(2), bytearray(98)
    count = green_os.readv(fd, [first, second])
    return bytes(first + second)[:count]


@pytest.mark.parametrize("call", READS)
def test_others_run_while_a_descriptor_has_nothing_to_read(ends: Ends, call: str) -> None:
    """What another tasklet writes arrives, and the descriptor is still in blocking mode."""
    with Ticker(lambda: os.write(ends[1], b"said")):
        assert READS[call](ends[0]) == b"said"
    assert os.get_blocking(ends[0])


@pytest.mark.parametrize("call", READS)
def test_a_tasklet_killed_while_it_reads_takes_nothing(ends: Ends, call: str) -> None:
    """The next reader gets it all."""
    tasklet = runtime.spawn(READS[call], ends[0])
    runtime.sleep(0.01)
    tasklet.kill()
    os.write(ends[1], b"said")
    assert os.read(ends[0], 100) == b"said"


def test_readers_share_a_descriptor(ends: Ends) -> None:
    """Each byte goes to one of them, and none waits for ever beside what there is."""
    readers = [runtime.spawn(green_os.read, ends[0], 1) for _ in range(4)]
    with Ticker(lambda: os.write(ends[1], b"abcd")):
        assert sorted(reader.result(20) for reader in readers) == [b"a", b"b", b"c", b"d"]


def test_a_write_takes_all_that_a_descriptor_cannot_hold(ends: Ends) -> None:
    """A blocking write returns when all of it is gone, in order, while another tasklet reads."""
    data = bytes(range(256)) * 2000
    got = bytearray()

    def drain() -> None:
        while len(got) < len(data):
            got.extend(green_os.read(ends[0], 5000))

    with Ticker():
        reader = runtime.spawn(drain)
        assert green_os.write(ends[1], data[:1]) == 1
        assert green_os.write(ends[1], memoryview(data)[1:200_001]) == 200_000
        assert green_os.writev(ends[1], [data[200_001:300_000], data[300_000:]]) == len(data) - 200_001
        assert reader.join(20)
        runtime.sleep(0.02)
    assert got == data


def test_the_end_is_seen(ends: Ends) -> None:
    """A reader gets b"" (a terminal: EIO), a writer EPIPE."""
    with Ticker(lambda: os.close(ends[1])):
        if stat.S_ISCHR(os.fstat(ends[0]).st_mode):
            with pytest.raises(OSError, match="Input/output error"):
                green_os.read(ends[0], 10)
        else:
            assert green_os.read(ends[0], 10) == b""
    r, w = os.pipe()
    with Ticker():
        runtime.sleep(0.02)
        os.close(r)
        with pytest.raises(BrokenPipeError):
            green_os.write(w, b"x")
    os.close(w)


def test_a_write_that_breaks_in_the_middle_tells_how_far_it_came() -> None:
    """The bytes that were taken are returned; the error comes with the next call."""
    r, w = os.pipe()
    with Ticker(lambda: os.close(r)):
        assert 0 < green_os.write(w, bytes(1 << 20)) < 1 << 20
    runtime.spawn(runtime.sleep, 0)
    with pytest.raises(BrokenPipeError):
        green_os.write(w, b"x")
    os.close(w)


def test_a_descriptor_that_is_closed_wakes_its_reader() -> None:
    """It gets EBADF, at once."""
    r, w = os.pipe()
    with Ticker(lambda: green_os.close(r)), pytest.raises(OSError, match="Bad file descriptor"):
        green_os.read(r, 1)
    os.close(w)


def test_what_is_wrong_is_said_as_plain_python_says_it() -> None:
    """A closed descriptor, a wrong type, a negative length, a non-blocking descriptor."""
    r, w = os.pipe()
    os.set_blocking(r, False)
    with Ticker():
        runtime.sleep(0.02)
        for call in (lambda: green_os.read(1 << 20, 1), lambda: green_os.write(1 << 20, b"x")):
            with pytest.raises(OSError, match="Bad file descriptor"):
                call()
        with pytest.raises(OSError, match="Bad file descriptor"):
            green_os.read(w, 1)
        with pytest.raises(OSError, match="Bad file descriptor"):
            green_os.write(r, b"x")
        with pytest.raises(OSError, match="Invalid argument"):
            green_os.read(r, -1)
        with pytest.raises(TypeError):
            green_os.read("r", 1)
        with pytest.raises(TypeError):
            green_os.write(w, "text")
        with pytest.raises(BlockingIOError):
            green_os.read(r, 1)
        assert green_os.write(w, b"") == 0
    os.close(r)
    os.close(w)


def test_an_eventfd_is_waited_for() -> None:
    """eventfd_read() returns what another tasklet has added; a full one makes eventfd_write() wait."""
    fd = green_os.eventfd(0)
    with Ticker(lambda: green_os.eventfd_write(fd, 3)):
        assert green_os.eventfd_read(fd) == 3
    green_os.eventfd_write(fd, 2**64 - 2)
    with Ticker(lambda: green_os.eventfd_read(fd)):
        green_os.eventfd_write(fd, 1)
    os.close(fd)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    """A regular file of 300,000 bytes, of which nothing need be in memory."""
    path = tmp_path / "file"
    path.write_bytes(bytes(range(250)) * 1200)
    fd = os.open(path, os.O_RDWR)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    yield fd
    os.close(fd)


@pytest.mark.parametrize("length", [1, 1000, 65536, 70000, 300_000, 1 << 20])
def test_a_file_is_read_whole_from_disk_or_memory(file: int, length: int) -> None:
    """read() and its kin are as long as plain ones, and move the position as far."""
    whole = bytes(range(250)) * 1200
    with Ticker():
        runtime.sleep(0.02)
        assert green_os.read(file, length) == whole[:length]
        assert os.lseek(file, 0, os.SEEK_CUR) == min(length, len(whole))
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        assert green_os.pread(file, length, 100) == whole[100 : 100 + length]
        assert green_os.read(file, length) == whole[length : 2 * length]
        os.lseek(file, 10, os.SEEK_SET)
        parts = [bytearray(3), bytearray(length)]
        assert green_os.readv(file, parts) == min(len(whole) - 10, length + 3)
        assert parts[0] == whole[10:13]
        assert green_os.preadv(file, parts, 5) == min(len(whole) - 5, length + 3)
        assert green_os.pread(file, 10, 1 << 30) == b""
        with pytest.raises(OSError, match="Invalid argument"):
            green_os.pread(file, 10, -1)


def test_a_file_is_written_as_ever(file: int) -> None:
    """write(), writev(), pwrite(), fsync() and the like, in one piece each."""
    with Ticker():
        runtime.sleep(0.02)
        assert green_os.write(file, b"a" * 100_000) == 100_000
        assert green_os.writev(file, [b"b", b"c"]) == 2
        assert green_os.pwrite(file, b"d", 1) == 1
        green_os.fsync(file)
        green_os.fdatasync(file)
        green_os.posix_fallocate(file, 0, 400_000)
        assert green_os.fstat(file).st_size == 400_000
    assert os.pread(file, 100_003, 0) == b"ad" + b"a" * 99_998 + b"bc" + bytes([2])


def test_what_comes_from_the_disk_is_read_by_a_worker(file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others run until it is in memory; nothing is lost to a tasklet that is killed meanwhile."""
    if not pages.NOWAIT:
        return
    gate = threading.Event()

    def touch(*args: int) -> None:
        gate.wait(20)

    monkeypatch.setattr(pages, "_missing", lambda fd, start, end: None if gate.is_set() else (start, end))
    monkeypatch.setattr(pages, "_touch", touch)
    monkeypatch.setattr(uring, "possible", False)
    killed = runtime.spawn(green_os.read, file, 70_000)
    runtime.sleep(0.01)
    killed.kill()
    assert os.lseek(file, 0, os.SEEK_CUR) == 0
    with Ticker(gate.set):
        assert len(green_os.read(file, 70_000)) == 70_000


def test_sendfile_sends_all_to_a_blocking_descriptor(ends: Ends, file: int) -> None:
    """As the plain one: everything, at an offset or from the position, while another tasklet reads."""
    if stat.S_ISCHR(os.fstat(ends[1]).st_mode):
        return
    whole = bytes(range(250)) * 1200
    got = bytearray()

    def drain() -> None:
        while len(got) < 500_000:
            got.extend(green_os.read(ends[0], 60_000))

    with Ticker():
        reader = runtime.spawn(drain)
        assert green_os.sendfile(ends[1], file, 100_000, 1 << 20) == 200_000
        assert os.lseek(file, 0, os.SEEK_CUR) == 0
        assert green_os.sendfile(ends[1], file, None, 300_000) == 300_000
        assert os.lseek(file, 0, os.SEEK_CUR) == 300_000
        assert green_os.sendfile(ends[1], file, 300_000, 10) == 0
        assert reader.join(20)
        runtime.sleep(0.02)
    assert got == whole[100_000:] + whole
    assert os.get_blocking(ends[1])


def test_splice_waits_for_either_end(ends: Ends) -> None:
    """For something to come, and for room to go."""
    if not stat.S_ISFIFO(os.fstat(ends[0]).st_mode):
        return
    r, w = os.pipe()
    with Ticker(lambda: os.write(ends[1], b"said")):
        assert green_os.splice(ends[0], w, 100) == 4
    assert os.read(r, 100) == b"said"
    os.set_blocking(w, False)
    os.write(w, bytes(1 << 20))  # as much as there is room for
    os.set_blocking(w, True)
    os.write(ends[1], b"more")
    with Ticker(lambda: os.read(r, 1 << 20)):
        assert green_os.splice(ends[0], w, 100) == 4
    with pytest.raises(BlockingIOError):
        green_os.splice(ends[0], w, 100, flags=os.SPLICE_F_NONBLOCK)
    os.close(r)
    os.close(w)


def test_a_file_is_copied_in_the_kernel(file: int, tmp_path: Path) -> None:
    """copy_file_range(), and sendfile() into another file."""
    copy = os.open(tmp_path / "copy", os.O_RDWR | os.O_CREAT)
    with Ticker():
        runtime.sleep(0.02)
        assert green_os.copy_file_range(file, copy, 300_000, 0, 0) == 300_000
        assert green_os.sendfile(copy, file, 0, 100) == 100
    assert os.fstat(copy).st_size == 300_000
    os.close(copy)


def test_random_bytes_come() -> None:
    """getrandom(), beside others."""
    with Ticker():
        runtime.sleep(0.02)
        assert len(green_os.getrandom(10)) == 10


def test_functions_can_be_looked_for_in_what_is_supported() -> None:
    """`os.stat in os.supports_dir_fd` holds for counterparts, and posix has the same ones."""
    for name in ("supports_dir_fd", "supports_effective_ids", "supports_fd", "supports_follow_symlinks"):
        for function in getattr(os, name):
            assert getattr(green_os, function.__name__) in getattr(green_os, name)
            assert function in getattr(green_os, name)
    assert green_posix.stat is green_os.stat
    assert green_posix.read is green_os.read
    assert green_posix.getpid is os.getpid


def test_the_stock_code_sees_what_is_assigned_to_the_counterpart(monkeypatch: pytest.MonkeyPatch) -> None:
    """makedirs() calls this module's mkdir(), whatever that is now; put back, the original is as it was."""
    before = os.environ, os.mkdir
    made: list[str] = []
    monkeypatch.setattr(green_os, "mkdir", lambda path, mode: made.append(path))
    green_os.makedirs("/nonexistent/a")
    assert made == ["/nonexistent", "/nonexistent/a"]
    monkeypatch.setattr(green_os, "environ", {"PATH": "/here"})
    assert green_os.get_exec_path() == ["/here"]
    assert green_os.getenv("PATH") == "/here"
    monkeypatch.undo()
    assert (os.environ, os.mkdir) == before


def test_trees_are_walked_and_removed(tmp_path: Path) -> None:
    """walk(), fwalk() and removedirs() give what plain ones give."""
    green_os.makedirs(tmp_path / "a" / "b" / "c")
    (tmp_path / "a" / "f").touch()
    assert list(green_os.walk(tmp_path)) == list(os.walk(tmp_path))
    assert [found[:3] for found in green_os.fwalk(tmp_path)] == [found[:3] for found in os.fwalk(tmp_path)]
    green_os.removedirs(tmp_path / "a" / "b" / "c")
    assert os.listdir(tmp_path / "a") == ["f"]
    shutil.rmtree(tmp_path / "a")


def test_children_of_forkpty_talk_to_a_tasklet(program: Program) -> None:
    """The parent reads beside a ticking thread, the child is alone."""
    done = program(
        """
        import os, threading, time

        ticks = 0

        def tick():
            global ticks
            while True:
                time.sleep(0.001)
                ticks += 1

        threading.Thread(target=tick, daemon=True).start()
        time.sleep(0.01)
        pid, fd = os.forkpty()
        if not pid:
            time.sleep(0.1)
            os.write(1, b"child %d" % threading.active_count())
            os._exit(0)
        ticks = 0
        print(os.read(fd, 100), ticks >= 5)
        print(os.waitpid(pid, 0)[1])
        """,
        converted=True,
    )
    assert (done.stdout, done.stderr) == ("b'child 1' True\n0\n", "")
