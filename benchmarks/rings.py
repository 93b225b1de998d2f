"""`python -m benchmarks.rings`: what sockets and children would cost by io_uring, beside epoll, in C.

A table of CPU and wall time per operation, by the program that `benchmarks/peers/rings.c` is.  Each row is a process of
its own, every row once and then every row again; the median of several, and the lowest.  The ratio is to the first row
of the same operation, taken within a round.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pathlib
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.compiler import CompileError, compiled
from benchmarks.report import machine
from benchmarks.sample import PATIENCE, ROOT, one_line

PEERS: Final = ROOT / "benchmarks" / "peers"
NOT_HERE: Final = 3  # exit code of a row that this system cannot run
INTERRUPTED: Final = 130  # exit code, as a shell's
Figures = Mapping[str, float]  # of one process: "cpu" and "wall" in microseconds, operations "a_wait"

WAYS: Final[Mapping[str, Mapping[str, str]]] = {
    "echo": {"epoll": "echo-epoll", "ring": "echo-ring", "ring, multishot": "echo-multishot"},
    "accept": {
        "epoll, edge-triggered": "accept-edge",
        "epoll, level-triggered": "accept-level",
        "ring": "accept-ring",
        "ring, multishot": "accept-multishot",
    },
    "connect": {"epoll": "connect-epoll", "ring": "connect-ring"},
    "child": {"pidfd and epoll": "child-epoll", "ring": "child-ring", "waitid that blocks": "child-blocking"},
}
# What is measured, how many at a time, and operations per process.
OPERATIONS: Final[Sequence[tuple[str, int, int]]] = (
    ("echo", 1, 50_000),
    ("echo", 100, 100_000),
    ("accept", 1, 10_000),
    ("accept", 16, 20_000),
    ("connect", 1, 10_000),
    ("connect", 16, 20_000),
    ("child", 1, 2_000),
    ("child", 20, 4_000),
)


class RefusedError(Exception):
    """The row cannot be measured here; one line that says why."""


def program() -> pathlib.Path:
    """The program in C. Raises CompileError."""
    # The program is kept by its source's hash: the header's is made part of it.
    header = hashlib.sha256((PEERS / "ring.h").read_bytes()).hexdigest()[:16]
    return compiled(PEERS / "rings.c", f"-DRING_H=0x{header}")


def measured(program: pathlib.Path, row: str, at_a_time: int, operations: int) -> Figures:
    """Measure one row once. Raises RefusedError, and RuntimeError for what should not happen."""
    command = [str(program), row, str(at_a_time), str(operations)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{row}: gave up after {PATIENCE:.0f} s")
    if done.returncode == NOT_HERE:
        raise RefusedError(one_line(done.stderr))
    if done.returncode:
        raise RuntimeError(f"{row}: {one_line(done.stderr)} (exit code {done.returncode})")
    figures: Figures = json.loads(done.stdout)
    return figures


class Row:
    """One way of doing something, and what was measured of it."""

    def __init__(self, name: str, at_a_time: int, operations: int, way: str, called: str) -> None:
        self.name = name
        self.at_a_time = at_a_time
        self.operations = operations
        self.way = way
        self.called = called  # by the program
        self.samples: list[Figures] = []
        self.missing: str | None = None

    @property
    def title(self) -> str:
        return f"{self.name}, {self.at_a_time} at a time"

    def measure(self, program: pathlib.Path) -> None:
        if self.missing is None:
            try:
                self.samples.append(measured(program, self.called, self.at_a_time, self.operations))
            except RefusedError as error:
                self.missing = str(error)

    def cells(self, base: Row) -> list[str]:
        """Of the table; *base* is the row of which the ratio is said."""
        title = f"{self.title}: {self.way}"
        if self.missing is not None:
            return [title, f"not measured: {self.missing}", "", "", ""]
        middle = []
        for key in ("cpu", "wall"):
            values = [sample[key] for sample in self.samples]
            middle.append(f"{statistics.median(values):.2f} ({min(values):.2f})")
        pairs = zip(self.samples, base.samples, strict=False)
        ratio = statistics.median([mine["cpu"] / theirs["cpu"] for mine, theirs in pairs])
        a_wait = statistics.median([sample["a_wait"] for sample in self.samples])
        return [title, middle[0], f"{ratio:.2f}", middle[1], f"{a_wait:.4g}"]

    def as_json(self) -> Mapping[str, object]:
        return {
            "name": self.name,
            "at_a_time": self.at_a_time,
            "operations": self.operations,
            "way": self.way,
            "missing": self.missing,
            "samples": self.samples,
        }


def rows(operations: int | None) -> list[list[Row]]:
    """A list for each operation, its ways; with so many operations each, None for the table's own."""
    return [
        [Row(name, at_a_time, operations or own, way, called) for way, called in WAYS[name].items()]
        for name, at_a_time, own in OPERATIONS
    ]


def table(groups: Sequence[Sequence[Row]]) -> str:
    head = ["µs per operation, median (lowest)", "CPU", "ratio", "wall", "operations a wait"]
    lines = [head, ["---", *["--:"] * 4]]
    lines += [row.cells(group[0]) for group in groups for row in group]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return value


def main() -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m benchmarks.rings", description=(__doc__ or "").partition("\n")[0].partition(": ")[2]
    )
    arguments.add_argument(
        "--rounds", type=positive, default=5, metavar="N", help="processes for each row (default: 5)"
    )
    arguments.add_argument(
        "--operations", type=positive, metavar="N", help="of each process (default: the row's own)"
    )
    arguments.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures there too")
    given = arguments.parse_args()
    if given.json is not None and not given.json.absolute().parent.is_dir():
        arguments.error(f"no such folder: {given.json.absolute().parent}")
    groups = rows(given.operations)
    try:
        made = program()
        for turn in range(given.rounds):
            for group in groups:
                print(f"round {turn + 1} of {given.rounds}: {group[0].title}", file=sys.stderr, flush=True)
                for row in group:
                    row.measure(made)
    except (CompileError, RuntimeError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    print(table(groups))
    if given.json is not None:
        figures = [row.as_json() for group in groups for row in group]
        saved = {"machine": machine(), "rounds": given.rounds, "rows": figures}
        given.json.write_text(json.dumps(saved, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
