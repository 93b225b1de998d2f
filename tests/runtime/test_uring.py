"""The ring: what it gives, and what is left of an operation whose tasklet does not wait for its end."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import runtime
from runtime import uring
from runtime.green import os as green_os
from runtime.hub import get_hub
from runtime.uring import READ, Operation, Ring, ring_of
from tests.runtime.conftest import Program, run_in_thread


def _possible() -> bool:
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(ring_of(get_hub()) is not None))
    thread.start()
    thread.join()
    return found[0]


needs_ring = pytest.mark.skipif(not _possible(), reason="there is no io_uring here")
SIZE = 300_000
WHOLE = random.Random(1).randbytes(SIZE)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    """A file whose bytes are `WHOLE`, not in memory where the file system can do without."""
    fd = os.open(_written(tmp_path), os.O_RDWR)
    _to_disk(fd)
    yield fd
    os.close(fd)


@contextlib.contextmanager
def _others() -> Iterator[None]:
    """There is somebody else, so that no call is made in the plain way."""
    other = runtime.spawn(runtime.sleep, 60)
    yield
    other.kill()


def _written(folder: Path) -> str:
    with open(folder / "file", "wb") as file:
        file.write(WHOLE)
        file.flush()
        os.fsync(file)
    return str(folder / "file")


def _to_disk(fd: int) -> None:
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


@pytest.fixture(params=["ring", "workers"])
def way(request: pytest.FixtureRequest, backend: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """By the ring, where there is one, and without."""
    if request.param == "workers":
        monkeypatch.setattr(uring, "possible", False)
    return str(request.param)


def _ring() -> Ring:
    ring = ring_of(get_hub())
    assert ring is not None
    return ring


def _read(fd: int, size: int = 100) -> Operation:
    """A read whose bytes nobody else has."""
    return Operation(READ, fd, bytes(bytearray(size)), 0, size, None, (1 << 64) - 1 - (1 << 64))


# What it gives.

PLACES = [
    (0, 1),
    (0, 4096),
    (5, 4096),
    (SIZE - 10, 10),
    (SIZE - 10, 4096),
    (SIZE, 1),
    (SIZE + 5000, 5),
    (0, SIZE * 2),
]


@pytest.mark.parametrize("part", ["nothing", "half", "all"])
def test_what_is_read_is_what_is_there(file: int, way: str, part: str) -> None:
    """Whatever of it was in memory: as much as is asked for, or all that is left."""
    with _others():
        for offset, length in PLACES:
            _to_disk(file)
            if part == "all":
                os.pread(file, SIZE, 0)
            elif part == "half":
                os.pread(file, 8192, 100_000)
            assert green_os.pread(file, length, offset) == WHOLE[offset : offset + length]
            first, second = bytearray(length // 2), bytearray(length - length // 2)
            _to_disk(file)
            assert green_os.preadv(file, [first, second], offset) == len(WHOLE[offset : offset + length])
            assert (first + second).startswith(WHOLE[offset : offset + length])
            _to_disk(file)
            os.lseek(file, offset, os.SEEK_SET)
            assert green_os.read(file, length) == WHOLE[offset : offset + length]
            assert os.lseek(file, 0, os.SEEK_CUR) == offset + len(WHOLE[offset : offset + length])


@pytest.mark.parametrize(
    ("length", "offset"),
    [
        (10, -1),
        (-1, 0),
        (10, 1 << 70),
        (1 << 70, 0),
        ("x", 0),
        (10, None),
        (True, 0),
        (0, 0),
        (10, (1 << 63) - 1),
    ],
)
def test_what_is_wrong_is_said_in_the_same_words(file: int, way: str, length: Any, offset: Any) -> None:
    """Of arguments and of descriptors."""
    r, w = os.pipe()
    folder = os.open("/", os.O_RDONLY)
    os.close(closed := os.dup(file))
    with _others():
        for fd in (file, r, folder, closed, -1, 1 << 40, "x"):
            outcomes = []
            for call in (os.pread, green_os.pread):
                try:
                    outcomes.append(call(fd, length, offset))  # type: ignore[arg-type]
                except Exception as error:
                    outcomes.append((type(error), str(error)))  # type: ignore[arg-type]
            assert outcomes[1] == outcomes[0]
    for fd in (r, w, folder):
        os.close(fd)


def test_a_thousand_tasklets_read_what_is_there(file: int, way: str) -> None:
    def read(seed: int) -> None:
        places = random.Random(seed)
        for _ in range(3):
            offset = places.randrange(SIZE)
            assert green_os.pread(file, 4096, offset) == WHOLE[offset : offset + 4096]

    tasklets = [runtime.spawn(read, seed) for seed in range(1000)]
    for tasklet in tasklets:
        tasklet.result(30)


def test_what_the_disk_says_reaches_the_caller(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be read that way is read in the plain way, and what that says counts."""
    with _others():
        fd = os.open("/proc/self/mem", os.O_RDONLY)
        try:
            with pytest.raises(OSError) as caught:
                green_os.pread(fd, 10, 0)
            assert caught.value.errno == errno.EIO
        finally:
            os.close(fd)
        fd = os.open("/proc/self/status", os.O_RDONLY)
        try:
            assert green_os.pread(fd, 5, 0) == b"Name:"
        finally:
            os.close(fd)


