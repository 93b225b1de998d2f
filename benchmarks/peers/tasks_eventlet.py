"""eventlet's green threads, queues and timeouts, used as its documentation shows them."""

# mypy: disable-error-code="import-untyped,import-not-found"
from __future__ import annotations

import warnings

from benchmarks.peers.stopwatch import measured, run

warnings.simplefilter("ignore")  # eventlet announces its own end of life on import
import eventlet  # noqa: E402  (after the filter)
import eventlet.event  # noqa: E402
import eventlet.queue  # noqa: E402

BATCH = 1000
PENDING = 100_000  # timers, all later than the benchmark ends
LATER = 3600.0  # seconds
SOON = 0.5  # seconds


def switch(count: int) -> None:
    def turn() -> None:
        for _ in range(count // 2):
            eventlet.sleep(0)

    first, second = eventlet.spawn(turn), eventlet.spawn(turn)
    first.wait()
    second.wait()


def channel(count: int) -> None:
    wire = eventlet.queue.LightQueue(0)

    def send() -> None:
        for i in range(count):
            wire.put(i)

    sender = eventlet.spawn(send)
    for _ in range(count):
        wire.get()
    sender.wait()


def nothing() -> None:
    pass


def spawn(count: int) -> None:
    for _ in range(count // BATCH or 1):
        for task in [eventlet.spawn(nothing) for _ in range(BATCH)]:
            task.wait()


def chain(count: int) -> None:
    def link(left: eventlet.queue.LightQueue, right: eventlet.queue.LightQueue) -> None:
        right.put(1 + left.get())

    first = left = eventlet.queue.LightQueue(0)
    for _ in range(count):
        right = eventlet.queue.LightQueue(0)
        eventlet.spawn(link, left, right)
        left = right
    eventlet.spawn(first.put, 0)
    assert left.get() == count


def blocked(count: int) -> None:
    gate = eventlet.event.Event()
    with measured(memory=True):
        tasks = [eventlet.spawn(gate.wait) for _ in range(count)]
        eventlet.sleep(0)
    gate.send(None)
    for task in tasks:
        task.wait()


def timers(count: int) -> None:
    pending = [eventlet.spawn(eventlet.sleep, LATER + i / 1000) for i in range(PENDING)]
    eventlet.sleep(0)
    with measured():
        for _ in range(count):
            with eventlet.Timeout(LATER):
                pass
    for task in pending:
        task.kill()


def sleeps(count: int) -> None:
    for task in [eventlet.spawn(eventlet.sleep, SOON * i / count) for i in range(1, count + 1)]:
        task.wait()


if __name__ == "__main__":
    run(
        {
            "switch": switch,
            "channel": channel,
            "spawn": spawn,
            "chain": chain,
            "blocked": blocked,
            "timers": timers,
            "sleeps": sleeps,
        },
        once=["blocked"],
    )
