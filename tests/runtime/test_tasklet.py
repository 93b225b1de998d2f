"""Tasklets: running, ending, outcomes."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable

import pytest
from greenlet import greenlet

import runtime
from runtime import Tasklet, TaskletExit, TaskletKilled
from runtime.green import queue, select, socket
from runtime.green import threading as green_threading

pytestmark = pytest.mark.usefixtures("backend")


def test_a_tasklet_starts_when_its_maker_waits_and_gives_its_value() -> None:
    """spawn() does not run anything by itself."""
    log: list[str] = []
    tasklet = runtime.spawn(lambda: log.append("ran") or 42)
    assert log == []
    assert not tasklet.done
    assert tasklet.result() == 42
    assert log == ["ran"]
    assert tasklet.done
    assert not tasklet.alive


def test_tasklets_take_turns_in_the_order_they_were_started() -> None:
    """schedule() lets each other ready tasklet run once."""
    log: list[str] = []

    def work(name: str) -> None:
        for step in range(3):
            log.append(f"{name}{step}")
            runtime.schedule()

    for tasklet in [runtime.spawn(work, name) for name in "abc"]:
        tasklet.join()
    assert log == ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"]


def test_sleepers_wake_in_the_order_of_their_deadlines() -> None:
    """Whoever sleeps shorter wakes first; equal times wake in the order they were set."""
    log: list[int] = []

    def nap(number: int, seconds: float) -> None:
        runtime.sleep(seconds)
        log.append(number)

    for tasklet in [runtime.spawn(nap, n, s) for n, s in ((0, 0.2), (1, 0.1), (2, 0.001))]:
        tasklet.join()
    assert log == [2, 1, 0]


def test_an_error_is_raised_by_result_and_not_by_join() -> None:
    """result() raises the very exception; join() only says that it ended."""
    error = KeyError("k")

    def fail() -> None:
        raise error

    tasklet = runtime.spawn(fail)
    assert tasklet.join()
    with pytest.raises(KeyError) as caught:
        tasklet.result()
    assert caught.value is error
    assert tasklet.error is error


def test_join_and_result_give_up_after_their_timeout() -> None:
    """join() says False and result() raises TimeoutError; the tasklet lives on."""
    tasklet = runtime.spawn(runtime.sleep, 1000)
    assert not tasklet.join(0.001)
    with pytest.raises(TimeoutError):
        tasklet.result(0.001)
    assert tasklet.alive
    tasklet.kill()


def test_a_tasklet_cannot_join_itself_nor_one_that_nobody_started() -> None:
    """Both would wait for ever; both are errors."""
    with pytest.raises(RuntimeError, match="itself"):
        runtime.current().join()
    with pytest.raises(RuntimeError, match="cannot join"):
        Tasklet(print).join()


def test_a_tasklet_can_be_started_once() -> None:
    """A second start is an error, also after the end."""
    tasklet = Tasklet(int).start()
    with pytest.raises(RuntimeError, match="once"):
        tasklet.start()
    tasklet.join()
    with pytest.raises(RuntimeError, match="once"):
        tasklet.start()


def _on_lock() -> None:
    lock = green_threading.Lock()
    lock.acquire()
    lock.acquire()


def _on_condition() -> None:
    condition = green_threading.Condition()
    with condition:
        condition.wait()


def _on_queue() -> None:
    queue.Queue().get()


def _on_simple_queue() -> None:
    queue.SimpleQueue().get()


def _on_channel() -> None:
    runtime.Channel[int]().receive()


def _on_send() -> None:
    runtime.Channel[int]().send(1)


def _on_recv() -> None:
    a, b = socket.socketpair()
    with a, b:
        a.recv(1)


def _on_sendall() -> None:
    a, b = socket.socketpair()
    with a, b:
        a.sendall(bytes(50_000_000))


def _on_accept() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.accept()


def _on_connect() -> None:
    # A listener whose backlog is full: its system answers no more.
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        clients = [socket.socket() for _ in range(8)]
        try:
            for client in clients:
                client.setblocking(False)
                client.connect_ex(server.getsockname())
            last = socket.socket()
            clients.append(last)
            last.connect(server.getsockname())
            runtime.sleep(1000)  # this system let it in
        finally:
            for client in clients:
                client.close()


def _on_sleep() -> None:
    runtime.sleep(1000)


def _on_join() -> None:
    runtime.current()
    other = Tasklet(runtime.sleep, (1000,)).start()
    try:
        other.join()
    finally:
        other.kill()


def _on_offload() -> None:
    gate = threading.Event()
    try:
        runtime.offload(gate.wait, 60)
    finally:
        gate.set()


def _on_select() -> None:
    a, b = socket.socketpair()
    with a, b:
        select.select([a], [], [])


def _on_poll() -> None:
    a, b = socket.socketpair()
    with a, b:
        poll = select.poll()
        poll.register(a, select.POLLIN)
        poll.poll()


_WAITS = [
    _on_lock,
    _on_condition,
    _on_queue,
    _on_simple_queue,
    _on_channel,
    _on_send,
    _on_recv,
    _on_sendall,
    _on_accept,
    _on_connect,
    _on_sleep,
    _on_join,
    _on_offload,
    _on_select,
    _on_poll,
]


@pytest.mark.parametrize("wait", _WAITS, ids=lambda wait: wait.__name__[4:])
def test_a_tasklet_is_killed_wherever_it_waits(wait: Callable[[], None]) -> None:
    """kill() raises TaskletExit there, finally blocks run, and result() says so."""
    log: list[str] = []

    def work() -> None:
        try:
            wait()
        except TaskletExit:
            log.append("killed")
            raise
        finally:
            log.append("finally")

    tasklet = runtime.spawn(work)
    for _ in range(3):
        runtime.schedule()
    runtime.sleep(0.001)
    assert tasklet.alive
    tasklet.kill()
    assert log == ["killed", "finally"]
    with pytest.raises(TaskletKilled):
        tasklet.result()


@pytest.mark.parametrize("wait", _WAITS, ids=lambda wait: wait.__name__[4:])
def test_every_wait_can_be_timed_out(wait: Callable[[], None]) -> None:
    """timeout() ends each of them with TimeoutError."""
    with pytest.raises(TimeoutError), runtime.timeout(0.01):
        wait()


def test_a_tasklet_killed_before_its_first_step_never_runs() -> None:
    """Started or not, none of its code is run."""
    log: list[str] = []
    started = runtime.spawn(log.append, "started")
    started.kill()
    assert started.done
    fresh = Tasklet(log.append, ("fresh",))
    fresh.kill()
    assert fresh.done
    runtime.schedule()
    assert log == []
    with pytest.raises(TaskletKilled):
        fresh.result()


def test_callbacks_of_a_tasklet_killed_before_its_start_are_called() -> None:
    """when_done() callbacks run however it ended."""
    seen: list[Tasklet] = []
    tasklet = Tasklet(int)
    tasklet.when_done(seen.append)
    tasklet.kill()
    assert seen == [tasklet]


def test_killing_the_finished_does_nothing() -> None:
    """kill() twice, or after the end, is no error."""
    tasklet = runtime.spawn(lambda: 5)
    tasklet.join()
    tasklet.kill()
    assert tasklet.result() == 5


def test_a_tasklet_may_wait_in_its_finally_while_it_is_killed() -> None:
    """kill() returns only when the finally block, which waits, has ended."""
    log: list[str] = []

    def work() -> None:
        try:
            runtime.sleep(1000)
        finally:
            runtime.sleep(0.001)
            log.append("cleaned up")

    tasklet = runtime.spawn(work)
    runtime.schedule()
    tasklet.kill()
    assert log == ["cleaned up"]


def test_kill_works_from_another_os_thread() -> None:
    """A thread may end a tasklet of another thread's hub."""
    tasklet = runtime.spawn(runtime.sleep, 1000)
    runtime.schedule()
    thread = threading.Thread(target=tasklet.kill)
    thread.start()
    assert tasklet.join(30)
    thread.join(30)
    assert not thread.is_alive()


