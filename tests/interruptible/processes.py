"""Children, signals, what processes share, databases, handlers, what workers compute."""

# ruff: noqa: B008, SIM115 (a default holds what an operation was prepared with; the scene closes what is open)
from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging.handlers
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import sqlite3
import subprocess
import time
import zlib

from tests.interruptible import BIG, HELD, Prepared, Scene, drain, each, is_free, operation

_fork = multiprocessing.get_context("fork")


# Children, signals, locks of the system.


@operation
def communicate_with_timeout(scene: Scene) -> Prepared:
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def end() -> None:
        child.kill()
        with child:
            pass

    scene.stack.callback(end)

    def run() -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.communicate(BIG, timeout=5)

    return run


@operation
def run_too_long(scene: Scene) -> Prepared:
    def run() -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(["sleep", "9"], capture_output=True, timeout=HELD)

    return run


@operation
def signal_pause(scene: Scene) -> Prepared:
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    scene.stack.callback(signal.signal, signal.SIGUSR1, before)
    scene.later(os.kill, os.getpid(), signal.SIGUSR1)
    return signal.pause


@operation
def flock_by_two(scene: Scene) -> Prepared:
    """Two open files of one process exclude one another, too."""
    one, other = (scene.closing(open(scene.folder / "locked", "a")) for _ in range(2))
    fcntl.flock(one, fcntl.LOCK_EX)
    scene.later(fcntl.flock, one, fcntl.LOCK_UN)
    return lambda: (fcntl.flock(other, fcntl.LOCK_EX), fcntl.flock(other, fcntl.LOCK_UN))


# Processes' means, databases, handlers, computing.


@operation
def connection_recv(scene: Scene) -> Prepared:
    a, b = map(scene.closing, _fork.Pipe())
    scene.later(b.send, "x" * 100_000)
    return lambda: a.recv()


@operation
def connection_wait(scene: Scene) -> Prepared:
    a, b = map(scene.closing, _fork.Pipe())
    scene.later(b.send, 1)
    return lambda: multiprocessing.connection.wait([a], 1)


@operation
def listener(scene: Scene) -> Prepared:
    listener = scene.closing(multiprocessing.connection.Listener(authkey=b"k"))

    address = listener.address

    def call() -> None:
        with multiprocessing.connection.Client(address, authkey=b"k") as connection:
            connection.recv()

    scene.later(call)
    scene.stack.callback(listener.close)
    return lambda: listener.accept().close()


@operation
def queue_of_processes(scene: Scene) -> Prepared:
    box = _fork.Queue()
    scene.stack.callback(box.join_thread)
    scene.stack.callback(box.close)
    scene.later(box.put, 1)
    got: list[int] = []

    def check() -> bool:
        if not got:
            got.append(box.get(True, 2))
        return got == [1] and is_free(box._rlock)

    return lambda: got.append(box.get()), check


@operation
def event_of_processes(scene: Scene) -> Prepared:
    event = _fork.Event()
    scene.later(event.set)
    return event.wait, lambda: is_free(event._cond)


def _database(scene: Scene) -> sqlite3.Connection:
    connection = sqlite3.connect(scene.folder / "db", timeout=5, isolation_level=None)
    return scene.closing(connection)


@operation
def sqlite_locked(scene: Scene) -> Prepared:
    one, other = _database(scene), _database(scene)
    one.execute("create table t (x)")
    one.execute("begin exclusive")
    scene.later(one.execute, "commit")

    def run() -> None:
        other.execute("insert into t values (1)")
        other.execute("select * from t").fetchall()

    return (
        run,
        lambda: not other._cooperative_turn._lock.locked() or other.execute("select 1").fetchall() == [(1,)],
    )


@operation
def sqlite_transaction(scene: Scene) -> Prepared:
    """All of it or nothing, and the connection can be used again."""
    connection = sqlite3.connect(scene.folder / "db")
    scene.closing(connection)
    connection.execute("create table t (x)")
    connection.create_function("nap", 0, lambda: time.sleep(HELD / 5))

    def run() -> None:
        with connection:
            connection.execute("insert into t values (nap())")
            connection.executemany("insert into t values (?)", [(1,), (2,)])

    return run, lambda: connection.execute("select count(*) from t").fetchone()[0] in (0, 3)


@operation
def sqlite_shared(scene: Scene) -> Prepared:
    """Two tasklets take turns on one connection."""
    connection = _database(scene)
    connection.create_function("nap", 0, lambda: time.sleep(HELD / 2))
    scene.thread(lambda: connection.execute("select nap()").fetchall())
    return (
        lambda: connection.execute("select nap()").fetchall(),
        lambda: connection.execute("select 1").fetchall() == [(1,)],
    )


@operation
def sqlite_open_and_close(scene: Scene) -> Prepared:
    return lambda: sqlite3.connect(scene.folder / "db").close()


@operation
def log_over_a_socket(scene: Scene) -> Prepared:
    listener = scene.closing(socket.create_server(("127.0.0.1", 0)))
    handler = logging.handlers.SocketHandler(*listener.getsockname())
    scene.closing(handler)
    record = logging.makeLogRecord({"msg": "x" * 3_000_000})

    def receive() -> None:
        with listener.accept()[0] as sock:
            drain(sock)

    scene.later(receive)
    scene.stack.callback(handler.close)
    return lambda: handler.handle(record), lambda: is_free(handler.lock)


each(
    compress=lambda s: lambda c=zlib.compressobj(): (c.compress(BIG), c.flush()),
    digest=lambda s: lambda: hashlib.pbkdf2_hmac("sha256", b"x", b"y", 20_000),
)
