"""Children that ``multiprocessing`` spawns convert what their parent converts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rewriter.conftest import Run

# Prints which of three modules are converted, in the process that runs it.
LOOK = """\
import sys

def kinds(*more):
    import app.part, app.left, lib
    found = [module.time.__spec__.name.startswith("runtime") for module in (app.part, app.left, lib, *more)]
    print(*found, flush=True)
"""
MAIN = """\
import multiprocessing, sys, time
from look import kinds

def child():
    kinds(sys.modules["__mp_main__"])

if __name__ == "__main__":
    {before}
    process = multiprocessing.get_context(sys.argv[1]).Process(target=child)
    process.start()
    process.join()
    sys.exit(process.exitcode)
"""
METHODS = pytest.mark.parametrize("method", ["spawn", "forkserver"])


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A package with two modules, a library, and what looks at them."""
    (tmp_path / "app").mkdir()
    for name in ("app/__init__", "app/part", "app/left", "lib"):
        (tmp_path / f"{name}.py").write_text("import time\n")
    (tmp_path / "look.py").write_text(LOOK)
    (tmp_path / "main.py").write_text(MAIN.format(before=""))
    return tmp_path


@METHODS
def test_a_script_and_what_stands_beside_it(modules: Path, run: Run, method: str) -> None:
    """Everything in the script's folder is converted, but for what the command line excludes."""
    done = run("-m", "rewriter", "--no-convert", "app.left,lib", "main.py", method)
    assert (done.stdout, done.stderr, done.returncode) == ("True False False True\n", "", 0)


@METHODS
def test_a_module_by_its_name(modules: Path, run: Run, method: str) -> None:
    """The package of the module is converted, also as the main module."""
    (modules / "app" / "program.py").write_text(MAIN.format(before=""))
    done = run("-m", "rewriter", "-m", "app.program", method)
    assert (done.stdout, done.stderr, done.returncode) == ("True True False True\n", "", 0)


@METHODS
def test_installations_that_a_plain_script_makes(modules: Path, run: Run, method: str) -> None:
    """All of them hold in the child, where the main module stays as plain as it was.

    The script's own ``multiprocessing`` is plain, and so are its children; a converted module's are not.
    """
    (modules / "app" / "start.py").write_text(
        "import multiprocessing\n"
        "def start(method, target):\n"
        "    process = multiprocessing.get_context(method).Process(target=target)\n"
        "    process.start()\n"
        "    process.join()\n"
        "    return process.exitcode\n"
    )
    before = (
        "import rewriter; rewriter.install('app', exclude=['app.left']); rewriter.install('lib')\n"
        "    from app.start import start\n"
        "    start(sys.argv[1], child)"
    )
    (modules / "main.py").write_text(MAIN.format(before=before))
    done = run("main.py", method)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["True False True False", "False False False False"]


@METHODS
def test_a_plain_program_has_plain_children(modules: Path, run: Run, method: str) -> None:
    done = run("main.py", method)
    assert (done.stdout, done.stderr, done.returncode) == ("False False False False\n", "", 0)


def test_settings_and_a_program_s_own_modules(modules: Path, run: Run) -> None:
    """Native threads are native in the child, and a ``queue.py`` beside the script is what ``queue`` means."""
    (modules / "queue.py").write_text(
        "import collections\nEmpty = Full = Exception\nclass Queue: mine = True\n"
    )
    (modules / "main.py").write_text(
        "import multiprocessing, queue, threading\n"
        "def child():\n"
        "    thread = threading.Thread(target=int)\n"
        "    thread.start()\n"
        "    print(queue.Queue.mine, thread.native_id != threading.main_thread().native_id)\n"
        "if __name__ == '__main__':\n"
        "    process = multiprocessing.get_context('spawn').Process(target=child)\n"
        "    process.start()\n"
        "    process.join()\n"
    )
    done = run("-m", "rewriter", "--threads", "native", "main.py")
    assert (done.stdout, done.stderr) == ("True True\n", "")


def test_a_grandchild_inherits_too(modules: Path, run: Run) -> None:
    """What the child took over it hands on."""
    (modules / "main.py").write_text(
        "import multiprocessing, time\n"
        "spawn = multiprocessing.get_context('spawn')\n"
        "def child(generations):\n"
        "    print(generations, time.__spec__.name, flush=True)\n"
        "    if generations:\n"
        "        process = spawn.Process(target=child, args=(generations - 1,))\n"
        "        process.start()\n"
        "        process.join()\n"
        "if __name__ == '__main__':\n"
        "    child(2)\n"
    )
    done = run("-m", "rewriter", "main.py")
    assert done.stdout.splitlines() == [f"{number} runtime.green.time" for number in (2, 1, 0)]
    assert done.stderr == ""
