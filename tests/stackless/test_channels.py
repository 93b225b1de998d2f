"""Channels: who goes on when a sender and a receiver meet, errors over channels, closing, iteration."""

from __future__ import annotations

import sys
import traceback
from typing import Any

import pytest

from runtime import stackless
from runtime.stackless import TaskletExit


def receiver(channel: stackless.channel, log: list[Any], times: int = 1) -> None:
    for _ in range(times):
        log.append(channel.receive())


def test_by_default_the_receiver_goes_on_at_once() -> None:
    channel, log = stackless.channel(), []  # type: ignore[var-annotated]
    stackless.tasklet(receiver)(channel, log, 2)
    stackless.run()
    assert channel.balance == -1
    channel.send(1)
    log.append("sender")
    channel.send(2)
    assert log == [1, "sender", 2]


@pytest.mark.parametrize("preference", [1, 5])
def test_a_channel_can_prefer_the_sender(preference: int) -> None:
    channel, log = stackless.channel(), []  # type: ignore[var-annotated]
    channel.preference = preference
    assert channel.preference == 1
    stackless.tasklet(receiver)(channel, log)
    stackless.run()
    channel.send(1)
    log.append("sender")
    stackless.run()
    assert log == ["sender", 1]


def test_without_preference_whoever_came_last_goes_on() -> None:
    channel, log = stackless.channel(), []  # type: ignore[var-annotated]
    channel.preference = 0
    stackless.tasklet(receiver)(channel, log)
    stackless.run()
    channel.send(1)
    assert log == []
    stackless.run()
    stackless.tasklet(lambda: (channel.send(2), log.append("sent")))()
    stackless.run()
    assert channel.receive() == 2
    assert log == [1]
    stackless.run()
    assert log == [1, "sent"]


def test_schedule_all_sends_both_to_the_end() -> None:
    channel, log = stackless.channel(), []  # type: ignore[var-annotated]
    channel.schedule_all = 1
    stackless.tasklet(receiver)(channel, log)
    stackless.run()
    stackless.tasklet(log.append)("other")
    channel.send(1)
    assert log == ["other", 1]


def test_the_queue_is_in_order_and_linked() -> None:
    channel = stackless.channel()
    tasks = [stackless.tasklet(channel.send)(number) for number in range(3)]
    stackless.run()
    assert channel.queue is tasks[0]
    assert [task.next for task in tasks] == [tasks[1], tasks[2], None]
    assert [task.prev for task in tasks] == [None, tasks[0], tasks[1]]
    assert all(task.blocked and task.scheduled and not task.paused for task in tasks)
    tasks[1].kill()
    assert channel.balance == 2
    assert [channel.receive() for _ in range(2)] == [0, 2]
    assert channel.queue is None
    stackless.run()


