"""Each thread has a ring of its own, whether it is an OS thread or a tasklet; channels go from one to the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from runtime import stackless
from runtime.green import threading as green_threading
from tests.runtime.conftest import Program

LIMIT = 20.0  # seconds after which a thread counts as hanging


@pytest.fixture(params=["native", "tasklet"])
def start(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Start a thread: an OS thread, or one of converted code."""

    def begin(function: Callable[..., object], *args: Any) -> Any:
        make: Any = threading.Thread if request.param == "native" else green_threading.Thread
        thread = make(target=function, args=args, daemon=True)
        thread.start()
        return thread

    return begin


def end(thread: Any) -> None:
    """Wait for *thread*, letting tasklets run."""
    deadline = time.monotonic() + LIMIT
    while thread.is_alive():
        assert time.monotonic() < deadline, "the thread hangs"
        thread.join(0.005)


def drive(function: Callable[..., object], *args: Any) -> None:
    """What the manual does: run until a tasklet has ended, which may be blocked in between."""
    task = stackless.tasklet(function)(*args)
    while task.alive:
        stackless.run()
        green_sleep()


def green_sleep() -> None:
    from runtime import sleep

    sleep(0.0005)


def test_a_thread_has_a_main_tasklet_and_a_ring_of_its_own(start: Callable[..., Any]) -> None:
    seen: list[Any] = []

    def body() -> None:
        stackless.tasklet(seen.append)("tasklet")
        main = stackless.getmain()
        seen.append((stackless.getcurrent() is main, stackless.getruncount(), main.thread_id))
        stackless.run()

    waiting = stackless.tasklet(seen.append)("never")
    waiting.remove()
    thread = start(body)
    end(thread)
    assert seen == [(True, 2, thread.ident), "tasklet"]
    assert stackless.getmain().thread_id != thread.ident


def test_two_threads_drive_one_channel(start: Callable[..., Any]) -> None:
    channel, got = stackless.channel(), []  # type: ignore[var-annotated]

    def sender() -> None:
        for number in range(50):
            channel.send(number)
        channel.send(None)

    def receiver() -> None:
        while (value := channel.receive()) is not None:
            got.append(value)

    thread = start(drive, sender)
    drive(receiver)
    end(thread)
    assert got == list(range(50))


def test_main_tasklets_of_two_threads_meet_directly(start: Callable[..., Any]) -> None:
    there, back = stackless.channel(), stackless.channel()

    def body() -> None:
        for _ in range(20):
            back.send(there.receive() * 2)

    thread = start(body)
    for number in range(20):
        there.send(number)
        assert back.receive() == 2 * number
    end(thread)
    assert there.balance == back.balance == 0


def test_many_threads_send_to_one(start: Callable[..., Any]) -> None:
    channel, got = stackless.channel(), []  # type: ignore[var-annotated]
    threads = [start(lambda first: [channel.send(first + n) for n in range(20)], 100 * t) for t in range(4)]
    while len(got) < 80:
        got.append(channel.receive())
    for thread in threads:
        end(thread)
    assert sorted(got) == sorted(100 * t + n for t in range(4) for n in range(20))


def test_a_tasklet_of_another_thread_can_be_inserted_but_not_switched_to(start: Callable[..., Any]) -> None:
    ready, log = stackless.channel(), []  # type: ignore[var-annotated]

    def there() -> None:
        log.append("there")
        stackless.getmain().run()

    def body() -> None:
        task = stackless.tasklet(there)().remove()
        ready.send(task)
        stackless.run(threadblock=True)  # nobody is left, but somebody may come from another thread
        stackless.run()
        assert not task.alive

    thread = start(body)
    task = ready.receive()
    assert task.thread_id == thread.ident
    with pytest.raises(RuntimeError, match="different thread"):
        task.switch()
    task.insert()
    end(thread)
    assert log == ["there"]


