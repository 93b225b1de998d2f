"""What is fine for a few must be fine for very many, and what nobody does on purpose must harm nobody else."""

from __future__ import annotations

import contextlib
import random
import threading as plain_threading
import time as plain_time
from collections.abc import Callable
from typing import Any

import pytest

import runtime
from runtime.green import asyncio, io, os, queue, select, socket, threading, time
from runtime.hub import get_hub
from tests.runtime.conftest import run_in_thread

MANY = 16_000
Call = Callable[[], Any]


def _lock(stack: contextlib.ExitStack) -> Call:
    lock = threading.Lock()
    lock.acquire()
    return lock.acquire


def _tasklet(stack: contextlib.ExitStack) -> Call:
    tasklet = runtime.spawn(runtime.sleep, 1000)
    stack.callback(tasklet.kill)
    return tasklet.join


def _socket(stack: contextlib.ExitStack) -> Call:
    a, _ = map(stack.enter_context, socket.socketpair())
    return lambda: a.recv(1)


def _file(stack: contextlib.ExitStack) -> Call:
    r, w = os.pipe()
    stack.callback(os.close, w)
    file = stack.enter_context(io.open(r, "rb"))
    return lambda: file.readline()


WAITS: dict[str, Callable[[contextlib.ExitStack], Call]] = {
    "lock": _lock,
    "simple queue": lambda _: queue.SimpleQueue().get,
    "channel": lambda _: runtime.Channel[int]().receive,
    "tasklet": _tasklet,
    "socket": _socket,
    "file": _file,
}


def _seconds(call: Call) -> float:
    """How long it takes to kill many tasklets that wait in *call*, in any order."""
    tasklets = [runtime.spawn(call) for _ in range(MANY)]
    while not all(tasklet.greenlet is not None for tasklet in tasklets):
        runtime.schedule()
    random.Random(0).shuffle(tasklets)
    began = plain_time.process_time()
    for tasklet in tasklets:
        tasklet.kill(wait=False)
    for tasklet in tasklets:
        tasklet.join()
    return plain_time.process_time() - began


@pytest.mark.parametrize("what", WAITS)
def test_who_leaves_a_queue_of_many_does_not_look_through_it(what: str) -> None:
    """To kill all who wait there takes about as long as to kill as many sleepers, though in no order."""

    def body() -> None:
        sleepers = _seconds(lambda: runtime.sleep(1000))
        with contextlib.ExitStack() as stack:
            call = WAITS[what](stack)
            waiters = min(_seconds(call) for _ in range(2))
        assert waiters < 2.5 * sleepers, (waiters, sleepers)

    run_in_thread(body)


def _exchange(shared: dict[str, Any], mark: int, problems: list[BaseException]) -> None:
    """In an OS thread of its own: thirty tasklets that meet those of other threads, and some that are killed."""

    def count() -> None:
        for _ in range(40):
            with shared["lock"]:
                seen = shared["count"]
                time.sleep(0)
                shared["count"] = seen + 1

    def through_queues() -> None:
        for number in range(40):
            shared["queues"][number % 2].put(mark)
            got = shared["queues"][number % 2].get(timeout=30)
            shared["got"].append(got)

    def through_channels() -> None:
        for number in range(20):
            if mark:
                shared["channel"].send(number)
            else:
                shared["received"].append(shared["channel"].receive())

    def notice() -> None:
        with shared["condition"]:
            shared["arrived"] += 1
            shared["condition"].notify_all()
            assert shared["condition"].wait_for(lambda: shared["arrived"] == 2, 30)

    def victim() -> None:
        while True:
            with shared["lock"], shared["rlock"]:
                time.sleep(0)

    try:
        victims = [runtime.spawn(victim) for _ in range(5)]
        with runtime.TaskGroup() as group:
            for work in (count, through_queues, through_channels) * 8:
                group.spawn(work)
            group.spawn(notice)
            while victims:
                time.sleep(0.002)
                victims.pop().kill()
        assert not get_hub().tasklets
        assert not len(get_hub().timers)
    except BaseException as error:
        problems.append(error)


