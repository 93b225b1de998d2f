"""How long each blocking call of the standard library stops everybody else, here and under the peers.

    python -m benchmarks.stalls [NAME…] [--peers A,B] [--json FILE]

Each operation of `benchmarks.peers.blocking`, one file as it is, is held up for 0.6 s while a thread ticks every 5 ms;
shown is the longest gap between two ticks.  Under plain threads that is the machine's own noise.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import pathlib
import subprocess
import sys

LIMIT = 0.05  # seconds: a longer gap counts as a stall
TIMEOUT = 120  # seconds for one operation in one process
_PROGRAM = "benchmarks.peers.blocking"
PEERS = {
    "unstall": ("-m", "rewriter", _PROGRAM),
    "threads": ("-m", _PROGRAM),
    "gevent": ("-m", "benchmarks.peers.patched", "gevent", _PROGRAM),
    "eventlet": ("-m", "benchmarks.peers.patched", "eventlet", _PROGRAM),
}


def operations() -> list[str]:
    """The names of all operations."""
    from benchmarks.peers.blocking import OPERATIONS

    return list(OPERATIONS)


def measure(peer: str, name: str) -> dict[str, object]:
    """One operation in a process of its own; ``error`` says why there is no figure."""
    command = [sys.executable, *PEERS[peer], name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return {"name": name, "seconds": None, "gap": None, "error": "hangs"}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            return dict(json.loads(line))
    reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return {"name": name, "seconds": None, "gap": None, "error": reason}


def cell(result: dict[str, object]) -> str:
    """A gap in milliseconds, in bold when it is a stall; or what went wrong."""
    if result["error"] is not None:
        return "hangs" if result["error"] == "hangs" else "fails"
    gap = float(str(result["gap"]))
    return f"**{gap * 1000:.0f}**" if gap > LIMIT else f"{gap * 1000:.0f}"


def main() -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m benchmarks.stalls", description=__doc__.partition("\n")[0]
    )  # type: ignore[union-attr]
    arguments.add_argument("names", nargs="*", metavar="NAME", help="operations (default: all)")
    arguments.add_argument("--peers", metavar="A,B", default=",".join(PEERS), help="(default: %(default)s)")
    arguments.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write the figures there too")
    given = arguments.parse_args()
    known = operations()
    names = given.names or known
    peers = [peer.strip() for peer in given.peers.split(",")]
    for word, allowed, what in ((names, known, "operation"), (peers, list(PEERS), "peer")):
        for one in word:
            if one not in allowed:
                arguments.error(f"there is no {what} {one!r}; there are {', '.join(allowed)}")
    installed = [peer for peer in peers if peer in ("unstall", "threads") or importlib.util.find_spec(peer)]
    print(f"| longest gap, ms | {' | '.join(installed)} |\n|---|{'--:|' * len(installed)}", flush=True)
    results: dict[str, dict[str, dict[str, object]]] = {peer: {} for peer in installed}
    for name in names:
        for peer in installed:
            results[peer][name] = measure(peer, name)
        print(f"| {name} | {' | '.join(cell(results[peer][name]) for peer in installed)} |", flush=True)
    good = {
        peer: sum(r["error"] is None and float(str(r["gap"])) <= LIMIT for r in found.values())
        for peer, found in results.items()
    }
    print(f"| cooperative, of {len(names)} | {' | '.join(str(good[peer]) for peer in installed)} |")
    if given.json is not None:
        given.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
