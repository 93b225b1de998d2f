"""Tasklets wait for coroutines, and coroutines for tasklets."""

from __future__ import annotations

import asyncio as plain_asyncio
import contextvars
import os
import threading as plain_threading
import types
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

import runtime
from runtime.green import asyncio, socket, time
from tests.runtime.conftest import Program
from tests.runtime.ticker import Ticker

waits_in_hub = pytest.mark.usefixtures("backend")
number: contextvars.ContextVar[int] = contextvars.ContextVar("number", default=0)


async def _double(value: int) -> int:
    await asyncio.sleep(0.001)
    return 2 * value


async def _for_ever() -> None:
    await asyncio.Event().wait()


def _sibling(function: Callable[[], Any]) -> Any:
    """What *function* returns in another tasklet."""
    return runtime.spawn(function).result()


# A tasklet waits for an awaitable.


@waits_in_hub
def test_a_tasklet_waits_for_a_coroutine_while_others_run() -> None:
    with Ticker() as ticker:

        async def until_ticked() -> str:
            while ticker.ticks < 5:
                await asyncio.sleep(0.001)
            return "ticked"

        assert runtime.wait_for(until_ticked()) == "ticked"
        assert [runtime.wait_for(_double(value)) for value in range(3)] == [0, 2, 4]


@waits_in_hub
def test_several_tasklets_share_the_loop_of_their_thread() -> None:
    async def running() -> plain_asyncio.AbstractEventLoop:
        await asyncio.sleep(0.001)
        return asyncio.get_running_loop()

    with runtime.TaskGroup() as group:
        tasklets = [group.spawn(lambda: runtime.wait_for(running())) for _ in range(3)]
    loops = {tasklet.result() for tasklet in tasklets}
    assert loops == {runtime.wait_for(running())}


@waits_in_hub
def test_the_shared_loop_ends_when_it_has_nothing_to_do() -> None:
    """And goes on when there is something again: a task that was left running, a server."""
    from runtime.hub import get_hub

    done: list[str] = []

    async def later() -> None:
        await asyncio.sleep(0.003)
        done.append("task")

    async def leave() -> Any:
        return asyncio.create_task(later())

    task = runtime.wait_for(leave())
    assert done == []
    runtime.wait_for(task)
    assert done == ["task"]
    runtime.schedule()
    runtime.schedule()
    assert not get_hub().tasklets


@waits_in_hub
def test_a_server_started_on_the_shared_loop_serves() -> None:
    async def echo(reader: Any, writer: Any) -> None:
        writer.write(await reader.readline())
        writer.close()

    server = runtime.wait_for(asyncio.start_server(echo, "127.0.0.1", 0))
    with socket.create_connection(server.sockets[0].getsockname()) as client:
        client.sendall(b"hello\n")
        assert client.recv(100) == b"hello\n"

    async def close() -> None:
        server.close()
        await server.wait_closed()

    runtime.wait_for(close())


@types.coroutine
def _generator_based() -> Generator[Any, Any, str]:
    yield
    return "generated"


class _Awaitable:
    def __await__(self) -> Iterator[Any]:
        yield
        return "awaited"


@waits_in_hub
def test_whatever_can_be_awaited_can_be_waited_for() -> None:
    assert runtime.wait_for(_generator_based()) == "generated"
    assert runtime.wait_for(_Awaitable()) == "awaited"  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="an awaitable was expected"):
        runtime.wait_for(1)  # type: ignore[arg-type]


@waits_in_hub
def test_an_error_of_a_coroutine_is_raised_in_the_tasklet() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError("lost")

    with pytest.raises(LookupError, match="lost"):
        runtime.wait_for(fail())


@waits_in_hub
def test_a_future_is_waited_for_where_its_loop_runs() -> None:
    async def main() -> list[int]:
        task = asyncio.create_task(_double(4))
        waiting = runtime.spawn(runtime.wait_for, task)
        value = await task
        while not waiting.done:
            await asyncio.sleep(0)
        return [value, waiting.result(), runtime.wait_for(task)]

    assert asyncio.run(main()) == [8, 8, 8]


@waits_in_hub
def test_a_coroutine_goes_to_the_loop_that_runs_already() -> None:
    async def running() -> plain_asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def main() -> bool:
        waiting = runtime.spawn(lambda: runtime.wait_for(running()))
        while not waiting.done:
            await asyncio.sleep(0)
        return waiting.result() is asyncio.get_running_loop()

    assert asyncio.run(main())


@waits_in_hub
def test_a_future_of_a_loop_in_another_os_thread() -> None:
    """A plain loop, which knows nothing of tasklets."""
    loop = plain_asyncio.new_event_loop()
    thread = plain_threading.Thread(target=loop.run_forever)
    thread.start()
    future = loop.create_future()
    with Ticker(lambda: loop.call_soon_threadsafe(future.set_result, "from there")):
        assert runtime.wait_for(future) == "from there"
    assert runtime.wait_for(_double(5), loop=loop) == 10
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        runtime.wait_for(_double(5), loop=loop)


