"""asyncio: event loops that wait in the hub, and what each tasklet has of its own."""

from __future__ import annotations

import asyncio as plain_asyncio
import contextvars
import sys
import threading as plain_threading
from collections.abc import AsyncIterator, Callable
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
    began: list[bool] = []

    async def child() -> None:
        try:
            began.append(True)
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

    tasklet = runtime.spawn(asyncio.run, main())
    while not began:
        runtime.sleep(0.001)
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


def test_two_os_threads_run_loops_beside_tasklets_of_their_own() -> None:
    """Each has a hub, and neither sees the other's loop."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with Ticker() as ticker:
                loops = [runtime.spawn(asyncio.run, _loop_until(lambda: ticker.ticks >= 5)) for _ in range(2)]
                assert len({loop.result() for loop in loops}) == 2
        except BaseException as error:
            failed.append(error)

    async def _loop_until(condition: Callable[[], bool]) -> plain_asyncio.AbstractEventLoop:
        while not condition():
            await asyncio.sleep(0.001)
        return asyncio.get_running_loop()

    threads = [plain_threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


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
    pytest.importorskip("uvloop", reason="no uvloop")
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
        for _ in range(1000):
            await asyncio.sleep(0.001)
            if loops:
                break
        assert loops == [asyncio.get_running_loop()]

    with runtime.TaskGroup() as group:
        for _ in range(2):
            group.spawn(lambda: asyncio.run(main()))
