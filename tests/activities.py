"""What the tasklets of ``tests.soak`` do: operations that check what comes of them."""

# ruff: noqa: SIM117 (blocks are nested as they would be written)
from __future__ import annotations

import _thread
import contextlib
import errno
import os
import random
import time as plain_time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import runtime
from runtime.green import (
    asyncio,
    io,
    queue,
    select,
    selectors,
    socket,
    sqlite3,
    subprocess,
    threading,
    time,
    zlib,
)
from runtime.green import os as green_os
from runtime.hub import get_hub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.soak import Soak

DATA = random.Random(0).randbytes(1 << 20)
Activity = Callable[["Soak"], None]
ACTIVITIES: dict[str, tuple[Activity, float, int]] = {}  # by name: the call, its weight, how many at once


def activity(weight: float = 1.0, at_once: int = 0) -> Callable[[Activity], Activity]:
    """Register an operation.

    Args:
        weight: how often it is chosen, compared with others.
        at_once: how many may be going on; 0: any number.
    """

    def register(function: Activity) -> Activity:
        ACTIVITIES[function.__name__] = function, weight, at_once
        return function

    return register


class Wrong(Exception):
    """Something did not hold."""


def check(holds: object, *what: object) -> None:
    if not holds:
        raise Wrong(*what)


@contextlib.contextmanager
def _pair(soak: Soak) -> Iterator[tuple[Any, Any]]:
    with soak.descriptors:
        a, b = socket.socketpair()
        with a, b:
            yield a, b


# Tasklets, locks, queues.


@activity(8)
def nothing_but_sleep(soak: Soak) -> None:
    began = plain_time.monotonic()
    time.sleep(0.01)
    check(plain_time.monotonic() - began >= 0.0099)


@activity(8)
def lock(soak: Soak) -> None:
    number = soak.random.randrange(len(soak.locks))
    with soak.locks[number]:
        check(not soak.inside[number], "two hold one lock")
        soak.inside[number] = 1
        try:
            time.sleep(0)
        finally:
            soak.inside[number] = 0


@activity(3)
def lock_in_time_or_not(soak: Soak) -> None:
    number = soak.random.randrange(len(soak.locks))
    if soak.locks[number].acquire(timeout=soak.random.random() * 0.001):
        try:
            check(not soak.inside[number], "two hold one lock")
            soak.inside[number] = 1
            try:
                time.sleep(0)
            finally:
                soak.inside[number] = 0
        finally:
            soak.locks[number].release()


@activity(2)
def rlock(soak: Soak) -> None:
    with soak.rlock, soak.rlock:
        time.sleep(0)


@activity(6)
def queues(soak: Soak) -> None:
    """As many are got as were put, or are still there."""
    number = soak.random.randrange(len(soak.boxes))
    box = soak.boxes[number]
    timeout = soak.random.random() * 0.1
    try:
        if soak.random.random() < 0.5:
            box.put(soak.random.random(), True, timeout)
            soak.put[number] += 1
        else:
            box.get(True, timeout)
            soak.got[number] += 1
    except (queue.Empty, queue.Full):
        pass


@activity(3)
def condition(soak: Soak) -> None:
    with soak.condition:
        if soak.random.random() < 0.5:
            soak.tokens += 1
            soak.condition.notify(soak.random.randrange(3))
        elif soak.condition.wait_for(lambda: soak.tokens > 0, soak.random.random() * 0.05):
            soak.tokens -= 1
            check(soak.tokens >= 0, "two took one token")


@activity(3)
def semaphore(soak: Soak) -> None:
    with soak.semaphore:
        check(soak.semaphore._value < soak.semaphore._initial_value)
        time.sleep(0.001)


@activity(3)
def channel(soak: Soak) -> None:
    """Through one that many share; both sides are of one group."""
    channel = soak.random.choice(soak.channels)
    with contextlib.suppress(TimeoutError), runtime.timeout(soak.random.random() * 0.5):
        with runtime.TaskGroup() as group:
            group.spawn(channel.send, 1)
            check(channel.receive() == 1)