@waits_in_hub
def test_a_coroutine_that_blocks_cannot_wait_for_its_own_loop() -> None:
    """But for a coroutine of its own it can: that runs elsewhere."""

    async def main() -> int:
        task = asyncio.create_task(_double(1))
        with pytest.raises(RuntimeError, match="await it"):
            runtime.wait_for(task)
        with pytest.raises(RuntimeError, match="await it"):
            runtime.wait_for(_double(1), loop=asyncio.get_running_loop())
        assert runtime.wait_for(_double(2)) == 4
        return await task

    assert asyncio.run(main()) == 2


class _Endless:
    """A coroutine that waits for ever, and notes that it is cancelled, and when it has ended."""

    def __init__(self) -> None:
        self.order: list[str] = []

    async def run(self) -> None:
        self.order.append("began")
        try:
            await _for_ever()
        except asyncio.CancelledError:
            self.order.append("cancelled")
            await asyncio.sleep(0.002)
            self.order.append("ended")
            raise


@waits_in_hub
def test_a_timeout_cancels_the_task_and_waits_for_its_end() -> None:
    endless = _Endless()
    with pytest.raises(TimeoutError):
        runtime.wait_for(endless.run(), 0.005)
    assert endless.order == ["began", "cancelled", "ended"]
    endless = _Endless()
    with pytest.raises(TimeoutError), runtime.timeout(0.005):
        runtime.wait_for(endless.run())
    assert endless.order == ["began", "cancelled", "ended"]


@waits_in_hub
def test_a_result_at_the_last_moment_is_kept() -> None:
    async def stubborn() -> str:
        try:
            await _for_ever()
        except asyncio.CancelledError:
            pass
        return "kept"

    assert runtime.wait_for(stubborn(), 0.005) == "kept"


@waits_in_hub
def test_a_kill_cancels_the_task_and_waits_for_its_end() -> None:
    endless = _Endless()
    tasklet = runtime.spawn(runtime.wait_for, endless.run())
    while not endless.order:
        runtime.sleep(0.001)
    tasklet.kill()
    assert endless.order == ["began", "cancelled", "ended"]


@waits_in_hub
def test_a_tasklet_that_is_killed_before_its_coroutine_begins_leaves_nothing() -> None:
    order: list[str] = []

    async def note() -> None:
        order.append("ran")

    tasklet = runtime.spawn(runtime.wait_for, note())
    runtime.schedule()
    tasklet.kill()
    assert runtime.wait_for(_double(1)) == 2
    assert len(order) <= 1


@waits_in_hub
def test_a_task_that_somebody_cancels() -> None:
    async def main() -> None:
        task = asyncio.create_task(_for_ever())
        waiting = runtime.spawn(runtime.wait_for, task)
        await asyncio.sleep(0.001)
        task.cancel()
        while not waiting.done:
            await asyncio.sleep(0)
        assert isinstance(waiting.error, asyncio.CancelledError)

    asyncio.run(main())


@waits_in_hub
def test_a_loop_that_is_closed_lets_nobody_wait_for_it() -> None:
    loop = asyncio.new_event_loop()
    waiting = runtime.spawn(runtime.wait_for, loop.create_future())
    runtime.schedule()
    loop.close()
    with pytest.raises(RuntimeError, match="was closed"):
        waiting.result()


@waits_in_hub
def test_a_loop_that_does_not_run_keeps_nobody_from_giving_up() -> None:
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    with pytest.raises(TimeoutError):
        runtime.wait_for(future, 0.002)
    with pytest.raises(TimeoutError):
        runtime.wait_for(_double(1), 0.002, loop=loop)
    waiting = runtime.spawn(runtime.wait_for, future)
    runtime.schedule()
    waiting.kill()
    loop.run_until_complete(_double(1))
    assert future.cancelled()
    loop.close()


@waits_in_hub
def test_a_loop_that_stops_keeps_nobody_from_giving_up() -> None:
    """While they wait for the end of what they have cancelled."""
    endless = _Endless()
    loop = asyncio.new_event_loop()
    running = runtime.spawn(loop.run_forever)
    waiting = runtime.spawn(runtime.wait_for, endless.run(), loop=loop)
    while not endless.order:
        runtime.sleep(0.001)
    loop.call_soon_threadsafe(loop.stop)
    waiting.kill()
    running.join()
    assert endless.order == ["began"]
    loop.run_until_complete(asyncio.wait(asyncio.all_tasks(loop)))  # when it runs again
    assert endless.order == ["began", "cancelled", "ended"]
    loop.close()


@waits_in_hub
def test_context_variables_reach_the_coroutine_and_stay_there() -> None:
    async def look() -> int:
        seen = number.get()
        number.set(seen + 1)
        return seen

    number.set(7)
    assert runtime.wait_for(look()) == 7
    assert number.get() == 7


# A coroutine waits for a tasklet.


