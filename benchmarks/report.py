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
from collections.abc import Callable, Mapping, Sequence

from benchmarks.sample import Options, Sample
from benchmarks.serving import load_language
from benchmarks.table import Benchmark, Figure

OK = "ok"
NOT_INSTALLED = "not installed"
FAILED = "failed"


@dataclasses.dataclass
class Row:
    """One peer in one benchmark: a sample per round, or why there are none."""

    peer: str
    status: str = OK  # OK, NOT_INSTALLED, FAILED and why, or that it was given up
    version: str | None = None
    samples: list[Sample] = dataclasses.field(default_factory=list)

    def figures(self, figure: Figure) -> list[float]:
        """A sample's CPU time or memory, round by round."""
        found = [sample.cpu if figure == "cpu" else sample.memory for sample in self.samples]
        return [value for value in found if value is not None]

    def ratio(self, base: Row, figure: Figure = "cpu") -> float | None:
        """Median over the rounds of this peer's figure by ours; above 1 we are cheaper."""
        pairs = zip(self.figures(figure), base.figures(figure), strict=False)
        ratios = [mine / ours for mine, ours in pairs if ours]
        return statistics.median(ratios) if ratios else None


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


def size(number: float) -> str:
    """Bytes, in KiB from ten thousand on."""
    return f"{number:.0f} B" if number < 10_000 else f"{number / 1024:.1f} KiB"


FORMATS: Mapping[Figure, Callable[[float], str]] = {"cpu": amount, "memory": size}
NAMES: Mapping[Figure, str] = {"cpu": "CPU time", "memory": "memory"}


def title(name: str, benchmark: Benchmark, options: Options) -> str:
    """What the figures are of."""
    text = f"{name}: {NAMES[benchmark.figure]} per {benchmark.operation}"
    if benchmark.kind in ("server", "idle"):
        connections, size = options.of(benchmark)
        text += f"; {connections:,} connection{'s' * (connections > 1)}"
        if benchmark.request is None:
            text += f", {size:,} bytes"
    return text


def table(result: Result) -> str:
    """The rows in the table's order, one line each, aligned."""
    figure = result.benchmark.figure
    shown = FORMATS[figure]
    # Beside the figure that the benchmark is about: the time on the clock, and the other figure.
    other = "KiB/connection" if figure == "cpu" else "CPU"
    lines = [("", "median", "lowest", "highest", f"by {result.base.peer}'s", "wall", other)]
    for row in result.rows:
        values = row.figures(figure)
        if not values:
            lines.append((row.peer, row.status, "", "", "", "", ""))
            continue
        ratio = row.ratio(result.base, figure)
        others = row.figures("memory" if figure == "cpu" else "cpu")
        beside = ""
        if others:
            middle = statistics.median(others)
            beside = f"{middle / 1024:.1f}" if figure == "cpu" else amount(middle)
        lines.append((
            row.peer + ("" if row.status == OK else " *"),
            shown(statistics.median(values)),
            shown(min(values)),
            shown(max(values)),
            "" if ratio is None else f"{ratio:.2f}",
            amount(statistics.median(sample.wall for sample in row.samples)),
            beside,
        ))  # fmt: skip
    columns = [i for i in range(len(lines[0])) if i == 0 or any(line[i] for line in lines[1:])]
    # A reason instead of figures may be long: it stretches no column.
    widths = {i: max(len(line[i]) for line in lines if line[2] or i == 0) for i in columns}
    text = [title(result.name, result.benchmark, result.options)]
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [line[i].rjust(widths[i]) for i in columns[1:] if line[2] or i == 1]
        text.append("  " + "  ".join(cells).rstrip())
    text += [f"  * {row.peer}: {row.status}" for row in result.rows if row.samples and row.status != OK]
    return "\n".join(text)


def command(words: Sequence[str]) -> list[str]:
    """The command line without where the figures went."""
    kept = [word for word in words if not word.startswith(("--json=", "--svg="))]
    while found := [i for i, word in enumerate(kept) if word in ("--json", "--svg")]:
        del kept[found[0] : found[0] + 2]
    return kept


def as_json(results: Sequence[Result], rounds: int) -> str:
    """Everything, seconds and bytes throughout, with the machine and the command it came from."""
    return json.dumps(
        {
            "command": ["python", "-m", "benchmarks", *command(sys.argv[1:])],
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "rounds": rounds,
            "benchmarks": [_benchmark(result) for result in results],
        },
        indent=2,
    )


def _benchmark(result: Result) -> Mapping[str, object]:
    connections, size = result.options.of(result.benchmark)
    return {
        "name": result.name,
        "title": title(result.name, result.benchmark, result.options),
        "operation": result.benchmark.operation,
        "figure": result.benchmark.figure,
        "count": result.options.messages or result.benchmark.count,
        "connections": connections if result.benchmark.kind in ("server", "idle") else None,
        "size": size if result.benchmark.kind in ("server", "idle") else None,
        "peers": [_peer(row, result.base, result.benchmark.figure) for row in result.rows],
    }


def _peer(row: Row, base: Row, figure: Figure) -> Mapping[str, object]:
    rounds = {
        "cpu": row.figures("cpu"),
        "wall": [sample.wall for sample in row.samples],
        "memory": row.figures("memory"),
    }
    return {
        "peer": row.peer,
        "status": row.status,
        "version": row.version,
        **{name: statistics.median(values) if values else None for name, values in rounds.items()},
        **{f"{name}_rounds": values for name, values in rounds.items()},
        "ratio": row.ratio(base, figure),
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
        "load": load_language(),
    }
