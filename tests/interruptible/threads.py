"""Tasklets, threads, channels, locks, queues, coroutines."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import multiprocessing
import queue
import select
import threading
import time
from collections.abc import Callable
from typing import Any

import runtime
from tests.interruptible import HELD, Prepared, Scene, each, is_free, operation, quietly

# Tasklets, channels, groups.


@operation
def channel_receive(scene: Scene) -> Prepared:
    channel: runtime.Channel[int] = runtime.Channel()
    got: list[int] = []
    sender = scene.later(channel.send, 1)
    scene.stack.callback(lambda: got or channel.receive())

    def check() -> bool:
        """Received, or there for the next one."""
        if not got:
            got.append(channel.receive())
        sender.join()
        return got == [1] and channel.balance == 0

    return lambda: got.append(channel.receive()), check


@operation
def channel_send(scene: Scene) -> Prepared:
    channel: runtime.Channel[int] = runtime.Channel()
    got: list[int] = []
    sent: list[int] = []
    receiver = scene.later(lambda: got.append(channel.receive()))

    def check() -> bool:
        receiver.join(5 * HELD)
        if not got:  # and so the sender was interrupted before
            assert not sent
            channel.send(2)
            receiver.join()
        return got == [1] or (got == [2] and not sent)

    return lambda: (channel.send(1), sent.append(1)), check


@operation
def channel_iteration(scene: Scene) -> Prepared:
    channel: runtime.Channel[int] = runtime.Channel()

    def feed() -> None:
        for number in range(3):
            channel.send(number)
        channel.close()

    scene.later(feed)
    scene.stack.callback(lambda: list(channel))
    return lambda: list(channel), lambda: True


@operation
def tasklet_join(scene: Scene) -> Prepared:
    tasklet = runtime.spawn(time.sleep, HELD)
    scene.stack.callback(tasklet.join)
    return tasklet.join, lambda: not tasklet._callbacks


@operation
def tasklet_join_with_timeout(scene: Scene) -> Prepared:
    tasklet = runtime.spawn(time.sleep, 10 * HELD)
    scene.stack.callback(tasklet.kill)
    return lambda: tasklet.join(HELD), lambda: not tasklet._callbacks


@operation
def tasklet_kill(scene: Scene) -> Prepared:
    """Of one that takes its time to end."""
    ended: list[int] = []

    def body() -> None:
        try:
            time.sleep(1000)
        finally:
            time.sleep(HELD)
            ended.append(1)

    tasklet = runtime.spawn(body)
    runtime.schedule()

    def check() -> bool:
        tasklet.join()
        return ended == [1]

    return tasklet.kill, check


@operation
def task_group(scene: Scene) -> Prepared:
    ended: list[int] = []

    def member() -> None:
        try:
            try:
                time.sleep(HELD)
            finally:
                time.sleep(HELD / 2)
        finally:
            ended.append(1)

    started: list[int] = []

    def run() -> None:
        with runtime.TaskGroup() as group:
            for _ in range(3):
                started.append(1)
                group.spawn(member)
                time.sleep(HELD / 4)

    def check() -> bool:
        return len(ended) in (len(started), len(started) - 1)  # one may be killed before its first step

    return run, check


@operation
def failing_task_group(scene: Scene) -> Prepared:
    def fail() -> None:
        time.sleep(HELD)
        raise OSError("on purpose")

    def run() -> None:
        with contextlib.suppress(ExceptionGroup), runtime.TaskGroup() as group:
            group.spawn(fail)
            group.spawn(time.sleep, 1000)
            time.sleep(1000)

    return run


@operation
def nested_timeouts(scene: Scene) -> Prepared:
    def run() -> None:
        with runtime.timeout(1000), runtime.timeout(None):
            with contextlib.suppress(TimeoutError), runtime.timeout(HELD), runtime.timeout(500):
                time.sleep(1000)
            time.sleep(HELD)

    return run


each(
    sleep_nothing=lambda s: lambda: [time.sleep(0) for _ in range(3)],
    schedule=lambda s: runtime.schedule,
    offload=lambda s: lambda: runtime.offload(_plain_sleep, HELD),
)


def _plain_sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


# Threads, locks, queues.


def _lock(scene: Scene, lock: Any, **how: float) -> Prepared:
    """The lock is free afterwards, though it was given to us at the last moment."""
    taken = threading.Event()

    def hold() -> None:
        with lock:
            taken.set()
            time.sleep(HELD)

    holder = scene.thread(hold)
    taken.wait()

    def use() -> None:
        if lock.acquire(**how):
            lock.release()

    def check() -> bool:
        holder.join()
        return is_free(lock)

    return use, check


each(
    lock=lambda s: _lock(s, threading.Lock()),
    lock_with_timeout=lambda s: _lock(s, threading.Lock(), timeout=HELD / 2),
    rlock=lambda s: _lock(s, threading.RLock()),
    semaphore=lambda s: _lock(s, threading.Semaphore()),
    bounded_semaphore_with_timeout=lambda s: _lock(s, threading.BoundedSemaphore(), timeout=HELD / 2),
    condition_as_lock=lambda s: _lock(s, threading.Condition()),
    process_lock=lambda s: _lock(s, _fork.Lock()),
    process_rlock=lambda s: _lock(s, _fork.RLock()),
    process_semaphore=lambda s: _lock(s, _fork.Semaphore()),
)
_fork = multiprocessing.get_context("fork")


def _condition(scene: Scene, wait: Callable[[threading.Condition, list[int]], object]) -> Prepared:
    condition = threading.Condition()
    done: list[int] = []

    def notify() -> None:
        with condition:
            done.append(1)
            condition.notify()

    def run() -> None:
        with condition:
            wait(condition, done)

    notifier = scene.later(notify)

    def check() -> bool:
        notifier.join()
        return is_free(condition) and not condition._waiters

    return run, check


each(
    condition_notified=lambda s: _condition(s, lambda c, done: c.wait()),
    condition_wait_with_timeout=lambda s: _condition(s, lambda c, done: c.wait(HELD / 2)),
    condition_wait_for=lambda s: _condition(s, lambda c, done: c.wait_for(lambda: done)),
    condition_wait_for_too_long=lambda s: _condition(s, lambda c, done: c.wait_for(lambda: False, 2 * HELD)),
)


@operation
def barrier(scene: Scene) -> Prepared:
    barrier = threading.Barrier(3)
    for _ in range(2):
        scene.later(barrier.wait)
    scene.stack.callback(barrier.abort)
    return lambda: quietly(barrier.wait)


@operation
def event_wait_with_timeout(scene: Scene) -> Prepared:
    event = threading.Event()
    return lambda: event.wait(HELD), lambda: not event._cond._waiters and is_free(event._cond)


@operation
def event_set_later(scene: Scene) -> Prepared:
    event = threading.Event()
    setter = scene.later(event.set)

    def check() -> bool:
        setter.join()
        return not event._cond._waiters and is_free(event._cond)

    return event.wait, check


@operation
def thread_start_and_join(scene: Scene) -> Prepared:
    thread = threading.Thread(target=time.sleep, args=(HELD,))
    scene.stack.callback(lambda: thread.ident is None or thread.join())
    return lambda: (thread.start(), thread.join(HELD / 2), thread.join())


@operation
def timer_cancelled(scene: Scene) -> Prepared:
    timer = threading.Timer(1000, int)
    scene.stack.callback(lambda: timer.ident is None or timer.join())
    scene.stack.callback(timer.cancel)
    return lambda: (timer.start(), time.sleep(HELD), timer.cancel(), timer.join())


def _get(scene: Scene, box: Any, *how: object) -> Prepared:
    """What was put is got, or is in the queue."""
    got: list[int] = []
    putter = scene.later(box.put, 1)

    def run() -> None:
        with contextlib.suppress(queue.Empty):
            got.append(box.get(True, *how))

    def check() -> bool:
        putter.join()
        if not got:
            got.append(box.get(True, 1))
        return got == [1] and box.empty()

    return run, check


def _two_getters(scene: Scene, box: Any) -> Prepared:
    """One who is interrupted as he is woken leaves the item to the other."""
    got: list[int] = []

    def take() -> None:
        got.append(box.get())

    def put_two() -> None:
        box.put(1)
        box.put(2)

    def check() -> bool:
        end = time.monotonic() + 2
        while len(got) < 2 and time.monotonic() < end:
            time.sleep(HELD)
            if len(got) == 1 and not box.empty():
                take()
        return sorted(got) == [1, 2]

    scene.stack.callback(box.put, 3)
    scene.later(put_two)
    scene.thread(take)
    return take, check


def _put(scene: Scene, box: Any, *how: object) -> Prepared:
    """Put, or not: a full queue has as many as before."""
    box.put(1)
    put: list[int] = []

    def run() -> None:
        with contextlib.suppress(queue.Full):
            box.put(2, True, *how)
            put.append(2)

    getter = scene.later(box.get)

    def check() -> bool:
        getter.join()
        return (box.qsize() >= len(put)) and is_free(box.mutex)

    return run, check


def _join_queue(scene: Scene) -> Prepared:
    box: queue.Queue[int] = queue.Queue()
    box.put(1)
    worker = scene.later(lambda: (box.get(), box.task_done()))
    return box.join, lambda: worker.join() is None and is_free(box.mutex) and not box.all_tasks_done._waiters


each(
    queue_get_of_one=lambda s: _get(s, queue.Queue()),
    queue_get_with_timeout=lambda s: _get(s, queue.Queue(), HELD / 2),
    lifo_queue_get=lambda s: _get(s, queue.LifoQueue()),
    priority_queue_get=lambda s: _get(s, queue.PriorityQueue()),
    simple_queue_get_of_one=lambda s: _get(s, queue.SimpleQueue()),
    simple_queue_get_with_timeout=lambda s: _get(s, queue.SimpleQueue(), HELD / 2),
    queue_get_by_two=lambda s: _two_getters(s, queue.Queue()),
    simple_queue_get_by_two=lambda s: _two_getters(s, queue.SimpleQueue()),
    queue_put_of_one=lambda s: _put(s, queue.Queue(1)),
    queue_put_with_timeout=lambda s: _put(s, queue.Queue(1), HELD / 2),
    queue_join=_join_queue,
)


@operation
def futures(scene: Scene) -> Prepared:
    """Results, `wait` and `as_completed` of a pool that is shut down at the end."""

    def run() -> None:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            made = [pool.submit(time.sleep, HELD / 2) for _ in range(4)]
            concurrent.futures.wait(made, return_when=concurrent.futures.FIRST_COMPLETED)
            list(concurrent.futures.as_completed(made))
            list(pool.map(time.sleep, [HELD / 4] * 3))

    return run


@operation
def future_result_with_timeout(scene: Scene) -> Prepared:
    future: concurrent.futures.Future[int] = concurrent.futures.Future()

    def run() -> None:
        with contextlib.suppress(concurrent.futures.TimeoutError):
            future.result(HELD)

    return run, lambda: is_free(future._condition)


# asyncio.


async def _nap() -> int:
    await asyncio.sleep(HELD / 2)
    await asyncio.sleep(HELD / 2)
    return 1


@operation
def wait_for_a_coroutine(scene: Scene) -> Prepared:
    """Which is over when the waiter goes on."""
    over: list[int] = []

    async def body() -> None:
        try:
            await _nap()
        finally:
            await asyncio.sleep(0)
            over.append(1)

    began: list[int] = []

    async def noted() -> None:
        began.append(1)
        await body()

    return lambda: runtime.wait_for(noted()), lambda: len(over) == len(began)


@operation
def wait_for_too_long(scene: Scene) -> Prepared:
    def run() -> None:
        with contextlib.suppress(TimeoutError):
            runtime.wait_for(asyncio.sleep(1000), HELD)

    return run


@operation
def coroutine_that_blocks(scene: Scene) -> Prepared:
    """`to_async` in a loop that this tasklet runs; the tasklet in it is over when the loop is."""
    began: list[int] = []
    over: list[int] = []

    def block() -> None:
        began.append(1)
        try:
            time.sleep(HELD)
            runtime.wait_for(_nap())
        finally:
            over.append(1)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(runtime.to_async(block))

    return lambda: asyncio.run(main()), lambda: len(over) == len(began)


@operation
def event_loop(scene: Scene) -> Prepared:
    """Streams, a child, a call in an executor, timeouts."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            try:
                writer.write(b"x\n")
                assert await reader.readline() == b"x\n"
            finally:
                writer.close()
            await asyncio.to_thread(int)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HELD):
                    await asyncio.Event().wait()

    return lambda: asyncio.run(main())
