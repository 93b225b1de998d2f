"""A program in which nothing can ever run again is told so; one that somebody may still wake is not."""

from __future__ import annotations

import threading

import pytest

import runtime
from runtime import core
from runtime.channel import Channel
from tests.runtime.conftest import Program


def test_the_main_tasklet_gets_an_error_that_lists_who_waits_for_what(program: Program) -> None:
    """With the names of the threads, the calls and the program's own lines."""
    done = program(
        """
        import queue, threading

        lock = threading.Lock()
        box = queue.Queue()

        def hold():
            with lock:
                pass

        def take():
            box.get()

        lock.acquire()
        threading.Thread(target=hold, name="holder", daemon=True).start()
        threading.Thread(target=take, name="taker", daemon=True).start()
        threading.Event().wait()
        """,
        converted=True,
    )
    assert done.returncode == 1
    said = done.stderr.partition("Deadlock: ")[2]
    assert said.startswith("every tasklet waits for another (3 in all):\n")
    assert "'MainThread' waits in Event.wait()," in said
    assert "prog.py:17 in <module>" in said
    if core.reason is None:  # what is compiled has no frame
        assert "'holder' waits at " in said
        assert "prog.py:8 in hold: with lock:\n" in said
    else:
        assert "'holder' waits in Lock.acquire()," in said
        assert "prog.py:8 in hold\n" in said
    assert "'taker' waits in Queue.get()," in said


def test_it_can_be_caught_and_the_program_goes_on(program: Program) -> None:
    """It is a RuntimeError in the main tasklet alone."""
    done = program(
        """
        import runtime

        channel = runtime.Channel()
        waiting = runtime.spawn(channel.receive)
        try:
            runtime.Channel().receive()
        except runtime.Deadlock:
            channel.send("on")
        print(waiting.result())
        """
    )
    assert (done.stdout, done.stderr, done.returncode) == ("on\n", "", 0)


@pytest.mark.parametrize(
    "waker",
    [
        "signal.signal(signal.SIGALRM, lambda *_: event.set()); signal.setitimer(signal.ITIMER_REAL, 0.3)",
        "plain.Thread(target=lambda: (clock.sleep(0.3), event.set())).start()",
        "runtime.spawn(lambda: runtime.offload(clock.sleep, 0.3) or event.set())",
        "threading.Thread(target=lambda: (a.recv(1), event.set())).start(); "
        "plain.Thread(target=lambda: (clock.sleep(0.3), b.send(b'x'))).start()",
        "threading.Timer(0.3, event.set).start()",
    ],
    ids=["signal", "thread", "worker", "descriptor", "timer"],
)
def test_what_may_be_woken_from_outside_is_none(program: Program, waker: str) -> None:
    """By a signal's handler, another OS thread, a worker, a descriptor or a timer."""
    done = program(
        f"""
        import importlib, runtime, signal, socket, sys, threading
        plain, clock = (sys.modules[name] for name in ("threading", "time"))
        a, b = socket.socketpair()
        event = threading.Event()
        {waker}
        event.wait()
        print("woken")
        """,
        converted=True,
    )
    assert (done.stdout, done.stderr) == ("woken\n", "")


def test_it_is_found_when_the_last_one_outside_has_gone(program: Program) -> None:
    """A thread that might have woken somebody ends without doing so."""
    done = program(
        """
        import sys, threading
        plain, clock = (sys.modules[name] for name in ("threading", "time"))
        plain.Thread(target=clock.sleep, args=(0.2,)).start()
        threading.Event().wait()
        """,
        converted=True,
    )
    assert "Deadlock: every tasklet waits for another (1 in all)" in done.stderr


def test_who_was_woken_during_the_look_is_not_told(program: Program) -> None:
    """By a thread, say, that was gone when threads were counted."""
    done = program("""
        from runtime import deadlock
        from runtime.hub import get_hub
        def look_late():
            woken.append(True)
            get_hub().main.wake()
            return signals()
        woken = []
        signals, deadlock._signals = deadlock._signals, look_late
        while not woken:
            get_hub().park()
        print("woken")
    """)
    assert (done.stdout, done.stderr) == ("woken\n", "")


def test_another_threads_hub_is_never_told(backend: str) -> None:
    """The main thread is there and may act."""
    channel: Channel[int] = Channel()
    timer = threading.Timer(1.5, lambda: runtime.spawn(channel.send, 5).join())
    timer.start()
    assert channel.receive() == 5
    timer.join()
