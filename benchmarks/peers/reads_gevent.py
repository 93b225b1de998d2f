"""Random reads of 4 KiB by gevent's FileObjectThread, a file for each greenlet: `NAME COUNT FILE`."""

# mypy: disable-error-code="import-untyped,import-not-found"
from __future__ import annotations

import os
import sys

import gevent
from gevent.fileobject import FileObjectThread

from benchmarks.peers import blocks
from benchmarks.peers.stopwatch import measured, run

PATH = sys.argv[3]


def read_all(offsets: list[int]) -> int:
    total = 0
    with FileObjectThread(PATH, "rb", bufsize=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        for offset in offsets:
            file.seek(offset)
            total += file.read(blocks.SIZE)[-1]
    return total


def read(offsets: list[int]) -> int:
    tasks = [gevent.spawn(read_all, share) for share in blocks.shares(offsets)]
    gevent.joinall(tasks, raise_error=True)
    return sum(task.value for task in tasks)


def cached(count: int) -> None:
    offsets = blocks.chosen(PATH, count)
    with measured():
        total = read(offsets)
    assert total == blocks.expected(offsets)


def cold(count: int) -> None:
    offsets = blocks.chosen(PATH, count)
    fd = os.open(PATH, os.O_RDONLY)
    with blocks.dropped(fd, count), measured():
        total = read(offsets)
    os.close(fd)
    assert total == blocks.expected(offsets)


if __name__ == "__main__":
    run({"read": cached, "cold-read": cold})
