"""Random reads of 4 KiB by asyncio's tasks, each read in a thread: `NAME COUNT FILE`."""

from __future__ import annotations

import asyncio
import os
import sys

from benchmarks.peers import blocks
from benchmarks.peers.stopwatch import measured, run

PATH = sys.argv[3]


async def read_all(fd: int, offsets: list[int]) -> int:
    total = 0
    for offset in offsets:
        total += (await asyncio.to_thread(os.pread, fd, blocks.SIZE, offset))[-1]
    return total


async def read(fd: int, offsets: list[int]) -> int:
    return sum(await asyncio.gather(*(read_all(fd, share) for share in blocks.shares(offsets))))


def cached(count: int) -> None:
    offsets = blocks.chosen(PATH, count)
    fd = os.open(PATH, os.O_RDONLY)
    with measured():
        total = asyncio.run(read(fd, offsets))
    os.close(fd)
    assert total == blocks.expected(offsets)


def cold(count: int) -> None:
    offsets = blocks.chosen(PATH, count)
    fd = os.open(PATH, os.O_RDONLY)
    with blocks.dropped(fd, count), measured():
        total = asyncio.run(read(fd, offsets))
    os.close(fd)
    assert total == blocks.expected(offsets)


if __name__ == "__main__":
    run({"pread": cached, "cold-pread": cold})
