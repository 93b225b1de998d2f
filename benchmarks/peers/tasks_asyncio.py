"""asyncio's tasks, queues and locks; with `uvloop` as the third argument, on uvloop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine

from benchmarks.peers.stopwatch import run

BATCH = 1000


async def switch(count: int) -> None:
    async def turn() -> None:
        for _ in range(count // 2):
            await asyncio.sleep(0)

    await asyncio.gather(turn(), turn())


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
    run({operation.__name__: on_loop(operation) for operation in (switch, channel, spawn, lock, queue)})
