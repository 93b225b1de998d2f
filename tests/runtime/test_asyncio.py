"""asyncio and tasklets: loops that wait in the hub, and waiting for one another."""

from __future__ import annotations

import asyncio as plain_asyncio
import contextvars
import os
import sys
import threading as plain_threading
import types
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any

import pytest

import runtime
from runtime.green import asyncio, socket, threading, time
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


# Loops.


@waits_in_hub
def test_a_loop_lets_others_run_while_it_waits() -> None:
    async def main() -> str:
        event = asyncio.Event()
        loop = asyncio.get_running_loop()
        ticker._then = lambda: loop.call_soon_threadsafe(event.set)
        await event.wait()
        return "done"

    with Ticker() as ticker:
        assert asyncio.run(main()) == "done"


@waits_in_hub
def test_a_loop_that_always_has_something_to_do_lets_others_run() -> None:
    async def main() -> None:
        while ticker.ticks < 5:
            await asyncio.sleep(0)

    with Ticker() as ticker:
        asyncio.run(main())


@waits_in_hub
def test_a_timer_of_a_loop_is_not_early() -> None:
    async def main() -> float:
        began = time.monotonic()
        await asyncio.sleep(0.02)
        return float(time.monotonic() - began)

    with Ticker():
        assert asyncio.run(main()) >= 0.02


