"""gevent's greenlets, channels and timeouts, used as its documentation shows them."""

# mypy: disable-error-code="import-untyped,import-not-found"
from __future__ import annotations

import gevent
import gevent.event
import gevent.queue

from benchmarks.peers.stopwatch import CROWD, measured, run, shuffled

BATCH = 1000
PENDING = 100_000  # timers, all later than the benchmark ends
LATER = 3600.0  # seconds
SOON = 0.5  # seconds


def switch(count: int) -> None:
    def turn() -> None:
        for _ in range(count // 2):
            gevent.sleep(0)

    gevent.joinall([gevent.spawn(turn), gevent.spawn(turn)])


def crowd(count: int) -> None:
    gates = [gevent.event.Event() for _ in range(CROWD)]

    def turn(gate: gevent.event.Event) -> None:
        gate.wait()
        for _ in range(count // CROWD or 1):
            gevent.sleep(0)

    tasks = [gevent.spawn(turn, gate) for gate in gates]
    gevent.sleep(0)
    with measured():
        for number in shuffled(CROWD):
            gates[number].set()
        gevent.joinall(tasks)


def channel(count: int) -> None:
    wire = gevent.queue.Channel()

    def send() -> None:
        for i in range(count):
            wire.put(i)

    sender = gevent.spawn(send)
    for _ in range(count):
        wire.get()
    sender.join()


def nothing() -> None:
    pass


def spawn(count: int) -> None:
    for _ in range(count // BATCH or 1):
        for task in [gevent.spawn(nothing) for _ in range(BATCH)]:
            task.join()


def chain(count: int) -> None:
    def link(left: gevent.queue.Channel, right: gevent.queue.Channel) -> None:
        right.put(1 + left.get())

    first = left = gevent.queue.Channel()
    for _ in range(count):
        right = gevent.queue.Channel()
        gevent.spawn(link, left, right)
        left = right
    gevent.spawn(first.put, 0)
    assert left.get() == count


def blocked(count: int) -> None:
    gate = gevent.event.Event()
    with measured(memory=True):
        tasks = [gevent.spawn(gate.wait) for _ in range(count)]
        gevent.sleep(0)
    gate.set()
    gevent.joinall(tasks)


def timers(count: int) -> None:
    pending = [gevent.spawn(gevent.sleep, LATER + i / 1000) for i in range(PENDING)]
    gevent.sleep(0)
    with measured():
        for _ in range(count):
            with gevent.Timeout(LATER):
                pass
    gevent.killall(pending)


def sleeps(count: int) -> None:
    gevent.joinall([gevent.spawn(gevent.sleep, SOON * i / count) for i in range(1, count + 1)])


if __name__ == "__main__":
    run(
        {
            "switch": switch,
            "crowd": crowd,
            "channel": channel,
            "spawn": spawn,
            "chain": chain,
            "blocked": blocked,
            "timers": timers,
            "sleeps": sleeps,
        },
        once=["blocked"],
    )
