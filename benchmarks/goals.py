"""What is aimed at, as data, and whether saved runs reached it: `python -m benchmarks goals FILE.json…`.

A goal compares our figure with a peer's in the same run: the median over the rounds of the ratio within each round.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from benchmarks.table import OURS

TIMES: Final = "\N{MULTIPLICATION SIGN}"


@dataclasses.dataclass(frozen=True)
class Goal:
    """Our figure is at most `factor` times the peer's, and `plus` more (bytes or seconds)."""

    measure: str
    benchmark: str
    peer: str
    factor: float = 1.0
    figure: Literal["cpu", "wall", "memory"] = "cpu"
    plus: float = 0.0

    @property
    def target(self) -> str:
        return f"{self.peer} +{self.plus:.0f} B" if self.plus else f"{self.factor:.3g} {TIMES} {self.peer}"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """`reached` is in the target's terms; None: the run does not have it, and `why` says so."""

    goal: Goal
    reached: float | None
    why: str = ""

    @property
    def ok(self) -> bool:
        limit = self.goal.plus or self.goal.factor
        return self.reached is not None and self.reached <= limit


GOALS: Final[Sequence[Goal]] = (
    Goal("echo, 1 KiB, 100 connections", "echo", "uvloop protocol", 1.05),
    Goal("echo, 1 KiB, 100 connections", "echo", "gevent", 0.45),
    Goal("echo, 1 KiB, 100 connections", "echo", "C on epoll", 1.6),
    Goal("echo, 1 KiB, 10,000 connections", "echo-10000", "uvloop protocol", 1.1),
    Goal("memory per idle connection", "idle", "gevent", 0.5, "memory"),
    Goal("ThreadingHTTPServer, unmodified", "threads-http", "gevent", 0.7),
    Goal("ThreadingHTTPServer, unmodified, kept alive", "keep-alive-http", "gevent", 0.7),
    Goal("TLS echo", "tls-echo", "gevent", 0.6),
    Goal("yield between two tasklets", "switch", "greenlet", 1.4),
    Goal("channel message", "channel", "greenlet switch", 2.5),
    Goal("channel message", "channel", "asyncio", 0.1),
    Goal("spawn and run to the end", "spawn", "gevent", 0.1),
    Goal("bytes per blocked tasklet", "blocked", "greenlet", figure="memory", plus=400.0),
    Goal("chain of 100,000 tasklets", "chain", "naive greenlet", 0.5),
    Goal("uncontended threading.Lock", "lock", "threads", 2.0),
    Goal("Queue.put and get", "queue", "gevent", 0.5),
    Goal("4 KiB reads from memory, 100 tasklets", "reads", "os.pread alone", 2.0),
    Goal("4 KiB reads from memory, 100 tasklets", "reads", "gevent FileObjectThread", 0.1),
    Goal("cold reads, time", "cold-reads", "16-thread pool", 1.0, "wall"),
    Goal("cold reads, CPU", "cold-reads", "16-thread pool", 1 / 3),
    Goal("a socket call with nothing else to run", "socket-alone", "plain", 1.2),
    Goal("open().read() of a cached 4 KiB file", "read-file", "plain", 1.3),
)


def outcome(goal: Goal, benchmarks: Mapping[str, Mapping[str, Any]]) -> Outcome:
    """Compare with what a run found, benchmarks by name."""
    if goal.benchmark not in benchmarks:
        return Outcome(goal, None, f"{goal.benchmark} was not run")
    peers = {peer["peer"]: peer for peer in benchmarks[goal.benchmark]["peers"]}
    sides = []
    for name in (OURS, goal.peer):
        rounds = peers[name][f"{goal.figure}_rounds"] if name in peers else []
        if not rounds:
            status = peers[name]["status"] if name in peers else "not run"
            return Outcome(goal, None, f"{name}: {status}")
        sides.append(rounds)
    pairs = list(zip(*sides, strict=False))
    if goal.plus:
        return Outcome(goal, statistics.median(ours - theirs for ours, theirs in pairs))
    return Outcome(goal, statistics.median(ours / theirs for ours, theirs in pairs))


def table(outcomes: Sequence[Outcome]) -> str:
    lines = [("measure", "target", "reached", "")]
    for found in outcomes:
        reached = found.why
        if found.reached is not None:
            reached = f"{found.reached:+.0f} B" if found.goal.plus else f"{found.reached:.3g} {TIMES}"
        verdict = "not measured" if found.reached is None else "ok" if found.ok else "NOT REACHED"
        lines.append((found.goal.measure, found.goal.target, reached, verdict))
    widths = [max(len(line[i]) for line in lines) for i in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[3]]).rstrip()
        for line in lines
    )


def read(file: pathlib.Path) -> dict[str, Any]:
    """A run as `--json` saved it. Raises ValueError with what is wrong."""
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
        if not all("peers" in benchmark and "name" in benchmark for benchmark in run["benchmarks"]):
            raise KeyError("peers")
    except OSError as error:
        raise ValueError(f"cannot read {file}: {error.strerror}")
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        raise ValueError(f"{file} was not written by `python -m benchmarks … --json`")
    return dict(run)


def main(arguments: Sequence[str]) -> int:
    """Print the table; 1 if a goal that was measured is not reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks goals", description=__doc__)
    parser.add_argument(
        "files",
        type=pathlib.Path,
        nargs="+",
        metavar="FILE.json",
        help="what `--json` wrote; of a benchmark that is in several, the last counts",
    )
    given = parser.parse_args(arguments)
    try:
        benchmarks = {one["name"]: one for file in given.files for one in read(file)["benchmarks"]}
    except ValueError as error:
        parser.error(str(error))
    found = [outcome(goal, benchmarks) for goal in GOALS]
    print(table(found))
    measured = [one for one in found if one.reached is not None]
    print(
        f"{sum(one.ok for one in measured)} of {len(measured)} reached, {len(found) - len(measured)} not measured"
    )
    return 0 if all(one.ok for one in measured) else 1
