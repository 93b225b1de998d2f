"""Interrupts operations where they wait; a line for each that leaves something, or loses it.

    python -m tests.interrupted [NAME…]
    python -m tests.interrupted --sample 30 --seed 1

The operations are those of ``benchmarks.peers.blocking`` and ``tests.interruptible``.  At every wait of each (at some
of them, where it waits very often) a kill, the end of a `runtime.timeout` and an ``OSError`` are raised in turn:
*before* the wait, and *after* it, when what was waited for has come and the interruption with it.

Afterwards there must be no descriptor, waiter, timer, tasklet or held lock more than before, and what the operation
says of itself must hold: what was sent is received or can be received, a lock that was handed over is free.  (Children
may go on: under plain Python, too, an interruption ends the wait for a child and not the child.)

``--sample`` makes as many of all these as fit into so many seconds, at random.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import faulthandler
import gc
import importlib
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.injection import HOW, WHEN, Injection, Point  # before anything makes a hub

# isort: split

import rewriter
import runtime
from runtime import channel, deadlock, lock
from runtime.green import multiprocessing, subprocess
from runtime.guard import Side
from runtime.hub import Hub, get_hub
from runtime.uring import ring_of

with rewriter.install("benchmarks.peers.blocking", "tests.interruptible"):
    from benchmarks.peers import blocking
    from tests import interruptible

    for part in ("descriptors", "processes", "threads"):  # they enter their operations
        importlib.import_module(f"tests.interruptible.{part}")

blocking.HELD = 0.1
HANGS = 40  # seconds for one operation, after which the stacks are written and the process ends
PATIENCE = 1.0  # seconds until what is left counts as left
MOST = 12  # wait numbers of one operation that are tried
LEFT_OUT = {  # what an interruption leaves under plain Python, too
    "barrier_wait": "the other party goes on waiting",
    "sigwait": "the signal comes when nobody takes it any more, and ends the process",
}
SLOW = {"process_executor", "process_pool", "process_queue"}  # whole processes: at the first wait alone
# A pool that is left by an interruption waits for its workers, as the standard library's does.
_WAITERS = (lock._Waiter, channel._Party)


class State:
    """What there is before an operation, and what is there besides afterwards."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.descriptors = descriptors_of_process()
        self.locks = {id(held): held for held in _held_locks()}
        self.waiters = {id(waiter): waiter for waiter in _waiters()}

    def leftovers(self) -> list[str]:
        """Asked for again for a moment: a worker may still be about to let go, or to close what nobody wants now."""
        end = time.monotonic() + PATIENCE
        while (left := self._leftovers()) and time.monotonic() < end:
            runtime.sleep(0.002)
            gc.collect()
        return left

    def _leftovers(self) -> list[str]:
        hub = self.hub
        left = [f"tasklet {tasklet!r}" for tasklet in hub.tasklets]
        left += [f"timer {entry[2]!r}" for entry in hub.timers._heap if entry[2].action is not None]
        left += [repr(watch) for watch in hub.watches.values() if watch.readers or watch.writers]
        left += [f"interruption {what!r}" for what in hub.main.interrupts or ()]
        left += [f"lock {held!r}" for held in _held_locks() if id(held) not in self.locks]
        left += [f"waiter {waiter!r}" for waiter in _waiters() if id(waiter) not in self.waiters]
        found = descriptors_of_process()
        return left + [f"descriptor {fd}: {found[fd]}" for fd in found.keys() - self.descriptors.keys()]


def descriptors_of_process() -> dict[int, str]:
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
    return {fd: path for fd, path in found.items() if not path.startswith("/proc/")}


def _objects() -> Iterator[Any]:
    for thing in gc.get_objects():
        if type(thing).__module__ in _OF_RUNTIME:
            yield thing
    yield from _lasting


def remember() -> None:
    """Look at what there is now once: a collection is then quick."""
    runtime.wait_for(asyncio.sleep(0))  # the loop for it stays, for the next one
    ring_of(get_hub())  # so does the ring
    settle(get_hub())
    _lasting.extend(list(_objects()))
    gc.freeze()


_lasting: list[Any] = []
_OF_RUNTIME = {"_thread", "runtime.lock", "runtime.channel", "runtime.guard"}


def _held_locks() -> list[Any]:
    """Those of the runtime that something still refers to."""
    return [thing for thing in _objects() if isinstance(thing, lock.Lock) and thing.locked()]