def test_tasklets_of_two_os_threads_exchange_through_everything() -> None:
    shared: dict[str, Any] = {
        "lock": threading.Lock(),
        "rlock": threading.RLock(),
        "count": 0,
        "queues": [queue.Queue(3), queue.SimpleQueue()],
        "got": [],
        "channel": runtime.Channel(),
        "received": [],
        "condition": threading.Condition(),
        "arrived": 0,
    }
    problems: list[BaseException] = []
    threads = [
        plain_threading.Thread(target=_exchange, args=(shared, mark, problems), daemon=True)
        for mark in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
        assert not thread.is_alive(), shared
    assert problems == []
    assert shared["count"] == 2 * 8 * 40
    assert sorted(shared["got"]) == [0] * 320 + [1] * 320
    assert sorted(shared["received"]) == sorted(list(range(20)) * 8)
    assert shared["channel"].balance == 0
    assert shared["lock"].acquire(False)
    assert shared["rlock"].acquire(False)


def test_a_fork_while_everybody_waits_leaves_both_sides_whole() -> None:
    """The child has none of those who wait; the parent's go on as if nothing had been."""

    def body() -> None:
        with contextlib.ExitStack() as stack:
            a, b = map(stack.enter_context, socket.socketpair())
            r, w = os.pipe()
            lock = threading.Lock()
            lock.acquire()
            box = queue.SimpleQueue()
            ended: list[str] = []

            def wait(name: str, call: Call) -> None:
                try:
                    call()
                finally:
                    ended.append(name)

            waits: dict[str, Call] = {
                "socket": lambda: a.recv(1),
                "pipe": lambda: os.read(r, 1),
                "select": lambda: select.select([r], [], []),
                "lock": lock.acquire,
                "queue": box.get,
                "coroutine": lambda: runtime.wait_for(asyncio.sleep(0.2)),
                "worker": lambda: runtime.offload(plain_time.sleep, 0.1),
                "time": lambda: runtime.sleep(0.2),
            }
            tasklets = [runtime.spawn(wait, name, call) for name, call in waits.items()]
            runtime.sleep(0.02)
            for _ in range(3):
                pid = os.fork()
                if not pid:
                    code = 1
                    try:
                        c, d = socket.socketpair()
                        with runtime.TaskGroup() as group:
                            group.spawn(c.recv, 1)
                            group.spawn(d.send, b"x")
                            group.spawn(runtime.offload, int)
                            group.spawn(runtime.sleep, 0.001)
                            group.spawn(runtime.wait_for, asyncio.sleep(0.001))
                        code = 0 if ended == [] and not get_hub().tasklets else 2
                    finally:
                        os._exit(code)
                assert os.waitpid(pid, 0) == (pid, 0)
            assert all(tasklet.alive for tasklet in tasklets[:5])
            b.send(b"x")
            os.write(w, b"x")
            lock.release()
            box.put(1)
            for tasklet in tasklets:
                tasklet.result(10)
            assert sorted(ended) == sorted(waits)
            os.close(r)
            os.close(w)

    run_in_thread(body)


class _Steps:
    """An awaitable that is continued *number* times and then raises *error*, or returns."""

    def __init__(self, number: int, error: BaseException | None = None) -> None:
        self.number = number
        self.error = error

    def __await__(self) -> Any:
        for _ in range(self.number):
            yield
        if self.error is not None:
            raise self.error
        return self.number


@pytest.mark.parametrize("number", range(4))
def test_what_a_coroutine_raises_at_any_step_is_raised_where_it_is_waited_for(number: int) -> None:
    async def nested() -> Any:
        try:
            return await _Steps(number, LookupError(number))
        finally:
            await asyncio.sleep(0)

    def block() -> Any:
        return runtime.wait_for(nested())

    async def main() -> Any:
        return await runtime.to_async(block)

    def body() -> None:
        for call in (block, lambda: asyncio.run(main()), lambda: runtime.wait_for(runtime.to_async(block))):
            with pytest.raises(LookupError, match=str(number)):
                call()
        runtime.sleep(0.01)
        assert not get_hub().tasklets

    run_in_thread(body)


@pytest.mark.parametrize("number", range(6))
def test_a_coroutine_that_is_cancelled_at_any_step_ends_what_it_waits_for(number: int) -> None:
    ended: list[str] = []
    began: list[str] = []

    async def inner() -> None:
        began.append("coroutine")
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            await asyncio.Event().wait()
        finally:
            await _Steps(2)
            ended.append("coroutine")

    def block() -> None:
        began.append("tasklet")
        try:
            runtime.wait_for(inner())
        finally:
            runtime.sleep(0.001)
            ended.append("tasklet")

    async def main() -> None:
        task = asyncio.ensure_future(runtime.to_async(block))
        await _Steps(number)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sorted(ended) == sorted(began)

    def body() -> None:
        asyncio.run(main())
        assert not get_hub().tasklets

    run_in_thread(body)
