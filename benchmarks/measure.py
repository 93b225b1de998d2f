"""One measurement of one peer: its process is started, measured, and ended.

CPU time is the kernel's account of the peer's process, all its threads, user and system, finished ones
included. A server's is read from outside through its CPU clock (clock_getcpuclockid(3): nanoseconds, where
/proc/PID/stat has hundredths of a second); the load runs in a process of its own and does not count. What a
server is asked before the measured part (connecting, warm-up) does not count either.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from benchmarks.compiler import CompileError, compiled, compiler
from benchmarks.generate import generate
from benchmarks.table import Benchmark, Peer

ROOT = pathlib.Path(__file__).parent.parent
PATIENCE = 120.0  # seconds one measurement may take


class MeasurementError(Exception):
    """The peer could not be measured; one line that says why."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What the command line asks for; units in the names."""

    connections: int = 100
    size: int = 1024  # bytes
    messages: int | None = None  # None: the benchmark's own count
    modules: int = 40


@dataclasses.dataclass(frozen=True)
class Sample:
    """Seconds per operation, and bytes of resident memory per connection where that makes sense."""

    cpu: float
    wall: float
    memory: float | None = None


def command_of(peer: Peer) -> list[str]:
    first, *rest = peer.command
    if first.endswith(".c"):
        return [str(compiled(ROOT / "benchmarks" / "peers" / first)), *rest]
    return [sys.executable, *peer.command]


def measure(benchmark: Benchmark, name: str, peer: Peer, options: Options) -> Sample:
    """Measure one peer once. Raises MeasurementError."""
    try:
        if benchmark.kind == "server":
            return _server(benchmark, peer, options)
        if benchmark.kind == "program":
            return _program(benchmark, peer, options)
        return _start(peer) if benchmark.kind == "start" else _import(name, peer, options)
    except (CompileError, OSError, ValueError) as error:
        raise MeasurementError(_one_line(str(error)))
    except subprocess.TimeoutExpired:
        raise MeasurementError(f"did not end within {PATIENCE:.0f} s")


def _one_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def _program(benchmark: Benchmark, peer: Peer, options: Options) -> Sample:
    count = options.messages or benchmark.count
    command = command_of(peer)
    # The count follows the operation's name; anything else the peer's command has stands after it.
    at = next(i for i, word in enumerate(command) if word.startswith("benchmarks.peers.tasks_")) + 2
    command.insert(at, str(count))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode:
        raise MeasurementError(_one_line(done.stderr))
    measured = json.loads(done.stdout.splitlines()[-1])
    return Sample(measured["cpu"] / count, measured["wall"] / count)


# -- servers -----------------------------------------------------------------------------------------


def cpu_clock(pid: int) -> float:
    """CPU seconds that process `pid` has used."""
    return time.clock_gettime((~pid << 3) | 2)  # what clock_getcpuclockid(pid) gives on Linux


def resident(pid: int) -> int:
    """Bytes of memory that are the process's own."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise MeasurementError("the kernel does not say how much memory the server uses")


@contextlib.contextmanager
def _serving(command: list[str]) -> Iterator[tuple[int, int]]:
    """Start a server; give its process id and port; end it."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            found = re.search(r"port (\d+)", line)
            if found is None:
                process.wait(PATIENCE)
                errors.seek(0)
                raise MeasurementError(f"the server did not start: {_one_line(errors.read())}")
            try:
                yield process.pid, int(found[1])
            except MeasurementError as error:  # the server's own words tell more than the load's
                errors.seek(0)
                said = errors.read()
                raise MeasurementError(f"{error}; the server said: {_one_line(said)}" if said else str(error))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def _reply_size(port: int, request: bytes) -> int:
    """Bytes of the answer to one request on a connection that stays open: HTTP headers and page."""
    probe = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    with probe, probe.makefile("rb") as reply:
        probe.sendall(request)
        size = length = 0
        while line := reply.readline():
            size += len(line)
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            if line == b"\r\n":
                return size + length
    raise MeasurementError("the server closed the connection in the middle of a reply")


def _load_command() -> list[str]:
    here = ROOT / "benchmarks"
    if compiler() is not None:
        return [str(compiled(here / "load.c"))]
    return [sys.executable, str(here / "load.py")]


def _server(benchmark: Benchmark, peer: Peer, options: Options) -> Sample:
    count = max(options.messages or benchmark.count, options.connections)
    with _serving(command_of(peer)) as (pid, port):
        before = resident(pid)
        if benchmark.request is None:
            request = b"x" * options.size
            reply_size = options.size
        else:
            request = benchmark.request
            reply_size = _reply_size(port, request) if benchmark.keep_alive else 0
        warmup = max(options.connections, count // 10)
        numbers = (options.connections, warmup, count, len(request), reply_size)
        load = subprocess.Popen(
            [*_load_command(), "127.0.0.1", str(port), *map(str, numbers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        assert load.stdin is not None
        assert load.stdout is not None
        assert load.stderr is not None
        try:
            load.stdin.write(request)
            if not load.stdout.readline():
                raise MeasurementError(_one_line(load.stderr.read().decode()))
            memory = (resident(pid) - before) / options.connections if benchmark.keep_alive else None
            cpu = cpu_clock(pid)
            load.stdin.write(b"\n")
            line = load.stdout.readline()
            cpu = cpu_clock(pid) - cpu
            if not line:
                raise MeasurementError(_one_line(load.stderr.read().decode()))
            return Sample(cpu / count, float(line) / count, memory)
        finally:
            load.kill()
            load.wait()
            for stream in (load.stdin, load.stdout, load.stderr):
                stream.close()


# -- imports -----------------------------------------------------------------------------------------


def _import(peer_name: str, peer: Peer, options: Options) -> Sample:
    """A fresh copy of a generated package, and fresh processes that import it: cold, then warm."""
    with tempfile.TemporaryDirectory(prefix="unstall-import-") as folder:
        lines = generate(pathlib.Path(folder), options.modules)
        for _ in range(2 if peer_name.endswith("warm") else 1):
            done = subprocess.run(
                [sys.executable, *peer.command, folder], cwd=ROOT, env=_environment(), capture_output=True,
                text=True, timeout=PATIENCE, check=False,
            )  # fmt: skip
            if done.returncode:
                raise MeasurementError(_one_line(done.stderr))
        measured = json.loads(done.stdout.splitlines()[-1])
        return Sample(measured["cpu"] / lines * 1000, measured["wall"] / lines * 1000)


def _start(peer: Peer) -> Sample:
    """A program that does nothing, when its bytecode is there."""
    with tempfile.TemporaryDirectory(prefix="unstall-start-") as folder:
        (pathlib.Path(folder) / "program.py").write_text("")
        command = [sys.executable, *peer.command, str(pathlib.Path(folder) / "program.py")]
        _process(command, _environment())
        return _process(command, _environment())


def _environment() -> dict[str, str]:
    # `-m rewriter` is found from anywhere that way; plain Python gets the same path.
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path}
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"):  # nothing would ever be warm
        environment.pop(name, None)
    return environment


def _process(command: list[str], environment: dict[str, str]) -> Sample:
    with tempfile.TemporaryFile("w+") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise MeasurementError(_one_line(output.read()))
    return Sample(usage.ru_utime + usage.ru_stime, wall)