# What is under way.


@needs_ring
def test_more_operations_than_there_is_room_for_wait_for_their_turn() -> None:
    """Ten thousand, each of which is answered; the queues have room for a tenth of them."""

    def body() -> None:
        r, w = os.pipe()
        ring = _ring()
        answers: list[bytes] = []

        def read() -> None:
            operation = _read(r, 1)
            assert ring.ask(operation) == 1
            assert operation.first is not None
            answers.append(operation.first)

        tasklets = [runtime.spawn(read) for _ in range(10_000)]
        runtime.sleep(0.01)
        assert len(ring.flying) == uring._FLYING
        assert repr(ring) == f"<Ring: {uring._FLYING} under way, {10_000 - uring._FLYING} waiting>"
        for _ in range(10):
            green_os.write(w, b"x" * 1000)
        for tasklet in tasklets:
            tasklet.result(30)
        assert answers == [b"x"] * 10_000
        assert not ring.flying
        os.close(r)
        os.close(w)

    run_in_thread(body)


@needs_ring
def test_who_is_killed_leaves_at_once_and_the_kernel_writes_to_nobody_s_memory() -> None:
    """In every state: not submitted, under way, waiting for its turn, done."""

    def body() -> None:
        r, w = os.pipe()
        ring = _ring()
        chance = random.Random(3)
        for round_ in range(300):
            operations = [_read(r) for _ in range(20)]
            tasklets = [runtime.spawn(ring.ask, operation) for operation in operations]
            for _ in range(chance.randrange(3)):
                runtime.schedule()
            if round_ % 3:
                runtime.sleep(0)
                os.write(w, bytes(chance.randrange(1, 300)))
            for tasklet in chance.sample(tasklets, 20):
                tasklet.kill(wait=False)
                if chance.random() < 0.2:
                    runtime.schedule()
            del operations
            room = [bytes(bytearray(100)) for _ in range(60)]  # where freed memory would be
            for tasklet in tasklets:
                tasklet.join(10)
            assert not any(map(any, room))
            while ring.flying:
                runtime.sleep(0.001)
            os.set_blocking(r, False)
            try:
                os.read(r, 10_000)
            except BlockingIOError:
                pass
            os.set_blocking(r, True)
        os.close(r)
        os.close(w)

    run_in_thread(body)