def _waiters() -> list[Any]:
    """Who stands in the queue of a lock, a channel or a file."""
    return [
        thing
        for thing in _objects()
        if isinstance(thing, _WAITERS)
        or (isinstance(thing, Side) and (thing.queue or thing.waiting or thing.holder))
    ]


def settle(hub: Hub) -> None:
    """Let what the operation started by itself come to its end."""
    end = time.monotonic() + 2
    while (hub.tasklets or len(hub.timers)) and time.monotonic() < end:
        runtime.sleep(0.002)
    gc.collect()


def reap() -> None:
    """Take the status of every child that an operation has not waited for.

    `subprocess` and `multiprocessing` keep such a child, and its pipes, until the next one is started.
    """
    for child in multiprocessing.active_children():
        child.join()
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0):
            pass
    subprocess._cleanup()  # type: ignore[attr-defined]


def operations() -> dict[str, tuple[Callable[[Any], Any], Callable[[contextlib.ExitStack], Any]]]:
    """By name: what prepares it, and what makes the stage for that."""
    found: dict[str, Any] = {
        name: (prepare, blocking.Stage)
        for name, prepare in blocking.OPERATIONS.items()
        if name not in LEFT_OUT
    }
    for name, prepare in interruptible.OPERATIONS.items():
        assert name not in found, name
        found[name] = prepare, interruptible.Scene
    return found


def interrupt(name: str, point: Point) -> tuple[int, list[str]]:
    """How often the operation waited (up to the interruption), and what is wrong afterwards."""
    prepare, stage = operations()[name]
    hub = get_hub()
    watchdog = threading.Timer(HANGS, _hangs, (hub, f"{name}, {point}"))
    watchdog.daemon = True
    watchdog.start()
    settle(hub)
    before = State(hub)
    injection = Injection(point)
    problem: list[str] = []
    with contextlib.ExitStack() as stack:
        prepared = prepare(stage(stack))
        call, check = prepared if isinstance(prepared, tuple) else (prepared, None)
        try:
            injection.run(call)
            if check is not None and not check():
                problem.append("what it says of itself does not hold")
        except Exception as failure:
            problem.append(f"{type(failure).__name__}: {failure}")
            del failure
        del prepared, call, check
    reap()
    settle(hub)
    problem += before.leftovers()
    watchdog.cancel()
    watchdog.join()
    return injection.waits, problem


def _hangs(hub: Hub, what: str) -> None:
    """In a thread of its own: end the process, with what is known of its state."""
    print(f"{what}: hangs; {deadlock._describe(hub)}", flush=True)
    faulthandler.dump_traceback(all_threads=True)
    os._exit(1)


def points(name: str, waits: int) -> list[Point]:
    """All of an operation that waits *waits* times, or some at its start, its end and in between."""
    numbers = list(range(1, waits + 1))
    if name in SLOW:
        numbers = numbers[:1]
    elif waits > MOST:
        half = MOST // 2
        step = (waits - half) / (MOST - half)
        numbers = [*range(1, half + 1), *(round(half + step * (n + 1)) for n in range(MOST - half))]
    return [Point(number, how, when) for number in numbers for how in HOW for when in WHEN]


def report(name: str, point: Point, left: list[str]) -> bool:
    if left:
        print(f"{name}, {point}: {'; '.join(left)}", flush=True)
    return bool(left)


def everything(names: list[str]) -> int:
    """Every operation at every point; how many are bad."""
    bad = 0
    for name in names:
        waits, left = interrupt(name, Point())
        bad += report(name, Point(), left)
        for point in points(name, waits):
            bad += report(name, point, interrupt(name, point)[1])
    return bad


def sample(names: list[str], seconds: float, seed: int) -> int:
    """One point of each operation, in random order, again and again until the time is up; how many are bad."""
    print(f"seed {seed}", flush=True)
    choose = random.Random(seed)
    counts: dict[str, int] = {}
    made = bad = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for name in choose.sample(names, len(names)):
            if time.monotonic() >= end:
                break
            if name not in counts:
                counts[name], left = interrupt(name, Point())
                bad += report(name, Point(), left)
            if counts[name]:
                point = choose.choice(points(name, counts[name]))
                bad += report(name, point, interrupt(name, point)[1])
                made += 1
    print(f"{made} interruptions of {len(counts)} operations, {bad} bad", flush=True)
    return bad


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--sample", type=float, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    chosen = parser.parse_args()
    known = list(operations())
    names = chosen.names or known
    if unknown := set(names).difference(known):
        parser.error(f"no operation {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    remember()
    bad = everything(names) if chosen.sample is None else sample(names, chosen.sample, chosen.seed)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
