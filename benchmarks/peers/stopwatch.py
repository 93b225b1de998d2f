"""How a program that measures itself is run: `NAME COUNT`, and one line of JSON on standard output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping


def run(operations: Mapping[str, Callable[[int], object]]) -> None:
    """Do operation `sys.argv[1]` `sys.argv[2]` times, a tenth of that before; print the CPU and wall seconds
    of it.

    An operation is called once with the count and loops itself. CPU seconds are the whole process's, all OS
    threads.
    """
    operation, count = operations[sys.argv[1]], int(sys.argv[2])
    operation(max(1, count // 10))
    wall, cpu = time.perf_counter(), time.process_time()
    operation(count)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps({"cpu": cpu, "wall": wall}), flush=True)
