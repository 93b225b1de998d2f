"""What a run found, as a table for people and as JSON for programs."""

from __future__ import annotations

import dataclasses
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence

from benchmarks.compiler import compiler
from benchmarks.measure import Options, Sample
from benchmarks.table import Benchmark

OK = "ok"
NOT_INSTALLED = "not installed"


@dataclasses.dataclass
class Row:
    """One peer in one benchmark: a sample per round, or why there are none."""

    peer: str
    status: str = OK  # OK, NOT_INSTALLED, or what went wrong
    version: str | None = None
    samples: list[Sample] = dataclasses.field(default_factory=list)

    def ratio(self, base: Row) -> float | None:
        """Median over the rounds of this peer's CPU time by ours; above 1 we are cheaper."""
        pairs = list(zip(self.samples, base.samples, strict=False))
        return statistics.median(mine.cpu / ours.cpu for mine, ours in pairs if ours.cpu) if pairs else None


@dataclasses.dataclass
class Result:
    name: str
    benchmark: Benchmark
    options: Options
    rows: list[Row]

    @property
    def base(self) -> Row:
        return self.rows[0]


def amount(seconds: float) -> str:
    """Three digits in the unit that suits."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def table(result: Result) -> str:
    """The rows in the table's order, one line each, aligned."""
    title = f"{result.name}: CPU time per {result.benchmark.operation}"
    if result.benchmark.kind == "server":
        title += f"; {result.options.connections} connections"
        if result.benchmark.request is None:
            title += f", {result.options.size} bytes"
    lines = [("", "median", "lowest", "highest", f"by {result.base.peer}'s", "wall", "KiB/connection")]
    for row in result.rows:
        if not row.samples:
            lines.append((row.peer, row.status, "", "", "", "", ""))
            continue
        cpu = [sample.cpu for sample in row.samples]
        ratio = row.ratio(result.base)
        wall = statistics.median(sample.wall for sample in row.samples)
        memory = [sample.memory for sample in row.samples if sample.memory is not None]
        lines.append((
            row.peer + ("" if row.status == OK else " *"),
            amount(statistics.median(cpu)),
            amount(min(cpu)),
            amount(max(cpu)),
            "" if ratio is None else f"{ratio:.2f}",
            amount(wall),
            f"{statistics.median(memory) / 1024:.1f}" if memory else "",
        ))  # fmt: skip
    columns = [i for i in range(len(lines[0])) if i == 0 or any(line[i] for line in lines[1:])]
    # A reason instead of figures may be long: it stretches no column.
    widths = {i: max(len(line[i]) for line in lines if line[2] or i == 0) for i in columns}
    text = [title]
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [line[i].rjust(widths[i]) for i in columns[1:] if line[2] or i == 1]
        text.append("  " + "  ".join(cells).rstrip())
    text += [f"  * {row.peer}: {row.status}" for row in result.rows if row.samples and row.status != OK]
    return "\n".join(text)


def as_json(results: Sequence[Result], rounds: int) -> str:
    """Everything, seconds and bytes throughout, with the machine and the command it came from."""
    return json.dumps(
        {
            "command": ["python", "-m", "benchmarks", *sys.argv[1:]],
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "rounds": rounds,
            "benchmarks": [_benchmark(result) for result in results],
        },
        indent=2,
    )


def _benchmark(result: Result) -> Mapping[str, object]:
    return {
        "name": result.name,
        "operation": result.benchmark.operation,
        "options": dataclasses.asdict(result.options),
        "peers": [_peer(row, result.base) for row in result.rows],
    }


def _peer(row: Row, base: Row) -> Mapping[str, object]:
    cpu = [sample.cpu for sample in row.samples]
    wall = [sample.wall for sample in row.samples]
    return {
        "peer": row.peer,
        "status": row.status,
        "version": row.version,
        "cpu": statistics.median(cpu) if cpu else None,
        "cpu_rounds": cpu,
        "wall": statistics.median(wall) if wall else None,
        "wall_rounds": wall,
        "memory_per_connection": [sample.memory for sample in row.samples],
        "ratio": row.ratio(base),
    }


def version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def machine() -> Mapping[str, object]:
    """What a reader needs in order to place the figures."""
    model = ""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {
        "python": sys.version.split()[0],
        "implementation": platform.python_implementation(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": model,
        "cores": os.cpu_count(),
        "greenlet": version("greenlet"),
        "load": "C" if compiler() else "Python",
    }