@activity(2)
def event_and_thread(soak: Soak) -> None:
    event = threading.Event()
    soak.local.value = event
    seen: list[bool] = []

    def body() -> None:
        seen.append(hasattr(soak.local, "value"))
        event.set()

    thread = threading.Thread(target=body)
    thread.start()
    check(event.wait(60), "the event was not set")
    thread.join()
    check(seen == [False], "another thread's value is seen")
    check(soak.local.value is event)
    soak.local.value = None


@activity(1)
def barrier(soak: Soak) -> None:
    barrier = threading.Barrier(3)
    with runtime.TaskGroup() as group:
        members = [group.spawn(barrier.wait, 60) for _ in range(3)]
    check(sorted(member.result() for member in members) == [0, 1, 2])


@activity(2)
def timeout(soak: Soak) -> None:
    try:
        with runtime.timeout(0.005):
            with runtime.timeout(100):
                time.sleep(1000)
    except TimeoutError:
        return
    raise Wrong("no timeout")


@activity(1)
def timer(soak: Soak) -> None:
    called: list[int] = []
    timers = [threading.Timer(delay, called.append, (1,)) for delay in (0.005, 1000)]
    try:
        for each in timers:
            each.start()
        timers[0].join()
    finally:
        timers[1].cancel()
    timers[1].join()
    check(called == [1])


@activity(2)
def group(soak: Soak) -> None:
    def member(number: int) -> int:
        time.sleep(0.003 * number)
        if number == failing:
            raise LookupError(number)
        return number

    failing = soak.random.randrange(8)
    members = []
    try:
        with runtime.TaskGroup() as group:
            members += [group.spawn(member, number) for number in range(4)]
    except* LookupError as errors:
        check(failing < 4 and len(errors.exceptions) == 1)
    else:
        check([member.result() for member in members] == [0, 1, 2, 3])


@activity(1)
def killed_group(soak: Soak) -> None:
    tasklets = [runtime.spawn(time.sleep, 1000) for _ in range(5)]
    try:
        time.sleep(0.001)
    finally:
        for tasklet in tasklets:
            tasklet.kill(wait=False)
    for tasklet in tasklets:
        tasklet.join()
        check(isinstance(tasklet.error, runtime.TaskletExit))


@activity(2)
def pool(soak: Soak) -> None:
    check(soak.pool.submit(lambda: time.sleep(0.001) or 7).result(60) == 7)


# Sockets, pipes, files.


@activity(5)
def connection(soak: Soak) -> None:
    size = soak.random.randrange(1, 20_000)
    with soak.descriptors, socket.create_connection(soak.listener.getsockname(), 60) as sock:
        sock.sendall(DATA[:size])
        sock.shutdown(socket.SHUT_WR)
        got = bytearray()
        while part := sock.recv(65536):
            got += part
        check(got == DATA[:size], "the echo is another")


@activity(2)
def much_through_a_pair(soak: Soak) -> None:
    with _pair(soak) as (a, b):
        with runtime.TaskGroup() as group:
            group.spawn(lambda: (a.sendall(DATA[:300_000]), a.shutdown(socket.SHUT_WR)))
            got = bytearray()
            while part := b.recv(100_000):
                got += part
        check(got == DATA[:300_000])


@activity(2)
def socket_timeout(soak: Soak) -> None:
    with _pair(soak) as (a, _):
        a.settimeout(0.003)
        try:
            a.recv(1)
        except TimeoutError:
            return
        raise Wrong("no timeout")


@activity(2)
def closed_under_a_reader(soak: Soak) -> None:
    with _pair(soak) as (a, _):

        def read() -> int:
            try:
                a.recv(1)
            except OSError as error:
                return error.errno or 0
            return 0

        reader = runtime.spawn(read)
        try:
            time.sleep(0.001)
        finally:
            a.close()
        check(reader.result() == errno.EBADF)


@activity(3)
def lines(soak: Soak) -> None:
    count = soak.random.randrange(1, 50)
    with _pair(soak) as (a, b), a.makefile("w") as writer, b.makefile("r") as reader:

        def write() -> None:
            for number in range(count):
                print(number, "é" * 20, file=writer)
            writer.close()
            a.shutdown(socket.SHUT_WR)

        with runtime.TaskGroup() as group:
            group.spawn(write)
            seen = [int(line.split()[0]) for line in reader]
        check(seen == list(range(count)), seen)


