"""Many short processes, many look-ups of names, at a time: asyncio's; with `uvloop` as the third argument, on
uvloop."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Coroutine

from benchmarks.peers.stopwatch import run

PROCESSES = 20  # at a time
NAMES = 100  # at a time


async def crowd(action: Callable[[], Coroutine[object, object, None]], count: int, tasks: int) -> None:
    """`tasks` tasks do it `count` times altogether."""

    async def work(share: int) -> int:
        for _ in range(share):
            await action()
        return share

    done = await asyncio.gather(*(work(len(range(i, count, tasks))) for i in range(tasks)))
    assert sum(done) == count


async def process() -> None:
    child = await asyncio.create_subprocess_exec("true")
    assert await child.wait() == 0


async def look_up(host: str) -> None:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, 80, family=socket.AF_INET, type=socket.SOCK_STREAM)
    for _family, _type, _protocol, _name, address in found:
        assert address == ("127.0.0.1", 80)


def on_loop(operation: Callable[[int], Coroutine[object, object, None]]) -> Callable[[int], None]:
    if sys.argv[3:] == ["uvloop"]:
        import uvloop

        return lambda count: uvloop.run(operation(count))
    return lambda count: asyncio.run(operation(count))


if __name__ == "__main__":
    run(
        {
            "processes": on_loop(lambda count: crowd(process, count, PROCESSES)),
            "numeric": on_loop(lambda count: crowd(lambda: look_up("127.0.0.1"), count, NAMES)),
            "localhost": on_loop(lambda count: crowd(lambda: look_up("localhost"), count, NAMES)),
        }
    )
