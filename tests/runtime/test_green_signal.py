"""The counterpart of ``signal``: waiting for a signal lets others run, and takes exactly what it should."""

from __future__ import annotations

import textwrap

import pytest

from tests.runtime.conftest import Program

TICKER = textwrap.dedent(
    """
    import os, signal, threading, time

    signal.alarm(20)  # ends it if it hangs
    ME = os.getpid()
    ticks = 0

    def tick(then):
        global ticks
        while True:
            time.sleep(0.001)
            ticks += 1
            if ticks == 5:
                then()

    def beside(then):
        threading.Thread(target=tick, args=(then,), daemon=True).start()
    """
)


def _run(program: Program, body: str, converted: bool = True) -> str:
    done = program(TICKER + textwrap.dedent(body), converted=converted)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


both = pytest.mark.parametrize("converted", [False, True])


@both
@pytest.mark.parametrize(
    "call",
    [
        "signal.sigwait({signal.SIGUSR1})",
        "signal.sigwaitinfo({signal.SIGUSR1}).si_signo",
        "signal.sigtimedwait({signal.SIGUSR1}, 15).si_signo",
    ],
)
@pytest.mark.parametrize("sent", ["os.kill(ME, {})", "signal.pthread_kill({ident}, {})"])
def test_others_run_while_a_signal_is_awaited(
    program: Program, converted: bool, call: str, sent: str
) -> None:
    """Whether it is sent to the process or to the thread."""
    send = sent.format("signal.SIGUSR1", ident="main")
    said = _run(
        program,
        f"""
        main = threading.get_ident()
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        beside(lambda: {send})
        found = {call}
        print(found == signal.SIGUSR1, ticks >= 5, signal.sigpending())
        """,
        converted,
    )
    assert said == "True True set()\n"


def test_sigwait_gives_a_member_of_the_enumeration(program: Program) -> None:
    """And a plain number for a real-time signal without a name."""
    said = _run(
        program,
        """
        beside(lambda: None)
        wanted = [signal.SIGUSR1, signal.SIGRTMIN + 1]
        signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
        for number in wanted:
            signal.raise_signal(number)
            print(repr(signal.sigwait(iter([number]))))
        try:
            signal.sigwait([1000])
        except ValueError as error:
            print(error)
        """,
    )
    assert said.splitlines()[0] == "<Signals.SIGUSR1: 10>"
    assert said.splitlines()[1].isdigit()
    assert "out of range" in said


@both
def test_sigtimedwait_gives_up(program: Program, converted: bool) -> None:
    """None when the time is up; 0 does not wait; a negative time is refused."""
    said = _run(
        program,
        """
        beside(lambda: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        print(signal.sigtimedwait([signal.SIGUSR1], 0.05), ticks >= 5)
        print(signal.sigtimedwait([signal.SIGUSR1], 0))
        try:
            signal.sigtimedwait([signal.SIGUSR1], -1)
        except ValueError as error:
            print(error)
        """,
        converted,
    )
    assert said == "None True\nNone\ntimeout must be non-negative\n"


def test_a_tasklet_killed_while_it_waits_takes_no_signal(program: Program) -> None:
    """The signal stays pending for the next one."""
    said = _run(
        program,
        """
        import runtime

        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        tasklet = runtime.spawn(signal.sigwait, [signal.SIGUSR1])
        time.sleep(0.01)
        tasklet.kill()
        os.kill(ME, signal.SIGUSR1)
        print(signal.sigwait([signal.SIGUSR1]).name)
        """,
    )
    assert said == "SIGUSR1\n"


def test_no_thread_of_the_runtime_takes_a_signal_that_is_awaited(program: Program) -> None:
    """Blocked by the program, after worker and other threads have started, it stays pending for the program."""
    said = _run(
        program,
        """
        import runtime

        beside(lambda: None)
        time.sleep(0.05)  # the monitor runs
        for tasklet in [runtime.spawn(runtime.offload, time.sleep, 0.01) for _ in range(4)]:
            tasklet.join()
        pid = os.fork()
        if not pid:
            os._exit(0)
        os.waitpid(pid, 0)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        for _ in range(50):
            os.kill(ME, signal.SIGUSR1)
            assert signal.sigwait([signal.SIGUSR1]) == signal.SIGUSR1
        print("all")
        """,
    )
    assert said == "all\n"


def test_what_a_worker_starts_is_not_deaf(program: Program) -> None:
    """A program started on a worker thread has the signal mask of whoever asked for it."""
    said = _run(
        program,
        """
        import runtime, subprocess, sys

        def look():
            run = sys.modules["subprocess"].run  # the plain one
            found = runtime.offload(run, ["grep", "SigBlk", "/proc/self/status"], capture_output=True)
            return int(found.stdout.split()[1], 16)

        beside(lambda: None)
        print(look())
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        print(look() == 1 << signal.SIGUSR1 - 1)
        """,
    )
    assert said == "0\nTrue\n"


