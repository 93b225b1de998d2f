"""Tasklets wait for sockets, timers and locks of converted code as those of `runtime` do: the others run meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import runtime
from runtime import stackless
from runtime.green import queue, socket, time
from runtime.stackless import TaskletExit
from tests.runtime.conftest import Program


def test_run_goes_on_until_nobody_waits_any_more() -> None:
    ours, theirs = socket.socketpair()
    log: list[object] = []

    def reader() -> None:
        while data := ours.recv(10):
            log.append(data)

    def writer() -> None:
        for number in range(3):
            theirs.send(b"%d" % number)
            time.sleep(0.001)
        theirs.close()

    tasks = [stackless.tasklet(reader)(), stackless.tasklet(writer)()]
    assert stackless.run() is None
    assert not any(task.alive for task in tasks)
    assert log == [b"0", b"1", b"2"]
    ours.close()


def test_who_waits_is_scheduled_and_can_be_neither_run_nor_removed() -> None:
    ours, theirs = socket.socketpair()
    task = stackless.tasklet(ours.recv)(1)
    task.run()
    assert (task.alive, task.scheduled, task.blocked, task.paused) == (True, True, False, False)
    assert stackless.getruncount() == 2
    assert task.insert() is task
    for call in (task.run, task.switch, task.remove):
        with pytest.raises(RuntimeError, match="waits for I/O"):
            call()
    theirs.send(b"x")
    stackless.run()
    assert not task.alive
    ours.close()
    theirs.close()


def test_who_waits_can_be_killed_and_its_finally_may_wait() -> None:
    ours, theirs = socket.socketpair()
    log: list[str] = []

    def body() -> None:
        try:
            ours.recv(1)
        except TaskletExit:
            time.sleep(0.001)
            log.append("killed")
            raise

    task = stackless.tasklet(body)()
    task.run()
    task.kill()
    stackless.run()
    assert log == ["killed"]
    assert not task.alive
    ours.close()
    theirs.close()


def test_an_error_reaches_a_main_tasklet_that_waits() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    stackless.tasklet(fail)()
    with pytest.raises(ZeroDivisionError):
        time.sleep(5)


def test_the_main_tasklets_own_waits_let_others_run_unless_trapped() -> None:
    log: list[str] = []
    stackless.tasklet(log.append)("ran")
    time.sleep(0.001)
    assert log == ["ran"]


def test_a_timeout_of_the_runtime_ends_a_wait_at_a_channel() -> None:
    channel = stackless.channel()
    sleeper = stackless.tasklet(time.sleep)(0.05)
    with pytest.raises(TimeoutError), runtime.timeout(0.005):
        channel.receive()
    assert channel.balance == 0
    stackless.run()
    assert not sleeper.alive


def test_a_value_that_was_handed_over_is_not_lost_to_an_interruption() -> None:
    channel = stackless.channel()
    got: list[object] = []

    def body() -> None:
        got.append(channel.receive())
        try:
            time.sleep(5)
        except KeyError:
            got.append("later")

    task = stackless.tasklet(body)()
    channel.preference = 1
    stackless.run()
    channel.send("value")
    below = task._task
    assert below is not None
    below.interrupt(KeyError())
    stackless.run()
    assert got == ["value", "later"]


def test_tasklets_and_the_runtimes_own_meet_at_queues() -> None:
    box = queue.Queue()
    runtime.spawn(box.put, "from the runtime")
    got: list[str] = []
    stackless.tasklet(lambda: got.append(box.get()))()
    stackless.run()
    assert got == ["from the runtime"]


def test_a_converted_server_of_tasklets_serves_at_the_same_time(program: Program) -> None:
    source = """
        import socket, stackless

        def handle(client):
            with client:
                while data := client.recv(100):
                    client.sendall(data.upper())

        def serve(listener, count):
            for _ in range(count):
                client, _ = listener.accept()
                stackless.tasklet(handle)(client)

        listener = socket.create_server(("127.0.0.1", 0))
        log = []

        def ask(name, other):
            with socket.create_connection(listener.getsockname()) as s:
                s.sendall(name)
                log.append(s.recv(100))
                other.send(None)     # each waits for the other: both are served at once
        def meet(channel):
            channel.receive()

        c = stackless.channel()
        stackless.tasklet(serve)(listener, 2)
        stackless.tasklet(ask)(b"a", c)
        stackless.tasklet(ask)(b"b", c)
        stackless.tasklet(lambda: (c.receive(), c.receive()))()
        stackless.run()
        print(sorted(log), stackless.runcount)
        listener.close()
    """
    done = program(source, converted=True)
    assert (done.stdout, done.stderr) == ("[b'A', b'B'] 1\n", "")


def test_ctrl_c_is_raised_out_of_run(tmp_path: Path) -> None:
    path = tmp_path / "prog.py"
    path.write_text(
        textwrap.dedent(
            """
            import stackless, time

            def forever():
                print("ready", flush=True)
                while True:
                    time.sleep(1)

            task = stackless.tasklet(forever)()
            try:
                stackless.run()
            except KeyboardInterrupt:
                print("interrupted", task.alive, stackless.runcount)
                task.kill()
                stackless.run()
                print(task.alive, stackless.runcount)
            """
        )
    )
    command = [sys.executable, "-m", "rewriter", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (out, err) == ("interrupted True 2\nFalse 1\n", "")
