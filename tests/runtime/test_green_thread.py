"""The counterpart of ``_thread`` and what converted programs see of threads."""

from __future__ import annotations

import pytest

from tests.runtime.conftest import Program

both = pytest.mark.parametrize("converted", [False, True])


@both
def test_an_exception_in_a_thread_is_printed_and_ends_nothing_else(program: Program, converted: bool) -> None:
    """The report is threading's own; the program's exit code is 0."""
    done = program(
        """
        import threading

        def work():
            raise ValueError("in the thread")

        thread = threading.Thread(target=work, name="T")
        thread.start()
        thread.join()
        print("end")
        """,
        converted=converted,
    )
    assert (done.stdout, done.returncode) == ("end\n", 0)
    assert done.stderr.startswith("Exception in thread T:\nTraceback")
    assert done.stderr.endswith("ValueError: in the thread\n")


@pytest.mark.parametrize(
    "converted",
    [
        False,
        True,
    ],
)
def test_an_exception_in_a_low_level_thread_is_printed(program: Program, converted: bool) -> None:
    """The report names the function; nothing else is said."""
    done = program(
        """
        import _thread

        def work():
            try:
                raise ValueError("in the thread")
            finally:
                done.release()

        done = _thread.allocate_lock()
        done.acquire()
        _thread.start_new_thread(work, ())
        done.acquire()
        import time
        time.sleep(0.1)
        """,
        converted=converted,
    )
    assert done.stderr.startswith("Exception ignored in thread started by")
    assert done.stderr.endswith("ValueError: in the thread\n")
    assert "TypeError" not in done.stderr


@both
def test_the_program_waits_for_its_threads(program: Program, converted: bool) -> None:
    """A thread outlives main; atexit handlers run after it."""
    done = program(
        """
        import atexit, threading, time

        def work():
            time.sleep(0.05)
            print("thread")

        atexit.register(print, "atexit")
        threading.Thread(target=work).start()
        print("main")
        """,
        converted=converted,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("main\nthread\natexit\n", "", 0)


@both
def test_a_daemon_thread_vanishes_at_the_end(program: Program, converted: bool) -> None:
    """None of its finally blocks runs."""
    done = program(
        """
        import os, threading, time

        def work():
            try:
                ready.set()
                time.sleep(1000)
            finally:
                os.write(1, b"finally\\n")

        ready = threading.Event()
        threading.Thread(target=work, daemon=True).start()
        ready.wait()
        print("end", flush=True)
        """,
        converted=converted,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("end\n", "", 0)


@both
def test_the_program_waits_for_its_tasklets(program: Program, converted: bool) -> None:
    """A tasklet that is not a daemon outlives main, as a thread does."""
    done = program(
        """
        import runtime

        def work():
            runtime.sleep(0.05)
            print("tasklet")

        runtime.spawn(work)
        print("main")
        """,
        converted=converted,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("main\ntasklet\n", "", 0)


@both
def test_what_a_thread_returns_goes_with_it(program: Program, converted: bool) -> None:
    """Nobody can ask for it, so a handle does not keep it."""
    done = program(
        """
        import _thread, gc

        class Value:
            def __del__(self):
                print("gone")

        if hasattr(_thread, "start_joinable_thread"):
            handle = _thread.start_joinable_thread(Value)
            handle.join()
        else:
            lock = _thread.allocate_lock()
            lock.acquire()

            class Value(Value):
                def __del__(self):
                    super().__del__()
                    lock.release()

            handle = _thread.start_new_thread(Value, ())
            lock.acquire()
        gc.collect()
        print("end", handle is None)
        """,
        converted=converted,
    )
    assert done.stdout == "gone\nend False\n", done.stderr