@needs_ring
def test_reads_of_a_file_are_killed_at_any_moment(file: int) -> None:
    """Those that are not have what is there."""

    def body() -> None:
        chance = random.Random(4)

        def read(offset: int) -> None:
            assert green_os.pread(file, 4096, offset) == WHOLE[offset : offset + 4096]

        for _ in range(100):
            _to_disk(file)
            tasklets = [runtime.spawn(read, chance.randrange(SIZE)) for _ in range(30)]
            for _ in range(chance.randrange(4)):
                runtime.schedule()
            killed = chance.sample(tasklets, 15)
            for tasklet in killed:
                tasklet.kill(wait=False)
            for tasklet in tasklets:
                if tasklet in killed:
                    tasklet.join(10)
                else:
                    tasklet.result(10)

    run_in_thread(body)


@needs_ring
def test_an_operation_keeps_nothing_alive_that_has_been_done() -> None:
    def body() -> None:
        r, w = os.pipe()
        ring = _ring()
        tasklet = runtime.spawn(ring.ask, _read(r))
        runtime.sleep(0.01)
        os.write(w, b"x")
        assert tasklet.result(10) == 1
        killed = runtime.spawn(ring.ask, _read(r))
        runtime.sleep(0.01)
        killed.kill()
        while ring.flying:
            runtime.sleep(0.001)
        gc.collect()
        assert not [thing for thing in gc.get_objects() if type(thing) is Operation]
        os.close(r)
        os.close(w)

    run_in_thread(body)


@needs_ring
def test_a_time_limit_ends_the_wait() -> None:
    def body() -> None:
        r, w = os.pipe()
        with pytest.raises(TimeoutError), runtime.timeout(0.01):
            _ring().ask(_read(r))
        while _ring().flying:  # until it has been cancelled
            runtime.sleep(0.001)
        os.write(w, b"x")
        assert os.read(r, 10) == b"x"
        os.close(r)
        os.close(w)

    run_in_thread(body)


@needs_ring
def test_to_the_end_an_interruption_comes_with_the_next_wait() -> None:
    def body() -> None:
        r, w = os.pipe()
        got: list[int] = []

        def read() -> None:
            got.append(_ring().finish(_read(r)))
            runtime.sleep(10)

        tasklet = runtime.spawn(read)
        runtime.sleep(0.01)
        tasklet.kill(wait=False)
        runtime.sleep(0.01)
        assert not got
        os.write(w, b"abc")
        tasklet.join(5)
        assert got == [3]
        os.close(r)
        os.close(w)

    run_in_thread(body)


@needs_ring
def test_a_descriptor_is_closed_while_it_is_read() -> None:
    """The operation goes on, as a call in an OS thread does."""

    def body() -> None:
        r, w = os.pipe()
        tasklet = runtime.spawn(_ring().ask, _read(r))
        runtime.sleep(0.01)
        os.close(r)
        os.write(w, b"abc")
        assert tasklet.result(10) == 3
        assert _ring().ask(_read(r)) == -errno.EBADF
        os.close(w)

    run_in_thread(body)


@needs_ring
def test_an_os_thread_ends_with_operations_under_way() -> None:
    """Its descriptors are given back, and what it waited for is written where nobody is."""
    before = sorted(os.listdir("/proc/self/fd"))
    r, w = os.pipe()

    def body() -> None:
        ring = _ring()
        for _ in range(1500):
            runtime.spawn(ring.ask, _read(r), daemon=True)
        runtime.sleep(0.01)

    run_in_thread(body)
    gc.collect()
    room = [bytes(bytearray(100)) for _ in range(3000)]
    for _ in range(200):
        os.write(w, b"x")
    assert not any(map(any, room))
    os.close(r)
    os.close(w)
    assert sorted(os.listdir("/proc/self/fd")) == before


@needs_ring
def test_a_closed_ring_answers_everybody() -> None:
    def body() -> None:
        r, w = os.pipe()
        ring = _ring()
        tasklets = [runtime.spawn(ring.ask, _read(r)) for _ in range(1200)]
        runtime.sleep(0.01)
        ring.close()
        ring.close()
        assert {tasklet.result(10) for tasklet in tasklets} == {-errno.ECANCELED}
        assert ring.ask(_read(r)) == -errno.EAGAIN
        assert not ring.knows(READ)
        another = _ring()
        assert another is not ring
        os.close(w)
        assert another.ask(_read(r)) == 0
        os.close(r)

    run_in_thread(body)