@both
@pytest.mark.parametrize("setter", ["signal", "foreign"])
def test_pause_ends_when_a_handler_has_run(program: Program, converted: bool, setter: str) -> None:
    """Whoever set the handler, which is the same afterwards."""
    said = _run(
        program,
        f"""
        import sys

        foreign = sys.modules["signal"]

        def handler(number, frame):
            print("handler", number == signal.SIGUSR1)

        {setter}.signal(signal.SIGUSR1, handler)
        beside(lambda: os.kill(ME, signal.SIGUSR1))
        signal.pause()
        print(ticks >= 5, {setter}.getsignal(signal.SIGUSR1) is handler)
        """,
        converted,
    )
    assert said == "handler True\nTrue True\n"


@both
def test_a_handler_is_given_the_frame_that_it_interrupts(program: Program, converted: bool) -> None:
    """The program's own, wherever it waits, or computes, and whoever runs when the signal comes."""
    said = _run(
        program,
        """
        def handler(number, frame):
            names = []
            while frame is not None:
                names.append(frame.f_code.co_name)
                frame = frame.f_back
            print(names[:2])

        def sleeps():
            beside(lambda: os.kill(ME, signal.SIGUSR1))
            time.sleep(0.2)

        def computes():
            os.kill(ME, signal.SIGUSR1)
            return sum(range(1000))

        def program():
            sleeps()
            computes()

        signal.signal(signal.SIGUSR1, handler)
        program()
        """,
        converted,
    )
    assert said == "['sleeps', 'program']\n['computes', 'program']\n"


@both
def test_what_a_handler_raises_leaves_pause(program: Program, converted: bool) -> None:
    """An alarm arrives while everything waits, and its error comes out."""
    said = _run(
        program,
        """
        def handler(number, frame):
            raise LookupError("from the handler")

        signal.signal(signal.SIGALRM, handler)
        beside(lambda: signal.setitimer(signal.ITIMER_REAL, 0.01))
        try:
            signal.pause()
        except LookupError as error:
            print(error)
        """,
        converted,
    )
    assert said == "from the handler\n"


@both
def test_an_alarm_comes_in_time_while_everything_waits(program: Program, converted: bool) -> None:
    """Nobody is ready; the handler runs long before the sleep ends."""
    said = _run(
        program,
        """
        waiting = threading.Thread(target=time.sleep, args=(5,), daemon=True)
        waiting.start()

        class Stop(Exception):
            pass

        def handler(number, frame):
            raise Stop

        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        began = time.monotonic()
        try:
            time.sleep(5)
        except Stop:
            print(time.monotonic() - began < 2)
        """,
        converted,
    )
    assert said == "True\n"


@both
def test_the_wakeup_descriptor_is_the_programs(program: Program, converted: bool) -> None:
    """It gets a byte for each signal, while the hub waits as well."""
    said = _run(
        program,
        """
        r, w = os.pipe()
        os.set_blocking(w, False)
        signal.signal(signal.SIGUSR1, lambda *args: None)
        print(signal.set_wakeup_fd(w))
        beside(lambda: os.kill(ME, signal.SIGUSR1))
        print(os.read(r, 10) == bytes([signal.SIGUSR1]))
        print(signal.set_wakeup_fd(-1) == w)
        """,
        converted,
    )
    assert said == "-1\nTrue\nTrue\n"


@both
def test_a_signal_is_sent_to_the_thread_of_a_tasklet(program: Program, converted: bool) -> None:
    """A tasklet's identifier is no OS thread's; pthread_kill() knows whose it is."""
    said = _run(
        program,
        """
        signal.signal(signal.SIGUSR1, lambda *args: print("handler"))
        stop = threading.Event()
        thread = threading.Thread(target=stop.wait)
        thread.start()
        signal.pthread_kill(thread.ident, signal.SIGUSR1)
        time.sleep(0.05)
        stop.set()
        thread.join()
        """,
        converted,
    )
    assert said == "handler\n"


def test_a_signal_to_a_thread_that_has_ended_is_refused(program: Program) -> None:
    """Its identifier is nobody's; the system would follow it as an address."""
    said = _run(
        program,
        """
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
        try:
            signal.pthread_kill(thread.ident, 0)
        except ProcessLookupError as error:
            print(error.strerror)
        signal.pthread_kill(threading.main_thread().ident, 0)
        """,
    )
    assert said == "No such process\n"
