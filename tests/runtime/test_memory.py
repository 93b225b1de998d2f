"""What a tasklet had goes with it: others that wait keep nothing of it."""

from __future__ import annotations

import contextlib
import gc
import weakref
from collections.abc import Callable

import pytest

import runtime
from runtime.green import asyncio, concurrent, sqlite3, zlib

pytestmark = pytest.mark.usefixtures("backend")


class Value:
    pass


def test_a_killed_tasklet_is_gone_with_what_its_frames_held() -> None:
    """Although the hub, or a tasklet that still waits, switched to it last."""

    def work() -> None:
        value = Value()
        references.append(weakref.ref(value))
        runtime.sleep(1000)
        del value

    references: list[weakref.ref[Value]] = []
    other = runtime.spawn(runtime.sleep, 1000)
    victim = runtime.spawn(work)
    runtime.sleep(0.001)
    victim.kill()
    del victim
    gc.collect()
    assert references[0]() is None
    other.kill()


def test_a_finished_tasklet_is_gone_at_once() -> None:
    """Without the garbage collector, whoever waits meanwhile."""
    waiting = [runtime.spawn(runtime.sleep, 1000) for _ in range(3)]
    runtime.schedule()
    finished = runtime.spawn(Value)
    reference = weakref.ref(finished.result())
    gone = weakref.ref(finished)
    gc.disable()
    try:
        del finished
        assert gone() is None
        assert reference() is None
    finally:
        gc.enable()
    for tasklet in waiting:
        tasklet.kill()


def test_a_tasklet_that_was_woken_as_it_ended_is_gone_when_others_wait() -> None:
    """Whoever finds it in the queue passes over it and keeps nothing of it, wherever he waits."""

    def end(wakes: runtime.Tasklet | None) -> None:
        runtime.current().wake()
        if wakes is not None:
            wakes.wake()

    waiting = [runtime.spawn(runtime.sleep, 1000) for _ in range(3)]
    runtime.schedule()
    gone = []
    for wakes in (None, waiting[0], None, waiting[1], None):
        gone.append(weakref.ref(runtime.spawn(end, wakes)))
        runtime.sleep(0.001)
    gc.collect()
    assert [reference() for reference in gone] == [None] * len(gone)
    for tasklet in waiting:
        tasklet.kill()


@pytest.mark.parametrize("how", ["kill", "timeout", "error"])
def test_what_an_interrupted_tasklet_had_is_gone_at_once(how: str) -> None:
    """A socket, say, whose peer waits for its end; without the garbage collector."""

    def work() -> None:
        value = Value()
        references.append(weakref.ref(value))
        with runtime.timeout(0.01 if how == "timeout" else 1000):
            runtime.sleep(1000)
        del value

    def body() -> None:
        if how == "error":
            with contextlib.suppress(OSError):
                work()
        else:
            work()

    references: list[weakref.ref[Value]] = []
    gc.collect()
    gc.disable()
    try:
        victim = runtime.spawn(body)
        runtime.sleep(0.001)
        if how == "kill":
            victim.kill()
        elif how == "error":
            victim.interrupt(OSError("injected"))
        victim.join()
        if how != "error":
            assert isinstance(victim.error, (runtime.TaskletExit, TimeoutError))
        del victim
        assert references[0]() is None
    finally:
        gc.enable()


def _fail() -> None:
    raise LookupError("on purpose")


def _fail_in_a_group() -> None:
    with runtime.TaskGroup() as group:
        group.spawn(_fail)


def _fail_in_the_body_of_a_group() -> None:
    with runtime.TaskGroup() as group:
        group.spawn(runtime.sleep, 1000)
        _fail()


def _receive_an_error() -> None:
    channel: runtime.Channel[None] = runtime.Channel()
    runtime.spawn(channel.send_exception, LookupError("on purpose"))
    channel.receive()


def _receive_from_a_closed_channel() -> None:
    channel: runtime.Channel[None] = runtime.Channel()
    runtime.spawn(channel.close)
    channel.receive()


async def _fail_later() -> None:
    await asyncio.sleep(0)
    _fail()


def _time_out() -> None:
    with runtime.timeout(0.001) as limit:
        runtime.sleep(1000)
    assert limit


def _fail_in_a_database() -> None:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("no statement")
    finally:
        connection.close()


@pytest.mark.parametrize(
    "fails",
    [
        lambda: runtime.spawn(_fail).result(),
        lambda: runtime.offload(_fail),
        lambda: runtime.wait_for(_fail_later()),
        lambda: runtime.wait_for(asyncio.sleep(1000), 0.001),
        lambda: zlib.decompressobj().decompress(b"x" * 100_000),
        lambda: concurrent.futures.ThreadPoolExecutor(1).submit(_fail).result(),
        _fail_in_a_database,
        _fail_in_a_group,
        _fail_in_the_body_of_a_group,
        _receive_an_error,
        _receive_from_a_closed_channel,
        _time_out,
    ],
)
def test_who_has_caught_an_error_keeps_nothing_of_it(fails: Callable[[], object]) -> None:
    """Though frames on its way refer to it; without the garbage collector."""

    def call() -> None:
        value = Value()
        references.append(weakref.ref(value))
        fails()
        del value

    references: list[weakref.ref[Value]] = []
    other = runtime.spawn(runtime.sleep, 1000)  # for whom errors come from elsewhere
    runtime.wait_for(asyncio.sleep(0))
    gc.collect()
    gc.disable()
    try:
        try:
            call()
        except Exception:
            assert references[0]() is not None
        assert references[0]() is None
    finally:
        gc.enable()
        other.kill()
