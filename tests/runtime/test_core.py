"""Which form of the core runs, and that it is said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from runtime import core

ROOT = Path(core.__file__).parent.parent
BUILT = all(
    (ROOT / "runtime" / "compiled" / f"{module}{EXTENSION_SUFFIXES[0]}").exists() for module in core.MODULES
)
SHOW = """
import runtime
from runtime import core, hub, lock
print(core.reason)
print(hub.__file__ == core.__file__.replace("core.py", "hub.py"), hub.__file__.endswith(".so"))
wire = runtime.Channel()
runtime.spawn(wire.send, 42)
print(wire.receive())
"""


def run(folder: Path, code: str = SHOW, **environment: str) -> list[str]:
    known = {name: value for name, value in os.environ.items() if name != "UNSTALL_PURE"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**known, "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert not done.returncode, done.stderr
    assert not done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package with what was built, as in a clone."""
    shutil.copytree(ROOT / "runtime", tmp_path / "runtime", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def compiled(folder: Path, module: str) -> Path:
    return folder / "runtime" / "compiled" / f"{module}{EXTENSION_SUFFIXES[0]}"


def test_the_written_form_runs_where_that_is_asked_for() -> None:
    assert run(ROOT, UNSTALL_PURE="1") == ["UNSTALL_PURE is set", "True False", "42"]


@pytest.mark.skipif(not BUILT, reason="the core is not built")
def test_the_compiled_form_runs_where_it_is_whole(copy: Path) -> None:
    assert run(copy) == ["None", "False True", "42"]
    compiled(copy, core.MODULES[-1]).unlink()
    assert run(copy) == ["not built for this Python", "True False", "42"]
    shutil.rmtree(copy / "runtime" / "compiled")
    assert run(copy) == ["not built", "True False", "42"]


@pytest.mark.skipif(not BUILT, reason="the core is not built")
@pytest.mark.parametrize("source", ["hub.py", "hub.pxd", "primitives.h"])
def test_a_source_that_was_changed_runs_as_it_is_written(copy: Path, source: str) -> None:
    newest = max(compiled(copy, module).stat().st_mtime for module in core.MODULES)
    os.utime(copy / "runtime" / source, (newest + 1, newest + 1))
    assert run(copy)[:2] == [f"runtime/{source} has changed since it was built", "True False"]
    (copy / "pyproject.toml").unlink()  # installed: the times are those of the installation
    assert run(copy)[:2] == ["None", "False True"]


@pytest.mark.skipif(not BUILT, reason="the core is not built")
def test_what_cannot_be_loaded_is_not_needed(copy: Path) -> None:
    """A file for another system, say."""
    compiled(copy, core.MODULES[0]).write_bytes(b"no library")
    reason, *rest = run(copy)
    assert core.MODULES[0] in reason
    assert rest == ["True False", "42"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11 does not say which interpreter is the first")
def test_another_interpreter_runs_the_written_form() -> None:
    name = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    create = "create('legacy')" if sys.version_info >= (3, 13) else "create(isolated=False)"
    code = f"import runtime, {name} as them\nother = them.{create}\nthem.run_string(other, {SHOW!r})\n"
    code += "them.destroy(other)\n"
    reason, *rest = run(ROOT, code)
    assert reason != "None"
    assert rest == ["True False", "42"]


@pytest.mark.parametrize("pure", ["", "1"])
def test_each_thread_has_a_hub_of_its_own_until_it_ends(pure: str) -> None:
    """It is given back as the thread ends, and what runs later, in the midst of that, gets a fresh one."""
    code = """
import os, sys, threading
from runtime.hub import existing_hub, get_hub
class Late:
    def __del__(self):
        seen.append(existing_hub() is not mine[0])
seen, mine, kept = [], [], threading.local()
def run():
    mine.append(get_hub())
    assert existing_hub() is mine[0] is not main
    kept.late = Late()
main = get_hub()
before = len(os.listdir("/proc/self/fd"))
for _ in range(20):
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    mine.clear()
print(get_hub() is main, len(seen), len(os.listdir("/proc/self/fd")) - before)
"""
    assert run(ROOT, code, UNSTALL_PURE=pure) == ["True 20 0"]
