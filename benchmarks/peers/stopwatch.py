"""How a program that measures itself is run: `NAME COUNT [more]`, and one line of JSON on standard output."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping

CROWD = 10_000  # tasks

_spans: list[dict[str, float]] = []


def resident() -> int:
    """Bytes of memory that are this process's own, as the kernel counts them."""
    with open("/proc/self/statm", "rb") as file:
        _size, pages, shared = file.read().split()[:3]
    return (int(pages) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def measured(memory: bool = False) -> Iterator[None]:
    """Measure this part of an operation and not the whole of it; with `memory`, by how much the process grew, too.

    CPU seconds are the whole process's, all OS threads, without its children.
    """
    gc.collect()
    span: dict[str, float] = {}
    before = resident() if memory else 0
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    span["cpu"], span["wall"] = time.process_time() - cpu, time.perf_counter() - wall
    if memory:
        gc.collect()
        span["memory"] = resident() - before
    _spans.append(span)


def shuffled(count: int) -> list[int]:
    """The numbers below `count` in an arbitrary order, the same each time."""
    numbers = list(range(count))
    random.Random(count).shuffle(numbers)
    return numbers


def run(operations: Mapping[str, Callable[[int], object]], once: Collection[str] = ()) -> None:
    """Do operation `sys.argv[1]` `sys.argv[2]` times, a tenth of that before; print what it took.

    An operation is called with the count and loops itself. Those in `once` are not done before: what they allocate
    must come from the system.
    """
    name, count = sys.argv[1], int(sys.argv[2])
    operation = operations[name]
    if name not in once:
        operation(max(1, count // 10))
    _spans.clear()
    wall, cpu = time.perf_counter(), time.process_time()
    operation(count)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps(_spans[0] if _spans else {"cpu": cpu, "wall": wall}), flush=True)
