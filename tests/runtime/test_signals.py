"""Signals and Ctrl-C arrive in the main tasklet."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable

import pytest

from tests.runtime.conftest import LIMIT, Program

Converse = Callable[..., "subprocess.Popen[str]"]


def _interrupt(process: subprocess.Popen[str], *, times: int = 1) -> tuple[str, str, int]:
    """Send Ctrl-C after each of the first lines; what the process says, and its exit code."""
    assert process.stdout is not None
    said = ""
    for _ in range(times):
        said += process.stdout.readline()
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LIMIT)
    return said + out, err, process.returncode


@pytest.mark.parametrize("converted", [False, True])
def test_ctrl_c_while_everything_sleeps(converse: Converse, converted: bool) -> None:
    """The main thread gets KeyboardInterrupt; the others live on."""
    process = converse(
        """
        import threading, time

        stop = threading.Event()
        worker = threading.Thread(target=stop.wait)
        worker.start()
        try:
            print("ready", flush=True)
            while True:
                time.sleep(1000)
        except KeyboardInterrupt:
            print("interrupted", worker.is_alive())
        stop.set()
        worker.join()
        """,
        converted=converted,
    )
    assert _interrupt(process) == ("ready\ninterrupted True\n", "", 0)


@pytest.mark.parametrize(
    "converted",
    [
        False,
        True,
    ],
)
def test_ctrl_c_while_one_tasklet_spins(converse: Converse, converted: bool) -> None:
    """The main thread gets KeyboardInterrupt although the other one never waits."""
    process = converse(
        """
        import signal, threading, time

        signal.alarm(20)  # ends it if it hangs
        stop = False

        def spin():
            time.sleep(0.2)  # the main thread is in join(): plain Python's start() does not stand an interruption
            print("ready", flush=True)
            while not stop:
                pass

        try:
            worker = threading.Thread(target=spin, daemon=True)
            worker.start()
            worker.join()
        except KeyboardInterrupt:
            print("interrupted")
            stop = True
        """,
        converted=converted,
    )
    out, _, code = _interrupt(process)
    assert (out, code) == ("ready\ninterrupted\n", 0)


@pytest.mark.parametrize("converted", [False, True])
def test_ctrl_c_twice(converse: Converse, converted: bool) -> None:
    """Each one is an exception of its own."""
    process = converse(
        """
        import threading, time

        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
        for _ in range(2):
            try:
                print("ready", flush=True)
                time.sleep(1000)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
        """,
        converted=converted,
    )
    assert process.stdout is not None
    said = []
    for _ in range(2):
        said.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        said.append(process.stdout.readline())
    out, err, code = *process.communicate(timeout=LIMIT), process.returncode
    assert ("".join(said) + out, err, code) == ("ready\ninterrupted\n" * 2, "", 0)


@pytest.mark.parametrize("converted", [False, True])
def test_an_uncaught_ctrl_c_ends_the_process_by_the_signal(converse: Converse, converted: bool) -> None:
    """The exit code is the signal's, as a shell expects."""
    process = converse(
        """
        import threading, time

        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
        print("ready", flush=True)
        time.sleep(1000)
        """,
        converted=converted,
    )
    _, err, code = _interrupt(process)
    assert code == -signal.SIGINT
    assert err.rstrip().endswith("KeyboardInterrupt")


def test_a_handler_runs_in_the_main_tasklet(program: Program) -> None:
    """Also when another tasklet runs as the signal arrives."""
    done = program(
        """
        import os, signal, threading, time

        who = []
        signal.signal(signal.SIGUSR1, lambda *_: who.append(threading.current_thread().name))
        worker = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGUSR1))
        worker.start()
        worker.join()
        while not who:
            time.sleep(0)
        print(who)
        """,
        converted=True,
    )
    assert (done.stdout, done.stderr) == ("['MainThread']\n", "")


def test_handlers_that_raise_in_the_main_tasklet_lose_nobody(program: Program) -> None:
    """However often main is interrupted while it switches, every other tasklet goes on running."""
    done = program(
        """
        import faulthandler, os, signal
        import runtime
        from runtime.green import signal as green_signal

        faulthandler.dump_traceback_later(30, exit=True)

        class Tick(Exception):
            pass

        armed = stop = False

        def handler(*_):
            global armed
            if armed:
                armed = False
                raise Tick

        steps = [0] * 3

        def work(number):
            while not stop:
                steps[number] += 1
                runtime.schedule()

        tasklets = [runtime.spawn(work, number) for number in range(3)]
        green_signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        ticks = 0
        while ticks < 300:
            try:
                armed = True
                while True:
                    runtime.schedule()
            except Tick:
                ticks += 1
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        before = list(steps)
        for _ in range(100):
            runtime.schedule()
        print([after > first for after, first in zip(steps, before)], flush=True)
        os._exit(0)
        """
    )
    assert done.stdout == "[True, True, True]\n"


@pytest.mark.skipif(not hasattr(signal, "SIGIO"), reason="no signal says that data has come")
@pytest.mark.parametrize("converted", [False, True])
def test_a_signal_just_before_everything_waits_is_not_forgotten(program: Program, converted: bool) -> None:
    """It comes between the last line that is run and the system's wait, which it therefore does not end."""
    done = program(
        """
        import fcntl, os, signal, socket, threading

        near, far = socket.socketpair()
        total, got = 1 << 22, 0

        def read(*_):
            global got
            fcntl.fcntl(far, fcntl.F_SETFL, fcntl.fcntl(far, fcntl.F_GETFL) & ~os.O_ASYNC)
            while got < total:
                got += len(far.recv(1 << 16))

        def send():
            near.recv(1)  # waits: from now on the socket is known to whoever waits for it
            fcntl.fcntl(far, fcntl.F_SETFL, fcntl.fcntl(far, fcntl.F_GETFL) | os.O_ASYNC)
            near.sendall(bytes(total))  # the first piece calls for the signal, the second finds the socket full

        signal.signal(signal.SIGIO, read)
        fcntl.fcntl(far, fcntl.F_SETOWN, os.getpid())
        sender = threading.Thread(target=send)
        sender.start()
        far.send(b"x")
        sender.join()
        print(got == total)
        """,
        converted=converted,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.parametrize("call", ["select.select([r], [], [], 60)", "os.waitid(os.P_PID, child, os.WEXITED)"])
def test_a_handler_that_raises_ends_a_call_of_a_program_without_tasklets(program: Program, call: str) -> None:
    """With nobody else to run the plain call is made, and a handler's exception ends it."""
    done = program(
        f"""
        import os, select, signal

        def handler(*args):
            raise ZeroDivisionError

        signal.signal(signal.SIGALRM, handler)
        r, w = os.pipe()
        child = os.fork()
        if child == 0:
            signal.setitimer(signal.ITIMER_REAL, 0)
            os.close(w)
            os.read(r, 1)
            os._exit(0)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        try:
            {call}
        except ZeroDivisionError:
            print("ended")
        """,
        converted=True,
    )
    assert done.stdout == "ended\n", done.stderr
