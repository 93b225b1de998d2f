"""``import stackless`` in converted code gives the module; unconverted code and a program's own file are as ever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.conftest import Program


@pytest.mark.parametrize(
    "statement",
    [
        "import stackless; tasklet, run = stackless.tasklet, stackless.run",
        "from stackless import tasklet, run",
        "from stackless import *",
        "import importlib; s = importlib.import_module('stackless'); tasklet, run = s.tasklet, s.run",
        "s = __import__('stackless'); tasklet, run = s.tasklet, s.run",
    ],
)
def test_all_ways_to_import_it(program: Program, statement: str) -> None:
    done = program(f"{statement}\ntasklet(print)('hello')\nrun()\n", converted=True)
    assert (done.stdout, done.stderr) == ("hello\n", "")


def test_tasklet_exit_is_a_builtin_of_converted_code_and_of_no_other(program: Program) -> None:
    source = """
        import builtins, stackless

        def body():
            try:
                stackless.schedule_remove()
            except TaskletExit as error:
                print("killed by", type(error).__name__)

        t = stackless.tasklet(body)()
        stackless.run()
        t.kill()
        print(hasattr(builtins, "TaskletExit"), issubclass(TaskletExit, SystemExit))
    """
    done = program(source, converted=True)
    assert (done.stdout, done.stderr) == ("killed by TaskletExit\nFalse True\n", "")


def test_tasklet_exit_may_be_the_programs_own(program: Program, tmp_path: Path) -> None:
    (tmp_path / "names.py").write_text("TaskletExit = 42\n")
    for binding in ("from names import *", "TaskletExit = 42", "from names import TaskletExit"):
        done = program(f"{binding}\nprint(TaskletExit)\n", converted=True)
        assert (done.stdout, done.stderr) == ("42\n", "")
    done = program("from stackless import *\nprint(TaskletExit.__name__)\n", converted=True)
    assert (done.stdout, done.stderr) == ("TaskletExit\n", "")


def test_a_file_of_the_program_takes_the_name(program: Program, tmp_path: Path) -> None:
    (tmp_path / "stackless.py").write_text("answer = 42\n")
    done = program("import stackless\nprint(stackless.answer)\n", converted=True)
    assert (done.stdout, done.stderr) == ("42\n", "")


def test_unconverted_code_has_no_such_module() -> None:
    code = "import runtime.stackless, sys\nassert 'stackless' not in sys.modules\nimport stackless"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert "ModuleNotFoundError" in done.stderr


PROGRAM = """\
import stackless
from stacklesslib import util


def body():
    try:
        stackless.schedule_remove()
    except TaskletExit:
        raise SystemExit(util.tasklet_call(int))


task = stackless.tasklet(body)()
stackless.run()
task.kill()
"""


def test_looking_at_a_program_knows_it(tmp_path: Path) -> None:
    path = tmp_path / "prog.py"
    path.write_text(PROGRAM)

    def look(*arguments: str) -> str:
        command = [sys.executable, "-m", "rewriter", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    assert look("--check", "prog.py").startswith("0 calls that can wait")
    assert "+from runtime.green.stacklesslib import util" in look("--diff", "prog.py")
    look("--eject", "out", "prog.py")
    command = [sys.executable, "out/prog.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert look("--explain", "stackless.channel").startswith("stackless.channel: Stackless Python's")
    assert "runtime.tasklet.TaskletExit" in look("--explain", "TaskletExit")


def test_a_program_without_stackless_does_not_load_it() -> None:
    code = "import runtime.green.threading, sys\nprint(any('stackless' in name for name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout, done.stderr) == ("False\n", "")
