"""One measurement of one peer: its process is started, measured, and ended.

CPU time is the kernel's account of the peer's process, all its threads, user and system, finished ones
included; children do not count.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping

from benchmarks import serving
from benchmarks.compiler import CompileError
from benchmarks.generate import generate
from benchmarks.sample import (
    PATIENCE,
    ROOT,
    MeasurementError,
    Options,
    Sample,
    TooSlowError,
    command_of,
    environment,
    one_line,
)
from benchmarks.table import Benchmark, Kind, Peer


def measure(benchmark: Benchmark, name: str, peer: Peer, options: Options) -> Sample:
    """Measure one peer once. Raises MeasurementError."""
    try:
        return _WAYS[benchmark.kind](benchmark, name, peer, options)
    except (CompileError, OSError, ValueError) as error:
        raise MeasurementError(one_line(str(error)))
    except subprocess.TimeoutExpired:
        raise TooSlowError


def _program(benchmark: Benchmark, name: str, peer: Peer, options: Options) -> Sample:
    count = options.messages or benchmark.count
    command = command_of(peer, count, options.file)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode:
        raise MeasurementError(one_line(done.stderr) if done.stderr else f"exit code {done.returncode}")
    measured = json.loads(done.stdout.splitlines()[-1])
    memory = measured["memory"] / count if "memory" in measured else None
    return Sample(measured["cpu"] / count, measured["wall"] / count, memory)


def _import(benchmark: Benchmark, name: str, peer: Peer, options: Options) -> Sample:
    """A fresh copy of a generated package, and fresh processes that import it: cold, then warm."""
    with tempfile.TemporaryDirectory(prefix="unstall-import-") as folder:
        lines = generate(pathlib.Path(folder), options.modules)
        for _ in range(2 if name.endswith("warm") else 1):
            done = subprocess.run(
                [sys.executable, *peer.command, folder], cwd=ROOT, env=environment(), capture_output=True,
                text=True, timeout=PATIENCE, check=False,
            )  # fmt: skip
            if done.returncode:
                raise MeasurementError(one_line(done.stderr))
        measured = json.loads(done.stdout.splitlines()[-1])
        return Sample(measured["cpu"] / lines * 1000, measured["wall"] / lines * 1000)


def _start(benchmark: Benchmark, name: str, peer: Peer, options: Options) -> Sample:
    """A program that does nothing, when its bytecode is there."""
    with tempfile.TemporaryDirectory(prefix="unstall-start-") as folder:
        (pathlib.Path(folder) / "program.py").write_text("")
        command = [sys.executable, *peer.command, str(pathlib.Path(folder) / "program.py")]
        _process(command, environment())
        return _process(command, environment())


def _process(command: list[str], environment: dict[str, str]) -> Sample:
    with tempfile.TemporaryFile("w+") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _pid, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise MeasurementError(one_line(output.read()))
    return Sample(usage.ru_utime + usage.ru_stime, wall)


_WAYS: Mapping[Kind, Callable[[Benchmark, str, Peer, Options], Sample]] = {
    "server": serving.loaded,
    "idle": serving.idle,
    "program": _program,
    "import": _import,
    "start": _start,
}
