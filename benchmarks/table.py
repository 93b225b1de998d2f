"""What is measured and on whom: one table of benchmarks and peers, data only.

A peer's command starts where `python` would stand; `-m` names a module of this repository, a name ending in
`.c` a program that is compiled first. The first peer of a benchmark is this project: ratios are to it. The
floors (bare greenlets, C) and the ceilings (OS threads) stand beside the real peers so that a figure can be
placed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final, Literal

OURS: Final = "unstall"

Kind = Literal["server", "program", "import", "start"]


@dataclasses.dataclass(frozen=True)
class Peer:
    """A command, and the distribution it needs; `cc` stands for a C compiler, None for nothing."""

    command: tuple[str, ...]
    needs: str | None = None


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """What one operation is, how many are done by default, and who does them.

    A `server` is put under load from another process and its CPU clock is read from outside; the load sends
    `request` (None: as many bytes as the `--size` option says, and expects them back) and, if `keep_alive`,
    does so again on the same connection. A `program` measures itself, and so does an `import`: of a generated
    package, with a cold cache or a warm one. A `start` is a whole process.
    """

    kind: Kind
    operation: str
    count: int
    peers: Mapping[str, Peer]
    request: bytes | None = None
    keep_alive: bool = True


def _python(module: str, *arguments: str, needs: str | None = None) -> Peer:
    return Peer(("-m", f"benchmarks.peers.{module}", *arguments), needs)


def _unmodified(module: str, *arguments: str) -> dict[str, Peer]:
    """One file as it is: converted, plain, and under the two monkeypatchers."""
    name = f"benchmarks.peers.{module}"
    patched = ("-m", "benchmarks.peers.patched")
    return {
        OURS: Peer(("-m", "rewriter", name, *arguments)),
        "threads": Peer(("-m", name, *arguments)),
        "gevent": Peer((*patched, "gevent", name, *arguments), "gevent"),
        "eventlet": Peer((*patched, "eventlet", name, *arguments), "eventlet"),
    }


def _tasks(name: str, *others: str, threads: str | None = None) -> dict[str, Peer]:
    """Each project's own tasks; `threads` names the operation of the `threading` file that comes nearest."""
    peers = {
        OURS: _python("tasks_runtime", name),
        "greenlet": _python("tasks_greenlet", name),
        "asyncio": _python("tasks_asyncio", name),
        "gevent": _python("tasks_gevent", name, needs="gevent"),
        "eventlet": _python("tasks_eventlet", name, needs="eventlet"),
    }
    if threads:
        peers["threads"] = _python("tasks_threads", threads)
    return {peer: peers[peer] for peer in (OURS, *others, *(["threads"] if threads else []))}


def _imports(hook: str, needs: str | None = None) -> Peer:
    return Peer(("-m", "benchmarks.peers.imports", hook), needs)


_GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "echo": Benchmark(
        "server",
        "message",
        20_000,
        _unmodified("echo_threads")
        | {
            "asyncio streams": _python("echo_asyncio", "streams"),
            "asyncio protocol": _python("echo_asyncio", "protocol"),
            "uvloop streams": _python("echo_asyncio", "streams", "uvloop", needs="uvloop"),
            "uvloop protocol": _python("echo_asyncio", "protocol", "uvloop", needs="uvloop"),
            "C on epoll": Peer(("echo_epoll.c",), "cc"),
        },
    ),
    "threads-http": Benchmark(
        "server",
        "request on a connection of its own",
        3_000,
        _unmodified("http_threads"),
        _GET,
        keep_alive=False,
    ),
    "keep-alive-http": Benchmark(
        "server", "request", 5_000, _unmodified("http_threads", "--keep-alive"), _GET
    ),
    "switch": Benchmark(
        "program", "yield", 200_000, _tasks("switch", "greenlet", "asyncio", "gevent", "eventlet")
    ),
    "channel": Benchmark(
        "program",
        "message between two tasks",
        50_000,
        _tasks("channel", "asyncio", "gevent", "eventlet", threads="handoff"),
    ),
    "spawn": Benchmark(
        "program",
        "task, from start to join",
        20_000,
        _tasks("spawn", "greenlet", "asyncio", "gevent", "eventlet", threads="spawn"),
    ),
    "lock": Benchmark(
        "program",
        "uncontended acquire and release",
        300_000,
        _unmodified("tasks_threads", "lock") | {"asyncio": _python("tasks_asyncio", "lock")},
    ),
    "queue": Benchmark(
        "program",
        "uncontended put and get",
        100_000,
        _unmodified("tasks_threads", "queue") | {"asyncio": _python("tasks_asyncio", "queue")},
    ),
    "handoff": Benchmark(
        "program", "item between two threads", 50_000, _unmodified("tasks_threads", "handoff")
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