@activity(1)
def shared_file(soak: Soak) -> None:
    """Two write lines to one file object, two read from another."""
    with _pair(soak) as (a, b), a.makefile("wb", 100) as writer, b.makefile("rb") as reader:

        def write(mark: bytes) -> None:
            for number in range(10):
                writer.write(b"%s%d " % (mark, number) + mark * 200 + b"\n")

        seen: list[bytes] = []
        with runtime.TaskGroup() as group:
            for _ in range(2):
                group.spawn(lambda: seen.extend(iter(reader.readline, b"")))
            with runtime.TaskGroup() as writers:
                for mark in (b"x", b"y"):
                    writers.spawn(write, mark)
            writer.close()
            a.shutdown(socket.SHUT_WR)
        for mark in (b"x", b"y"):
            numbers = sorted(int(line.split()[0][1:]) for line in seen if line.endswith(mark * 200 + b"\n"))
            check(numbers == list(range(10)), seen)


@activity(2)
def pipe(soak: Soak) -> None:
    with soak.descriptors, contextlib.ExitStack() as stack:
        r, w = green_os.pipe()
        reader = stack.enter_context(io.open(r, "rb"))
        writer = stack.enter_context(io.open(w, "wb", 0))
        with runtime.TaskGroup() as group:
            group.spawn(lambda: (writer.write(DATA[:200_000]), writer.close()))
            check(reader.read() == DATA[:200_000])


@activity(2)
def bare_pipe(soak: Soak) -> None:
    with soak.descriptors:
        r, w = green_os.pipe()
        try:
            with runtime.TaskGroup() as group:
                group.spawn(green_os.write, w, DATA[:100_000])
                got = bytearray()
                while len(got) < 100_000:
                    got += green_os.read(r, 8192)
            check(got == DATA[:100_000])
        finally:
            green_os.close(r)
            green_os.close(w)


@activity(2)
def file(soak: Soak) -> None:
    path = soak.folder / f"{_unique()}"
    try:
        with soak.descriptors:
            with io.open(path, "w", encoding="utf-16", newline="") as file:
                file.writelines(f"line {number}\r\n" for number in range(30))
            with io.open(path, encoding="utf-16") as file:
                check([line.split()[1] for line in file] == [str(number) for number in range(30)])
            with io.open(path, "rb+") as file:
                file.seek(10)
                file.write(b"x" * 10_000)
                green_os.fsync(file.fileno())
                file.seek(10)
                check(file.read() == b"x" * 10_000)
    finally:
        path.unlink(missing_ok=True)


@activity(3)
def waiting_for_several(soak: Soak) -> None:
    with _pair(soak) as (a, b), _pair(soak) as (c, d):
        del d
        how = soak.random.randrange(4)
        with runtime.TaskGroup() as group:
            group.spawn(lambda: (time.sleep(0.002), b.send(b"x")))
            if how == 0 and max(a.fileno(), c.fileno()) < 1024:
                check(select.select([a, c], [], [], 60)[0] == [a])
            elif how == 1:
                poll = select.poll()
                poll.register(a, select.POLLIN)
                poll.register(c, select.POLLIN)
                check([fd for fd, _ in poll.poll(60_000)] == [a.fileno()])
            elif how == 2:
                with select.epoll() as epoll:
                    epoll.register(a, select.EPOLLIN)
                    epoll.register(c, select.EPOLLIN)
                    check([fd for fd, _ in epoll.poll(60)] == [a.fileno()])
            else:
                with selectors.DefaultSelector() as selector:
                    selector.register(a, selectors.EVENT_READ)
                    selector.register(c, selectors.EVENT_READ)
                    check([key.fileobj for key, _ in selector.select(60)] == [a])


@activity(1, at_once=20)
def tls(soak: Soak) -> None:
    size = soak.random.randrange(1, 60_000)
    with _pair(soak) as (a, b):

        def serve() -> None:
            with soak.server_context.wrap_socket(b, server_side=True) as sock:
                while part := sock.recv(16384):
                    sock.sendall(part)
                sock.unwrap().close()

        with runtime.TaskGroup() as group:
            group.spawn(serve)
            with soak.client_context.wrap_socket(a, server_hostname="localhost") as sock:
                group.spawn(sock.sendall, DATA[:size])
                got = bytearray()
                while len(got) < size:
                    got += sock.recv(65536)
                check(got == DATA[:size], "other data")
                sock.unwrap().close()