def _echo_server() -> tuple[Any, Any]:
    """A threaded server of converted code."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: Any) -> None:
        with connection:
            while data := connection.recv(1000):
                connection.sendall(data)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,)).start()

    threading.Thread(target=accept).start()
    return listener, listener.getsockname()[1]


@waits_in_hub
def test_several_tasklets_run_a_loop_each() -> None:
    """Clients by streams of a server of blocking code, all on one OS thread."""
    listener, port = _echo_server()
    order: list[str] = []

    async def talk(name: str) -> list[bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        got = []
        for step in range(3):
            order.append(name)
            writer.write(f"{name}{step}\n".encode())
            got.append(await reader.readline())
        writer.close()
        await writer.wait_closed()
        return got

    with listener:
        clients = [runtime.spawn(asyncio.run, talk(name)) for name in "ab"]
        assert [client.result() for client in clients] == [
            [b"a0\n", b"a1\n", b"a2\n"],
            [b"b0\n", b"b1\n", b"b2\n"],
        ]
    assert order != sorted(order)  # neither held the other up


@waits_in_hub
def test_each_tasklet_has_its_own_running_loop_and_current_task() -> None:
    """Also where a coroutine calls what blocks."""

    async def main() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        hooks = sys.get_asyncgen_hooks()
        for _ in range(3):
            time.sleep(0.001)
            assert asyncio.get_running_loop() is loop
            assert asyncio.current_task() is task
            assert sys.get_asyncgen_hooks() == hooks
            await asyncio.sleep(0.001)
            assert asyncio.get_running_loop() is loop
            assert asyncio.current_task() is task
            assert _sibling(asyncio._get_running_loop) is None
            assert _sibling(sys.get_asyncgen_hooks) == (None, None)

    with runtime.TaskGroup() as group:
        for _ in range(3):
            group.spawn(lambda: asyncio.run(main()))
    assert asyncio._get_running_loop() is None


@waits_in_hub
def test_a_coroutine_that_blocks_may_start_a_loop_in_another_tasklet_only() -> None:
    async def main() -> int:
        with pytest.raises(RuntimeError, match="running event loop"):
            asyncio.run(coroutine := _double(1))
        coroutine.close()
        return int(_sibling(lambda: asyncio.run(_double(2))))

    assert asyncio.run(main()) == 4


@waits_in_hub
def test_each_tasklet_has_its_own_current_event_loop() -> None:
    """As each thread has under plain Python."""
    mine = asyncio.new_event_loop()
    asyncio.set_event_loop(mine)

    def other() -> None:
        with pytest.raises(RuntimeError, match="no current event loop"):
            asyncio.get_event_loop()
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        runtime.schedule()
        assert asyncio.get_event_loop() is loop
        assert plain_asyncio.get_event_loop_policy().get_event_loop() is loop
        loop.close()

    others = [runtime.spawn(other) for _ in range(2)]
    for tasklet in others:
        runtime.schedule()
        assert asyncio.get_event_loop() is mine
        tasklet.result()
    assert asyncio.get_event_loop() is mine
    asyncio.set_event_loop(None)
    mine.close()


@waits_in_hub
def test_debug_mode_stays_in_its_tasklet() -> None:
    async def main() -> int:
        assert sys.get_coroutine_origin_tracking_depth() > 0
        assert _sibling(sys.get_coroutine_origin_tracking_depth) == 0
        time.sleep(0.001)
        return sys.get_coroutine_origin_tracking_depth()

    assert asyncio.run(main(), debug=True) > 0


@waits_in_hub
def test_a_tasklet_that_is_killed_ends_its_loop_and_every_task() -> None:
    order: list[str] = []

    async def child() -> None:
        try:
            await _for_ever()
        finally:
            await asyncio.sleep(0)
            order.append("child")

    async def main() -> None:
        task = asyncio.create_task(child())
        try:
            await _for_ever()
        finally:
            order.append("main")
            assert not task.done()

    with Ticker():
        tasklet = runtime.spawn(asyncio.run, main())
        runtime.sleep(0.005)
        tasklet.kill()
    assert sorted(order) == ["child", "main"]


@waits_in_hub
def test_a_timeout_ends_a_loop() -> None:
    with pytest.raises(TimeoutError), runtime.timeout(0.005):
        asyncio.run(_for_ever())
    assert asyncio._get_running_loop() is None


@waits_in_hub
def test_a_timeout_ends_a_loop_whose_task_blocks() -> None:
    """Though nobody awaits that task."""

    async def block() -> None:
        time.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(block())
        await _for_ever()
        del task

    with pytest.raises(TimeoutError), runtime.timeout(0.005):
        asyncio.run(main())


@waits_in_hub
def test_call_soon_threadsafe_wakes_a_loop_from_a_tasklet_and_from_an_os_thread() -> None:
    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        got: list[str] = []
        ended = asyncio.Event()

        def add(what: str) -> None:
            got.append(what)
            if len(got) == 2:
                ended.set()

        runtime.spawn(loop.call_soon_threadsafe, add, "tasklet")
        thread = plain_threading.Thread(target=loop.call_soon_threadsafe, args=(add, "thread"))
        thread.start()
        await ended.wait()
        thread.join()
        return got

    with Ticker() as ticker:
        assert sorted(asyncio.run(main())) == ["tasklet", "thread"]
        while ticker.ticks < 5:
            runtime.sleep(0.001)


@waits_in_hub
def test_run_coroutine_threadsafe_waits_in_another_tasklet() -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        other = runtime.spawn(lambda: asyncio.run_coroutine_threadsafe(_double(3), loop).result())
        ended = asyncio.Event()
        other.when_done(lambda _: loop.call_soon_threadsafe(ended.set))
        await ended.wait()
        return int(other.result())

    assert asyncio.run(main()) == 6


@waits_in_hub
def test_to_thread_and_subprocesses_let_others_run() -> None:
    async def main() -> tuple[int, bytes]:
        here = await asyncio.to_thread(plain_threading.get_ident)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "print(input())",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate(b"hello\n")
        assert process.returncode == 0
        return here, output

    with Ticker() as ticker:
        thread, output = asyncio.run(main())
        while ticker.ticks < 5:
            runtime.sleep(0.001)
    assert thread != plain_threading.get_ident()
    assert output == b"hello\n"


def test_an_unconverted_program_makes_loops_of_its_own() -> None:
    """Those wait in the system: nothing of asyncio has been exchanged."""
    loop = plain_asyncio.new_event_loop()
    assert type(loop) is plain_asyncio.SelectorEventLoop
    loop.close()
    mine = asyncio.new_event_loop()
    assert isinstance(mine, plain_asyncio.SelectorEventLoop)
    assert type(mine) is not plain_asyncio.SelectorEventLoop
    assert repr(type(mine)) == repr(plain_asyncio.SelectorEventLoop)
    mine.close()


def test_a_loop_of_another_policy_is_left_as_it_is_and_kept_apart(program: Program) -> None:
    done = program(
        """
        import asyncio, threading, time

        class Loop(asyncio.SelectorEventLoop):
            pass

        class Policy(asyncio.DefaultEventLoopPolicy):
            _loop_factory = Loop

        async def main():
            assert type(asyncio.get_running_loop()) is Loop
            seen = []
            thread = threading.Thread(target=lambda: seen.append(asyncio._get_running_loop()))
            thread.start()
            time.sleep(0)
            thread.join()
            assert seen == [None]

        asyncio.set_event_loop_policy(Policy())
        asyncio.run(main())
        print("ok")
        """,
        converted=True,
    )
    assert (done.stdout, done.stderr) == ("ok\n", "")


def test_uvloop_runs_though_it_stops_the_others(program: Program) -> None:
    pytest.importorskip("uvloop")
    done = program(
        """
        import asyncio, runtime, time, uvloop

        async def main():
            runtime.spawn(lambda: seen.append(asyncio._get_running_loop()))
            await asyncio.sleep(0.01)
            assert seen == []
            time.sleep(0.001)
            assert seen == [None]
            return type(asyncio.get_running_loop()).__module__

        seen = []
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            print(runner.run(main()))
        """,
        converted=True,
    )
    assert (done.stdout, done.stderr) == ("uvloop\n", "")


@pytest.mark.parametrize("converted", [False, True])
@pytest.mark.parametrize("others", [0, 1])
def test_ctrl_c_cancels_the_main_task(program: Program, converted: bool, others: int) -> None:
    done = program(
        f"""
        import asyncio, os, signal, threading, time

        async def main():
            asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGINT)
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                print("cancelled")
                raise

        for _ in range({others}):
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print("interrupted")
        """,
        converted=converted,
    )
    assert (done.stdout, done.stderr) == ("cancelled\ninterrupted\n", "")


def test_a_loop_handles_signals_while_others_run(program: Program) -> None:
    done = program(
        """
        import asyncio, os, signal, threading, time

        def other():
            try:
                asyncio.run(add())
            except RuntimeError as error:
                print(error)
            time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGTERM)

        async def add():
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, print)

        async def main():
            loop = asyncio.get_running_loop()
            event = asyncio.Event()
            loop.add_signal_handler(signal.SIGTERM, event.set)
            threading.Thread(target=other).start()
            await event.wait()
            print("handled")

        asyncio.run(main())
        """,
        converted=True,
    )
    assert done.stdout == "set_wakeup_fd only works in main thread of the main interpreter\nhandled\n"
    assert done.stderr == ""


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


@waits_in_hub
def test_asyncgens_are_finalized_by_their_own_loop() -> None:
    async def generate(loops: list[Any]) -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            loops.append(asyncio.get_running_loop())

    async def main() -> None:
        loops: list[Any] = []
        generator = generate(loops)
        time.sleep(0.001)
        await anext(generator)
        del generator
        await asyncio.sleep(0.002)
        assert loops == [asyncio.get_running_loop()]

    with runtime.TaskGroup() as group:
        for _ in range(2):
            group.spawn(lambda: asyncio.run(main()))
