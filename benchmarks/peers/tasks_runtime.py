"""This project's own interface: tasklets and channels."""

from __future__ import annotations

import runtime
from benchmarks.peers.stopwatch import run

BATCH = 1000


def switch(count: int) -> None:
    def turn() -> None:
        for _ in range(count // 2):
            runtime.schedule()

    first, second = runtime.spawn(turn), runtime.spawn(turn)
    first.join()
    second.join()


def channel(count: int) -> None:
    wire: runtime.Channel[int] = runtime.Channel()

    def send() -> None:
        for i in range(count):
            wire.send(i)

    sender = runtime.spawn(send)
    for _ in range(count):
        wire.receive()
    sender.join()


def nothing() -> None:
    pass


def spawn(count: int) -> None:
    for _ in range(count // BATCH or 1):
        for tasklet in [runtime.spawn(nothing) for _ in range(BATCH)]:
            tasklet.join()


if __name__ == "__main__":
    run({"switch": switch, "channel": channel, "spawn": spawn})
