"""One measurement of one server: its CPU clock and its memory, read from outside, under load from another process.

The CPU clock is that of clock_getcpuclockid(3): nanoseconds, where /proc/PID/stat has hundredths of a second. What a
server is asked before the measured part (connecting, TLS handshakes, warm-up) does not count.
"""

from __future__ import annotations

import contextlib
import pathlib
import re
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator

from benchmarks.compiler import CompileError, compiled, compiler
from benchmarks.sample import (
    PATIENCE,
    ROOT,
    MeasurementError,
    Options,
    Sample,
    TooSlowError,
    command_of,
    one_line,
)
from benchmarks.table import TLS, Benchmark, Peer

OWN_DESCRIPTORS = 100  # what a server needs beside its connections


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
def started(command: list[str]) -> Iterator[tuple[int, int]]:
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
                raise MeasurementError(f"the server did not start: {one_line(errors.read())}")
            try:
                yield process.pid, int(found[1])
            except TooSlowError:
                raise
            except MeasurementError as error:  # the server's own words tell more than the load's
                errors.seek(0)
                said = errors.read()
                raise MeasurementError(f"{error}; the server said: {one_line(said)}" if said else str(error))
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


def _load_command(tls: bool) -> list[str]:
    """The load in C; without a compiler, or without OpenSSL's headers where it speaks TLS, the one in Python."""
    here = ROOT / "benchmarks"
    if compiler() is not None:
        try:
            return [str(compiled(here / "load.c", *(TLS if tls else ())))]
        except CompileError:
            if not tls:
                raise
    return [sys.executable, str(here / "load.py"), *(["--tls"] if tls else [])]


def load_language() -> str:
    """What the load is written in here, which the figures of the fastest servers depend on."""
    if compiler() is None:
        return "Python"
    return "C" if _load_command(True)[0] != sys.executable else "C, over TLS Python"


class Load:
    """The other process: it connects, warms up, waits, and sends what is measured."""

    def __init__(self, port: int, tls: bool, request: bytes, numbers: tuple[int, ...]) -> None:
        """`numbers`: connections, warm-up requests, requests, bytes of a request and of its reply."""
        self.process = subprocess.Popen(
            [*_load_command(tls), "127.0.0.1", str(port), *map(str, numbers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self.request = request
        self.late = False
        self.timer = threading.Timer(PATIENCE, self._give_up)
        self.timer.daemon = True

    def _give_up(self) -> None:
        self.late = True
        self.process.kill()

    def __enter__(self) -> Load:
        self.timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.timer.cancel()
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def _say(self, data: bytes) -> bytes:
        """Give it this, and wait for its next line."""
        process = self.process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: its own words say why
            while data:
                data = data[process.stdin.write(data) or 0 :]
            if line := process.stdout.readline():
                return line
        if self.late:
            raise TooSlowError
        raise MeasurementError(one_line(process.stderr.read().decode()))

    def warm_up(self) -> None:
        self._say(self.request)

    def run(self) -> float:
        """Send what is measured; returns the seconds that it took."""
        return float(self._say(b"\n"))


def _enough_descriptors(connections: int) -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < connections + OWN_DESCRIPTORS:
        raise MeasurementError(
            f"{connections} connections need {connections + OWN_DESCRIPTORS} open files, and the limit is {hard} "
            "(ulimit -Hn)"
        )


def loaded(benchmark: Benchmark, _name: str, peer: Peer, options: Options) -> Sample:
    """CPU time per request of a server under load, and memory per connection."""
    connections, size = options.of(benchmark)
    count = max(options.messages or benchmark.count, connections)
    _enough_descriptors(connections)
    with started(command_of(peer)) as (pid, port):
        before = resident(pid)
        request, reply_size = benchmark.request or b"x" * size, size
        if benchmark.request is not None:
            reply_size = _reply_size(port, request) if benchmark.keep_alive else 0
        numbers = (connections, max(connections, count // 10), count, len(request), reply_size)
        with Load(port, benchmark.tls, request, numbers) as load:
            load.warm_up()
            memory = (resident(pid) - before) / connections if benchmark.keep_alive else None
            cpu = cpu_clock(pid)
            wall = load.run()
            cpu = cpu_clock(pid) - cpu
            return Sample(cpu / count, wall / count, memory)


def idle(benchmark: Benchmark, _name: str, peer: Peer, options: Options) -> Sample:
    """Memory per connection that was used once, and what it costs to accept one and answer once."""
    connections, size = options.of(benchmark)
    _enough_descriptors(connections)
    with started(command_of(peer)) as (pid, port):
        before = resident(pid)
        cpu, wall = cpu_clock(pid), time.perf_counter()
        with Load(port, benchmark.tls, b"x" * size, (connections, connections, 0, size, size)) as load:
            load.warm_up()
            cpu, wall = cpu_clock(pid) - cpu, time.perf_counter() - wall
            return Sample(cpu / connections, wall / connections, (resident(pid) - before) / connections)