# What leaves the OS thread.


@activity(2, at_once=50)
def worker(soak: Soak) -> None:
    check(runtime.offload(sum, range(1000)) == 499_500)


@activity(0.5, at_once=20)
def name(soak: Soak) -> None:
    found = socket.getaddrinfo("localhost", 80, socket.AF_INET, socket.SOCK_STREAM)
    check(found[0][4] == ("127.0.0.1", 80), found)


@activity(0.5, at_once=10)
def computing(soak: Soak) -> None:
    size = soak.random.randrange(1, 200_000)
    check(zlib.decompress(zlib.compress(DATA[:size], 1)) == DATA[:size])


@activity(0.5, at_once=8)
def database(soak: Soak) -> None:
    path = soak.folder / f"{_unique()}.db"
    try:
        with soak.descriptors, contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("create table t (x)")
            with connection:
                connection.executemany("insert into t values (?)", [(n,) for n in range(20)])
            check(connection.execute("select sum(x) from t").fetchall() == [(190,)])
    finally:
        for suffix in ("", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


@activity(0.3, at_once=4)
def child(soak: Soak) -> None:
    with soak.descriptors:
        done = subprocess.run(["cat"], input=DATA[:100_000], stdout=subprocess.PIPE, check=True)
        check(done.stdout == DATA[:100_000])


@activity(0.2, at_once=4)
def child_that_takes_too_long(soak: Soak) -> None:
    with soak.descriptors:
        try:
            subprocess.run(["sleep", "100"], stdout=subprocess.PIPE, timeout=0.02, check=True)
        except subprocess.TimeoutExpired:
            return
        raise Wrong("no timeout")


@activity(0.5, at_once=4)
def foreign_thread(soak: Soak) -> None:
    """An OS thread, with a hub of its own, exchanges with us through queues and locks."""
    boxes = queue.SimpleQueue(), queue.Queue(1)
    ended = threading.Lock()
    ended.acquire()

    def body() -> None:
        try:
            total = 0
            while (value := boxes[1].get(timeout=60)) is not None:
                with soak.locks[0]:
                    total += value
            boxes[0].put(total)
        except queue.Empty:
            pass  # who asked for it was killed
        finally:
            ended.release()

    _thread.start_new_thread(body, ())
    try:
        for value in range(10):
            boxes[1].put(value)
    finally:
        late = []
        while True:  # it must end, though we are killed meanwhile
            try:
                boxes[1].put(None)
                ended.acquire()
                break
            except BaseException as error:
                late.append(error)
        if late:
            raise late[0]
    check(boxes[0].get(timeout=60) == 45)


@activity(0.02, at_once=1)
def fork(soak: Soak) -> None:
    """In the midst of everything: the child has one tasklet, ours, and can start others."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            check(len(get_hub().tasklets) == 0)
            tasklets = [runtime.spawn(time.sleep, 0.001) for _ in range(3)]
            for tasklet in tasklets:
                check(tasklet.join(20))
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    check(green_os.waitpid(pid, 0) == (pid, 0), "the child failed")


@activity(1, at_once=200)
def coroutine(soak: Soak) -> None:
    async def twice(value: int) -> int:
        await asyncio.sleep(0.001)
        return 2 * value

    check(runtime.wait_for(twice(4)) == 8)
    try:
        runtime.wait_for(asyncio.sleep(1000), 0.003)
    except TimeoutError:
        return
    raise Wrong("no timeout")


@activity(0.3, at_once=4)
def event_loop(soak: Soak) -> None:
    async def main() -> list[int]:
        async with asyncio.timeout(60):
            return await asyncio.gather(
                *(runtime.to_async(lambda n=n: time.sleep(0.001 * n) or n) for n in range(4))
            )

    with soak.descriptors:
        check(asyncio.run(main()) == [0, 1, 2, 3])


_numbers = iter(range(1 << 60))


def _unique() -> int:
    return next(_numbers)
