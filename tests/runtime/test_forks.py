"""Forking: the child has the forking thread and nothing else."""

from __future__ import annotations

import pytest

from tests.runtime.conftest import Program

both = pytest.mark.parametrize("converted", [False, True])


@both
def test_no_finally_of_another_thread_runs_in_a_forked_child(program: Program, converted: bool) -> None:
    """The others vanish; threads that the child starts run; its exit code arrives."""
    done = program(
        """
        import os, signal, sys, threading, time

        parent = os.getpid()

        def work():
            try:
                stop.wait()
            finally:
                os.write(1, b"finally in the parent\\n" if os.getpid() == parent else b"WRONG PROCESS\\n")

        stop = threading.Event()
        thread = threading.Thread(target=work)
        thread.start()
        pid = os.fork()
        if pid == 0:
            signal.alarm(20)  # ends a child that hangs

            def more():
                time.sleep(0.01)
                os.write(1, b"thread of the child\\n")

            child = threading.Thread(target=more)
            child.start()
            child.join()
            os.write(1, f"{threading.active_count()} {threading.current_thread().name}\\n".encode())
            sys.exit(7)
        os.write(1, f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\\n".encode())
        stop.set()
        thread.join()
        """,
        converted=converted,
    )
    assert done.stdout == "thread of the child\n1 MainThread\n7\nfinally in the parent\n"
    assert (done.stderr, done.returncode) == ("", 0)


@both
def test_a_thread_that_forks_is_the_main_one_of_the_child(program: Program, converted: bool) -> None:
    """What it raises is its own; the parent's threads go on."""
    done = program(
        """
        import os, threading, time

        def work():
            pid = os.fork()
            if pid == 0:
                time.sleep(0.01)
                os.write(1, f"{threading.main_thread() is threading.current_thread()}\\n".encode())
                os._exit(5)
            os.write(1, f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\\n".encode())

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        """,
        converted=converted,
    )
    assert (done.stdout, done.stderr) == ("True\n5\n", "")


@pytest.mark.parametrize(
    "converted",
    [
        False,
        True,
    ],
)
def test_the_child_of_a_thread_lives_as_long_as_its_threads(program: Program, converted: bool) -> None:
    """The function of the forking thread returns in the child; a thread that it started there goes on."""
    done = program(
        """
        import os, threading, time

        def late():
            time.sleep(0.05)
            os.write(1, b"late\\n")

        def work():
            pid = os.fork()
            if pid == 0:
                threading.Thread(target=late).start()
                return
            os.waitpid(pid, 0)
            os.write(1, b"reaped\\n")

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        """,
        converted=converted,
    )
    assert done.stdout == "late\nreaped\n"


def test_the_parents_hub_is_not_reported_in_the_child(program: Program) -> None:
    """A child that waits cooperatively for longer than the limit is not said to stand still."""
    done = program(
        """
        import os, runtime
        from runtime.green import os as green_os

        runtime.Tasklet(runtime.sleep, (1000,), daemon=True).start()
        runtime.schedule()
        pid = os.fork()
        if pid == 0:
            runtime.spawn(runtime.sleep, 2.5).join()
            os._exit(0)
        green_os.waitpid(pid, 0)
        os._exit(0)
        """
    )
    assert done.stderr == ""


def test_the_tasklet_that_forks_is_alone_in_the_child(program: Program) -> None:
    """It is the main tasklet there: nobody else is to run, so what waits is the plain call."""
    done = program(
        """
        import os
        import runtime
        from runtime import pipes
        from runtime.hub import get_hub

        def fork():
            pid = os.fork()
            if not pid:
                hub = get_hub()
                print(hub.main is hub.current, hub.tasklets, pipes.busy(), flush=True)
                os._exit(0)
            os.waitpid(pid, 0)

        runtime.spawn(fork).join()
        """
    )
    assert (done.stdout, done.stderr) == ("True set() None\n", "")


def test_a_tasklet_that_is_no_thread_forks(program: Program) -> None:
    """In the child it is the main thread of the counterpart of threading, which complains of nothing."""
    done = program(
        """
        import os, runtime, threading, warnings
        warnings.simplefilter("ignore")

        def fork():
            pid = os.fork()
            if not pid:
                alone = threading.enumerate() == [threading.main_thread()]
                os._exit(alone and threading.current_thread() is threading.main_thread())
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

        for _ in range(2):
            runtime.spawn(fork).join()
        """,
        converted=True,
    )
    assert (done.stdout, done.stderr) == ("1\n1\n", "")
