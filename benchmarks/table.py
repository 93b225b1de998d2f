"""What is measured and on whom: one table of benchmarks and peers, data only.

A peer's command starts where `python` would stand; `-m` names a module of this repository, a name ending in
`.c` or `.go` a program that is compiled first. The first peer of a benchmark is this project: ratios are to it. The
floors (bare greenlets, C) and the ceilings (OS threads) stand beside the real peers so that a figure can be
placed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final, Literal

OURS: Final = "unstall"
COUNT: Final = "{count}"  # in a command: how many operations to do
FILE: Final = "{file}"  # in a command: the path of a file of as many blocks as the benchmark says

Kind = Literal["server", "idle", "program", "import", "start"]
Figure = Literal["cpu", "memory"]

TLS: Final = ("-DTLS", "-lssl", "-lcrypto")  # for a C compiler: with OpenSSL
CERTIFICATE: Final = ("tests/runtime/tls/cert.pem", "tests/runtime/tls/key.pem")


@dataclasses.dataclass(frozen=True)
class Peer:
    """A command, the distribution it needs (`cc` and `go`: a compiler, None: nothing), and flags for that compiler."""

    command: tuple[str, ...]
    needs: str | None = None
    flags: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """What one operation is, how many are done by default, who does them, and which figure it is about.

    A `server` is put under load from another process and its CPU clock is read from outside; the load sends
    `request` (None: `size` bytes, and expects them back) and, if `keep_alive`, does so again on the same connection.
    An `idle` one gets one request on each connection and is weighed then. A `program` measures itself, and so does an
    `import`: of a generated package, with a cold cache or a warm one. A `start` is a whole process.
    """

    kind: Kind
    operation: str
    count: int
    peers: Mapping[str, Peer]
    request: bytes | None = None
    keep_alive: bool = True
    tls: bool = False
    connections: int = 100
    size: int = 1024  # bytes
    blocks: int = 0  # of 4 KiB, in the file that is read
    figure: Figure = "cpu"


def _python(module: str, *arguments: str, needs: str | None = None) -> Peer:
    return Peer(("-m", f"benchmarks.peers.{module}", *arguments), needs)


def _unmodified(module: str, *arguments: str, plain: str = "threads") -> dict[str, Peer]:
    """One file as it is: converted, plain, and under the two monkeypatchers."""
    name = f"benchmarks.peers.{module}"
    patched = ("-m", "benchmarks.peers.patched")
    return {
        OURS: Peer(("-m", "rewriter", name, *arguments)),
        plain: Peer(("-m", name, *arguments)),
        "gevent": Peer((*patched, "gevent", name, *arguments), "gevent"),
        "eventlet": Peer((*patched, "eventlet", name, *arguments), "eventlet"),
    }


def _tasks(name: str, *others: str, threads: str | None = None) -> dict[str, Peer]:
    """Each project's own tasks; `threads` names the operation of the `threading` file that comes nearest."""
    peers = {
        OURS: _python("tasks_runtime", name, COUNT),
        "greenlet": _python("tasks_greenlet", name, COUNT),
        "greenlet switch": _python("tasks_greenlet", "switch", COUNT),
        "naive greenlet": _python("tasks_greenlet", f"naive_{name}", COUNT),
        "asyncio": _python("tasks_asyncio", name, COUNT),
        "uvloop": _python("tasks_asyncio", name, COUNT, "uvloop", needs="uvloop"),
        "gevent": _python("tasks_gevent", name, COUNT, needs="gevent"),
        "eventlet": _python("tasks_eventlet", name, COUNT, needs="eventlet"),
        "threads": _python("tasks_threads", threads or name, COUNT),
        "Go": Peer(("tasks.go", name, COUNT), "go"),
    }
    return {peer: peers[peer] for peer in (OURS, *others, *(["threads"] if threads else []), "Go")}