@waits_in_hub
def test_a_coroutine_waits_for_blocking_code_while_others_run() -> None:
    def block(value: int, *, plus: int) -> int:
        while ticker.ticks < 5:
            time.sleep(0.001)
        return value + plus

    async def count() -> int:
        steps = 0
        while True:
            steps += 1
            steps_seen[0] = steps
            await asyncio.sleep(0.001)

    async def main() -> int:
        counting = asyncio.create_task(count())
        value = await runtime.to_async(block, 1, plus=2)
        counting.cancel()
        return value

    steps_seen = [0]
    with Ticker() as ticker:
        assert asyncio.run(main()) == 3
    assert steps_seen[0] > 1


@waits_in_hub
def test_coroutines_and_tasklets_share_one_os_thread() -> None:
    async def main() -> tuple[int, int]:
        return plain_threading.get_ident(), await runtime.to_async(plain_threading.get_ident)

    thread, tasklets = asyncio.run(main())
    assert thread == tasklets == plain_threading.get_ident()


@waits_in_hub
def test_an_error_of_blocking_code_is_raised_in_the_coroutine() -> None:
    def fail() -> None:
        time.sleep(0.001)
        raise LookupError("lost")

    with pytest.raises(LookupError, match="lost"):
        asyncio.run(runtime.to_async(fail))

    def end() -> None:
        runtime.current().kill()

    with pytest.raises(runtime.TaskletKilled):
        asyncio.run(runtime.to_async(end))


@waits_in_hub
def test_cancelling_the_coroutine_kills_the_tasklet_and_waits_for_it() -> None:
    order: list[str] = []

    def block() -> None:
        order.append("began")
        try:
            time.sleep(60)
        finally:
            time.sleep(0.002)
            order.append("ended")

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(runtime.to_async(block), 0.005)
        assert order == ["began", "ended"]
        task = asyncio.create_task(runtime.to_async(block))
        await asyncio.sleep(0.002)
        task.cancel()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert order == ["began", "ended"] * 2

    asyncio.run(main())


@waits_in_hub
def test_an_error_while_it_is_killed_is_raised_instead() -> None:
    def block() -> None:
        try:
            time.sleep(60)
        finally:
            raise LookupError("lost")

    async def main() -> None:
        task = asyncio.create_task(runtime.to_async(block))
        await asyncio.sleep(0.002)
        task.cancel()
        with pytest.raises(LookupError):
            await task

    asyncio.run(main())


@waits_in_hub
def test_context_variables_reach_the_tasklet_and_stay_there() -> None:
    def look() -> int:
        seen = number.get()
        number.set(seen + 1)
        return seen

    async def main() -> tuple[int, int]:
        number.set(3)
        return await runtime.to_async(look), number.get()

    assert asyncio.run(main()) == (3, 3)


@waits_in_hub
def test_blocking_code_waits_for_coroutines_of_the_loop_that_waits_for_it() -> None:
    """Though another loop has run longer."""

    async def running() -> plain_asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def main() -> bool:
        return await runtime.to_async(lambda: runtime.wait_for(running())) is asyncio.get_running_loop()

    older = runtime.spawn(asyncio.run, _for_ever())
    runtime.schedule()
    assert asyncio.run(main())
    older.kill()


def test_a_loop_that_does_not_wait_in_the_hub_is_refused() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match=r"start the loop by asyncio\.run\(\)"):
            await runtime.to_async(int)

    plain_asyncio.run(main())


# The end of the program, forks, OS threads.


def test_what_is_left_on_the_shared_loop_ends_with_the_program(program: Program) -> None:
    done = program(
        """
        import asyncio, runtime, sys, threading

        async def for_ever():
            try:
                await asyncio.Event().wait()
            finally:
                print("cancelled")

        async def generate():
            try:
                yield 1
                yield 2
            finally:
                print("closed")

        kept = []

        async def leave():
            kept.append(asyncio.create_task(for_ever()))
            kept.append(generate())
            await asyncio.sleep(0)
            return await anext(kept[1])

        print(runtime.wait_for(leave()))
        """,
        converted=True,
    )
    assert (done.stdout, done.stderr) == ("1\ncancelled\nclosed\n", "")


def test_nothing_of_the_bridge_is_left_open(program: Program) -> None:
    """With warnings about resources, in the main thread and in others, used or idle."""
    done = program(
        """
        import asyncio, gc, runtime, sys, threading, warnings
        warnings.simplefilter("always")

        async def double(value):
            await asyncio.sleep(0.001)
            return 2 * value

        real = sys.modules["threading"]
        thread = real.Thread(target=lambda: print(runtime.wait_for(double(1))))
        thread.start()
        thread.join()
        del thread
        print(runtime.wait_for(double(2)))
        gc.collect()
        """,
        converted=True,
    )
    assert (done.stdout, done.stderr) == ("2\n4\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_has_a_shared_loop_of_its_own(program: Program) -> None:
    done = program(
        """
        import asyncio, os, runtime, warnings
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", category=DeprecationWarning)

        async def double(value):
            await asyncio.sleep(0.001)
            return 2 * value

        print(runtime.wait_for(double(1)), flush=True)
        child = os.fork()
        print(runtime.wait_for(double(2)), flush=True)
        if child:
            os.waitpid(child, 0)
        """,
        converted=True,
    )
    assert (done.stdout, done.stderr) == ("2\n4\n4\n", "")
