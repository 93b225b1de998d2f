"""Errors: those that nobody catches, those thrown from outside, kills, deadlocks."""

from __future__ import annotations

import sys
import traceback
from typing import Any

import pytest

from runtime import stackless
from runtime.stackless import TaskletExit, bomb
from tests.runtime.conftest import Program


def fail(error: BaseException) -> None:
    raise error


def test_an_uncaught_error_is_raised_out_of_run_and_the_others_stay() -> None:
    other = stackless.tasklet(stackless.schedule)()
    stackless.tasklet(fail)(ZeroDivisionError("catch this"))
    with pytest.raises(ZeroDivisionError, match="catch this") as caught:
        stackless.run()
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "fail"
    assert other.alive
    stackless.run()


def test_a_main_tasklet_that_is_blocked_gets_the_error() -> None:
    stackless.tasklet(fail)(ZeroDivisionError())
    channel = stackless.channel()
    with pytest.raises(ZeroDivisionError):
        channel.receive()
    assert channel.balance == 0


def test_the_error_handler_is_called_in_the_tasklet_and_ends_the_matter() -> None:
    seen: list[Any] = []
    stackless.set_error_handler(lambda kind, value, tb: seen.append((kind, stackless.getcurrent())))
    task = stackless.tasklet(fail)(KeyError())
    stackless.run()
    assert stackless.set_error_handler(None) is not None
    assert seen == [(KeyError, task)]


def test_an_error_in_the_error_handler_goes_to_the_main_tasklet() -> None:
    stackless.set_error_handler(lambda kind, value, tb: fail(IndexError("worse")))
    stackless.tasklet(fail)(KeyError())
    with pytest.raises(IndexError, match="worse"):
        stackless.run()
    stackless.set_error_handler(None)


def test_an_error_is_thrown_now_or_in_the_tasklets_turn() -> None:
    log: list[Any] = []

    def body() -> None:
        for _ in range(3):
            try:
                stackless.schedule_remove(None)
            except LookupError as error:
                log.append(error.args)

    task = stackless.tasklet(body)()
    stackless.run()
    task.throw(KeyError, (1, 2))
    assert log == [(1, 2)]
    task.throw(IndexError("x"), pending=True)
    assert log == [(1, 2)]
    stackless.run()
    assert log == [(1, 2), ("x",)]
    task.raise_exception(KeyError, 3)
    assert log[2] == (3,)
    assert not task.alive


def test_a_tasklet_that_has_not_started_ends_with_what_is_thrown_at_it() -> None:
    task = stackless.tasklet(fail)(AssertionError("never runs"))
    with pytest.raises(IndexError):
        task.throw(IndexError)
    assert not task.alive
    task = stackless.tasklet(fail)(AssertionError("never runs"))
    task.kill()
    assert not task.alive
    stackless.run()


def test_a_dead_tasklet_can_only_be_killed() -> None:
    task = stackless.tasklet(int)()
    stackless.run()
    task.kill()
    task.throw(TaskletExit)
    with pytest.raises(RuntimeError, match="dead"):
        task.throw(IndexError)


def test_the_current_tasklet_can_kill_itself() -> None:
    log: list[str] = []

    def body() -> None:
        try:
            stackless.getcurrent().kill()
        finally:
            log.append("finally")

    stackless.tasklet(body)()
    stackless.run()
    assert log == ["finally"]


def test_a_finally_may_wait_and_be_killed_again() -> None:
    channel = stackless.channel()
    log: list[Any] = []

    def body() -> None:
        try:
            stackless.schedule_remove(None)
        finally:
            try:
                log.append(channel.receive())
                channel.receive()
            finally:
                log.append("innermost")

    task = stackless.tasklet(body)()
    stackless.run()
    task.kill()
    assert (task.alive, task.blocked) == (True, True)
    channel.send("meanwhile")
    task.kill()
    assert log == ["meanwhile", "innermost"]
    assert not task.alive


def test_a_killed_tasklet_may_refuse() -> None:
    def body() -> None:
        try:
            stackless.schedule_remove(None)
        except TaskletExit:
            stackless.schedule_remove(None)

    task = stackless.tasklet(body)()
    stackless.run()
    task.kill(pending=True)
    assert task.scheduled
    stackless.run()
    assert task.paused
    task.run()
    assert not task.alive


def test_a_bomb_in_the_tempval_explodes_as_the_tasklet_goes_on() -> None:
    task = stackless.tasklet(stackless.schedule_remove)(None)
    stackless.run()
    try:
        fail(OSError("there"))
    except OSError:
        task.tempval = bomb(sys.exc_info())
    with pytest.raises(OSError, match="there"):
        task.run()


def test_an_exit_in_a_tasklet_of_the_main_thread_ends_the_program(program: Program) -> None:
    done = program(
        """
        import stackless, sys
        stackless.tasklet(sys.exit)(3)
        try:
            stackless.run()
        finally:
            print("main ends")
        """,
        converted=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "main ends\n", "")


DEADLOCKS = """
    import stackless

    def refused(call, words):
        try:
            call()
        except RuntimeError as error:
            assert words in str(error), error
        else:
            raise AssertionError("no deadlock")

    # The main tasklet alone.
    c = stackless.channel()
    refused(c.receive, "Deadlock")
    refused(lambda: c.send(1), "Deadlock")
    assert c.balance == 0 and stackless.runcount == 1

    # The main tasklet is blocked when the last other one ends.
    stackless.tasklet(int)()
    refused(c.receive, "main tasklet is receiving without a sender")
    stackless.tasklet(int)()
    refused(lambda: c.send(1), "main tasklet is sending without a receiver")

    # The last one that could run gets the error, if the main tasklet is blocked.
    def last():
        refused(stackless.channel().receive, "Deadlock")
        refused(stackless.schedule_remove, "Deadlock")
        c.send("fine")
    stackless.tasklet(last)()
    assert c.receive() == "fine"

    # If it does not catch it, the main tasklet gets it.
    stackless.tasklet(lambda: stackless.channel().receive())()
    refused(c.receive, "Deadlock")

    # Nor does anybody get an error for a lock that nobody in run() can release: whoever is in there goes on.
    import threading
    lock, log = threading.Lock(), []
    def hold():
        with lock:
            log.append(c.receive())
    def want():
        with lock:
            log.append("got it")
    tasks = [stackless.tasklet(hold)(), stackless.tasklet(want)()]
    assert stackless.run() is None and c.balance == -1
    c.send("go on")
    stackless.run()
    assert log == ["go on", "got it"]

    # In run() the main tasklet just goes on.
    t = stackless.tasklet(c.receive)()
    assert stackless.run() is None and t.blocked
    print("good")
"""


@pytest.mark.parametrize("converted", [True, False])
def test_a_deadlock_is_told_to_the_last_who_could_run(program: Program, converted: bool) -> None:
    plain = DEADLOCKS.replace("import stackless", "from runtime import stackless", 1)
    source = (
        DEADLOCKS if converted else plain.replace("import threading", "from runtime.green import threading")
    )
    done = program(source, converted=converted)
    assert (done.stdout, done.stderr) == ("good\n", "")
