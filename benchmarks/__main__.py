"""The command line: `python -m benchmarks NAME… [options]`, from the root of the repository."""

from __future__ import annotations

import argparse
import importlib.util
import pathlib
import sys
from collections.abc import Callable, Iterator

from benchmarks.compiler import compiler
from benchmarks.measure import MeasurementError, Options, measure
from benchmarks.report import NOT_INSTALLED, OK, Result, Row, as_json, machine, table, version
from benchmarks.table import BENCHMARKS, Benchmark, Peer


def number(low: int, high: int) -> Callable[[str], int]:
    """An argparse type: an integer from `low` to `high`."""

    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low} and {high}")
        return value

    parse.__name__ = "number"
    return parse


def parser() -> argparse.ArgumentParser:
    known = "\n".join(
        f"  {name:16} {benchmark.operation}\n  {'':16} {', '.join(benchmark.peers)}"
        for name, benchmark in BENCHMARKS.items()
    )
    result = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures this project and its installed peers in turn, in one run.",
        epilog=f"benchmarks, what one operation is, and the peers:\n{known}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("names", nargs="+", metavar="NAME", help="what to measure, see below; or `all`")
    result.add_argument("--peers", metavar="A,B", help="only these beside us (default: all)")
    result.add_argument("--rounds", type=number(1, 1000), default=3, metavar="N",
                        help="samples per peer (default: 3)")  # fmt: skip
    result.add_argument("--connections", type=number(1, 100_000), default=100, metavar="N",
                        help="at a time, of servers (default: 100)")  # fmt: skip
    result.add_argument("--size", type=number(1, 10_000_000), default=1024, metavar="BYTES",
                        help="of an echo's message (default: 1024)")  # fmt: skip
    result.add_argument("--messages", type=number(1, 100_000_000), metavar="N",
                        help="operations per sample (default: the benchmark's own)")  # fmt: skip
    result.add_argument("--modules", type=number(1, 10_000), default=40, metavar="N",
                        help="in the package that is imported, 200 lines each (default: 40)")  # fmt: skip
    result.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write the figures there too")
    return result


def installed(peer: Peer) -> bool:
    if peer.needs == "cc":
        return compiler() is not None
    return peer.needs is None or importlib.util.find_spec(peer.needs) is not None


def chosen(benchmark: Benchmark, wanted: set[str] | None) -> Iterator[tuple[str, Peer]]:
    """Us, whom the ratios are to, and the wanted peers."""
    for i, (name, peer) in enumerate(benchmark.peers.items()):
        if i == 0 or wanted is None or name in wanted or name.split()[0].rstrip(",") in wanted:
            yield name, peer


def run(name: str, options: Options, rounds: int, wanted: set[str] | None) -> Result:
    """Every peer once, then every peer again: what changes on the machine meanwhile hits all of them."""
    benchmark = BENCHMARKS[name]
    peers = dict(chosen(benchmark, wanted))
    rows = {peer: Row(peer) for peer in peers}
    for peer_name, peer in peers.items():
        if not installed(peer):
            rows[peer_name].status = NOT_INSTALLED
        elif peer.needs not in (None, "cc"):
            rows[peer_name].version = version(str(peer.needs))
    for i in range(rounds):
        for peer_name, row in rows.items():
            if row.status != OK:
                continue
            print(f"{name}: round {i + 1} of {rounds}: {peer_name}", file=sys.stderr, flush=True)
            try:
                row.samples.append(measure(benchmark, peer_name, peers[peer_name], options))
            except MeasurementError as error:
                row.status = f"failed: {error}"
    return Result(name, benchmark, options, list(rows.values()))


def main() -> int:
    arguments = parser()
    given = arguments.parse_args()
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
    if given.json is not None and not given.json.absolute().parent.is_dir():
        arguments.error(f"cannot write {given.json}: there is no such folder")
    options = Options(given.connections, given.size, given.messages, given.modules)
    print(", ".join(f"{key} {value}" for key, value in machine().items() if value), flush=True)
    results = []
    for name in names:
        results.append(run(name, options, given.rounds, wanted))
        print("\n" + table(results[-1]), flush=True)
    if given.json is not None:
        given.json.write_text(as_json(results, given.rounds) + "\n", encoding="utf-8")
    return 1 if any(row.status not in (OK, NOT_INSTALLED) for result in results for row in result.rows) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
