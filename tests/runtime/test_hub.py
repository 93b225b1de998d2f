"""The hub: memory, order, I/O beside busy tasklets, descriptors that come and go."""

from __future__ import annotations

import textwrap
import threading

import pytest

import runtime
from runtime.green import select, socket
from runtime.hub import get_hub
from tests.runtime.conftest import Program


def test_fifty_thousand_sleeping_tasklets_fit_in_600_mb(program: Program) -> None:
    """Each costs less than 12 KB, its stack included."""
    done = program(
        """
        import os, runtime

        def resident():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

        before = resident()
        tasklets = [runtime.spawn(runtime.sleep, 1000) for _ in range(50_000)]
        while any(tasklet.scheduled for tasklet in tasklets):
            runtime.schedule()
        print((resident() - before) // 50_000, flush=True)
        os._exit(0)
        """
    )
    assert done.stderr == ""
    assert 0 < int(done.stdout) < 12_000


def test_io_is_served_while_tasklets_spin(backend: str) -> None:
    """A receiver gets its data although others never stop asking for a turn."""
    a, b = socket.socketpair()
    stop: list[bytes] = []

    def spin() -> None:
        while not stop:
            runtime.schedule()

    spinners = [runtime.spawn(spin) for _ in range(3)]
    receiver = runtime.spawn(lambda: stop.append(a.recv(1)))
    runtime.schedule()
    b.send(b"x")
    for tasklet in [receiver, *spinners]:
        tasklet.join()
    assert stop == [b"x"]
    a.close()
    b.close()


def test_timers_fire_while_tasklets_spin(backend: str) -> None:
    """A sleeper wakes although others never stop asking for a turn."""
    sleeper = runtime.spawn(runtime.sleep, 0.001)
    while not sleeper.done:
        runtime.schedule()


def test_a_wake_up_from_another_os_thread_is_never_lost(backend: str) -> None:
    """Thousands of wake-ups by a thread, each awaited, all arrive."""
    me = runtime.current()
    hub = get_hub()
    given = taken = 0
    turn = threading.Semaphore(0)

    def wake() -> None:
        nonlocal given
        for _ in range(3000):
            turn.acquire()
            given += 1
            me.wake()

    thread = threading.Thread(target=wake)
    thread.start()
    for taken in range(1, 3001):
        turn.release()
        while given < taken:
            hub.park()
    thread.join()
    assert given == taken


def test_the_hub_of_an_ended_thread_gives_its_descriptors_back(program: Program) -> None:
    """Hundreds of threads that waited leave no more open descriptors than a few."""
    done = program(
        """
        import gc, os, threading, runtime

        def work():
            runtime.spawn(runtime.sleep, 0.0001).join()

        def opened():
            gc.collect()
            return len(os.listdir("/proc/self/fd"))

        def run(count):
            for _ in range(count):
                thread = threading.Thread(target=work)
                thread.start()
                thread.join()

        run(3)
        before = opened()
        run(100)
        print(opened() - before)
        """
    )
    assert done.stderr == ""
    assert int(done.stdout) < 20


def test_threads_end_while_their_hubs_are_collected(program: Program) -> None:
    """Greenlet tidies up after them meanwhile, in the main thread, and frees nothing that is referred to."""
    done = program(
        """
        import gc
        import threading
        import time

        import runtime

        class Garbage:
            def __init__(self):
                self.itself = self

            def __del__(self):
                collecting.release()
                tidied.acquire(timeout=20)

        def work():
            for _ in range(20):
                thread = threading.Thread(target=lambda: runtime.spawn(print) and None)
                thread.start()
                thread.join()
            time.sleep(0.1)  # so that they have ended for the system, too
            Garbage()
            gc.collect()

        gc.collect()
        gc.disable()
        collecting, tidied = threading.Lock(), threading.Lock()
        collecting.acquire()
        tidied.acquire()
        worker = threading.Thread(target=work)
        worker.start()
        collecting.acquire()  # calls that wait for the main thread are made once this returns
        tidied.release()
        worker.join()
        gc.collect()
        print("alive")
        """
    )
    assert (done.returncode, done.stdout) == (0, "alive\n")


def test_a_number_reused_after_a_close_behind_our_back_is_watched_anew(program: Program) -> None:
    """os.close() of a socket under a waiter: the next socket of that number gets its events."""
    _check_reuse(
        program,
        """
        old, other = socket.socketpair()
        number = old.fileno()
        runtime.Tasklet(old.recv, (1,), daemon=True).start()
        runtime.schedule()
        os.close(number)
        """,
    )


def test_a_number_reused_after_an_epoll_object_is_watched_anew(program: Program) -> None:
    """epoll.close() under a waiter: the next socket of that number gets its events."""
    _check_reuse(
        program,
        """
        old = select.epoll()
        number = old.fileno()
        runtime.Tasklet(old.poll, (), daemon=True).start()
        runtime.schedule()
        old.close()
        """,
    )


def test_a_number_reused_after_close_is_watched_anew(program: Program) -> None:
    """socket.close() under a waiter: the next socket of that number gets its events."""
    _check_reuse(
        program,
        """
        old, other = socket.socketpair()
        number = old.fileno()
        runtime.Tasklet(lambda: [old.fileno() >= 0 and old.recv(1)], daemon=True).start()
        runtime.schedule()
        old.close()
        """,
    )


def _check_reuse(program: Program, closing: str) -> None:
    done = program(
        "import os, sys, runtime\n"
        "from runtime.green import select, socket\n"
        "sys.stderr = None\n"
        + textwrap.dedent(closing)
        + textwrap.dedent("""
        pair = socket.socketpair()
        reused = [s for s in pair if s.fileno() == number]
        assert reused, (number, pair)
        peer = pair[pair[0] is reused[0]]
        receiver = runtime.spawn(reused[0].recv, 2)
        runtime.schedule()
        peer.send(b"hi")
        print(receiver.join(5) and receiver.result(), flush=True)
        os._exit(0)
        """)
    )
    assert done.stdout == "b'hi'\n"


def test_a_closed_copy_of_a_descriptor_takes_nothing_from_the_other(backend: str) -> None:
    """After dup() and close() of one socket the other one is still woken."""
    a, b = socket.socketpair()
    copy = a.dup()
    first = runtime.spawn(copy.recv, 1)
    runtime.schedule()
    b.send(b"1")
    assert first.result() == b"1"
    second = runtime.spawn(a.recv, 1)
    runtime.schedule()
    copy.close()
    b.send(b"2")
    assert second.result() == b"2"
    a.close()
    b.close()


def test_closing_a_socket_wakes_whoever_waits_on_it(backend: str) -> None:
    """All of them get EBADF."""
    a, b = socket.socketpair()
    waiters = [runtime.spawn(a.recv, 1) for _ in range(3)]
    runtime.schedule()
    a.close()
    for waiter in waiters:
        with pytest.raises(OSError, match="descriptor"):
            waiter.result()
    b.close()


def test_select_and_recv_wait_on_one_descriptor(backend: str) -> None:
    """A level-triggered wait and an edge-triggered one see the same arrival."""
    a, b = socket.socketpair()
    chooser = runtime.spawn(select.select, [a], [], [])
    receiver = runtime.spawn(a.recv, 1, socket.MSG_PEEK)
    runtime.schedule()
    b.send(b"x")
    assert receiver.result() == b"x"
    assert chooser.result()[0] == [a]
    a.close()
    b.close()