def test_an_error_thrown_from_another_thread_is_raised_there(start: Callable[..., Any]) -> None:
    ready, log = stackless.channel(), []  # type: ignore[var-annotated]

    def body() -> None:
        def wait() -> None:
            try:
                stackless.channel().receive()
            except KeyError:
                log.append("raised")

        ready.send(stackless.tasklet(wait)())
        stackless.run()
        while not log:
            stackless.run()
            green_sleep()

    thread = start(body)
    task = ready.receive()
    while not task.blocked:
        green_sleep()
    task.throw(KeyError, pending=True)
    end(thread)
    assert log == ["raised"]


def test_what_has_not_started_can_move_and_outlives_its_thread(start: Callable[..., Any]) -> None:
    ready, log = stackless.channel(), []  # type: ignore[var-annotated]
    thread = start(lambda: ready.send(stackless.tasklet(log.append)("moved").remove()))
    task = ready.receive()
    end(thread)
    deadline = time.monotonic() + LIMIT
    while task.thread_id != -1:  # an OS thread takes a moment to go
        assert time.monotonic() < deadline
        green_sleep()
    assert not task.alive
    with pytest.raises(RuntimeError):
        task.insert()
    task.bind_thread()
    assert task.alive
    task.run()
    assert log == ["moved"]


def test_what_has_started_is_killed_as_its_thread_ends() -> None:
    log: list[Any] = []

    def body() -> None:
        def wait() -> None:
            try:
                stackless.channel().receive()
            finally:
                log.append("finally")

        log.append(stackless.tasklet(wait)())
        stackless.run()

    thread = green_threading.Thread(target=body)
    thread.start()
    thread.join()
    while len(log) < 2:
        green_sleep()
    assert (log[0].alive, log[0].thread_id, log[1]) == (False, -1, "finally")


def test_the_manuals_example_of_two_threads_runs_unchanged(program: Program) -> None:
    source = """
        import threading
        import stackless

        commandChannel = stackless.channel()

        def master_func():
            for command in ("ECHO 1", "ECHO 2", "QUIT"):
                commandChannel.send(command)

        def slave_func():
            while 1:
                command = commandChannel.receive()
                print("SLAVE:", command)
                if command == "QUIT":
                    break

        def scheduler_run(tasklet_func):
            t = stackless.tasklet(tasklet_func)()
            while t.alive:
                stackless.run()

        thread = threading.Thread(target=scheduler_run, args=(master_func,))
        thread.start()
        scheduler_run(slave_func)
        thread.join()
    """
    done = program(source, converted=True)
    assert (done.stdout, done.stderr) == ("SLAVE: ECHO 1\nSLAVE: ECHO 2\nSLAVE: QUIT\n", "")


def test_two_native_threads_that_wait_for_each_other_get_a_deadlock(program: Program) -> None:
    source = """
        import threading
        from runtime import stackless

        a, b, log = stackless.channel(), stackless.channel(), []

        def body():
            try:
                b.receive()
            except RuntimeError as error:
                log.append(str(error))
                a.send("go on")

        thread = threading.Thread(target=body)
        thread.start()
        try:
            print(a.receive())
        except RuntimeError as error:
            log.append(str(error))
            b.send("go on")
        thread.join()
        print(log)
    """
    done = program(source)
    assert done.stderr == ""
    assert done.stdout.endswith("['Deadlock: the last runnable tasklet cannot be blocked.']\n")


def test_thread_local_attributes_are_the_threads() -> None:
    local = green_threading.local()
    local.value = "main"
    seen: list[object] = []

    def body() -> None:
        seen.append(local.value)
        seen.append(green_threading.current_thread())
        seen.append(green_threading.get_ident())

    stackless.tasklet(body)()
    stackless.run()
    assert seen == ["main", green_threading.main_thread(), stackless.getmain().thread_id]


def test_a_reentrant_lock_is_a_tasklets_not_its_threads() -> None:
    lock, log = green_threading.RLock(), []  # type: ignore[var-annotated]

    def body(name: str) -> None:
        with lock, lock:
            log.append(name)
            stackless.schedule()
            log.append(name)

    for name in "ab":
        stackless.tasklet(body)(name)
    stackless.run()
    assert log == ["a", "a", "b", "b"]
