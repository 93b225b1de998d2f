"""eventlet's green threads and queues, used as its documentation shows them."""

# mypy: disable-error-code="import-untyped,import-not-found"
from __future__ import annotations

import warnings

from benchmarks.peers.stopwatch import run

warnings.simplefilter("ignore")  # eventlet announces its own end of life on import
import eventlet  # noqa: E402  (after the filter)
import eventlet.queue  # noqa: E402

BATCH = 1000


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


if __name__ == "__main__":
    run({"switch": switch, "channel": channel, "spawn": spawn})
