"""Offloading: calls on worker threads."""

from __future__ import annotations

import contextvars
import threading
import time

import pytest

import runtime
from runtime import workers
from tests.runtime.conftest import Program

pytestmark = pytest.mark.usefixtures("backend")


def test_an_offloaded_call_runs_on_another_thread_and_gives_its_value() -> None:
    """offload() returns what the function returned, and did not run it here."""
    assert runtime.offload(lambda x: (x, threading.get_ident()), 7)[0] == 7
    assert runtime.offload(threading.get_ident) != threading.get_ident()


def test_the_error_of_an_offloaded_call_is_raised_here() -> None:
    """offload() raises the very exception that the function raised."""
    error = ValueError("from the worker")

    def fail() -> None:
        raise error

    with pytest.raises(ValueError) as caught:
        runtime.offload(fail)
    assert caught.value is error


def test_others_run_while_a_call_is_offloaded() -> None:
    """A tasklet releases what the offloaded call of another waits for."""
    gate = threading.Event()
    opener = runtime.spawn(gate.set)
    assert runtime.offload(gate.wait, 30)
    assert opener.done


def test_an_offloaded_call_sees_the_context_variables_of_its_caller() -> None:
    """The call sees a copy: what it sets is not seen here."""
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)
    variable.set(1)

    def look() -> int:
        found = variable.get()
        variable.set(2)
        return found

    assert runtime.offload(look) == 1
    assert variable.get() == 1


def test_the_number_of_workers_is_bounded() -> None:
    """Of many calls at once no more run than the limit, and all of them end."""
    guard = threading.Lock()
    running = most = 0

    def call() -> None:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with guard:
            running -= 1

    for tasklet in [runtime.spawn(runtime.offload, call) for _ in range(5 * workers.LIMIT)]:
        tasklet.result()
    assert 1 < most <= workers.LIMIT


def test_a_call_offloaded_by_an_offloaded_call_cannot_deadlock(program: Program) -> None:
    """Every worker offloads in turn, and all of it ends."""
    done = program(
        """
        import os, threading, runtime
        from runtime import workers

        barrier = threading.Barrier(workers.LIMIT)

        def outer():
            barrier.wait(30)  # all workers are taken now
            return runtime.offload(lambda: 1)

        tasklets = [runtime.spawn(runtime.offload, outer) for _ in range(workers.LIMIT)]
        print(all(tasklet.join(10) for tasklet in tasklets), flush=True)
        os._exit(0)
        """
    )
    assert done.stdout == "True\n"


def test_a_caller_killed_while_it_waits_leaves_the_call_running() -> None:
    """The outcome of the call is dropped; the worker serves others afterwards."""
    began, gate, ended = threading.Event(), threading.Event(), threading.Event()

    def call() -> None:
        began.set()
        gate.wait(30)
        ended.set()

    tasklet = runtime.spawn(runtime.offload, call)
    runtime.schedule()
    assert began.wait(30)
    tasklet.kill()
    assert tasklet.done
    gate.set()
    assert runtime.offload(ended.wait, 30)


def _turns(program: Program, setup: str, work: str) -> int:
    """How often twenty tasklets come to do *work* while ten calls are made on workers, one after the other."""
    done = program(
        f"""
        import os, socket, runtime
        {setup}
        turns = 0

        def go_on(i):
            global turns
            while True:
                {work}
                turns += 1

        tasklets = [runtime.spawn(go_on, i) for i in range(20)]
        for _ in range(10):
            runtime.offload(os.getpid)
        print(turns, flush=True)
        os._exit(0)
        """,
        converted=True,
    )
    return int(done.stdout)


def test_a_worker_gets_its_turn_beside_tasklets_that_only_yield(program: Program) -> None:
    """The hub's looks for I/O do not put off for ever when a worker gets the interpreter's lock.

    CPython gives it after 5 ms, which are some 20,000 yields; put off, it took millions (on an idle machine).
    """
    assert _turns(program, "", "runtime.schedule()") < 3_000_000


def test_a_worker_gets_its_turn_beside_tasklets_that_always_have_something_to_receive(
    program: Program,
) -> None:
    """Nor do waits for I/O that end at once: 15,000 turns here, 100,000 to 300,000 where they let the lock go."""
    setup = (
        "pairs = [socket.socketpair() for _ in range(10)]; ends = [end for pair in pairs for end in pair];"
    )
    setup += " [a.send(b'x') for a, b in pairs]"
    assert _turns(program, setup, "ends[i].send(ends[i].recv(1))") < 75_000
