"""This project's own interface: tasklets and channels."""

from __future__ import annotations

import runtime
from benchmarks.peers.stopwatch import CROWD, measured, run, shuffled

BATCH = 1000
PENDING = 100_000  # timers, all later than the benchmark ends
LATER = 3600.0  # seconds
SOON = 0.5  # seconds


def switch(count: int) -> None:
    def turn() -> None:
        for _ in range(count // 2):
            runtime.schedule()

    first, second = runtime.spawn(turn), runtime.spawn(turn)
    first.join()
    second.join()


def crowd(count: int) -> None:
    """Many take turns, in an order that is not that of their memory."""
    gates: list[runtime.Channel[None]] = [runtime.Channel() for _ in range(CROWD)]

    def turn(gate: runtime.Channel[None]) -> None:
        gate.receive()
        for _ in range(count // CROWD or 1):
            runtime.schedule()

    tasklets = [runtime.spawn(turn, gate) for gate in gates]
    runtime.schedule()
    with measured():
        for number in shuffled(CROWD):
            gates[number].send(None)
        for tasklet in tasklets:
            tasklet.join()


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


def chain(count: int) -> None:
    def link(left: runtime.Channel[int], right: runtime.Channel[int]) -> None:
        right.send(1 + left.receive())

    first: runtime.Channel[int] = runtime.Channel()
    left = first
    for _ in range(count):
        right: runtime.Channel[int] = runtime.Channel()
        runtime.spawn(link, left, right)
        left = right
    runtime.spawn(first.send, 0)
    assert left.receive() == count


def blocked(count: int) -> None:
    wire: runtime.Channel[None] = runtime.Channel()
    with measured(memory=True):
        tasklets = [runtime.spawn(wire.receive) for _ in range(count)]
        runtime.schedule()
        while wire.balance > -count:
            runtime.schedule()
    for _ in range(count):
        wire.send(None)
    for tasklet in tasklets:
        tasklet.join()


def timers(count: int) -> None:
    pending = [runtime.spawn(runtime.sleep, LATER + i / 1000) for i in range(PENDING)]
    runtime.schedule()
    with measured():
        for _ in range(count):
            with runtime.timeout(LATER):
                pass
    for tasklet in pending:
        tasklet.kill()


def sleeps(count: int) -> None:
    for tasklet in [runtime.spawn(runtime.sleep, SOON * i / count) for i in range(1, count + 1)]:
        tasklet.join()


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
