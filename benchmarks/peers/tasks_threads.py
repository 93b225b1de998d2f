"""`threading`, `queue` and a socket pair: run as it is, converted, and under gevent's and eventlet's monkeypatching."""

from __future__ import annotations

import queue as queues
import socket
import threading

from benchmarks.peers.stopwatch import run

BATCH = 100


def lock(count: int) -> None:
    """Nobody else wants it."""
    one = threading.Lock()
    for _ in range(count):
        with one:
            pass


def queue(count: int) -> None:
    """What is put is there to get: nobody waits."""
    line: queues.Queue[int] = queues.Queue()
    for i in range(count):
        line.put(i)
        line.get()


def handoff(count: int) -> None:
    """One thread gives to another through a queue with one place: someone always waits."""
    line: queues.Queue[int] = queues.Queue(1)

    def give() -> None:
        for i in range(count):
            line.put(i)

    giver = threading.Thread(target=give)
    giver.start()
    for _ in range(count):
        line.get()
    giver.join()


def echo(count: int) -> None:
    """One thread answers the other on a socket pair."""
    near, far = socket.socketpair()

    def answer() -> None:
        while data := far.recv(1024):
            far.sendall(data)

    answerer = threading.Thread(target=answer)
    answerer.start()
    for _ in range(count):
        near.sendall(b"x")
        assert near.recv(1024) == b"x"
    near.close()
    answerer.join()
    far.close()


def nothing() -> None:
    pass


def spawn(count: int) -> None:
    for _ in range(count // BATCH or 1):
        threads = [threading.Thread(target=nothing) for _ in range(BATCH)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    run({"lock": lock, "queue": queue, "handoff": handoff, "echo": echo, "spawn": spawn})