def test_a_chain_of_ten_thousand_tasklets_each_starting_the_next() -> None:
    """None inherits the recursion depth of the one that started it."""

    def link(rest: int) -> int:
        return rest if not rest else int(runtime.spawn(link, rest - 1).result())

    last: list[int] = []

    def flat(rest: int) -> None:
        if rest:
            runtime.spawn(flat, rest - 1)
        else:
            last.append(rest)

    runtime.spawn(flat, 10_000)
    while not last:
        runtime.schedule()
    assert runtime.spawn(link, 2_000).result() == 0


def test_each_tasklet_has_a_copy_of_its_makers_context() -> None:
    """What a tasklet sets is seen neither by its maker nor by its siblings."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    variable.set("maker")
    seen: list[str] = []

    def work(name: str) -> None:
        seen.append(variable.get())
        variable.set(name)
        runtime.schedule()
        seen.append(variable.get())

    for tasklet in [runtime.spawn(work, name) for name in "ab"]:
        tasklet.join()
    assert seen == ["maker", "maker", "a", "b"]
    assert variable.get() == "maker"


def test_user_code_may_wait_inside_greenlets_of_its_own() -> None:
    """A wait inside a nested greenlet returns to that greenlet."""
    log: list[str] = []

    def inner() -> str:
        runtime.sleep(0.001)
        log.append("inner")
        return "value"

    def work() -> None:
        log.append(greenlet(inner).switch())

    other = runtime.spawn(lambda: log.append("other"))
    runtime.spawn(work).result()
    other.join()
    assert log == ["other", "inner", "value"]


def test_two_os_threads_wait_for_one_tasklet() -> None:
    """Both joins return when it ends."""
    gate: runtime.Channel[int] = runtime.Channel()
    tasklet = runtime.spawn(gate.receive)
    runtime.schedule()
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(tasklet.result())) for _ in range(2)]
    for thread in threads:
        thread.start()
    gate.send(3)
    tasklet.join()
    for thread in threads:
        thread.join(30)
    assert results == [3, 3]
