"""What one measurement is asked for and gives, and how the process that is measured is started."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import sys

from benchmarks.compiler import compiled
from benchmarks.table import COUNT, FILE, Benchmark, Peer

ROOT = pathlib.Path(__file__).parent.parent
PATIENCE = 120.0  # seconds one measurement may take


class MeasurementError(Exception):
    """The peer could not be measured; one line that says why."""


class TooSlowError(MeasurementError):
    """The peer did not get done; nothing is wrong with it otherwise."""

    def __init__(self) -> None:
        super().__init__(f"gave up after {PATIENCE:.0f} s")


@dataclasses.dataclass(frozen=True)
class Options:
    """What the command line asks for; None is the benchmark's own."""

    connections: int | None = None
    size: int | None = None  # bytes
    messages: int | None = None
    modules: int = 40
    file: str = ""  # the path of what is read

    def of(self, benchmark: Benchmark) -> tuple[int, int]:
        """How many connections, and how many bytes a message has."""
        return self.connections or benchmark.connections, self.size or benchmark.size


@dataclasses.dataclass(frozen=True)
class Sample:
    """Seconds per operation, and bytes of memory per connection or task where that makes sense."""

    cpu: float
    wall: float
    memory: float | None = None


def command_of(peer: Peer, count: int = 0, file: str = "") -> list[str]:
    words = [{COUNT: str(count), FILE: file}.get(word, word) for word in peer.command]
    if words and words[0].endswith((".c", ".go")):
        return [str(compiled(ROOT / "benchmarks" / "peers" / words[0], *peer.flags)), *words[1:]]
    return [sys.executable, *words]


def one_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def environment() -> dict[str, str]:
    """In which bytecode is kept, and this project is found from any folder."""
    # `-m rewriter` is found from anywhere that way; plain Python gets the same path.
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path}
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"):  # nothing would ever be warm
        environment.pop(name, None)
    return environment
