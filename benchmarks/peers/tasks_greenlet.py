"""Bare greenlets: the floor of what is built on them. No run queue, no event loop, no error handling."""

from __future__ import annotations

from greenlet import getcurrent, greenlet

from benchmarks.peers.stopwatch import run

BATCH = 1000


def switch(count: int) -> None:
    def turn() -> None:
        for _ in range(count // 2):
            other[getcurrent()].switch()

    first, second = greenlet(turn), greenlet(turn)
    other = {first: second, second: first}
    first.switch()
    while not second.dead:
        second.switch()


def nothing() -> None:
    pass


def spawn(count: int) -> None:
    for _ in range(count // BATCH or 1):
        for task in [greenlet(nothing) for _ in range(BATCH)]:
            task.switch()


if __name__ == "__main__":
    run({"switch": switch, "spawn": spawn})
