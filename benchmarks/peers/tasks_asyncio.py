"""asyncio's tasks, queues, locks and timeouts; with `uvloop` as the third argument, on uvloop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine

from benchmarks.peers.stopwatch import CROWD, measured, run, shuffled

BATCH = 1000
PENDING = 100_000  # timers, all later than the benchmark ends
LATER = 3600.0  # seconds
SOON = 0.5  # seconds


async def switch(count: int) -> None:
    async def turn() -> None:
        for _ in range(count // 2):
            await asyncio.sleep(0)

    await asyncio.gather(turn(), turn())


async def crowd(count: int) -> None:
    gates = [asyncio.Event() for _ in range(CROWD)]

    async def turn(gate: asyncio.Event) -> None:
        await gate.wait()
        for _ in range(count // CROWD or 1):
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(turn(gate)) for gate in gates]
    await asyncio.sleep(0)
    with measured():
        for number in shuffled(CROWD):
            gates[number].set()
        await asyncio.gather(*tasks)


async def channel(count: int) -> None:
    wire: asyncio.Queue[int] = asyncio.Queue(1)  # there is no rendezvous; one place is the nearest to it

    async def send() -> None:
        for i in range(count):
            await wire.put(i)

    sender = asyncio.create_task(send())
    for _ in range(count):
        await wire.get()
    await sender


async def nothing() -> None:
    pass


async def spawn(count: int) -> None:
    for _ in range(count // BATCH or 1):
        for task in [asyncio.create_task(nothing()) for _ in range(BATCH)]:
            await task


async def chain(count: int) -> None:
    async def link(left: asyncio.Queue[int], right: asyncio.Queue[int]) -> None:
        await right.put(1 + await left.get())

    first: asyncio.Queue[int] = asyncio.Queue(1)
    left, tasks = first, []
    for _ in range(count):
        right: asyncio.Queue[int] = asyncio.Queue(1)
        tasks.append(asyncio.create_task(link(left, right)))
        left = right
    await first.put(0)
    assert await left.get() == count


async def blocked(count: int) -> None:
    gate = asyncio.Event()
    with measured(memory=True):
        tasks = [asyncio.create_task(gate.wait()) for _ in range(count)]
        await asyncio.sleep(0)
    gate.set()
    for task in tasks:
        await task


async def timers(count: int) -> None:
    pending = [asyncio.create_task(asyncio.sleep(LATER + i / 1000)) for i in range(PENDING)]
    await asyncio.sleep(0)
    with measured():
        for _ in range(count):
            async with asyncio.timeout(LATER):
                pass
    for task in pending:
        task.cancel()


async def sleeps(count: int) -> None:
    for task in [asyncio.create_task(asyncio.sleep(SOON * i / count)) for i in range(1, count + 1)]:
        await task


async def lock(count: int) -> None:
    one = asyncio.Lock()
    for _ in range(count):
        async with one:
            pass


async def queue(count: int) -> None:
    line: asyncio.Queue[int] = asyncio.Queue()
    for i in range(count):
        await line.put(i)
        await line.get()


def on_loop(operation: Callable[[int], Coroutine[object, object, None]]) -> Callable[[int], None]:
    if sys.argv[3:] == ["uvloop"]:
        import uvloop

        return lambda count: uvloop.run(operation(count))
    return lambda count: asyncio.run(operation(count))


if __name__ == "__main__":
    operations = (switch, crowd, channel, spawn, chain, blocked, timers, sleeps, lock, queue)
    run({operation.__name__: on_loop(operation) for operation in operations}, once=["blocked"])
