"""What old programs import of stacklesslib and stacklesssocket works, and changes nothing global."""

from __future__ import annotations

import socket as plain_socket
import sys
import time as plain_time
from typing import Any

import pytest

from runtime import stackless
from runtime.green import socket, stacklesssocket, time
from runtime.green.stacklesslib import base, errors, locks, main, monkeypatch, util
from runtime.stackless import TaskletExit
from tests.runtime.conftest import Program


def test_installing_sockets_changes_nothing_and_they_work() -> None:
    before = dict(vars(plain_socket)), sys.modules["socket"], plain_time.sleep
    stacklesssocket.install(pi=0.1)
    monkeypatch.patch_all()
    monkeypatch.patch_socket(will_be_pumped=False)
    assert (dict(vars(plain_socket)), sys.modules["socket"], plain_time.sleep) == before
    assert stacklesssocket.socket is socket.socket
    assert stacklesssocket.AF_INET is plain_socket.AF_INET
    stacklesssocket.uninstall()
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = stacklesssocket.nothing


def test_a_program_that_pumps_gets_run_back_while_somebody_waits() -> None:
    ours, theirs = socket.socketpair()
    log: list[bytes] = []
    task = stackless.tasklet(lambda: log.append(ours.recv(10)))()
    stacklesssocket.stacklesssocket_manager(lambda: None)
    try:
        stackless.run()
        assert task.alive
        theirs.send(b"x")
        stacklesssocket.pump()
        stackless.run()
        assert log == [b"x"]
    finally:
        stacklesssocket.StartManager()
    assert stacklesssocket.managerRunning
    ours.close()
    theirs.close()


def test_the_main_loop_serves_timers_tasklets_and_pumps_until_it_is_stopped() -> None:
    loop = main.MainLoop()
    log: list[str] = []
    loop.add_pump(lambda: log.append("pump"))
    loop.add_pump(loop.pumps[0])

    def body() -> None:
        main.sleep(0.01)
        log.append("slept")
        loop.stop()

    stackless.tasklet(body)()
    loop.run()
    assert "slept" in log
    assert log.count("pump") >= 1
    assert len(loop.pumps) == 1


