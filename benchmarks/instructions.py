"""`python -m benchmarks.instructions`: what a warm import costs, in instructions, which other work does not change.

A generated package (`benchmarks.generate`) is imported in fresh processes under valgrind's callgrind, once with a few
modules and once with many; the difference is what one module costs: plain, converted, and beside an installed hook that
converts something else.  The system's own work is not counted; it is the same for all three.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from benchmarks.generate import generate

ROOT = pathlib.Path(__file__).parent.parent
FEW = 4
HOOKS = {"plain": "plain", "unstall": "converted", "unstall-elsewhere": "not converted, hook installed"}
_COUNTED = re.compile(r"Collected : (\d+)")
_COUNTING = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("--modules", type=int, default=64, help="how many there are (default: %(default)s)")
    modules = parser.parse_args().modules
    plain = None
    for hook, words in HOOKS.items():
        each = (_instructions(hook, modules) - _instructions(hook, FEW)) / (modules - FEW)
        plain = plain or each
        print(f"{words:30} {each:12,.0f} instructions a module {each / plain:8.4f} of plain's", flush=True)


def _instructions(hook: str, modules: int) -> int:
    """Those of a process that imports a package of so many *modules*, when its bytecode is there."""
    with tempfile.TemporaryDirectory(prefix="unstall-import-") as folder:
        generate(pathlib.Path(folder), modules)
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.peers.imports", hook, folder]
        for prefix in ((), (), _COUNTING):
            done = subprocess.run(
                [*prefix, *command], cwd=ROOT, env=_environment(), capture_output=True, text=True, check=True
            )
        counted = _COUNTED.search(done.stderr)
        assert counted is not None, done.stderr
        return int(counted[1])


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return kept | {"PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}


if __name__ == "__main__":
    main()
