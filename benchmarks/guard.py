"""What must not grow, counted and not timed, so that it is the same on any machine: `python -m benchmarks guard`.

System calls per echoed message are counted by strace. Instructions are counted by valgrind and divided by those of
something that does not depend on us in the same Python: a switch between bare greenlets, or the plain call. Start-up
cancels out: everything is run with two counts, and only the difference matters.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from benchmarks import serving
from benchmarks.sample import PATIENCE, ROOT, MeasurementError, environment, one_line
from runtime import core

ECHO: Final = ("-m", "rewriter", "benchmarks.peers.echo_threads")
SIZE: Final = 1024  # bytes of a message


class UnavailableError(Exception):
    """It cannot be counted here; the message begins with `no strace` or `no valgrind`."""


class Row(Protocol):
    """Something that is counted, and how much of it there may be."""

    @property
    def name(self) -> str: ...
    @property
    def bound(self) -> float: ...
    def count(self) -> float: ...


@dataclasses.dataclass(frozen=True)
class Calls:
    """System calls of the converted echo server, all its threads, for each message.

    On one connection each message is waited for (fewer calls mean that it was there already); on many, one wait
    tells of several messages.
    """

    connections: int
    bound: float
    messages: int = 6000

    @property
    def name(self) -> str:
        plural = "s" * (self.connections > 1)
        return f"system calls per echoed message, {self.connections} connection{plural}"

    def count(self) -> float:
        with serving.started([sys.executable, *ECHO]):  # converted once: bytecode is there from then on
            pass
        started = _calls(self.connections, self.connections)
        return (_calls(self.connections, self.connections + self.messages) - started) / self.messages


@dataclasses.dataclass(frozen=True)
class Instructions:
    """Instructions in user space of one operation by those of one operation of the floor."""

    name: str
    compiled: float  # the bound where the core is compiled
    written: float  # and where it runs as it is written
    ours: tuple[str, ...]
    floor: tuple[str, ...]
    counts: tuple[int, int] = (1000, 5000)

    @property
    def bound(self) -> float:
        return self.compiled if core.reason is None else self.written

    def count(self) -> float:
        return _instructions(self.ours, self.counts) / _instructions(self.floor, (1000, 5000))


def _done(counts: tuple[int, int]) -> float:
    """How many operations more are done for the second count: each is preceded by a tenth to warm up."""
    few, many = counts
    return many - few + many // 10 - few // 10


def _calls(connections: int, messages: int) -> int:
    strace = shutil.which("strace")
    if strace is None:
        raise UnavailableError("no strace")
    with tempfile.TemporaryDirectory(prefix="unstall-guard-") as folder:
        summary = pathlib.Path(folder) / "summary"
        words = [strace, "-f", "-c", "-qq", "-o", str(summary), sys.executable, *ECHO]
        traced = subprocess.Popen(
            words,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert traced.stdout is not None
        assert traced.stderr is not None
        try:
            found = re.search(r"port (\d+)", traced.stdout.readline())
            if found is None:
                raise UnavailableError(f"no strace that works: {one_line(traced.stderr.read())}")
            numbers = (connections, 0, messages, SIZE, SIZE)
            with serving.Load(int(found[1]), False, b"x" * SIZE, numbers) as load:
                load.warm_up()
                load.run()
            for child in _children(traced.pid):  # the server: strace then says what it has counted
                os.kill(child, signal.SIGTERM)
            traced.wait(PATIENCE)
        finally:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended, as it should
                for child in _children(traced.pid):
                    os.kill(child, signal.SIGKILL)
            traced.kill()
            traced.wait()
            traced.stdout.close()
            traced.stderr.close()
        total = re.search(r"^\s*100\.00\s+\S+\s+\S+\s+(\d+)", summary.read_text(), re.MULTILINE)
        if total is None:
            raise UnavailableError("no strace that counts")
        return int(total[1])


def _children(pid: int) -> list[int]:
    return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@functools.cache
def _instructions(words: tuple[str, ...], counts: tuple[int, int]) -> float:
    """Of one operation of a program that is run as `stopwatch` says."""
    command = [sys.executable, *words]
    # Once for the bytecode. With one seed the order in sets of strings is the same each time, and so are collisions.
    surroundings = environment() | {"PYTHONHASHSEED": "0"}
    subprocess.run(
        [*command, "1"], cwd=ROOT, env=surroundings, capture_output=True, timeout=PATIENCE, check=False
    )
    few, many = (_collected([*command, str(count)], surroundings) for count in counts)
    return (many - few) / _done(counts)


def _collected(command: Sequence[str], surroundings: Mapping[str, str]) -> int:
    """All instructions of a process, its system calls apart."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise UnavailableError("no valgrind")
    words = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", *command]
    done = subprocess.run(
        words, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or found is None:
        raise UnavailableError(f"no valgrind that runs this Python: {one_line(done.stderr)}")
    return int(found[1])


def _peer(module: str, operation: str) -> tuple[str, ...]:
    return ("-m", f"benchmarks.peers.{module}", operation)


def _converted(module: str, operation: str) -> tuple[str, ...]:
    return ("-m", "rewriter", *_peer(module, operation)[1:])


_SWITCH: Final = _peer("tasks_greenlet", "switch")

ROWS: Final[Sequence[Row]] = (
    Calls(1, 3.1),
    Calls(100, 2.3),
    Instructions("yield, by a bare greenlet's switch", 1.7, 6.0, _peer("tasks_runtime", "switch"), _SWITCH),
    Instructions("channel message, by a switch", 2.5, 11.5, _peer("tasks_runtime", "channel"), _SWITCH),
    Instructions(
        "spawn and join, by a switch", 5.8, 9.3, _peer("tasks_runtime", "spawn"), _SWITCH, (10_000, 20_000)
    ),
    Instructions(
        "threading.Lock, by the plain one",
        1.9,
        3.6,
        _converted("tasks_threads", "lock"),
        _peer("tasks_threads", "lock"),
    ),
    Instructions(
        "queue.Queue, put and get, by the plain one",
        0.45,
        2.0,
        _converted("tasks_threads", "queue"),
        _peer("tasks_threads", "queue"),
    ),
    Instructions(
        "send and recv, alone, by the plain calls",
        1.0,
        3.0,
        _converted("alone", "socket"),
        _peer("alone", "socket"),
    ),
    Instructions(
        "echo between two threads, by a plain send and recv",
        6.5,
        25.0,
        _converted("tasks_threads", "echo"),
        _peer("alone", "socket"),
    ),
)


def main(arguments: Sequence[str]) -> int:
    """Print what is counted, and its bound; 1 if something is above its bound."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks guard", description=(__doc__ or "").split("\n")[0]
    )
    parser.parse_args(arguments)
    above = 0
    width = max(len(row.name) for row in ROWS)
    print(f"{'':{width}}  counted    bound")
    for row in ROWS:
        try:
            counted = row.count()
        except (UnavailableError, MeasurementError) as error:
            print(f"{row.name:{width}}  {error}", flush=True)
            continue
        above += counted > row.bound
        verdict = "TOO MUCH" if counted > row.bound else "ok"
        print(f"{row.name:{width}}  {counted:7.3f}  {row.bound:7.3f}  {verdict}", flush=True)
    return 1 if above else 0