def test_an_error_in_a_tasklet_does_not_end_the_main_loop(capsys: pytest.CaptureFixture[str]) -> None:
    loop = main.MainLoop()
    stackless.tasklet(lambda: 1 // 0)()
    stackless.tasklet(loop.stop)()
    loop.run()
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_calls_are_made_in_the_order_of_their_times_and_can_be_taken_back() -> None:
    events, log = main.EventQueue(), []  # type: ignore[var-annotated]
    events.call_later(0.004, log.append, "second")
    events.call_later(0.002, log.append, "first")
    handle = events.call_soon(log.append, "never")
    assert handle.cancel()
    assert not handle.cancel()
    assert len(events) == 2
    stackless.run()
    assert log == ["first", "second"]
    repeated = events.call_repeatedly(0.001, lambda: log.append("again") or repeated.cancel())
    stackless.run()
    assert log[2:] == ["again"]


def test_a_timeout_ends_what_waits_whatever_it_waits_for() -> None:
    def wait(call: Any) -> None:
        with pytest.raises(errors.TimeoutError), util.timeout(0.002):
            call()

    ours, theirs = socket.socketpair()
    for call in (lambda: ours.recv(1), lambda: time.sleep(5), stackless.channel().receive):
        stackless.tasklet(wait)(call)
        stackless.run()
    ours.close()
    theirs.close()
    with pytest.raises(KeyError), util.timeout(0.001, exc=KeyError):
        time.sleep(5)
    with util.timeout(-1), util.timeout(5):
        pass
    assert util.timeout_call(lambda: 42, 5) == (True, 42)
    assert util.timeout_call(lambda: time.sleep(5), 0.001)[0] is False
    assert util.timeout_function(5)(lambda x: x)(1) == 1


def test_a_timeout_for_channels_lets_other_waits_be() -> None:
    with util.timeout(0.001, blocked=True):
        time.sleep(0.005)
    done: list[str] = []

    def body() -> None:
        try:
            util.channel_wait(stackless.channel(), 0.001)
        except errors.TimeoutError:
            done.append("timed out")

    stackless.tasklet(body)()
    while not done:
        stackless.run()
        time.sleep(0.001)


def test_one_limit_for_several_operations() -> None:
    limit = util.Timeouts(0.003)

    def work() -> None:
        while True:
            with limit.timeout():
                time.sleep(0.001)

    with pytest.raises(errors.TimeoutError):
        work()
    assert util.Timeouts(None).delay() is None


def test_a_block_can_be_cancelled_by_another_tasklet() -> None:
    handle, log = util.cancellable(), []  # type: ignore[var-annotated]

    def body() -> None:
        try:
            with handle:
                stackless.channel().receive()
        except errors.CancelledError as error:
            log.append((error.args, handle.match(error)))

    stackless.tasklet(body)()
    stackless.run()
    handle.cancel("enough")
    assert log == [(("enough",), True)]
    assert handle.cancelled()


def test_a_call_in_another_tasklet_gives_its_result_or_error() -> None:
    assert util.tasklet_call(pow, (2, 5)) == 32
    with pytest.raises(ZeroDivisionError):
        util.tasklet_call(lambda: 1 // 0)

    def killed() -> None:
        raise TaskletExit

    with pytest.raises(errors.CancelledError):
        util.tasklet_call(killed)
    log: list[str] = []
    with pytest.raises(errors.TimeoutError):
        util.tasklet_call(time.sleep, (0.02,), timeout=0.001, on_abandoned=lambda: log.append("abandoned"))
    assert log == ["abandoned"]
    stackless.run()


def test_attributes_differ_from_tasklet_to_tasklet() -> None:
    local, log = util.local(), []  # type: ignore[var-annotated]
    local.x = "main"

    def body(name: str) -> None:
        local.x = name
        stackless.schedule()
        log.append(local.x)
        del local.x
        log.append(hasattr(local, "x"))

    for name in "ab":
        stackless.tasklet(body)(name)
    stackless.run()
    assert (log, local.x) == (["a", False, "b", False], "main")


def test_a_queue_channel_keeps_what_nobody_waits_for() -> None:
    queue = util.QueueChannel(2)
    queue.send(1)
    queue.send_exception(KeyError, "x")
    assert queue.balance == 2
    task = stackless.tasklet(queue.send)(3)
    task.run()
    assert task.blocked
    assert queue.receive() == 1
    with pytest.raises(KeyError, match="x"):
        queue.receive()
    assert queue.receive() == 3
    stackless.run()
    assert not task.alive
    queue.close()
    assert list(queue) == []


def test_locks_exclude_tasklets_and_signals_wake_those_who_wait() -> None:
    lock, log = locks.Lock(), []  # type: ignore[var-annotated]
    signal = base.SignalChannel()
    signal.signal("lost")

    def body(name: str) -> None:
        with lock:
            log.append(name)
            stackless.schedule()
            log.append(name)
        log.append(signal.receive())

    for name in "ab":
        stackless.tasklet(body)(name)
    while signal.balance > -2:
        stackless.schedule()
    assert log == ["a", "a", "b", "b"]
    signal.signal_all("go")
    stackless.run()
    assert log[4:] == ["go", "go"]
    with locks.released(lock) if lock.acquire() else pytest.fail("held"):
        assert not lock.locked()
    lock.release()


def test_a_value_event_is_set_once_and_may_fail() -> None:
    event, log = locks.ValueEvent(), []  # type: ignore[var-annotated]
    for _ in range(2):
        stackless.tasklet(lambda: log.append(event.wait()))()
    stackless.run()
    event.set(42)
    stackless.run()
    assert log == [42, 42]
    with pytest.raises(RuntimeError, match="already signaled"):
        event.set(1)
    late = locks.ValueEvent(timeout=0.002)

    def body() -> None:
        try:
            late.wait()
        except errors.TimeoutError:
            log.append("late")

    stackless.tasklet(body)()
    stackless.run()
    assert log[2:] == ["late"]


def test_conditions_without_a_lock() -> None:
    condition, log = locks.NLCondition(), []  # type: ignore[var-annotated]
    stackless.tasklet(lambda: log.append(condition.wait_for(lambda: log)))()
    stackless.schedule()
    with condition:
        log.append("ready")
        condition.notify_all()
    stackless.run()
    assert (log[0], len(log)) == ("ready", 2)
    assert condition.wait(0.001) is False


def test_traps_are_for_a_with() -> None:
    with base.block_trap(), pytest.raises(RuntimeError, match="blocked"):
        stackless.channel().receive()
    task = stackless.tasklet(int)()
    with base.switch_trap(), pytest.raises(RuntimeError, match="switch_trap"):
        task.run()
    with base.ignore_nesting():
        assert stackless.getcurrent().ignore_nesting
    with base.atomic():
        assert stackless.getcurrent().atomic
    stackless.run()


def test_an_old_program_runs_unchanged(program: Program) -> None:
    source = """
        import stackless
        import stacklesslib.main
        import stacklesslib.monkeypatch
        from stacklesslib import util, locks
        import stacklesssocket
        stacklesssocket.install()
        import socket, sys

        stacklesslib.monkeypatch.patch_all()
        real = sys.modules["socket"]
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        server.bind(("127.0.0.1", 0))
        server.listen(5)

        def handle(connection):
            connection.sendall(connection.recv(100)[::-1])
            connection.close()

        def accept():
            for _ in range(2):
                connection, address = server.accept()
                stackless.tasklet(handle)(connection)

        def ask(text):
            s = socket.socket()
            s.connect(server.getsockname())
            s.sendall(text)
            stacklesslib.main.sleep(0.001)
            print(s.recv(100))
            s.close()

        stackless.tasklet(accept)()
        for text in (b"abc", b"abc"):
            stackless.tasklet(ask)(text)
        while stackless.getruncount() > 1:
            stacklesslib.main.mainloop.loop()
        print(real.socket is not socket.socket)
        server.close()
    """
    done = program(source, converted=True)
    assert (done.stdout, done.stderr) == ("b'cba'\nb'cba'\nTrue\n", "")
