"""The command line: `python -m benchmarks NAME… [options]`, from the root of the repository."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib
import importlib.util
import json
import os
import pathlib
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import NoReturn

from benchmarks import plot
from benchmarks.compiler import compiler, go, go_version
from benchmarks.measure import measure
from benchmarks.peers import blocks
from benchmarks.report import FAILED, NOT_INSTALLED, OK, Result, Row, as_json, machine, table, version
from benchmarks.sample import MeasurementError, Options, TooSlowError
from benchmarks.table import BENCHMARKS, Benchmark, Peer

COMMANDS = {
    "plot": "plots (SVG) of a run that --json saved: plot FILE.json FOLDER",
    "goals": "whether saved runs reached what is aimed at: goals FILE.json…",
    "guard": "system calls and instructions against their bounds",
}
COMPILERS: dict[str | None, Callable[[], str | None]] = {"cc": compiler, "go": go}


def number(low: int, high: int) -> Callable[[str], int]:
    """An argparse type: an integer from `low` to `high`."""

    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low} and {high}")
        return value

    parse.__name__ = "number"
    return parse


def described() -> str:
    """The benchmarks, two lines each."""
    return "\n".join(
        f"  {name:16} {benchmark.operation}\n  {'':16} {', '.join(benchmark.peers)}"
        for name, benchmark in BENCHMARKS.items()
    )


def parser() -> argparse.ArgumentParser:
    commands = "\n".join(f"  {name:16} {what}" for name, what in COMMANDS.items())
    result = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures this project and its installed peers in turn, in one run.",
        epilog=f"other commands:\n{commands}\n\nbenchmarks, what one operation is, and the peers:\n{described()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("names", nargs="*", metavar="NAME", help="what to measure, see below; or `all`")
    result.add_argument("--list", action="store_true", help="print what can be measured, and do nothing")
    result.add_argument("--peers", metavar="A,B", help="only these beside us (default: all)")
    result.add_argument("--rounds", type=number(1, 1000), default=3, metavar="N",
                        help="samples per peer (default: 3)")  # fmt: skip
    result.add_argument("--connections", type=number(1, 100_000), metavar="N",
                        help="at a time, of servers (default: the benchmark's own)")  # fmt: skip
    result.add_argument("--size", type=number(1, 10_000_000), metavar="BYTES",
                        help="of an echo's message (default: the benchmark's own)")  # fmt: skip
    result.add_argument("--messages", type=number(1, 100_000_000), metavar="N",
                        help="operations per sample (default: the benchmark's own)")  # fmt: skip
    result.add_argument("--modules", type=number(1, 10_000), default=40, metavar="N",
                        help="in the package that is imported, 200 lines each (default: 40)")  # fmt: skip
    result.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write the figures there too")
    result.add_argument("--svg", metavar="FOLDER", type=pathlib.Path, help="draw a plot of each there too")
    return result


def installed(peer: Peer) -> bool:
    if peer.needs in COMPILERS:
        return COMPILERS[peer.needs]() is not None
    return peer.needs is None or importlib.util.find_spec(peer.needs) is not None


def chosen(benchmark: Benchmark, wanted: set[str] | None) -> Iterator[tuple[str, Peer]]:
    """Us, whom the ratios are to, and the wanted peers."""
    for i, (name, peer) in enumerate(benchmark.peers.items()):
        if i == 0 or wanted is None or name in wanted or name.split()[0].rstrip(",") in wanted:
            yield name, peer


@contextlib.contextmanager
def prepared(benchmark: Benchmark, options: Options) -> Iterator[Options]:
    """The options with the path of the file that the benchmark reads; it is gone afterwards."""
    if not benchmark.blocks:
        yield options
        return
    with tempfile.TemporaryDirectory(prefix="unstall-reads-") as folder:
        path = os.path.join(folder, "blocks")
        blocks.write(path, benchmark.blocks)
        yield dataclasses.replace(options, file=path)


def run(name: str, options: Options, rounds: int, wanted: set[str] | None) -> Result:
    """Every peer once, then every peer again: what changes on the machine meanwhile hits all of them."""
    benchmark = BENCHMARKS[name]
    peers = dict(chosen(benchmark, wanted))
    rows = {peer: Row(peer) for peer in peers}
    for peer_name, peer in peers.items():
        if not installed(peer):
            rows[peer_name].status = NOT_INSTALLED
        elif peer.needs is not None and peer.needs not in COMPILERS:
            rows[peer_name].version = version(peer.needs)
        elif peer.needs == "go":
            rows[peer_name].version = go_version()
    with prepared(benchmark, options) as options:
        for i in range(rounds):
            for peer_name, row in rows.items():
                if row.status != OK:
                    continue
                print(f"{name}: round {i + 1} of {rounds}: {peer_name}", file=sys.stderr, flush=True)
                try:
                    row.samples.append(measure(benchmark, peer_name, peers[peer_name], options))
                except TooSlowError as error:
                    row.status = str(error)
                except MeasurementError as error:
                    row.status = f"{FAILED}: {error}"
    return Result(name, benchmark, options, list(rows.values()))


def measured(words: list[str]) -> int:
    """Measure what the command line names; 1 if a peer failed."""
    arguments = parser()
    given = arguments.parse_args(words)
    if given.list:
        print(described())
        return 0
    if not given.names:
        arguments.error("the following arguments are required: NAME")
    names = list(BENCHMARKS) if "all" in given.names else list(dict.fromkeys(given.names))
    for name in names:
        if name not in BENCHMARKS:
            arguments.error(f"there is no benchmark {name!r}; there are {', '.join(BENCHMARKS)}")
    wanted = None if given.peers is None else {peer.strip() for peer in given.peers.split(",")}
    known = {
        label
        for name in names
        for peer in BENCHMARKS[name].peers
        for label in (peer, peer.split()[0].rstrip(","))
    }
    for peer in sorted(wanted or ()):
        if peer not in known:
            arguments.error(f"there is no peer {peer!r} here; there are {', '.join(sorted(known))}")
    for file in (given.json, given.svg):
        if file is not None and not file.absolute().parent.is_dir():
            arguments.error(f"cannot write {file}: there is no such folder")
    options = Options(given.connections, given.size, given.messages, given.modules)
    print(", ".join(f"{key} {value}" for key, value in machine().items() if value), flush=True)
    results = []
    for name in names:
        results.append(run(name, options, given.rounds, wanted))
        print("\n" + table(results[-1]), flush=True)
        if given.json is not None:  # after each: what was measured stays if the rest is interrupted
            given.json.write_text(as_json(results, given.rounds) + "\n", encoding="utf-8")
        if given.svg is not None:
            plot.write(json.loads(as_json(results[-1:], given.rounds)), given.svg)
    return 1 if any(row.status.startswith(FAILED) for result in results for row in result.rows) else 0


def _stop(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _end_children() -> None:
    """Also those whose start was interrupted before anybody knew of them."""
    for file in pathlib.Path("/proc/self/task").glob("*/children"):
        for pid in file.read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


def main() -> int:
    signal.signal(signal.SIGTERM, _stop)  # as Ctrl-C: what was started is ended
    words = sys.argv[1:]
    if words and words[0] in COMMANDS:
        code: int = importlib.import_module(f"benchmarks.{words[0]}").main(words[1:])
        return code
    return measured(words)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        _end_children()
        sys.exit(130)
