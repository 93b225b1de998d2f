"""The file that the reading benchmarks read: blocks of 4 KiB, each of which ends with its number's lowest byte.

So the sum of the last bytes tells whether every read brought the whole of the right block.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import random
from collections.abc import Iterator

SIZE = 4096
TASKS = 100  # that read at a time
POOL = 16  # threads


class WarmError(Exception):
    """A read that was to go to the disk was answered from memory."""


def write(path: str, count: int) -> None:
    """Make the file, of `count` blocks, and have it on the disk: only clean pages can be dropped."""
    with open(path, "wb") as file:
        for number in range(count):
            file.write(bytes(SIZE - 1) + bytes([number & 0xFF]))
        file.flush()
        os.fsync(file.fileno())


def chosen(path: str, count: int) -> list[int]:
    """Where to read: `count` blocks at random, the same each time, none twice as long as there are enough."""
    blocks = os.stat(path).st_size // SIZE
    numbers = random.Random(count)
    picked = (
        numbers.sample(range(blocks), count) if count <= blocks else numbers.choices(range(blocks), k=count)
    )
    return [number * SIZE for number in picked]


def expected(offsets: list[int]) -> int:
    """The sum of the last bytes of these blocks."""
    return sum(offset // SIZE & 0xFF for offset in offsets)


def shares(offsets: list[int], tasks: int = TASKS) -> list[list[int]]:
    return [offsets[i::tasks] for i in range(tasks)]


def _from_disk() -> int:
    """Bytes that this process has had read from a disk."""
    for line in pathlib.Path("/proc/self/io").read_text().splitlines():
        if line.startswith("read_bytes:"):
            return int(line.split()[1])
    raise WarmError("the kernel does not say what is read from the disk")


@contextlib.contextmanager
def dropped(fd: int, count: int) -> Iterator[None]:
    """Begin with nothing of the file in memory and without read-ahead.

    Raises:
        WarmError: fewer than nine in ten of `count` reads went to the disk, as on tmpfs.
    """
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    before = _from_disk()
    yield
    if (read := _from_disk() - before) < 0.9 * count * SIZE:
        raise WarmError(
            f"only {read} of {count * SIZE} bytes came from the disk: set TMPDIR to a folder on one"
        )
