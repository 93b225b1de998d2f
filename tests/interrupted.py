"""Interrupts every operation of ``benchmarks.peers.blocking`` where it waits; a line for each that leaves something.

    python -m tests.interrupted [NAME…]

A kill, the end of a `runtime.timeout`, and an ``OSError`` are raised at the first, the second and the last wait of each
operation in turn.  Afterwards there must be no descriptor, waiter, timer or tasklet more than before.  (Children may go
on: under plain Python, too, an interruption ends the wait for a child and not the child.)
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import sys
import time
from typing import Any

import rewriter
import runtime
from runtime.hub import Hub, get_hub

with rewriter.install("benchmarks.peers.blocking"):
    from benchmarks.peers import blocking

blocking.HELD = 0.1
_park = Hub.park
HOW = ("kill", "timeout", "error")
LEFT_OUT = {  # what an interruption leaves under plain Python, too
    "barrier_wait": "the other party goes on waiting",
    "os_popen": "subprocess keeps a child that nobody has waited for, and its pipe, until the next one is started",
    "process_join": "multiprocessing keeps a child, and its sentinel, until somebody joins it",
    "process_queue": "likewise",
    "sigwait": "the signal comes when nobody takes it any more, and ends the process",
}
SLOW = {"process_executor", "process_pool", "process_queue"}  # whole processes: at the first wait alone
# A pool that is left by an interruption waits for its workers, as the standard library's does.


class Injection:
    """Counts the waits of one tasklet and interrupts it at the *number*-th."""

    def __init__(self, number: int, how: str) -> None:
        self.number = number
        self.how = how
        self.waits = 0
        self.done = False
        self.target: Any = None
        self.timer: Any = None

    def park(self, hub: Hub) -> None:
        if hub.current is self.target and not self.done:
            self.waits += 1
            if self.waits == self.number:
                self.done = True
                if self.how == "kill":
                    self.target.interrupt(runtime.TaskletExit())
                elif self.how == "error":
                    self.target.interrupt(OSError(errno.ECANCELED, "injected"))
                else:
                    self.timer._expire()
        _park(hub)

    def run(self, call: Any) -> None:
        def body() -> None:
            with contextlib.suppress(TimeoutError), runtime.timeout(1000) as self.timer:
                call()

        self.target = runtime.spawn(body)
        Hub.park = lambda hub: self.park(hub)  # type: ignore[method-assign]
        try:
            if not self.target.join(20):
                raise AssertionError(f"does not end: {self.target!r}")
        finally:
            Hub.park = _park  # type: ignore[method-assign]
        error = self.target.error
        self.target = self.timer = None  # they hold the error, whose traceback holds what the operation had
        if error is not None and not isinstance(error, (runtime.TaskletExit, OSError)):
            raise AssertionError(f"ended with {error!r}") from error


def descriptors() -> dict[int, str]:
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
    return {fd: path for fd, path in found.items() if not path.startswith("/proc/")}


def settle(hub: Hub) -> None:
    """Let what the operation started by itself come to its end."""
    end = time.monotonic() + 2
    while (hub.tasklets or len(hub.timers)) and time.monotonic() < end:
        runtime.sleep(0.005)
    gc.collect()


def leftovers(hub: Hub, before: dict[int, str]) -> list[str]:
    left = [f"tasklet {tasklet!r}" for tasklet in hub.tasklets]
    left += [f"timer {entry[2]!r}" for entry in hub.timers._heap if entry[2].action is not None]
    left += [repr(watch) for watch in hub.watches.values() if watch.readers or watch.writers]
    left += [f"descriptor {fd}: {path}" for fd, path in descriptors().items() if fd not in before]
    return left


def reap() -> None:
    """Take the status of every child that an operation has not waited for."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0):
            pass


def interrupt(name: str, number: int, how: str) -> tuple[int, list[str]]:
    """How often the operation waited (up to the interruption), and what it left behind."""
    hub = get_hub()
    settle(hub)
    before = descriptors()
    injection = Injection(number, how)
    problem: list[str] = []
    with contextlib.ExitStack() as stack:
        call = blocking.OPERATIONS[name](blocking.Stage(stack))
        try:
            injection.run(call)
        except AssertionError as failure:
            problem = [str(failure)]
        del call
    reap()
    settle(hub)
    return injection.waits, problem + leftovers(hub, before)


def main() -> int:
    bad = 0
    for name in sys.argv[1:] or [name for name in blocking.OPERATIONS if name not in LEFT_OUT]:
        waits, left = interrupt(name, 0, "kill")  # how often it waits, undisturbed
        results = {"undisturbed": left}
        numbers = {1} if name in SLOW else {1, min(2, waits), waits} - {0}
        for number in sorted(numbers):
            for how in HOW:
                results[f"{how} at wait {number}"] = interrupt(name, number, how)[1]
        for where, what in results.items():
            if what:
                bad += 1
                print(f"{name}, {where}: {'; '.join(what)}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
