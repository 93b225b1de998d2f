"""What holds between the packages, and what never happens to the standard library."""

from __future__ import annotations

import importlib
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest

from runtime.table import MODULES, STACKLESS

ROOT = pathlib.Path(__file__).parent.parent
SOURCES = [path for folder in ("rewriter", "runtime") for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_fits_in_a_head(path: pathlib.Path) -> None:
    assert len(path.read_text().splitlines()) <= 700


def test_runtime_knows_nothing_of_the_rewriter() -> None:
    wanted = re.compile(r"^\s*(?:from|import) +(?:rewriter|libcst|watchdog)\b", re.MULTILINE)
    guilty = [path for path in SOURCES if "runtime" in path.parts and wanted.search(path.read_text())]
    assert guilty == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # what later versions have dropped
@pytest.mark.parametrize("name", sorted(MODULES.keys() - STACKLESS))
def test_a_row_names_a_module_and_its_counterpart_can_be_imported(name: str) -> None:
    plain = importlib.import_module(name)
    green = importlib.import_module(f"runtime.green.{name}")
    assert green is not plain
    place = ROOT.joinpath("runtime", "green", *name.split("."))
    overlay = place.with_suffix(".py").exists() or (place / "__init__.py").exists()
    assert overlay == (MODULES[name] == "overlay")


def test_no_module_of_the_standard_library_is_written_to(tmp_path: pathlib.Path) -> None:
    """Every name of every loaded standard module is bound to what it was bound to before."""
    program = tmp_path / "program.py"
    program.write_text(
        "import socket, threading, time, queue, urllib.request, http.server, socketserver, selectors\n"
        "import concurrent.futures\n"
        "a, b = socket.socketpair()\n"
        "t = threading.Thread(target=lambda: b.sendall(a.recv(10)))\n"
        "t.start(); time.sleep(0.01)\n"
        "b.sendall(b'x'); t.join()\n"
        "with concurrent.futures.ThreadPoolExecutor(2) as pool:\n"
        "    assert list(pool.map(abs, [-1, 2])) == [1, 2]\n"
    )
    check = f"""
import importlib, runpy, sys
from runtime.table import MODULES, STACKLESS
for name in MODULES.keys() - STACKLESS:
    importlib.import_module(name)
import concurrent.futures.thread, importlib.util, linecache, traceback, runpy, tokenize

def look():
    found = {{}}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in sys.stdlib_module_names and name != "__main__":
            found[name] = {{key: id(value) for key, value in vars(module).items()}}
    return found

before = look()
import rewriter
sys.path.insert(0, {str(tmp_path)!r})
with rewriter.install("program"):
    import program
    assert program.threading is not sys.modules["threading"]
    for name in MODULES.keys() - STACKLESS:
        importlib.import_module("runtime.green." + name)
after = look()
# What the interpreter's own machinery keeps for itself while anything is imported or run.
CACHES = {{
    ("concurrent.futures", "ThreadPoolExecutor"),
    ("linecache", "cache"),
}}
for name, names in before.items():
    for key, value in names.items():
        changed = after[name].get(key) != value
        if changed and not key.startswith("__") and (name, key) not in CACHES:
            now = vars(sys.modules[name]).get(key)
            # Counters and flags that a module keeps for itself are not ours to freeze.
            assert isinstance(now, (int, float, tuple)), (name, key, now)
    new = set(after[name]) - set(names)
    # A submodule that somebody imports becomes an attribute of its package: Python does that.
    # So does a module with a __getattr__ of its own keep what it made late (typing).
    known = {{"__warningregistry__"}} | (new if "__getattr__" in names else set())
    assert all(f"{{name}}.{{key}}" in sys.modules or key in known for key in new), (name, new)
print("untouched", len(before))
"""
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("untouched")


def test_every_package_is_installed() -> None:
    """What setuptools installs is listed by hand, since the folders of tests and benchmarks stay where they are."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {path.parent for path in SOURCES if path.name == "__init__.py"}
    assert sorted(listed) == sorted(".".join(folder.relative_to(ROOT).parts) for folder in folders)
