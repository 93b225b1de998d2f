"""What is fine for a few must be fine for very many, and what nobody does on purpose must harm nobody else."""

from __future__ import annotations

import contextlib
import random
import time as plain_time
from collections.abc import Callable
from typing import Any

import pytest

import runtime
from runtime.green import io, os, queue, socket, threading
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
