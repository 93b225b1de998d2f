"""gevent's greenlets and channels, used as its documentation shows them."""

# mypy: disable-error-code="import-untyped,import-not-found"
from __future__ import annotations

import gevent
import gevent.queue

from benchmarks.peers.stopwatch import run

BATCH = 1000


def switch(count: int) -> None:
    def turn() -> None:
        for _ in range(count // 2):
            gevent.sleep(0)

    gevent.joinall([gevent.spawn(turn), gevent.spawn(turn)])


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


if __name__ == "__main__":
    run({"switch": switch, "channel": channel, "spawn": spawn})
