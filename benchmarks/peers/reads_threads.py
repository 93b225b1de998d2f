"""Random reads of 4 KiB by `threading` and `os`: `NAME COUNT FILE`, as it is, converted, and monkeypatched.

`loop` is the floor: no other thread.
"""

from __future__ import annotations

import concurrent.futures
import functools
import os
import sys
import threading
from collections.abc import Callable

from benchmarks.peers import blocks
from benchmarks.peers.stopwatch import measured, run

PATH = sys.argv[3]


def pread_all(fd: int, offsets: list[int]) -> int:
    total = 0
    for offset in offsets:
        total += os.pread(fd, blocks.SIZE, offset)[-1]
    return total


def read_all(_fd: int, offsets: list[int]) -> int:
    total = 0
    with open(PATH, "rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        for offset in offsets:
            file.seek(offset)
            total += file.read(blocks.SIZE)[-1]
    return total


def threaded(way: Callable[[int, list[int]], int], fd: int, offsets: list[int], count: int) -> int:
    """`count` threads, each with its share."""
    totals: list[int] = []
    threads = [
        threading.Thread(target=lambda share=share: totals.append(way(fd, share)))
        for share in blocks.shares(offsets, count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(totals)


def pooled(fd: int, offsets: list[int]) -> int:
    """A pool that is asked for each read."""
    with concurrent.futures.ThreadPoolExecutor(blocks.POOL) as pool:
        return sum(pool.map(lambda offset: os.pread(fd, blocks.SIZE, offset)[-1], offsets))


WAYS: dict[str, Callable[[int, list[int]], int]] = {
    "loop": pread_all,
    "pread": lambda fd, offsets: threaded(pread_all, fd, offsets, blocks.TASKS),
    "read": lambda fd, offsets: threaded(read_all, fd, offsets, blocks.TASKS),
    "few": lambda fd, offsets: threaded(pread_all, fd, offsets, blocks.POOL),
    "pool": pooled,
}


def cached(way: Callable[[int, list[int]], int], count: int) -> None:
    offsets = blocks.chosen(PATH, count)
    fd = os.open(PATH, os.O_RDONLY)
    with measured():
        total = way(fd, offsets)
    os.close(fd)
    assert total == blocks.expected(offsets)


def cold(way: Callable[[int, list[int]], int], count: int) -> None:
    offsets = blocks.chosen(PATH, count)
    fd = os.open(PATH, os.O_RDONLY)
    with blocks.dropped(fd, count), measured():
        total = way(fd, offsets)
    os.close(fd)
    assert total == blocks.expected(offsets)


if __name__ == "__main__":
    operations: dict[str, Callable[[int], None]] = {}
    for name, way in WAYS.items():
        operations[name] = functools.partial(cached, way)
        operations[f"cold-{name}"] = functools.partial(cold, way)
    run(operations)