def test_an_error_can_be_sent_and_keeps_its_traceback() -> None:
    channel = stackless.channel()

    def fail() -> None:
        raise KeyError("lost")

    def sender() -> None:
        channel.send_exception(ValueError, 1, 2)
        try:
            fail()
        except KeyError:
            channel.send_throw(*sys.exc_info())

    stackless.tasklet(sender)()
    with pytest.raises(ValueError) as first:
        channel.receive()
    assert first.value.args == (1, 2)
    with pytest.raises(KeyError) as second:
        channel.receive()
    assert traceback.extract_tb(second.value.__traceback__)[-1].name == "fail"
    stackless.run()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((42,), "exceptions must be classes, or instances, not int"),
        ((ValueError(1), 2), "instance exception may not have a separate value"),
        ((ValueError, 1, "tb"), "third argument must be a traceback object"),
        ((), "missing 1 required positional argument"),
    ],
)
def test_what_cannot_be_raised_cannot_be_sent(arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        stackless.channel().send_throw(*arguments)


def test_send_exception_wants_a_class() -> None:
    with pytest.raises(TypeError, match="needs Exception or string subclass"):
        stackless.channel().send_exception(42)  # type: ignore[arg-type]


def test_a_sequence_is_received_by_iteration_until_stop_iteration_comes() -> None:
    channel, log = stackless.channel(), []  # type: ignore[var-annotated]

    def sender() -> None:
        log.append(channel.send_sequence(range(3)))
        channel.send_exception(StopIteration)

    stackless.tasklet(sender)()
    stackless.tasklet(lambda: log.extend(channel))()
    stackless.run()
    assert sorted(log) == [0, 1, 2, 3]


def test_a_closed_channel_lets_nobody_wait_and_those_who_wait_go_on_waiting() -> None:
    channel = stackless.channel()
    task = stackless.tasklet(channel.send)("still here")
    stackless.run()
    channel.close()
    assert (channel.closing, channel.closed, task.blocked) == (True, False, True)
    assert channel.receive() == "still here"
    assert channel.closed
    for call in (channel.receive, lambda: channel.send(1)):
        with pytest.raises(ValueError, match="closed channel"):
            call()
    assert list(channel) == []
    channel.open()
    assert not channel.closing
    stackless.run()


def test_receivers_of_a_channel_that_closes_can_be_served_until_nobody_waits() -> None:
    channel, log = stackless.channel(), []  # type: ignore[var-annotated]
    for _ in range(2):
        stackless.tasklet(receiver)(channel, log)
    stackless.run()
    channel.close()
    while channel.closing and not channel.closed:
        channel.send("last")
    assert log == ["last", "last"]


def test_the_block_trap_refuses_to_wait_and_nothing_else() -> None:
    channel = stackless.channel()
    task = stackless.tasklet(channel.send)(1)
    stackless.run()
    me = stackless.getcurrent()
    me.block_trap = True
    try:
        assert channel.receive() == 1
        with pytest.raises(RuntimeError, match="does not like to be blocked"):
            channel.receive()
        assert channel.balance == 0
    finally:
        me.block_trap = False
    stackless.run()
    assert not task.alive


@pytest.mark.parametrize("call", ["insert", "run", "remove", "switch"])
def test_a_blocked_tasklet_waits_for_its_channel(call: str) -> None:
    channel = stackless.channel()
    task = stackless.tasklet(channel.receive)()
    stackless.run()
    with pytest.raises(RuntimeError, match="blocked"):
        getattr(task, call)()
    assert task.blocked
    task.kill()
    assert channel.balance == 0


def test_the_channel_callback_sees_each_use() -> None:
    channel, seen = stackless.channel(), []  # type: ignore[var-annotated]

    def callback(at: Any, task: Any, sending: int, willblock: int) -> None:
        seen.append((at, task.is_main, sending, willblock, task.tempval))
        with pytest.raises(RuntimeError, match="Recursive channel call"):
            channel.send(1)

    stackless.set_channel_callback(callback)
    stackless.tasklet(channel.receive)()
    stackless.run()
    channel.send(42)
    assert stackless.set_channel_callback(None) is callback
    assert seen == [(channel, False, 0, 1, None), (channel, True, 1, 0, 42)]


def test_a_kill_takes_a_tasklet_out_of_its_channel() -> None:
    channel, log = stackless.channel(), []  # type: ignore[var-annotated]

    def body() -> None:
        try:
            channel.receive()
        except TaskletExit:
            log.append(channel.balance)
            raise

    task = stackless.tasklet(body)()
    stackless.run()
    task.kill()
    assert log == [0]
    assert not task.alive


def test_a_channel_can_be_subclassed_and_pickled_while_nobody_waits() -> None:
    import copy

    class Named(stackless.channel):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    assert Named("Ada").name == "Ada"
    channel = stackless.channel()
    channel.preference = 1
    assert copy.copy(channel).preference == 1
    task = stackless.tasklet(channel.receive)()
    stackless.run()
    with pytest.raises(TypeError, match="C stack"):
        copy.copy(channel)
    task.kill()
