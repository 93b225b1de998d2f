"""`python -m benchmarks.disk [FOLDER]`: what waiting for files costs, by the ring, by worker threads and in place.

A table of CPU and wall time per operation: reads of 4 KiB at random places, in memory and not; what file objects cost
with nobody else to run and beside others; and the functions of ``os`` that the ring carries out.  Each row is a process
of its own, the median of several.  FOLDER is where the files are made (1 GiB, removed at the end); by default the
current one.  On tmpfs nothing is ever read from a disk.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any

SIZE = 1 << 30
BLOCK = 4096
TASKLETS = 100
Body = Callable[[int], object]


def timed(body: Callable[[], object], operations: int) -> dict[str, float]:
    """CPU and wall time of *body*, in microseconds for each of its *operations*."""
    wall, cpu = time.monotonic(), time.process_time()
    body()
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    return {"cpu": cpu / operations * 1e6, "wall": wall / operations * 1e6}


def in_tasklets(count: int, each: Body) -> None:
    """Run ``each(number)`` in so many tasklets, beside one that waits."""
    import runtime

    other = runtime.spawn(runtime.sleep, 3600)
    for tasklet in [runtime.spawn(each, number) for number in range(count)]:
        tasklet.result()
    other.kill()


def in_threads(count: int, each: Body) -> None:
    threads = [Thread(target=each, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def in_turn(count: int, each: Body) -> None:
    for number in range(count):
        each(number)


RUNNERS: dict[str, Callable[[int, Body], None]] = {
    "tasklets": in_tasklets,
    "threads": in_threads,
    "in turn": in_turn,
}


def reads(runner: str, how_many: int, cold: bool) -> dict[str, float]:
    """Reads at random places: of the first 4 MiB, or of all, none of which is in memory."""
    from runtime.green import os as green_os

    fd = os.open("big", os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
    size, total = (SIZE, 20_000) if cold else (4 << 20, 200_000)
    if not cold:
        os.pread(fd, size, 0)
    chance = random.Random(1)
    places = [chance.randrange(size // BLOCK) * BLOCK for _ in range(total)]
    if runner == "pool":
        with ThreadPoolExecutor(how_many) as pool:

            def body() -> None:
                for done in [pool.submit(os.pread, fd, BLOCK, place) for place in places]:
                    assert len(done.result()) == BLOCK

            return timed(body, total)
    pread = green_os.pread if runner == "tasklets" else os.pread

    def each(number: int) -> None:
        for place in places[number::how_many]:
            pread(fd, BLOCK, place)

    return timed(lambda: RUNNERS[runner](how_many, each), total)


def function(name: str, runner: str, how_many: int) -> dict[str, float]:
    """One function of ``os``, by the ring or a worker in tasklets, else in place."""
    from runtime.deeds import carry_out

    total = 400 if name == "fsync" else 4000
    fd = os.open("some", os.O_RDWR | os.O_CREAT)
    arguments: dict[str, Callable[[int, int], list[tuple[str, Any]]]] = {
        "fsync": lambda number, _: [("fsync", (fds[number],))],
        "stat": lambda number, _: [("stat", ("some",))],
        "pwrite": lambda number, _: [("pwrite", (fd, bytes(BLOCK), number * BLOCK))],
        "rename": lambda number, turn: [("rename", (f"{turn % 2}{number}", f"{(turn + 1) % 2}{number}"))],
        "mkdir, rmdir": lambda number, _: [("mkdir", (f"d{number}",)), ("rmdir", (f"d{number}",))],
    }
    fds = [os.open(f"0{number}", os.O_RDWR | os.O_CREAT) for number in range(how_many)]

    def each(number: int) -> None:
        for turn in range(total // how_many):
            if name == "fsync":
                os.pwrite(fds[number], b"x", turn)
            for called, given in arguments[name](number, turn):
                if runner == "tasklets":
                    carry_out(called, getattr(os, called), *given)
                else:
                    getattr(os, called)(*given)

    return timed(lambda: RUNNERS[runner](how_many, each), total)


def objects(what: str, which: str) -> dict[str, float]:
    """File objects, of what is in memory: plain ones, ours with nobody else to run, and ours beside others."""
    import runtime
    from runtime.green import io as green_io

    opened: Any = open if which == "plain" else green_io.open
    with open("small", "wb") as file:
        file.write(bytes(100 * BLOCK if what == "seek, read" else BLOCK))
    others = [runtime.spawn(runtime.sleep, 3600)] if which == "beside others" else []

    def whole() -> None:
        for _ in range(20_000):
            with opened("small", "rb") as file:
                file.read()

    def parts() -> None:
        with opened("small", "rb") as file:
            for number in range(20_000):
                file.seek(number * 7 % 100 * BLOCK)
                file.read(BLOCK)

    found = timed(parts if what == "seek, read" else whole, 20_000)
    for other in others:
        other.kill()
    return found


RING, WORKERS = {}, {"UNSTALL_URING": "0"}
ROWS: list[tuple[str, dict[str, str], str, tuple[Any, ...]]] = [
    ("in memory: os.pread in a loop", RING, "reads", ("in turn", 1, False)),
    ("in memory: 100 tasklets", RING, "reads", ("tasklets", TASKLETS, False)),
    ("from disk: 16 threads that do nothing else", RING, "reads", ("threads", 16, True)),
    ("from disk: a ThreadPoolExecutor of 16", RING, "reads", ("pool", 16, True)),
    ("from disk: 100 tasklets, ring", RING, "reads", ("tasklets", TASKLETS, True)),
    ("from disk: 100 tasklets, workers", WORKERS, "reads", ("tasklets", TASKLETS, True)),
]
for _what in ("open, read, close", "seek, read"):
    for _which in ("plain", "alone", "beside others"):
        ROWS.append((f"a file object, {_what}: {_which}", RING, "objects", (_what, _which)))
for _name in ("fsync", "stat", "pwrite", "rename", "mkdir, rmdir"):
    ROWS.append((f"{_name}: in place", RING, "function", (_name, "in turn", 1)))
    for _count, _said in ((1, "1 tasklet"), (TASKLETS, f"{TASKLETS} tasklets")):
        ROWS.append((f"{_name}: {_said}, ring", RING, "function", (_name, "tasklets", _count)))
        ROWS.append((f"{_name}: {_said}, workers", WORKERS, "function", (_name, "tasklets", _count)))


def measured(folder: Path, environment: dict[str, str], kind: str, arguments: tuple[Any, ...]) -> Any:
    with tempfile.TemporaryDirectory(dir=folder) as where:
        os.link(folder / "big", Path(where, "big"))
        command = [sys.executable, "-m", "benchmarks.disk", "--one", json.dumps([where, kind, arguments])]
        environment = os.environ | {"PYTHONPATH": os.getcwd()} | environment
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=600, check=True
        )
        return json.loads(done.stdout)


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.disk")
    arguments.add_argument("folder", nargs="?", type=Path, default=Path.cwd())
    arguments.add_argument(
        "--rounds", type=int, default=5, metavar="N", help="processes for each row (default: 5)"
    )
    arguments.add_argument("--one", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one:
        where, kind, rest = json.loads(given.one)
        os.chdir(where)
        print(json.dumps({"reads": reads, "function": function, "objects": objects}[kind](*rest)))
        return 0
    with tempfile.TemporaryDirectory(dir=given.folder.absolute()) as folder:
        with open(Path(folder, "big"), "wb") as file:
            for _ in range(SIZE >> 20):
                file.write(os.urandom(1 << 20))
            file.flush()
            os.fsync(file.fileno())
        found: dict[str, list[dict[str, float]]] = {name: [] for name, *_ in ROWS}
        for turn in range(given.rounds):
            for name, *row in ROWS:
                print(f"round {turn + 1} of {given.rounds}: {name}", file=sys.stderr)
                found[name].append(measured(Path(folder), *row))
    print("| µs per operation, median (lowest) | CPU | wall |\n|---|--:|--:|")
    for name, samples in found.items():
        cells = []
        for key in ("cpu", "wall"):
            values = [sample[key] for sample in samples]
            cells.append(f"{statistics.median(values):.2f} ({min(values):.2f})")
        print(f"| {name} | {' | '.join(cells)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
