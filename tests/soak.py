"""Ten thousand tasklets do everything at once, for long; nothing may go wrong, grow or be left behind.

    python -m tests.soak [--seconds 600] [--tasklets 10000] [--seed N]

Each tasklet makes operations that are chosen at random, checks what comes of them, and sleeps in between.  Others kill
them at random and start new ones in their place.  A few times a minute all of them are stopped between two operations:
then there must be no descriptor, child, tasklet, timer or waiter but those of the start, every lock must be free, and,
from a third of the time on, the process may have no more blocks and bytes than it had then.

A line for each of these rounds, and the exit code says whether all held.  The limit of descriptors (``ulimit -n``)
bounds how many operations that need one are made at once.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import ctypes
import gc
import os
import pathlib
import random
import resource
import sys
import tempfile
import time as plain_time
import traceback
from typing import Any

import runtime
from runtime import deadlock
from runtime import hub as hub_module
from runtime.green import (
    concurrent,
    queue,
    socket,
    ssl,
    subprocess,
    threading,
    time,
)
from runtime.hub import get_hub
from runtime.uring import ring_of
from tests.activities import ACTIVITIES, Wrong

TLS = pathlib.Path(__file__).parent / "runtime" / "tls"
# Seconds that a tasklet sleeps between two operations, on average, if there are ten thousand.
PAUSE = 2.0
GROWTH = {
    "blocks": (1.03, 5_000),
    "bytes": (1.1, 16 << 20),
}  # what each may grow by: a factor, and so much besides


class Soak:
    """The run: what all operations share, and the tasklets."""

    def __init__(self, seconds: float, tasklets: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.end = plain_time.monotonic() + seconds
        self.seconds = seconds
        self.size = tasklets
        self.counts: collections.Counter[str] = collections.Counter()
        self.problems: list[str] = []
        self.workers: set[runtime.Tasklet] = set()
        self.stopping = False
        self.gate = threading.Event()
        self.gate.set()
        self.idle = 0  # workers between two operations
        self.locks = [threading.Lock() for _ in range(50)]
        self.inside = [0] * len(self.locks)
        self.rlock = threading.RLock()
        self.boxes: list[Any] = [
            queue.Queue(20), queue.LifoQueue(), queue.PriorityQueue(5), queue.SimpleQueue(), queue.SimpleQueue(),
        ]  # fmt: skip
        self.put = collections.Counter[int]()
        self.got = collections.Counter[int]()
        self.condition = threading.Condition()
        self.tokens = 0
        self.semaphore = threading.BoundedSemaphore(30)
        self.channels: list[runtime.Channel[int]] = [runtime.Channel() for _ in range(10)]
        self.local = threading.local()
        self.pool = concurrent.futures.ThreadPoolExecutor(10)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak"))
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.descriptors = threading.BoundedSemaphore(max(4, (min(limit, 8192) - 256) // 8))
        self.bounds = {
            name: threading.BoundedSemaphore(most) for name, (_, _, most) in ACTIVITIES.items() if most
        }
        self.server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server_context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
        self.client_context = ssl.create_default_context(cafile=str(TLS / "cert.pem"))
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self.server = runtime.spawn(self.serve)

    # The server that everybody talks to.

    def serve(self) -> None:
        with contextlib.suppress(OSError):  # closed at the end
            while True:
                runtime.spawn(self.echo, self.listener.accept()[0])

    def echo(self, sock: Any) -> None:
        with sock, contextlib.suppress(OSError):
            while part := sock.recv(65536):
                sock.sendall(part)

    # The workers.

    def start_worker(self) -> None:
        tasklet = runtime.Tasklet(self.work)
        self.workers.add(tasklet)
        tasklet.when_done(self.ended)
        tasklet.start()

    def ended(self, tasklet: runtime.Tasklet) -> None:
        self.workers.discard(tasklet)
        error = tasklet.error
        if error is None or isinstance(error, runtime.TaskletExit):
            if not self.stopping:
                self.start_worker()
            return
        self.problems.append("".join(traceback.format_exception(error)))

    def work(self) -> None:
        # What a tasklet has sooner or later it has from now on, so that what grows is seen.
        threading.current_thread()
        self.local.value = None
        names = list(ACTIVITIES)
        weights = [ACTIVITIES[name][1] for name in names]
        pause = PAUSE * self.size / 10_000
        while not self.stopping:
            self.idle += 1
            try:
                time.sleep(self.random.random() * 2 * pause)
                self.gate.wait()
            finally:
                self.idle -= 1
            if self.stopping:
                return
            (name,) = self.random.choices(names, weights)
            with self.bounds.get(name, contextlib.nullcontext()):
                ACTIVITIES[name][0](self)
            self.counts[name] += 1

    def kill_some(self) -> None:
        """One after another, and now and then many at once."""
        while not self.stopping:
            time.sleep(self.random.random() * 0.04)
            self.gate.wait()
            number = 50 if self.random.random() < 0.01 else 1
            for victim in self.random.sample(tuple(self.workers), min(number, len(self.workers))):
                if not victim.interrupts:
                    self.counts["(killed)"] += 1
                    victim.kill(wait=self.random.random() < 0.1)

    # Rounds.

    def run(self) -> int:
        hub = get_hub()
        killers = [runtime.spawn(self.kill_some) for _ in range(3)]
        for _ in range(self.size):
            self.start_worker()
        began = plain_time.monotonic()
        reference: tuple[int, int] | None = None
        length = max(2.0, min(30.0, self.seconds / 12))
        while not self.problems and plain_time.monotonic() < self.end:
            time.sleep(min(length, max(0.1, self.end - plain_time.monotonic())))
            quiet = self.quieten()
            self.inspect(hub)
            _forget_dummies(hub)
            gc.collect()
            blocks, memory = sys.getallocatedblocks(), _memory()
            elapsed = plain_time.monotonic() - began
            print(
                f"{elapsed:6.0f} s: {sum(self.counts.values())} operations, quiet after {quiet:.1f} s, "
                f"{len(self.workers)} tasklets, {_open_files()} descriptors, {blocks} blocks, {memory >> 20} MB, "
                f"{threads()} threads",
                flush=True,
            )
            if reference is None:
                if elapsed > self.seconds / 3:
                    reference = blocks, memory
            else:
                for what, before, now in zip(GROWTH, reference, (blocks, memory), strict=True):
                    factor, besides = GROWTH[what]
                    if now > before * factor + besides:
                        self.problems.append(f"{what} grow: {before} at a third of the time, now {now}")
            self.gate.set()
        self.stopping = True
        self.gate.set()
        for tasklet in [*self.workers, *killers]:
            if not tasklet.join(60):
                self.problems.append(f"does not end: {tasklet!r}")
                break
        self.close(hub)
        print(", ".join(f"{name} {count}" for name, count in sorted(self.counts.items())), flush=True)
        for problem in self.problems[:5]:
            print(problem, flush=True)
        print(f"{len(self.problems)} problems", flush=True)
        return 1 if self.problems else 0

    def quieten(self) -> float:
        """Stop everybody between two operations; how long it took."""
        self.gate.clear()
        began = plain_time.monotonic()
        while self.idle < len(self.workers) or not self.workers:
            if plain_time.monotonic() > began + 60:
                stuck = [tasklet for tasklet in self.workers if not tasklet.scheduled][:3]
                self.problems.append(f"{len(self.workers) - self.idle} do not come to rest, {stuck}")
                break
            time.sleep(0.02)
        time.sleep(2 * PAUSE * self.size / 10_000)  # whoever sleeps comes to the gate: no timers but theirs
        return plain_time.monotonic() - began

    def inspect(self, hub: hub_module.Hub) -> None:
        """Everybody rests: is everything there that was there at the start, and nothing else?"""
        end = plain_time.monotonic() + 10
        while (wrong := self.wrong(hub)) and plain_time.monotonic() < end:
            time.sleep(0.05)
            gc.collect()
        self.problems += wrong

    def wrong(self, hub: hub_module.Hub) -> list[str]:
        found = []
        subprocess._cleanup()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            found.append("a child still runs")
        others = len(hub.tasklets) - len(self.workers)
        known = 4 + len(self.pool._threads)  # the server, the killers, the pool's
        if others != known:
            places = [
                deadlock.whereabouts(tasklet) for tasklet in hub.tasklets - {*self.workers, hub.current}
            ]
            found.append(f"{others} other tasklets instead of {known}: {places[:20]}")
        if len(hub.timers) > 10:
            found.append(f"{len(hub.timers)} timers")
        waiting = [watch for watch in hub.watches.values() if watch.readers or watch.writers]
        if len(waiting) > 1:  # the server's
            found.append(f"{waiting[:5]}")
        known = self.descriptors_at_start
        if _open_files() != known:
            found.append(f"{_open_files()} descriptors instead of {known}: {_paths()}")
        held = [lock for lock in [*self.locks, self.rlock] if not _is_free(lock)]
        if held or any(self.inside):
            found.append(f"held: {held}, {self.inside}")
        for semaphore in [self.semaphore, self.descriptors, *self.bounds.values()]:
            if semaphore._value != semaphore._initial_value:
                found.append(f"{semaphore} has {semaphore._value} of {semaphore._initial_value}")
        if self.condition._waiters:
            found.append(f"{len(self.condition._waiters)} wait for the condition")
        for number, box in enumerate(self.boxes):
            if self.put[number] - self.got[number] != box.qsize():
                found.append(f"{box}: put {self.put[number]}, got {self.got[number]}, there {box.qsize()}")
        for channel in self.channels:
            if channel.balance:
                found.append(repr(channel))
        if threading._limbo:
            found.append(f"half started: {threading._limbo}")
        return found

    def settle(self) -> None:
        """Have made once what lasts: the ring, loops, pools, modules; then count the descriptors."""
        ring_of(get_hub())
        for call, _, _ in ACTIVITIES.values():
            tasklet = runtime.spawn(call, self)
            if not tasklet.join(60) or tasklet.error is not None:
                raise Wrong(f"{call.__name__}: {tasklet!r}") from tasklet.error
        gc.collect()
        time.sleep(0.3)
        self.descriptors_at_start = _open_files()

    def close(self, hub: hub_module.Hub) -> None:
        self.listener.close()
        self.server.join()
        self.pool.shutdown()
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()
        end = plain_time.monotonic() + 10
        while (hub.tasklets or len(hub.timers)) and plain_time.monotonic() < end:
            time.sleep(0.05)
        if hub.tasklets or len(hub.timers):
            self.problems.append(f"left at the end: {list(hub.tasklets)[:5]}, {len(hub.timers)} timers")


def _forget_dummies(hub: hub_module.Hub) -> None:
    """Before 3.13 `threading` keeps what stands for a thread that it has not started until its number comes again."""
    alive = {tasklet.ident for tasklet in hub.tasklets}
    for ident, thread in list(threading._active.items()):
        if isinstance(thread, threading._DummyThread) and ident not in alive:
            del threading._active[ident]


_libc = ctypes.CDLL(None)


def _memory() -> int:
    """Bytes in memory, without what is only kept for later."""
    _libc.malloc_trim(0)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd")) - 1


def _paths() -> list[str]:
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"/proc/self/fd/{name}"))
    return found[-8:]


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _is_free(lock: Any) -> bool:
    if not lock.acquire(False):
        return False
    lock.release()
    return True


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--tasklets", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=int(plain_time.time()))
    chosen = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"seed {chosen.seed}, {hard} descriptors", flush=True)
    soak = Soak(chosen.seconds, chosen.tasklets, chosen.seed)
    soak.settle()
    return soak.run()


if __name__ == "__main__":
    sys.exit(main())