# Processes.

BESIDE = """
import os, sys, threading, time
fd = os.open(sys.argv[1], os.O_RDONLY)
def cold():
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
def read(count):
    for place in range(0, count * 4096, 4096):
        assert len(os.pread(fd, 4096, place)) == 4096
"""


@needs_ring
def test_a_child_has_a_ring_of_its_own(program: Program, tmp_path: Path) -> None:
    """Forked in the middle of reads, which go on in the parent."""
    path = _written(tmp_path)
    done = program(
        f"""{BESIDE}
threads = [threading.Thread(target=read, args=(60,)) for _ in range(20)]
cold()
for thread in threads:
    thread.start()
children = []
for _ in range(10):
    pid = os.fork()
    if not pid:
        cold()
        beside = threading.Thread(target=read, args=(60,))
        beside.start()
        read(60)
        beside.join()
        rings = [name for name in os.listdir("/proc/self/fd") if "io_uring" in link(name)]
        os._exit(len(rings) if len(rings) < 2 else 9)
    children.append(pid)
    time.sleep(0.001)
for thread in threads:
    thread.join()
print({{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children}} <= {{0, 1}})
""".replace(
            "threads = [",
            """def link(name):
    try:
        return os.readlink(f"/proc/self/fd/{name}")
    except OSError:
        return ""
threads = [""",
        ),
        path,
        converted=True,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


@needs_ring
def test_a_program_ends_with_reads_under_way(program: Program, tmp_path: Path) -> None:
    path = _written(tmp_path)
    done = program(
        f"""{BESIDE}
def for_ever():
    while True:
        cold()
        read(60)
for _ in range(30):
    threading.Thread(target=for_ever, daemon=True).start()
time.sleep(0.05)
print("ends")
""",
        path,
        converted=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ends\n", "")


FORBIDDEN = """
import ctypes, struct
def forbid(number, error):
    # Load the number of the call; where it is that one, fail with the error; else allow.
    rules = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | error), (0x06, 0, 0, 0x7FFF0000)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(rules), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, program, 0, 0) == 0, ctypes.get_errno()
"""


@pytest.mark.parametrize("error", [errno.EPERM, errno.ENOSYS])
@pytest.mark.parametrize("call", [425, 427])
def test_where_it_is_forbidden_workers_read(program: Program, tmp_path: Path, error: int, call: int) -> None:
    """As in containers: setting it up fails, or finding out what it knows."""
    path = _written(tmp_path)
    done = program(
        f"""{FORBIDDEN}
forbid({call}, {error})
{BESIDE}
threads = [threading.Thread(target=read, args=(60,)) for _ in range(5)]
cold()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
from runtime import uring
print(uring.possible)
""",
        path,
        converted=True,
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_a_variable_switches_it_off(program: Program, environment: dict[str, str]) -> None:
    environment["UNSTALL_URING"] = "0"
    done = program(
        """
        from runtime import uring
        from runtime.hub import get_hub
        print(uring.ring_of(get_hub()))
        """
    )
    assert (done.stdout, done.stderr) == ("None\n", "")


@needs_ring
def test_a_thread_that_the_kernel_keeps_wakes_nobody(program: Program, tmp_path: Path) -> None:
    """A deadlock is told although one is left of what the ring did."""
    done = program(
        """
        import os, sys, threading
        fd = os.open(sys.argv[1], os.O_RDWR)
        def flush():
            os.fsync(fd)
        threads = [threading.Thread(target=flush) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        names = [open(f"/proc/self/task/{number}/comm").read() for number in os.listdir("/proc/self/task")]
        print(any(name.startswith("iou-wrk") for name in names), flush=True)
        threading.Event().wait()
        """,
        _written(tmp_path),
        converted=True,
    )
    assert done.stdout == "True\n"
    assert "Deadlock: every tasklet waits for another" in done.stderr