def _reads(way: str = "") -> dict[str, Peer]:
    """Who reads a file in blocks; the floor reads one after another with nothing else to run."""

    def plain(name: str) -> Peer:
        return _python("reads_threads", way + name, COUNT, FILE)

    def ours(name: str) -> Peer:
        return Peer(("-m", "rewriter", *plain(name).command[1:]))

    return {
        OURS: ours("pread"),
        f"{OURS} open()": ours("read"),
        "os.pread alone": plain("loop"),
        "threads": plain("pread"),
        "16 threads": plain("few"),
        "16-thread pool": plain("pool"),
        "gevent FileObjectThread": _python("reads_gevent", way + "read", COUNT, FILE, needs="gevent"),
        "asyncio to_thread": _python("reads_asyncio", way + "pread", COUNT, FILE),
        "Go": Peer(("tasks.go", way + "pread", COUNT, FILE), "go"),
    }


def _storm(name: str) -> dict[str, Peer]:
    return _unmodified("storms_threads", name, COUNT) | {
        "asyncio": _python("storms_asyncio", name, COUNT),
        "uvloop": _python("storms_asyncio", name, COUNT, "uvloop", needs="uvloop"),
    }


def _imports(hook: str, needs: str | None = None) -> Peer:
    return Peer(("-m", "benchmarks.peers.imports", hook), needs)


_GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

_ECHO = _unmodified("echo_threads") | {
    "asyncio streams": _python("echo_asyncio", "streams"),
    "asyncio protocol": _python("echo_asyncio", "protocol"),
    "uvloop streams": _python("echo_asyncio", "streams", "uvloop", needs="uvloop"),
    "uvloop protocol": _python("echo_asyncio", "protocol", "uvloop", needs="uvloop"),
    "C on epoll": Peer(("echo_epoll.c",), "cc"),
    "Go": Peer(("echo.go",), "go"),
}

_TLS_ECHO = _unmodified("echo_tls", *CERTIFICATE) | {
    "asyncio streams": _python("echo_asyncio", "streams", "asyncio", *CERTIFICATE),
    "asyncio protocol": _python("echo_asyncio", "protocol", "asyncio", *CERTIFICATE),
    "uvloop streams": _python("echo_asyncio", "streams", "uvloop", *CERTIFICATE, needs="uvloop"),
    "uvloop protocol": _python("echo_asyncio", "protocol", "uvloop", *CERTIFICATE, needs="uvloop"),
    "C on epoll": Peer(("echo_epoll.c", *CERTIFICATE), "cc", TLS),
    "Go": Peer(("echo.go", *CERTIFICATE), "go"),
}


def _echo(count: int, connections: int = 100, size: int = 1024) -> Benchmark:
    return Benchmark("server", "message", count, _ECHO, connections=connections, size=size)


BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "echo": _echo(20_000),
    "echo-1": _echo(10_000, connections=1),
    "echo-1000": _echo(40_000, connections=1000),
    "echo-10000": _echo(100_000, connections=10_000),
    "echo-64": _echo(20_000, size=64),
    "echo-64k": _echo(10_000, size=65_536),
    "tls-echo": Benchmark("server", "message", 20_000, _TLS_ECHO, tls=True),
    "threads-http": Benchmark(
        "server",
        "request on a connection of its own",
        3_000,
        _unmodified("http_threads") | {"Go": Peer(("http.go", "--close"), "go")},
        _GET,
        keep_alive=False,
    ),
    "keep-alive-http": Benchmark(
        "server",
        "request",
        5_000,
        _unmodified("http_threads", "--keep-alive") | {"Go": Peer(("http.go",), "go")},
        _GET,
    ),
    "idle": Benchmark("idle", "idle connection", 0, _ECHO, connections=10_000, size=64, figure="memory"),
    "blocked": Benchmark(
        "program",
        "blocked task",
        100_000,
        _tasks("blocked", "greenlet", "asyncio", "uvloop", "gevent", "eventlet"),
        figure="memory",
    ),
    "switch": Benchmark(
        "program", "yield", 200_000, _tasks("switch", "greenlet", "asyncio", "uvloop", "gevent", "eventlet")
    ),
    "crowd": Benchmark(
        "program",
        "yield among 10,000 tasks, in an arbitrary order",
        1_000_000,
        _tasks("crowd", "greenlet", "asyncio", "uvloop", "gevent"),
    ),
    "channel": Benchmark(
        "program",
        "message between two tasks",
        50_000,
        _tasks(
            "channel",
            "greenlet switch",
            "naive greenlet",
            "asyncio",
            "uvloop",
            "gevent",
            "eventlet",
            threads="handoff",
        ),
    ),
    "spawn": Benchmark(
        "program",
        "task, from start to join",
        20_000,
        _tasks("spawn", "greenlet", "asyncio", "uvloop", "gevent", "eventlet", threads="spawn"),
    ),
    "chain": Benchmark(
        "program",
        "link of a chain of tasks, made and passed through",
        100_000,
        _tasks("chain", "greenlet", "naive greenlet", "asyncio", "uvloop", "gevent", "eventlet"),
    ),
    "timers": Benchmark(
        "program",
        "timeout, set and taken back, 100,000 others pending",
        100_000,
        _tasks("timers", "asyncio", "uvloop", "gevent", "eventlet"),
    ),
    "sleeps": Benchmark(
        "program",
        "task that sleeps once, all of them at a time",
        100_000,
        _tasks("sleeps", "asyncio", "uvloop", "gevent", "eventlet"),
    ),
    "lock": Benchmark(
        "program",
        "uncontended acquire and release",
        300_000,
        _unmodified("tasks_threads", "lock", COUNT)
        | {"asyncio": _python("tasks_asyncio", "lock", COUNT), "Go": Peer(("tasks.go", "lock", COUNT), "go")},
    ),
    "queue": Benchmark(
        "program",
        "uncontended put and get",
        100_000,
        _unmodified("tasks_threads", "queue", COUNT) | {"asyncio": _python("tasks_asyncio", "queue", COUNT)},
    ),
    "handoff": Benchmark(
        "program", "item between two threads", 50_000, _unmodified("tasks_threads", "handoff", COUNT)
    ),
    "reads": Benchmark("program", "random read of 4 KiB from memory", 50_000, _reads(), blocks=4096),
    "cold-reads": Benchmark(
        "program", "random read of 4 KiB from the disk", 5_000, _reads("cold-"), blocks=131_072
    ),
    "read-file": Benchmark(
        "program",
        "open, read and close of 4 KiB, alone",
        20_000,
        _unmodified("alone", "file", COUNT, FILE, plain="plain"),
        blocks=1,
    ),
    "socket-alone": Benchmark(
        "program",
        "send and recv on a socket pair, alone",
        100_000,
        _unmodified("alone", "socket", COUNT, plain="plain"),
    ),
    "processes": Benchmark("program", "process that ends at once, 20 at a time", 400, _storm("processes")),
    "names": Benchmark("program", "look-up of a number, 100 at a time", 20_000, _storm("numeric")),
    "names-localhost": Benchmark(
        "program", "look-up of localhost, 100 at a time", 5_000, _storm("localhost")
    ),
    "import": Benchmark(
        "import",
        "import of 1000 lines",
        1,
        {
            f"{OURS} warm": _imports("unstall"),
            "plain warm": _imports("plain"),
            f"{OURS}, not converted, warm": _imports("unstall-elsewhere"),
            "pytest warm": _imports("pytest", needs="pytest"),
            "typeguard warm": _imports("typeguard", needs="typeguard"),
            "beartype warm": _imports("beartype", needs="beartype"),
            f"{OURS} cold": _imports("unstall"),
            "plain cold": _imports("plain"),
            "pytest cold": _imports("pytest", needs="pytest"),
            "typeguard cold": _imports("typeguard", needs="typeguard"),
            "beartype cold": _imports("beartype", needs="beartype"),
        },
    ),
    "start": Benchmark(
        "start",
        "process that does nothing",
        1,
        {OURS: Peer(("-m", "rewriter")), "plain": Peer(())},
    ),
}
