"""Channels: the meeting of tasklets and of OS threads."""

from __future__ import annotations

import threading

import pytest

import runtime
from runtime import Channel, ChannelClosed
from runtime.hub import Hub, get_hub

pytestmark = pytest.mark.usefixtures("backend")


def test_a_sender_waits_for_a_receiver() -> None:
    """Nothing is buffered; balance says who waits."""
    channel: Channel[int] = Channel()
    sender = runtime.spawn(channel.send, 1)
    runtime.schedule()
    assert channel.balance == 1
    assert not sender.done
    assert channel.receive() == 1
    sender.join()
    receiver = runtime.spawn(channel.receive)
    runtime.schedule()
    assert channel.balance == -1
    channel.send(2)
    assert receiver.result() == 2
    assert channel.balance == 0


def test_first_come_first_served() -> None:
    """Senders are received from, and receivers served, in the order they came."""
    channel: Channel[int] = Channel()
    for number in range(5):
        runtime.spawn(channel.send, number)
    runtime.schedule()
    assert [channel.receive() for _ in range(5)] == [0, 1, 2, 3, 4]
    log: list[tuple[int, int]] = []
    for number in range(5):
        runtime.spawn(lambda number=number: log.append((number, channel.receive())))
    runtime.schedule()
    for value in range(5):
        channel.send(value)
    runtime.schedule()
    assert log == [(n, n) for n in range(5)]


def test_an_exception_is_sent() -> None:
    """send_exception() raises in the receiver, not here."""
    channel: Channel[int] = Channel()
    receiver = runtime.spawn(channel.receive)
    runtime.schedule()
    channel.send_exception(LookupError("sent"))
    with pytest.raises(LookupError, match="sent"):
        receiver.result()


def test_a_closed_channel_ends_its_receivers() -> None:
    """Iteration ends, receive() and send() raise; a sender that waits is still received from."""
    channel: Channel[int] = Channel()
    reader = runtime.spawn(list, channel)
    runtime.schedule()
    channel.send(1)
    channel.send(2)
    channel.close()
    assert reader.result() == [1, 2]
    with pytest.raises(ChannelClosed):
        channel.send(3)
    with pytest.raises(ChannelClosed):
        channel.receive()
    other: Channel[int] = Channel()
    runtime.spawn(other.send, 4)
    runtime.schedule()
    other.close()
    assert not other.closed
    assert other.receive() == 4
    assert other.closed


def test_a_killed_party_is_not_met() -> None:
    """Neither a killed sender's value nor a killed receiver's place is used."""
    channel: Channel[int] = Channel()
    dead = runtime.spawn(channel.send, 1)
    runtime.spawn(channel.send, 2)
    runtime.schedule()
    dead.kill()
    assert channel.receive() == 2
    dead = runtime.spawn(channel.receive)
    alive = runtime.spawn(channel.receive)
    runtime.schedule()
    dead.kill()
    channel.send(3)
    assert alive.result() == 3


def test_a_value_that_was_handed_over_is_received_although_the_time_is_up() -> None:
    """send() returned, so the receiver has it: a timeout that races with it does not lose it."""
    channel: Channel[int] = Channel()
    got: list[int] = []

    def receive() -> None:
        with runtime.timeout(1000) as limit:
            timeouts.append(limit)
            got.append(channel.receive())

    timeouts: list[runtime.timeout] = []
    receiver = runtime.spawn(receive)
    runtime.schedule()
    channel.send(1)
    timeouts[0]._expire()  # in the same turn
    receiver.join()
    assert got == [1]


def test_threads_and_tasklets_meet() -> None:
    """Values from several OS threads arrive once each, and each sender's in order."""
    channel: Channel[tuple[int, int]] = Channel()

    def send(number: int) -> None:
        for value in range(200):
            channel.send((number, value))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    received = [channel.receive() for _ in range(600)]
    for thread in threads:
        thread.join()
    for number in range(3):
        assert [value for who, value in received if who == number] == list(range(200))


def test_who_is_rung_may_be_sent_to_meanwhile() -> None:
    """To wake another OS thread runs code in which a signal handler may come that uses the same channel."""
    channel: Channel[int] = Channel()
    got: list[int] = []
    hubs: list[Hub] = []

    def receive() -> None:
        hub = get_hub()

        class Rung:
            def __getattr__(self, name: str) -> object:
                return getattr(backend, name)

            def notify(self) -> None:
                backend.notify()
                if channel.balance < 0:
                    channel.send(2)

        backend = hub.backend
        hub.backend = Rung()  # type: ignore[assignment]
        tasklets = [runtime.spawn(lambda: got.append(channel.receive())) for _ in range(2)]
        hubs.append(hub)
        for tasklet in tasklets:
            tasklet.join()

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    while not hubs or not hubs[0].polling or channel.balance > -2:
        runtime.sleep(0.001)
    sender = threading.Thread(target=channel.send, args=(1,), daemon=True)
    sender.start()
    thread.join(10)
    assert sorted(got) == [1, 2]
    sender.join(10)
    assert not sender.is_alive()
